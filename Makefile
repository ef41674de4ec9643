# Everything a newcomer needs: `make demo`, `make test`, `make lint`. Each sets itself up in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Off even where the environment has it on: without files of bytecode every process compiles all that it imports
# anew, three to four times the time of each start.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test lint format wheel-check clean

$(VENV)/core.stamp: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

# torch comes first and pinned: asked for by name only, the CPU build is enough and a range would pull gigabytes.
# Python compiles what is imported when it is; compiling all 24,000 modules here doubles the time of installing.
$(VENV)/dev.stamp: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile "torch==2.13.0"
	$(BIN)/python -m pip install --quiet --no-compile --editable ".[dev]"
	touch $@ $(VENV)/core.stamp

demo: $(VENV)/core.stamp
	rm -rf demo
	$(BIN)/evenhand demo --out demo

# One thread a worker: small matrices gain nothing from threads that fight over the same cores. Each worker takes
# its half in order and steals from the other's end, so what a file's tests share is made once.
test: $(VENV)/dev.stamp
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/pytest --numprocesses=auto --dist=worksteal

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

wheel-check: $(VENV)/dev.stamp
	.ci/wheel-check

clean:
	rm -rf demo dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
