"""The whole audit on the command line: exit codes, limits, interruption, and what a kill leaves."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import cast

import pytest

from audit.planned_run import open_run
from probes.seeds import rng
from tests.audit.cli.conftest import Command

SLOW_TARGET = '''\
"""A function that answers by a fixed rule, slowly, and logs every question."""

import hashlib
import os
import time


def answer(prompt: str) -> str:
    with open("asked.log", "a") as log:
        log.write(hashlib.sha256(prompt.encode()).hexdigest() + "\\n")
    time.sleep(float(os.environ.get("ANSWER_S", "0.01")))
    return "yes" if int(hashlib.sha256(prompt.encode()).hexdigest(), 16) % 3 else "no"
'''
SLOW = """\
version: 1
name: slow
seed: 7
repeats: 2
target: {type: function, call: "slow:answer", deterministic: true, max_in_flight: 4}
probes: [{use: public/table, path: asked.csv, prompt: prompt, options: options, answer: right}]
analyzers: [decision]
"""


@pytest.fixture
def slow(home: Path) -> Path:
    """The home with a slow target and 48 planned outputs."""
    (home / "slow.py").write_text(SLOW_TARGET)
    (home / "slow.yaml").write_text(SLOW)
    return home


def start(home: Path, *arguments: str, answer_s: float = 0.02) -> subprocess.Popen[str]:
    """The command as a process that goes on in the background."""
    return subprocess.Popen(
        [sys.executable, "-m", "audit", *arguments],
        cwd=home,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "ANSWER_S": str(answer_s), "NO_COLOR": "1"},
    )


def asked(home: Path) -> list[str]:
    """Every question the slow target was asked, in order."""
    log = home / "asked.log"
    return log.read_text().split() if log.exists() else []


def wait_for(home: Path, questions: int, child: subprocess.Popen[str]) -> None:
    """Wait until the target was asked that many questions, or the process ended."""
    until = time.monotonic() + 30
    while len(asked(home)) < questions and child.poll() is None and time.monotonic() < until:
        time.sleep(0.005)


def test_run_leaves_all_its_files_and_says_what_it_found(evenhand: Command, home: Path) -> None:
    """One command plans, collects, scores, finds and reports."""
    ended = evenhand("run", "spec.yaml", "--out", "runs/a")
    assert ended.code == 0
    assert {"run.sqlite", "spec.yaml", "plan.json", "findings.json", "report.html"} <= {
        path.name for path in (home / "runs" / "a").iterdir()
    }
    assert "24 outputs planned: 24 prompts, 1 a prompt" in ended.err
    assert "planned 24 = answered 24 + refused 0" in ended.err
    assert ended.out == ""
    again = evenhand("run", "spec.yaml", "--out", "runs/a")
    assert again.code == 0


def test_json_of_a_run_is_the_contract(evenhand: Command) -> None:
    """Standard output is one document with run, counts, findings and use; people's text goes elsewhere."""
    ended = evenhand("run", "spec.yaml", "--out", "runs/a", "--json")
    assert ended.code == 0
    printed = json.loads(ended.out)
    assert list(printed) == ["run", "counts", "findings", "gate", "collection"]
    assert printed["counts"]["answered"] == 24
    every = json.loads(evenhand("findings", "runs/a", "--all", "--json").out)
    assert {entry["measure"] for entry in every["findings"]} >= {"correct_rate"}
    assert evenhand("score", "runs/a", "--json").code == 0
    assert json.loads(evenhand("report", "runs/a", "--json").out)["report"].endswith("report.html")
    assert evenhand("run", "spec.yaml", "--out", "runs/again").code == 0
    compared = json.loads(evenhand("compare", "runs/a", "runs/again", "--json").out)
    assert (compared["not_comparable"], compared["before"]) == (None, "runs/a")


def events(text: str) -> list[dict[str, object]]:
    """What a program is told on standard error."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_a_program_is_told_of_start_course_and_end(evenhand: Command, home: Path) -> None:
    """Events say where the run is, how far it is, and how it ended; after a limit, how to go on."""
    whole = events(evenhand("run", "spec.yaml", "--out", "runs/a", "--json").err)
    assert (whole[0]["event"], whole[0]["run"]) == ("started", "runs/a")
    assert (whole[0]["planned"], whole[0]["limits"]) == (24, {})
    assert {one["event"] for one in whole[1:-1]} == {"progress"}
    assert cast("dict[str, int]", whole[-2]["progress"])["answered"] == 24
    assert (whole[-1]["event"], whole[-1]["reason"], whole[-1]["next_step"]) == ("ended", "finished", None)
    limited = (home / "spec.yaml").read_text() + "limits: {requests: 10}\n"
    (home / "limited.yaml").write_text(limited)
    ended = evenhand("run", "limited.yaml", "--out", "runs/b", "--json")
    first, last = events(ended.err)[0], events(ended.err)[-1]
    assert (ended.code, first["limits"], last["reason"]) == (4, {"requests": 10.0}, "limit reached")
    assert "limits.requests: 10 reached" in str(last["message"])
    assert last["next_step"] == "evenhand resume runs/b --more requests=10"


@pytest.mark.parametrize(
    ("rule", "code", "word"),
    [
        ("{measure: correct_rate, fail_if: 'ci_high < 0.9'}", 1, "gate failed"),
        ("{measure: correct_rate, fail_if: 'ci_high < 0.1'}", 0, "gate met"),
        (
            "{measure: correct_rate, fail_if: ci_high < 0.9}, {measure: correct_rate, fail_if: ci_low > 0.9}",
            1,
            "<0.001",
        ),
        ("{measure: correct_rate, fail_if: 'ci_high < 0.3'}", 3, "gate inconclusive"),
        ("{measure: toxicity_rate, fail_if: 'ci_high > 0.9'}", 2, "gate[0].measure: 'toxicity_rate' is not"),
    ],
)
def test_gate_decides_the_exit_code(evenhand: Command, home: Path, rule: str, code: int, word: str) -> None:
    """A failed gate ends with 1, an inconclusive one with 3, one about nothing with 2."""
    with (home / "spec.yaml").open("a") as spec:
        spec.write(f"gate: [{rule}]\n")
    ended = evenhand("run", "spec.yaml", "--out", "runs/a")
    assert ended.code == code
    assert word in ended.err


def test_limit_ends_with_4_and_the_rest_can_be_had(evenhand: Command, slow: Path) -> None:
    """Where a limit of the spec stops the run, what was answered is reported, and resume goes on."""
    with (slow / "slow.yaml").open("a") as spec:
        spec.write("limits: {requests: 20}\n")
    first = evenhand("run", "slow.yaml", "--out", "runs/a")
    assert first.code == 4
    assert "limits.requests: 20 reached" in first.err
    assert "next: evenhand resume runs/a" in first.err
    assert "answered 20" in first.err
    assert evenhand("resume", "runs/a", "--more", "requests=20").code == 4
    assert evenhand("resume", "runs/a", "--more", "requests=8").code == 0
    counted = Counter(asked(slow))
    assert len(counted) == 24
    assert set(counted.values()) == {2}


def test_interrupt_ends_with_130_and_resumes(slow: Path) -> None:
    """Ctrl-C stops cleanly: what was answered is kept, the resume command is printed, nothing is lost."""
    child = start(slow, "run", "slow.yaml", "--out", "runs/a", answer_s=0.05)
    wait_for(slow, 8, child)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert "evenhand resume runs/a" in err
    assert "Traceback" not in err
    before = len(asked(slow))
    assert before < 48
    rest = start(slow, "resume", "runs/a", answer_s=0.0)
    rest.communicate(timeout=60)
    assert rest.returncode == 0
    assert len(asked(slow)) == 48
    assert set(Counter(asked(slow)).values()) == {2}


@pytest.mark.slow
def test_kill_at_any_moment_loses_nothing_stored_and_asks_nothing_stored_again(slow: Path) -> None:
    """Killed at ten seeded moments, the run ends with the planned outputs and an unbroken run's bytes."""
    once = SLOW.replace("repeats: 2", "repeats: 1").replace("max_in_flight: 4", "max_in_flight: 2")
    (slow / "slow.yaml").write_text(once)
    whole = start(slow, "run", "slow.yaml", "--out", "whole", answer_s=0.0)
    whole.communicate(timeout=60)
    assert whole.returncode == 0
    (slow / "asked.log").unlink()
    moments = rng(7, "kill").integers(1, 40, size=10)
    stored: set[tuple[str, int]] = set()
    finished: dict[str, int] = {}
    for moment in moments:
        seen = len(asked(slow))
        child = start(slow, "run", "slow.yaml", "--out", "broken", answer_s=0.03)
        # A sixth of the moments fall before the first question, into start and planning.
        wait_for(slow, seen + int(moment) % 6, child)
        # Some time after that question: while it is answered, or while its answer is being stored.
        time.sleep(float(moment) / 100)
        child.kill()
        child.communicate(timeout=30)
        stored = check_kept(slow / "broken", stored)
        finished |= {text: Counter(asked(slow))[text] for text in answered(slow / "broken")}
    last = start(slow, "run", "slow.yaml", "--out", "broken", answer_s=0.0)
    last.communicate(timeout=60)
    assert last.returncode == 0
    check_kept(slow / "broken", stored)
    assert finished
    assert {text: Counter(asked(slow))[text] for text in finished} == finished
    with open_run(slow / "broken").store(read_only=True) as store:
        found = store.counts("target", 1)
    assert (found.planned, found.answered, found.not_asked) == (24, 24, 0)
    assert (slow / "broken" / "findings.json").read_bytes() == (slow / "whole" / "findings.json").read_bytes()


def check_kept(folder: Path, before: set[tuple[str, int]]) -> set[tuple[str, int]]:
    """What is stored now; all that was stored before must be among it, each with one attempt."""
    if not (folder / "plan.json").exists():
        assert not before
        return set()
    run = open_run(folder)
    with run.store(read_only=True) as store:
        outputs = [output for prompt in store.prompts() for _, output in store.outputs("target", prompt.id)]
    keys = [(output.prompt_id, output.repeat) for output in outputs]
    assert len(set(keys)) == len(keys)
    assert all(output.attempt == 0 and output.error is None for output in outputs)
    assert before <= set(keys)
    return set(keys)


def answered(folder: Path) -> set[str]:
    """Hashes of the questions whose answers are stored, none of which may be asked again."""
    if not (folder / "plan.json").exists():
        return set()
    with open_run(folder).store(read_only=True) as store:
        return {
            hashlib.sha256(prompt.messages[0].content.encode()).hexdigest()
            for prompt in store.prompts()
            if store.outputs("target", prompt.id)
        }
