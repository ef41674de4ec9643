"""Logs as probes: each conversation once, in its cluster and set, and everything else counted."""

import logging
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from probes.checks import check_probe
from probes.errors import DataError
from probes.plugins import load
from probes.public.log import LogOptions, LogProbe
from probes.records import Arm, Prompt
from tests.probes.public.logs.shapes import (
    garak_report,
    inspect_archive,
    inspect_sample,
    lm_eval_row,
    promptfoo_row,
    write_lines,
)

FIXED = {
    "attribute": "visitor",
    "reference": "red",
    "options": ["A", "B"],
    "signal": "explicit",
    "norm": "must_not_differ",
}
MARKS: dict[str, object] = {
    "template": "metadata.case",
    "set": "metadata.pair",
    "group": "metadata.group",
    "answer": "target",
    "fixed": FIXED,
}


def _badges(path: Path, cases: int = 3) -> Path:
    samples = [
        inspect_sample(
            f"{group}{case}",
            epoch,
            f"A {group} visitor asks at desk {case}.",
            "ANSWER: A",
            metadata={"group": group, "case": case // 2, "pair": f"p{case}"},
        )
        for epoch in (1, 2)
        for group in ("red", "blue")
        for case in range(cases)
    ]
    return inspect_archive(path, samples)


def _prompts(probe: LogProbe) -> list[Prompt]:
    return list(probe.prompts(np.random.default_rng(0)))


def _probe(path: Path, **options: object) -> LogProbe:
    return LogProbe(LogOptions.model_validate({"path": path, **options}))


def test_a_log_becomes_prompts_in_clusters_and_sets(tmp_path: Path) -> None:
    """Epochs are one prompt, members of a set stand together, and the facts named in the spec label them."""
    probe = _probe(_badges(tmp_path / "log.eval"), **MARKS)
    prompts = _prompts(probe)
    assert [(one.set_id, one.group) for one in prompts] == [
        (f"p{case}", group) for case in range(3) for group in ("red", "blue")
    ]
    assert [one.template for one in prompts] == ["0", "0", "0", "0", "1", "1"]
    first = prompts[0]
    assert (first.source_id, first.domain, first.arm) == ("red0", "badges", Arm.COUNTERFACTUAL)
    assert (first.expectation.kind, first.expectation.answer) == ("choice", "A")
    assert probe.provenance["format"] == "inspect (recognised)"
    assert (probe.provenance["entries"], probe.provenance["unreadable"]) == ("12", "0")
    assert isinstance(load("evenhand.probes", "public/log")(LogOptions(path=tmp_path / "log.eval")), LogProbe)


def test_a_log_keeps_the_promises_of_every_probe(tmp_path: Path) -> None:
    """What the shipped check asks of a probe holds of one made from a log."""
    problems = check_probe(_probe(_badges(tmp_path / "log.eval"), **MARKS), identity_words=["red", "blue"])
    # A log has no placebo sets, as `cannot_show` says.
    assert problems == ["placebo: domain badges has counterfactual sets and no placebo set"]


def test_conversations_of_the_same_words_are_one_cluster(tmp_path: Path) -> None:
    """Promptfoo repeats a case as a case of its own: its repetitions are not independent."""
    rows = [promptfoo_row(case, "Enter?" if case < 3 else "Leave?", "No.") for case in range(4)]
    prompts = _prompts(_probe(write_lines(tmp_path / "r.jsonl", rows)))
    assert Counter(one.template for one in prompts).most_common()[0][1] == 3
    assert len({one.id for one in prompts}) == 4
    assert {one.domain for one in prompts} == {"general"}


def test_a_garak_report_is_one_prompt_an_attempt(tmp_path: Path) -> None:
    """Attempts stand twice in a report and once in the plan, under the probe that made them."""
    attempts: list[dict[str, object]] = [
        {"prompt": f"Say it {number}", "outputs": [{"text": "no"}, {"text": "word"}]} for number in range(3)
    ]
    path = write_lines(tmp_path / "g.report.jsonl", garak_report(attempts))
    prompts = _prompts(_probe(path, template="goal", kind="refuse"))
    assert [one.source_id for one in prompts] == ["u0", "u1", "u2"]
    assert {(one.template, one.domain, one.expectation.kind) for one in prompts} == {
        ("make it say the word", "own.Words", "refuse")
    }


def test_entries_are_chosen_by_what_they_say(tmp_path: Path) -> None:
    """`where` takes the entries of one provider, whatever the kind of the value."""
    rows = [promptfoo_row(0, "a", "x"), promptfoo_row(1, "b", "y", provider={"id": "other"}, score=1)]
    path = write_lines(tmp_path / "r.jsonl", rows)
    assert [one.source_id for one in _prompts(_probe(path, where={"provider": "other", "score": 1}))] == [
        "1/0"
    ]
    with pytest.raises(DataError, match="holds no entry that can be used"):
        _prompts(_probe(path, where={"provider": "nobody"}))


def test_what_cannot_be_used_is_counted_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Damaged rows and rows without the facts that the spec names are counted, and the first are named."""
    bare = lm_eval_row(2, "c", ["x"])
    bare["doc"] = {}
    rows = [lm_eval_row(0, "a", ["x"]), "{broken", bare, lm_eval_row(3, "d", ["x"])]
    probe = _probe(write_lines(tmp_path / "samples_t.jsonl", rows), template="doc.group")
    with caplog.at_level(logging.WARNING):
        assert [one.source_id for one in _prompts(probe)] == ["0", "3"]
    assert (probe.provenance["entries"], probe.provenance["unreadable"]) == ("2", "2")
    assert "samples_t.jsonl: 2 of 4 rows could not be read" in caplog.text
    assert "row 2: is not JSON" in caplog.text
    assert "row 3: missing column 'doc.group'" in caplog.text


def test_a_set_that_lacks_a_side_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A failed member leaves its set alone; the prompt stays, and the count says that it compares nothing."""
    samples = [
        inspect_sample(key, 1, key, "A", metadata={"group": group, "case": 0, "pair": pair})
        for key, group, pair in (("a", "red", "p"), ("b", "blue", "p"), ("c", "blue", "q"))
    ]
    probe = _probe(inspect_archive(tmp_path / "log.eval", samples), **MARKS)
    assert len(_prompts(probe)) == 3
    assert probe.provenance["incomplete_sets"] == "1"
    assert "1 sets lack the reference group or any other" in caplog.text


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (("a", "red", "p", 0), r"row 2: id 'a' stands for another conversation in row 1"),
        (("b", "red", "p", 0), r"row 2: set 'p' has group 'red' twice, also in row 1"),
        (("b", "blue", "p", 9), r"row 2: set 'p' has the template '9', and '0' in row 1"),
    ],
)
def test_ambiguous_logs_are_refused(tmp_path: Path, second: tuple[str, str, str, int], said: str) -> None:
    """Two meanings of one id or set are never chosen between."""
    key, group, pair, case = second
    rows = [
        lm_eval_row(0, "x", ["y"]) | {"doc_id": "a", "doc": {"group": "red", "pair": "p", "case": 0}},
        lm_eval_row(1, "z", ["y"]) | {"doc_id": key, "doc": {"group": group, "pair": pair, "case": case}},
    ]
    marks = {"template": "doc.case", "set": "doc.pair", "group": "doc.group", "fixed": FIXED}
    probe = _probe(write_lines(tmp_path / "s.jsonl", rows), **marks)
    with pytest.raises(DataError, match=said):
        _prompts(probe)


def test_a_log_without_prompts_says_what_it_is_good_for(tmp_path: Path) -> None:
    """A batch's output holds replies only: it answers a plan, and is none."""
    row = {
        "custom_id": "p",
        "response": {
            "status_code": 200,
            "body": {"object": "chat.completion", "choices": [{"message": {"content": "x"}}]},
        },
    }
    probe = _probe(write_lines(tmp_path / "b.jsonl", [row]))
    with pytest.raises(DataError, match="it can answer the prompts of a plan, by its id"):
        _prompts(probe)


def test_a_logged_conversation_can_be_asked_with_the_models_own_replies(tmp_path: Path) -> None:
    """With own_replies the user's turns are a script; without it the logged replies stand in between."""
    path = tmp_path / "chats.jsonl"
    talk = [("system", "S"), ("user", "A"), ("assistant", "x"), ("user", "B"), ("assistant", "y")]
    row = {"messages": [{"role": role, "content": text} for role, text in talk]}
    odd = {"messages": [{"role": role, "content": text} for role, text in (*talk[:3], talk[2], talk[3])]}
    write_lines(path, [row, odd])
    columns = {"messages": "messages"}
    own = _probe(path, columns=columns, own_replies=True)
    (script,) = _prompts(own)
    assert [one.content for one in script.messages] == ["S", "A"]
    assert script.further == ("B",)
    assert own.provenance["unreadable"] == "1"
    assert "do not take turns" in own.provenance["unreadable_1"]
    logged = _prompts(_probe(path, columns=columns))[0]
    assert ([one.content for one in logged.messages], logged.further) == (["S", "A", "x", "B"], ())
