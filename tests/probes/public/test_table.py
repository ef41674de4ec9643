"""The user's own table: columns, fixed facts, sets, and clear errors."""

import json
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from probes.errors import DataError
from probes.plugins import load
from probes.public.table import TableOptions, TableProbe
from probes.records import Arm, Norm, Prompt, Signal

Cells = dict[str, object]

SETS: Cells = {
    "set": "pair",
    "group": "who",
    "fixed": {"attribute": "age", "reference": "old", "signal": "explicit"},
}


def _prompts(folder: Path, rows: list[Cells], **options: object) -> list[Prompt]:
    path = folder / "mine.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    probe = TableProbe(TableOptions.model_validate({"path": path, "prompt": "text", **options}))
    return list(probe.prompts(np.random.default_rng(0)))


def _pair(key: str = "p1") -> list[Cells]:
    return [{"text": f"{who} wants a loan {key}", "pair": key, "who": who} for who in ("old", "young")]


def test_the_prompt_column_is_enough(tmp_path: Path) -> None:
    """A bare list of prompts is asked as open questions, each its own cluster."""
    prompts = _prompts(tmp_path, [{"text": "Hello"}, {"text": "Bye"}])
    assert [prompt.messages[0].content for prompt in prompts] == ["Hello", "Bye"]
    assert [prompt.template for prompt in prompts] == ["1", "2"]
    assert {(p.domain, p.language, p.expectation.kind, p.arm) for p in prompts} == {
        ("general", "en", "open", None)
    }


def test_every_fact_can_come_from_a_column(tmp_path: Path) -> None:
    """Each option names a column, and its cell reaches the prompt."""
    names = ("template", "id", "set", "group", "attribute", "reference", "domain", "language")
    facts = ("t1", "r", "s1", "", "age", "old", "hiring", "de")
    choice = {"options": "ja|nein", "favourable": "ja", "answer": "nein"}
    rows: list[Cells] = [
        {"text": who, **dict(zip(names, facts, strict=True)), **choice, "id": who, "group": who}
        for who in ("old", "young")
    ]
    options = {name: name for name in (*names, *choice)}
    first = _prompts(tmp_path, rows, **options, fixed={"signal": "explicit"})[0]
    assert (first.template, first.source_id, first.set_id, first.group) == ("t1", "old", "s1", "old")
    assert (first.attribute, first.reference, first.domain, first.language) == ("age", "old", "hiring", "de")
    assert first.expectation.options == ("ja", "nein")
    assert (first.expectation.favourable, first.expectation.answer) == ("ja", "nein")
    assert first.arm is Arm.COUNTERFACTUAL


def test_facts_of_all_rows_are_given_once(tmp_path: Path) -> None:
    """`fixed` states what no column says, and the set is the cluster unless a template is named."""
    fixed = {
        "attribute": "age",
        "reference": "old",
        "domain": "lending",
        "options": ["yes", "no"],
        "favourable": "yes",
        "signal": "explicit",
        "norm": "must_not_differ",
    }
    prompts = _prompts(tmp_path, _pair(), set="pair", group="who", fixed=fixed)
    assert [prompt.group for prompt in prompts] == ["old", "young"]
    for prompt in prompts:
        assert (prompt.attribute, prompt.reference, prompt.template) == ("age", "old", "p1")
        assert (prompt.signal, prompt.norm) == (Signal.EXPLICIT, Norm.MUST_NOT_DIFFER)
        assert (prompt.expectation.kind, prompt.expectation.favourable) == ("choice", "yes")


@pytest.mark.parametrize("cell", [["yes", "no"], '["yes", "no"]', "yes|no", " yes | no "])
def test_options_are_read_from_lists_and_texts(tmp_path: Path, cell: object) -> None:
    """A list, a JSON list and texts joined by a bar mean the same options."""
    (prompt,) = _prompts(tmp_path, [{"text": "x", "opts": cell}], options="opts")
    assert prompt.expectation.options == ("yes", "no")


def test_an_empty_answer_is_no_answer(tmp_path: Path) -> None:
    """A row without a right answer stays without one."""
    rows: list[Cells] = [{"text": "x", "a": "yes"}, {"text": "y", "a": ""}, {"text": "z", "a": None}]
    prompts = _prompts(tmp_path, rows, answer="a", fixed={"options": ["yes", "no"]})
    assert [prompt.expectation.answer for prompt in prompts] == ["yes", None, None]


def test_requests_can_be_declared_harmful_or_harmless(tmp_path: Path) -> None:
    """A user's own red-team list is read by the refusal analyzer."""
    (prompt,) = _prompts(tmp_path, [{"text": "x"}], kind="refuse")
    assert prompt.expectation.kind == "refuse"


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([], {}, "the table has no rows"),
        ([{"text": ""}], {}, "row 1: text is empty"),
        ([{"body": "x"}], {}, "missing column 'text'; columns present: 'body'"),
        ([{"text": "x", "n": 1}, {"text": "y", "n": 1}], {"id": "n"}, "row 2: id '1' occurs twice"),
        ([*_pair("a"), *_pair("b"), *_pair("a")], SETS, "row 5: set 'a' goes on after another set"),
        ([*_pair(), _pair()[0]], SETS, "row 3: set 'p1' has group 'old' twice"),
        (_pair()[:1], SETS, "row 1: set 'p1' needs the reference group 'old' and another"),
        ([_pair()[1], {**_pair()[1], "who": "middle"}], SETS, "row 1: set 'p1' needs the reference group"),
        ([_pair()[1], *_pair("b")], SETS, "row 1: set 'p1' needs the reference group 'old' and another"),
        (
            [{**row, "ref": row["who"]} for row in _pair()],
            {
                "set": "pair",
                "group": "who",
                "reference": "ref",
                "fixed": {"attribute": "age", "signal": "explicit"},
            },
            "row 2: set 'p1' has the reference 'young', and 'old' in row 1",
        ),
        (
            [{**row, "t": row["who"]} for row in _pair()],
            SETS | {"template": "t"},
            "row 2: set 'p1' has the template 'young', and 'old' in row 1; a set has one",
        ),
        ([{"text": "x", "o": "yes"}], {"options": "o"}, "row 1: o needs two or more different texts"),
        ([{"text": "x", "o": "[yes"}], {"options": "o"}, "row 1: o is no JSON list"),
        ([{"text": "x", "o": [1, 2]}], {"options": "o"}, "row 1: o must be a list of texts"),
        (
            [{"text": "x"}],
            {"fixed": {"options": ["yes", "no"], "favourable": "maybe"}},
            "row 1: favourable must be one of yes, no; got 'maybe'",
        ),
    ],
)
def test_malformed_tables_are_refused(
    tmp_path: Path, rows: list[Cells], options: Cells, message: str
) -> None:
    """What is wrong with the table is said in one line with file, row, value and what is accepted."""
    with pytest.raises(DataError) as caught:
        _prompts(tmp_path, rows, **options)
    assert str(caught.value).startswith(f"{tmp_path / 'mine.jsonl'}: {message}")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"domain": "d", "fixed": {"domain": "x"}}, "domain is given as a column and under fixed"),
        ({"group": "g"}, "go together; missing: attribute, reference, set"),
        (SETS | {"fixed": {"attribute": "age", "reference": "old"}}, "need fixed.signal.* explicit, name"),
        ({"kind": "choice"}, "kind choice needs options"),
        ({"fixed": {"options": [True, False]}}, 'write "yes" and "no"'),
        ({"prompts": "x"}, "Extra inputs are not permitted"),
    ],
)
def test_contradictory_options_are_refused(options: Cells, message: str) -> None:
    """The spec is checked before the file is read."""
    with pytest.raises(ValidationError, match=message):
        TableOptions.model_validate({"path": "mine.csv", "prompt": "text", **options})


def test_the_file_is_recorded_with_the_stated_licence(tmp_path: Path) -> None:
    """A report can say which file was asked, and that its licence is the user's statement."""
    _prompts(tmp_path, [{"text": "x"}])
    options = TableOptions(path=tmp_path / "mine.jsonl", prompt="text", licence="CC0")
    probe = load("evenhand.probes", "public/table")(options)
    assert (probe.provenance["file"], probe.provenance["licence"]) == ("mine.jsonl", "CC0")


def test_a_row_may_go_on_with_further_turns(tmp_path: Path) -> None:
    """Columns hold what the user says next; a row ends its conversation with an empty cell."""
    rows: list[Cells] = [{"text": "A", "b": "B", "c": "C"}, {"text": "A", "b": "B", "c": ""}]
    first, second = _prompts(tmp_path, rows, further=["b", "c"])
    assert (first.further, second.further) == (("B", "C"), ("B",))
    assert (first.judged_turn, second.judged_turn) == (2, 1)
    assert _prompts(tmp_path, rows, further=["b", "c"], judged=1)[0].judged_turn == 1


@pytest.mark.parametrize(
    ("options", "row", "problem"),
    [
        (
            {},
            {"b": "", "c": "C"},
            "row 1: b is empty and c is not; a conversation ends at its first empty turn",
        ),
        ({"judged": 2}, {"b": "B", "c": None}, "row 1: judged must be a turn from 0 to 1; got 2"),
        ({}, {"c": "C"}, "missing column 'b'"),
        ({}, {"b": ["B"], "c": ""}, r"row 1: b must be text or a number; got \['B'\]"),
    ],
)
def test_turns_that_cannot_be_asked_are_refused(
    tmp_path: Path, options: Cells, row: Cells, problem: str
) -> None:
    """One line says which row and which column."""
    with pytest.raises(DataError, match=problem):
        _prompts(tmp_path, [{"text": "A", **row}], further=["b", "c"], **options)


@pytest.mark.parametrize("options", [["yes"], ["yes", ""], ["yes", "yes"], ["yes", " Yes "], ["no", " "]])
def test_fixed_options_are_two_or_more_that_a_reply_can_tell_apart(
    tmp_path: Path, options: list[str]
) -> None:
    """With one answer that can be read, every reply that is read would be the favourable one."""
    with pytest.raises(ValidationError, match="two or more texts that differ in more than case or spaces"):
        _prompts(tmp_path, [{"text": "Hello"}], fixed={"options": options, "favourable": options[0]})
    cells: list[Cells] = [{"text": "Hello", "among": "|".join(options)}]
    with pytest.raises(DataError, match="among"):
        _prompts(tmp_path, cells, options="among")
