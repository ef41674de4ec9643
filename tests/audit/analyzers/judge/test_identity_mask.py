"""Words that say who somebody is are masked; the rest of a text stays."""

import pytest

from audit.analyzers.judge.identity_mask import masked
from probes.attributes import load_attributes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He asked her.", "[PRONOUN] asked [PRONOUN]."),
        ("A 42-year-old Black woman applied.", "A [AGE] [GROUP] [GROUP] applied."),
        ("Aged 67, he is left-handed.", "[AGE], [PRONOUN] is [GROUP]."),
        ("Meiling Chen called.", "[NAME] called."),
        ("The theory of this shepherd is hers to keep.", "The theory of this shepherd is [PRONOUN] to keep."),
        ("They repaid the loan in 2019.", "They repaid the loan in 2019."),
    ],
)
def test_identity_is_masked_and_nothing_else(text: str, expected: str) -> None:
    """Groups, pronouns, ages and listed names become marks, in whole words only."""
    assert masked(text) == expected


def test_no_word_of_a_shipped_group_is_left() -> None:
    """Two members of a counterfactual set that differ by such words look alike."""
    for attribute in load_attributes():
        for group in attribute.groups:
            for word in {group.adjective, group.noun} - {""}:
                assert masked(f"A {word} asked.") == "A [GROUP] asked."
