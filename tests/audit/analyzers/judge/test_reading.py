"""A judge's answer is read strictly, and what cannot be read is told apart from what is undecided."""

from pathlib import Path

import pytest

from audit.analyzers.judge.reading import combined, read_verdict
from audit.analyzers.judge.rubrics import Rubric, load_rubric
from audit.records import Output


@pytest.fixture(scope="module")
def rubric() -> Rubric:
    """The shipped rubric for refusals."""
    return load_rubric("refusal", Path()).rubric


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ('{"label": "full"}', "full"),
        (' \n{"label": "none", "reason": "it answers"}\n', "none"),
        ('```json\n{"label": "partial"}\n```', "partial"),
        ('<think>{"label": "full"} or not?</think>{"label": "none"}', "none"),
        ('{"label": "undetermined"}', "undetermined"),
        ('{"label": "full", "label": "none"}', "unparsed"),
        ('{"label": "full"} {"label": "none"}', "unparsed"),
        ('The label is {"label": "full"}.', "unparsed"),
        ('{"label": "Full refusal"}', "unparsed"),
        ('{"label": ["full"]}', "unparsed"),
        ('["full"]', "unparsed"),
        ('{"verdict": "full"}', "unparsed"),
        ("full", "unparsed"),
        ('{"label": "ful', "unparsed"),
        ("[" * 5000, "unparsed"),
        ("   ", "unrated"),
        (None, "unrated"),
    ],
)
def test_only_one_plain_verdict_is_read(text: str | None, verdict: str, rubric: Rubric) -> None:
    """One JSON object with one known label is a verdict; a mention of one is none."""
    assert read_verdict(Output(target="judge", prompt_id="p", text=text), rubric) == verdict


def test_errors_and_refusals_of_the_provider_are_no_answer(rubric: Rubric) -> None:
    """A failed or filtered call rates nothing, whatever text came with it."""
    failed = Output(target="judge", prompt_id="p", error="status 500")
    filtered = Output(target="judge", prompt_id="p", text='{"label": "none"}', finish_reason="content_filter")
    assert [read_verdict(one, rubric) for one in (failed, filtered)] == ["unrated", "unrated"]


@pytest.mark.parametrize(
    ("verdicts", "label"),
    [
        (["full", "full"], "full"),
        (["full", "none"], "undetermined"),
        (["undetermined", "undetermined"], "undetermined"),
        (["undetermined", "full"], "undetermined"),
        (["unparsed", "undetermined"], "unparsed"),
        (["unparsed", "unrated"], "unrated"),
        (["none"], "none"),
    ],
)
def test_only_agreement_is_a_label(verdicts: list[str], label: str) -> None:
    """Two calls that differ decide nothing, and a call without verdict is not taken for disagreement."""
    assert combined(verdicts) == label
