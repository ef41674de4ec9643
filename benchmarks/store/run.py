"""Does the store cost the same for each output, however many there are?

    python -m benchmarks.store.run [--outputs 10000 100000 1000000]

Run it from the project's root: some minutes of one core for the sizes above, a gigabyte of disk for each
million outputs, no network. Every size has a process of its own, in which a plan is made, one output of 400
characters is stored for each prompt in batches of 64, each a durable commit, with what a run keeps beside
them, and everything is read again.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from contextlib import closing
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from audit import api
from audit.collection.upkeep import Upkeep
from audit.exporting import export_run
from audit.records import Output, Usage
from audit.spec import load_spec
from audit.store.order import order_seed
from audit.targets.base import TargetInfo
from benchmarks.collection.planned import spec_file, write_rows

__all__ = ["STEPS", "main", "measure", "table"]

STEPS = ("plan", "store", "go on at half", "read to score", "frame", "export to Parquet")
"""What is timed, in order."""
_BATCH = 64
"""Outputs of one commit."""
_INFOS = {"target": TargetInfo(name="target", deterministic=False, facts={})}
_TEXT = "yes, " + "since what is on file meets what is asked for " * 8
_ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None) -> None:
    """Measure every size in a process of its own, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--outputs", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.one is not None:
        print(json.dumps(measure(chosen.one)))
        return
    print(table({outputs: _apart(outputs) for outputs in chosen.outputs}))


def measure(outputs: int) -> dict[str, float]:
    """Seconds of each step, and the largest resident memory of this process in MiB under `memory`.

    Args:
        outputs: How many, an even number.
    """
    seconds: dict[str, float] = {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_rows(folder, outputs)
        spec = spec_file(folder, "http://127.0.0.1:1/v1", 1)
        clock = _Clock(seconds)
        made = api.create_run(load_spec(spec), folder / "run", root=folder, where=str(spec))
        clock.lap("plan")
        seed = order_seed(made.spec.seed)
        with made.store() as store:
            waiting = store.pending(["target"], 1, seed)
            upkeep = Upkeep(store, _INFOS, dict.fromkeys(_INFOS), repeats=1, seed=made.spec.seed)
            asked = 0
            while batch := list(islice(waiting, _BATCH)):
                store.add_outputs([_answer(request.prompt_id) for _, request in batch])
                upkeep.stored(len(batch))
                asked += len(batch)
                if asked >= outputs // 2 and "go on at half" not in seconds:
                    clock.lap("store")
                    with closing(store.pending(["target"], 1, seed)) as left:
                        next(left)
                    clock.lap("go on at half")
            clock.lap("store")
            if store.counts("target", 1).answered != outputs:
                raise RuntimeError("not every output was stored")
            read = sum(len(page) for page in store.exchanges("none", "1"))
            clock.lap("read to score")
            if read != outputs or len(store.frame("target")) < outputs:
                raise RuntimeError("not every output was read")
            clock.lap("frame")
        export_run(made, folder / "tables")
        clock.lap("export to Parquet")
    # Kilobytes on Linux.
    return {**seconds, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def table(found: dict[int, dict[str, float]]) -> str:
    """Microseconds an output of each step by size, and their ratio to those of the smallest, as Markdown."""
    sizes = sorted(found)
    lines = [
        "| step | " + " | ".join(f"{size:,} outputs" for size in sizes) + " |",
        "| --- |" + " --- |" * len(sizes),
    ]
    for step in STEPS:
        costs = [1e6 * found[size][step] / size for size in sizes]
        cells = [f"{cost:.1f} µs ({cost / costs[0]:.2f})" for cost in costs]
        if step == "go on at half":  # It should not grow with the outputs at all.
            cells = [f"{1e3 * found[size][step]:.1f} ms" for size in sizes]
        lines.append(f"| {step} | " + " | ".join(cells) + " |")
    lines.append(
        "| largest memory | " + " | ".join(f"{found[size]['memory']:.0f} MiB" for size in sizes) + " |"
    )
    return "\n".join(lines)


class _Clock:
    """Adds up seconds by step."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds = seconds
        self._last = time.perf_counter()

    def lap(self, step: str) -> None:
        now = time.perf_counter()
        self._seconds[step] = self._seconds.get(step, 0.0) + now - self._last
        self._last = now


def _answer(prompt_id: str) -> Output:
    return Output(
        target="target",
        prompt_id=prompt_id,
        text=_TEXT,
        finish_reason="stop",
        usage=Usage(prompt_tokens=40, completion_tokens=90),
        latency_s=0.5,
        model="stub",
    )


def _apart(outputs: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.store.run", "--one", str(outputs)]
    said = subprocess.run(command, cwd=_ROOT, check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = json.loads(said.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
