"""The loop in rounds, on a small learned lender: what it leaves, when it ends, and that it can be killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from audit.api import open_run
from audit.demo.history import train_lender
from audit.rounds import LoopResult
from audit.spec import load_spec, load_target
from probes.records import Prompt
from tests.audit.cli.conftest import Command

pytestmark = pytest.mark.slow

_SPEC = """\
version: 1
name: lender
seed: 3
target: {type: trainable, path: lender}
probes:
  - use: bias/decisions
    domains: [lending]
    attributes: [gender]
    signals: [explicit]
    placebos: [paraphrase]
    sets_per_template: 2
analyzers: [decision]
gate:
  - {measure: favourable_rate, attribute: gender, fail_if: "estimate < -0.06"}
"""

_SLOW_TARGET = '{type: function, call: "always_yes:answer", deterministic: true, max_in_flight: 4}'
_SLOW = """\
import os
import time


def answer(prompt: str) -> str:
    with open("asked.log", "a") as log:
        log.write(repr(prompt) + "\\n")
    time.sleep(float(os.environ.get("ANSWER_S", "0")))
    return "Yes"
"""


@pytest.fixture
def lender(home: Path) -> Path:
    """The working folder, with a biased lender and its spec."""
    train_lender(home / "lender", seed=1, n=3000)
    (home / "lender.yaml").write_text(_SPEC)
    return home


def _result(folder: Path) -> LoopResult:
    return LoopResult.model_validate_json((folder / "loop.json").read_text(encoding="utf-8"))


def test_a_loop_ends_when_the_gate_is_met_and_is_judged_by_prompts_it_never_saw(
    lender: Path, evenhand: Command
) -> None:
    """The first round mends, the second finds the gate met, and the sealed prompts are those of no round."""
    command = ["loop", "lender.yaml", "--out", "loop", "--train", "trainable", "--max-examples", "300"]
    command.append("--split-wordings")
    ended = evenhand(*command, "--json")
    assert ended.code == 0
    result = _result(lender / "loop")
    assert json.loads(ended.out) == result.model_dump(mode="json")
    assert (result.end, result.gate) == ("gate met", "met")
    assert [one.kept for one in result.rounds] == [True, False]
    assert result.rounds[0].improved
    assert result.model == "round-1/model/target.yaml"
    assert load_target(lender / "loop" / result.model).options() == {"path": "loop/round-1/model"}
    assert result.fixed
    seeds = {load_spec(path).seed for path in (lender / "loop").glob("*/*/spec.yaml")}
    loop = lender / "loop"
    runs = sorted(str(path.parent.relative_to(loop)) for path in loop.glob("*/*/plan.json"))
    assert runs == ["round-1/after", "round-1/before", "round-2/before", "sealed/after", "sealed/before"]
    assert len(seeds) == 3
    sealed, asked = (
        {one.id for one in _prompts(loop / name)} for name in ("sealed/before", "round-1/before")
    )
    assert not sealed & asked
    wordings = [_templates(loop / name) for name in ("sealed/before", "sealed/after", "round-1/before")]
    assert wordings[0] == wordings[1]
    assert not wordings[0] & wordings[2]
    assert _templates(loop / "round-2/before") == wordings[2]
    written = {path: path.stat().st_mtime_ns for path in (lender / "loop").rglob("weights.npz")}
    told = json.loads(
        evenhand("compare", loop / "sealed" / "before", loop / "sealed" / "after", "--json").out
    )
    bounds = {one["measure"]: one["non_inferiority"] for one in told["changes"] if one["non_inferiority"]}
    assert bounds
    unsure = {name for name, bound in bounds.items() if bound["verdict"] == "not_shown"}
    assert {one.split(",")[0] for one in result.unsure} == unsure
    again = evenhand(*command)
    assert again.code == 0
    assert f"not shown to be no worse: {'; '.join(result.unsure) or 'nothing'}" in again.err
    assert written == {path: path.stat().st_mtime_ns for path in (lender / "loop").rglob("weights.npz")}
    assert _result(lender / "loop") == result


def test_a_loop_that_is_killed_goes_on_and_ends_alike(lender: Path, evenhand: Command) -> None:
    """Killed in the middle and given again, the loop comes to what an unbroken one comes to."""
    command = ["loop", "lender.yaml", "--train", "trainable", "--max-examples", "300", "--rounds", "1"]
    started = [sys.executable, "-m", "audit", *command, "--out", "killed"]
    with subprocess.Popen(started, cwd=lender, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not (lender / "killed" / "round-1" / "files").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert not (lender / "killed" / "loop.json").exists()
    assert evenhand(*command, "--out", "killed").code in {0, 1, 3}
    assert evenhand(*command, "--out", "whole").code in {0, 1, 3}
    assert _result(lender / "killed") == _result(lender / "whole")


def test_a_loop_goes_on_as_it_was_begun(lender: Path, evenhand: Command) -> None:
    """Other options are refused, not said of what is there, and rounds after the judgement too."""
    (lender / "open.yaml").write_text(_SPEC.split("gate:", maxsplit=1)[0])
    begun = ["loop", "open.yaml", "--out", "loop", "--train", "trainable", "--max-examples", "60"]
    weak = ["--train-option", "pull=1"]
    assert evenhand(*begun, *weak, "--rounds", "1").code == 0
    result = _result(lender / "loop")
    assert (result.end, result.model) == ("rounds used up", "round-1/model/target.yaml")
    for options, said in (
        (["--rounds", "1"], "train option pull was 1, is None"),
        ([*weak, "--rounds", "1", "--max-examples", "70"], "max_examples was 60, is 70"),
        ([*weak, "--rounds", "2"], "have judged the model of round 1, and judge one model only"),
    ):
        ended = evenhand(*begun, *options)
        assert (ended.code, said in ended.err, "next: give " in ended.err) == (2, True, True)
    assert _result(lender / "loop") == result
    assert not (lender / "loop" / "round-2").exists()


def test_a_loop_that_is_interrupted_scores_nothing_half_answered(lender: Path, evenhand: Command) -> None:
    """Ctrl-C during a collection ends the loop there, and the same command asks what was not asked yet."""
    (lender / "always_yes.py").write_text(_SLOW)
    (lender / "slow.yaml").write_text(_SPEC.replace("{type: trainable, path: lender}", _SLOW_TARGET))
    command = ["loop", "slow.yaml", "--out", "slow", "--train", "trainable", "--rounds", "1"]
    started = [sys.executable, "-m", "audit", *command]
    environment = {**os.environ, "ANSWER_S": "0.05"}
    with subprocess.Popen(started, cwd=lender, stderr=subprocess.PIPE, text=True, env=environment) as process:
        deadline = time.monotonic() + 60
        while len(_lines(lender / "asked.log")) < 8 and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "run the same command again to go on" in said
    assert "Traceback" not in said
    assert [path.name for path in (lender / "slow").iterdir()] == ["sealed"]
    assert not list((lender / "slow").rglob("findings.json"))
    assert evenhand(*command).code in {0, 1, 3}
    assert _result(lender / "slow").end == "gate met"
    asked = Counter(_lines(lender / "asked.log"))
    sets = [_prompts(lender / "slow" / name) for name in ("sealed/before", "round-1/before")]
    planned = Counter(repr(one.messages[-1].content) for prompts in sets for one in prompts)
    assert asked == planned


def test_what_a_loop_cannot_do_is_one_line(lender: Path, evenhand: Command) -> None:
    """A baseline and an unknown trainer are refused; a loop with nothing to repair says so and ends."""
    (lender / "two.yaml").write_text(_SPEC + "baseline: {type: trainable, path: lender}\n")
    ended = evenhand("loop", "two.yaml", "--out", "x", "--train", "trainable")
    assert (ended.code, "baseline: a loop compares models with each other" in ended.err) == (2, True)
    train_lender(lender / "lender", seed=1, n=3000, penalties={})
    (lender / "fair.yaml").write_text(_SPEC.split("gate:", maxsplit=1)[0])
    ended = evenhand("loop", "fair.yaml", "--out", "fair", "--train", "trainable")
    assert ended.code == 0
    assert _result(lender / "fair").end == "nothing to repair"
    assert "no model was kept" in ended.err
    assert "the spec has no gate, so the exit code says only" in ended.err
    (lender / "part.yaml").write_text(_SPEC + "wordings: 1/2\n")
    ended = evenhand("loop", "part.yaml", "--out", "y", "--train", "trainable", "--split-wordings")
    assert (ended.code, "wordings: leave it out with --split-wordings" in ended.err) == (2, True)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _prompts(folder: Path) -> list[Prompt]:
    with open_run(folder).store(read_only=True) as store:
        return list(store.prompts())


def _templates(folder: Path) -> set[str]:
    return {prompt.template for prompt in _prompts(folder)}
