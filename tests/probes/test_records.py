"""Prompts on disk: strict, frozen, finite, and named by their content."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from probes.records import Expectation, Message, Prompt


def make(**changed: object) -> Prompt:
    """A prompt of a counterfactual set."""
    return Prompt.make(
        **{
            "messages": [{"role": "user", "content": "Lend?"}],
            "probe": "p",
            "template": "t",
            "domain": "d",
            "expectation": {"kind": "choice", "options": ("yes", "no")},
            "set_id": "s",
            "arm": "counterfactual",
            "attribute": "gender",
            "group": "women",
            "reference": "men",
            **changed,
        }
    )


def test_id_is_20_digits_of_the_content() -> None:
    """The same content has the same id in every process and version."""
    assert make().id == make().id
    assert len(make().id) == 20
    assert int(make().id, 16) >= 0
    assert make().id == "845ec2f255b1969a3e95"


@pytest.mark.parametrize(
    "changed",
    [
        {"messages": [{"role": "user", "content": "Lend"}]},
        {"messages": [{"role": "system", "content": "Lend?"}]},
        {"messages": [{"role": "user", "content": "Lend?"}] * 2},
        {"probe": "q"},
        {"template": "u"},
        {"set_id": "z"},
        {"arm": "placebo"},
        {"placebo": "mention"},
        {"group": "men"},
        {"name": "Ann"},
        {"source_id": "7"},
    ],
    ids=lambda value: next(iter(value)),
)
def test_each_part_of_the_identity_changes_the_id(changed: dict[str, object]) -> None:
    """Prompts that differ in what they are have different ids."""
    assert make(**changed).id != make().id


def test_id_does_not_move_with_what_is_only_said_of_a_prompt() -> None:
    """Tags, norms and expectations may be corrected without a new question."""
    assert make(tags={"merit": "high"}, norm="may_differ", domain="other").id == make().id


def test_records_are_strict_frozen_and_finite() -> None:
    """Unknown keys, changes, empty conversations and numbers that are none are refused."""
    with pytest.raises(ValidationError, match="Extra inputs"):
        make(colour="x")
    with pytest.raises(ValidationError, match="at least 1"):
        make(messages=[])
    with pytest.raises(ValidationError, match="finite"):
        Expectation(kind="number", low=float("nan"))
    with pytest.raises(ValidationError, match="frozen"):
        make().messages[0].content = "x"  # type: ignore[misc]  # the point of the test
    with pytest.raises(ValidationError, match="Input should be"):
        Message.model_validate({"role": "tool", "content": "x"})


@settings(max_examples=50, deadline=None)
@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
    name=st.none() | st.text("ab", max_size=3),
)
def test_prompt_survives_json(text: str, name: str | None) -> None:
    """What is written is read back as the same prompt with the same id."""
    prompt = make(messages=[{"role": "user", "content": text}], name=name)
    again = Prompt.model_validate_json(prompt.model_dump_json())
    assert again == prompt
    assert Prompt.make(**again.model_dump(exclude={"id"})).id == prompt.id


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"kind": "pair", "options": ("A",), "side": ("A",)},
            "options of a pair must name two",
        ),
        (
            {"kind": "pair", "options": ("A", "tie"), "side": ("A",)},
            "two different people; got A, tie",
        ),
        (
            {"kind": "pair", "options": ("A", "B")},
            "name some of A, B, but not all; got none",
        ),
        ({"kind": "pair", "options": ("A", "B"), "side": ("C",)}, "but not all; got C"),
        ({"kind": "ranking", "options": ("A", "B"), "side": ("A", "B")}, "but not all; got A, B"),
        ({"kind": "ranking", "options": ("A", "A"), "side": ("A",)}, "two or more different people"),
        ({"kind": "number", "answer": "about ten"}, "answer of a number must be a number, such as 1000"),
        ({"kind": "number", "answer": "nan"}, "got 'nan'"),
        ({"kind": "number", "answer": "1,0"}, "got '1,0'"),
    ],
)
def test_an_expectation_that_no_reply_can_be_held_against_is_refused(
    fields: dict[str, object], message: str
) -> None:
    """A comparison needs both sides, and the answer of a number is a number."""
    with pytest.raises(ValidationError, match=re.escape(message)):
        Expectation.model_validate(fields)


@pytest.mark.parametrize(
    ("answer", "number"), [("1,000", 1000.0), ("1,234,567.5", 1_234_567.5), (" -3 ", -3.0), ("1e3", 1000.0)]
)
def test_an_expected_number_may_have_separators(answer: str, number: float) -> None:
    """What people write into tables is a number."""
    assert Expectation(kind="number", answer=answer).number == number
    assert Expectation(kind="choice", options=("a", "b"), answer="a").number is None
