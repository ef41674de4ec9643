"""`evenhand retrain --train`: from a run to a trained target that the same spec audits."""

import json
from pathlib import Path

import pytest
import yaml

from audit.api import open_run
from audit.demo.history import train_lender
from tests.audit.cli.conftest import Command, Ended

_SPEC = """\
version: 1
name: lender
seed: 3
target: {type: trainable, path: ../models/before}
probes:
  - use: bias/decisions
    domains: [lending]
    attributes: [gender]
    signals: [explicit]
    placebos: [paraphrase]
analyzers: [decision]
"""


@pytest.fixture
def audited(home: Path, evenhand: Command) -> Path:
    """A run of a biased lender, whose spec lies in another folder than the command is given in."""
    train_lender(home / "models" / "before", seed=1, n=2000)
    (home / "specs").mkdir()
    (home / "specs" / "lender.yaml").write_text(_SPEC)
    assert evenhand("run", "specs/lender.yaml", "--out", "before").code == 0
    return home


def test_a_trained_target_is_audited_by_the_same_spec(audited: Path, evenhand: Command) -> None:
    """One command writes files, model and target; the same spec audits the model, and the two compare."""
    ended = evenhand(
        "retrain", "before", "--max-examples", "200", "--train", "trainable", "--train-option", "pull=0.005"
    )
    assert (ended.code, ended.out) == (0, "")
    file = audited / "before" / "retraining" / "model" / "target.yaml"
    assert "next: evenhand run SPEC --target before/retraining/model/target.yaml" in ended.err
    target = yaml.safe_load(file.read_text())
    assert target == {"type": "trainable", "path": "../before/retraining/model"}
    assert evenhand("run", "specs/lender.yaml", "--target", file, "--out", "after").code == 0
    compared = evenhand("compare", "before", "after", "--json")
    changes = json.loads(compared.out)["changes"]
    (gap,) = [one for one in changes if one["measure"] == "favourable_rate" and one["group"] == "female"]
    assert abs(gap["after"]) < abs(gap["before"]) / 2


@pytest.fixture
def repaired(audited: Path, evenhand: Command) -> Path:
    """The same with a repaired lender and its run, `after`."""
    assert evenhand("retrain", "before", "--max-examples", "200", "--train", "trainable").code == 0
    file = audited / "before" / "retraining" / "model" / "target.yaml"
    assert evenhand("run", "specs/lender.yaml", "--target", file, "--out", "after").code == 0
    return audited


def test_a_page_tells_what_became_of_a_repair(repaired: Path, evenhand: Command) -> None:
    """The page says of each finding what the terminal says, how to write it again, and is the same again."""
    given = ("before", "after", "--files", "before/retraining", "--training", "before/retraining/model")
    ended = evenhand("compare", *given, "--html", "page.html")
    assert (ended.code, "report: page.html" in ended.err) == (0, True)
    html = (repaired / "page.html").read_text(encoding="utf-8")
    told = json.loads(evenhand("compare", *given, "--json", "--html", "again.html").out)
    assert any(one["outcome"] == "fixed" for one in told["findings"])
    for one in told["findings"]:
        assert html.count(f'id="end-{one["id"]}"') == 1
    assert f"evenhand compare {' '.join(given)} --html page.html" in html
    assert "<dt>trainer</dt><dd>trainable</dd>" in html
    again = (repaired / "again.html").read_text(encoding="utf-8")
    assert again.replace("again.html", "page.html") == html
    refused = evenhand("compare", "before", "after", "--html", "page.html/page.html")
    assert (refused.code, "Traceback" in refused.err) == (2, False)


def test_a_repair_stands_beside_a_repeat_and_findings_have_outcomes(
    repaired: Path, evenhand: Command
) -> None:
    """A repeat stands beside the repair, every finding is told once, and another plan is refused."""
    audited = repaired
    assert evenhand("run", "specs/lender.yaml", "--out", "again").code == 0
    pair = ("compare", "before", "after")
    told = json.loads(evenhand(*pair, "--base", "again", "--prompt-only", "again", "--json").out)
    assert len(told["beside"]) == len(told["changes"])
    for change, other in zip(told["changes"], told["beside"], strict=True):
        assert other["finding"] == change["finding"]
        if other["base"] is not None and other["base"]["change"] is not None:
            assert other["base"]["change"] == 0
            assert other["against_prompt_only"]["change"] == change["change"]
    found = json.loads(evenhand("findings", "before", "--json").out)["findings"]
    assert {one["id"] for one in told["findings"] if one["outcome"] != "new"} == {one["id"] for one in found}
    shown = evenhand(*pair, "--base", "again").err
    assert "repeat: a second audit of the same model" in shown
    assert "findings: " in shown
    told = json.loads(evenhand(*pair, "--files", "before/retraining", "--json").out)
    (gap,) = [
        one for one in told["changes"] if one["measure"] == "favourable_rate" and one["group"] == "female"
    ]
    (cell,) = [
        one for one in told["cells"] if one["measure"] == "favourable_rate" and one["group"] == "female"
    ]
    assert (cell["template"], cell["identity"], cell["trained"]) == ("unseen", "seen", True)
    assert (cell["change"], cell["ci_low"]) == pytest.approx((gap["change"], gap["ci_low"]))
    beside = evenhand(*pair, "--files", "before/retraining", "--prompt-only", "again").err
    assert "By what the files touched:" in beside
    assert "word for word: not measured" in beside
    (audited / "training.json").write_text('{"trainer": {"name": "x"}, "seconds": 2}')
    took = evenhand(*pair, "--training", ".").err
    assert "training (x): seconds 2, tokens unknown, USD unknown, kWh unknown" in took
    noted = {"trainer": {"name": "x"}, "energy_kwh": 0.002, "energy_source": "a meter\x1b[31m"}
    (audited / "training.json").write_text(json.dumps(noted))
    assert "kWh 0.002 (a meter" in (metered := evenhand(*pair, "--training", ".").err)
    assert "\x1b" not in metered
    assert "the instruction less than the repair in 0" in beside
    assert "--base: before is BEFORE itself" in problem(evenhand(*pair, "--base", "before"))
    assert "AFTER: before is BEFORE itself" in problem(evenhand("compare", "before", "before"))
    (audited / "specs" / "other.yaml").write_text(_SPEC.replace("seed: 3", "seed: 4"))
    assert evenhand("run", "specs/other.yaml", "--out", "other").code == 0
    refused = evenhand(*pair, "--base", "other", "--html", "other.html")
    assert "Not comparable" in (audited / "other.html").read_text(encoding="utf-8")
    assert refused.code == 3
    assert "the runs before and base asked different prompts" in refused.err


def problem(ended: Ended) -> str:
    """The one line that says what is wrong, of a command that ended with 2 and did not crash."""
    assert (ended.code, ended.out, "Traceback" in ended.err) == (2, "", False)
    (line,) = (line for line in ended.err.splitlines() if line.lower().startswith("error: "))
    return line


def test_options_of_training_are_refused_in_one_line(audited: Path, evenhand: Command) -> None:
    """A wrong option, a value that is no YAML and an option without a trainer are named."""
    begin = ("retrain", "before", "--max-examples", "40")
    train = (*begin, "--train", "trainable")
    assert "--train trainable: colour: unknown key" in problem(
        evenhand(*train, "--train-option", "colour=red")
    )
    assert "accepted is KEY=VALUE" in evenhand(*train, "--train-option", "pull").err
    assert (
        "pull is given twice" in evenhand(*train, "--train-option", "pull=1", "--train-option", "pull=2").err
    )
    assert "the value is no YAML" in evenhand(*train, "--train-option", "pull=[").err
    broken = problem(evenhand(*begin, "--replay-licence", "CC0\n# Approved"))
    assert "--replay-licence: accepted are 1 to 200 characters in one line" in broken
    assert "--train-option needs --train NAME" in problem(evenhand(*begin, "--train-option", "pull=1"))
    assert "unknown name 'nobody'; accepted: " in problem(evenhand(*begin, "--train", "nobody"))
    (audited / "bad.yaml").write_text("path: x\n")
    assert "bad.yaml: type: required key is missing" in problem(
        evenhand("run", "specs/lender.yaml", "--target", "bad.yaml", "--out", "x")
    )
    missing = problem(evenhand("run", "specs/lender.yaml", "--target", "none.yaml", "--out", "x"))
    assert "none.yaml: cannot be read" in missing


def test_a_repair_in_the_models_own_words_is_asked_once(audited: Path, evenhand: Command) -> None:
    """Fresh cases are asked in a run of their own, its answers are the files', and again nothing is asked."""
    command = ("retrain", "before", "--own-answers", "own", "--max-examples", "200", "--json")
    ended = evenhand(*command)
    assert ended.code == 0
    manifest = json.loads(ended.out)["manifest"]
    assert [one for one in manifest["strategies"] if "consistency" in one] == ["counterfactual_consistency 1"]
    sidecar = audited / "before" / "retraining" / "train.trl-sft.provenance.jsonl"
    sources = {json.loads(line)["source"] for line in sidecar.read_text().splitlines()}
    assert sources == {"own_answer", "ground_truth"}
    spec = yaml.safe_load((audited / "own" / "spec.yaml").read_text())
    assert (spec["probes"][0]["pool"], spec["repeats"]) == ("retraining", 1)
    written = (audited / "before" / "retraining" / "retraining.json").read_bytes()
    with open_run(audited / "own").store(read_only=True) as store:
        asked = store.counts("target", 1)
    assert evenhand(*command).code == 0
    assert (audited / "before" / "retraining" / "retraining.json").read_bytes() == written
    with open_run(audited / "own").store(read_only=True) as store:
        assert store.counts("target", 1) == asked
    ended = evenhand("retrain", "before", "--own-answers", "before")
    assert (ended.code, "another spec" in ended.err) == (2, True)


def test_a_model_that_gives_way_to_a_technique_is_asked_plainly(home: Path, evenhand: Command) -> None:
    """Of harmful compliance alone, goals and look-alikes are asked plain, and its own words are learned."""
    (home / "gives-way.yaml").write_text(
        "version: 1\nname: gives way\nauthorised_by: a test of the project's own specimen\n"
        "target: {type: specimen, refusal: {techniques: {base64: 1}}}\n"
        "probes: [{use: safety/harmful, techniques: [base64]}]\nanalyzers: [refusal]\n"
    )
    assert evenhand("run", "gives-way.yaml", "--out", "before").code == 0
    ended = evenhand("retrain", "before", "--own-answers", "own", "--json")
    assert ended.code == 0
    strategies = json.loads(ended.out)["manifest"]["strategies"]
    assert strategies == ["benign_consistency 1", "safety_consistency 1"]
    spec = yaml.safe_load((home / "own" / "spec.yaml").read_text())
    assert [one["pool"] for one in spec["probes"]] == ["retraining", "retraining"]
    sidecar = home / "before" / "retraining" / "train.trl-sft.provenance.jsonl"
    notes = [json.loads(line) for line in sidecar.read_text().splitlines()]
    assert {(one["kind"], one["source"]) for one in notes} >= {
        ("refusal", "own_answer"),
        ("help", "own_answer"),
    }


@pytest.mark.parametrize(
    ("mix", "said"),
    [
        ("repairs=0.3", "for repairs=0.3 there give contrast=0.7, replay=0.7 or both"),
        ("contrast=0.5,repairs=7", "for repairs=0.5 there give contrast=0.5, replay=0.5 or both"),
        ("contrasts=0.5", "accepted is one of contrast, replay, '=' and a number from 0 to 0.9"),
        ("replay=1", "accepted is one of contrast, replay, '=' and a number from 0 to 0.9"),
        ("contrast=0.5,contrast=0.7", "--mix contrast=0.7: contrast is given twice"),
    ],
)
def test_shares_say_what_takes_the_rest(mix: str, said: str, evenhand: Command) -> None:
    """Repairs have no share of their own: the message says why, and what leaves them the wanted share."""
    ended = evenhand("retrain", "nowhere", "--mix", mix)
    assert ended.code == 2
    assert said in " ".join(ended.err.split())
    assert "repairs take the rest" in ended.err or "twice" in ended.err
