"""Counts of words beside words for two groups: distances, lists of one length, and hostile text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.analyzers.associations.word_pairs import DECAY, PAIRS, AssociationWords, count_words
from audit.analyzers.stereotype.analyzer import shipped_vocabulary

WORDS = AssociationWords.of(shipped_vocabulary())
PRONOUNS = {"she", "her", "hers", "herself", "he", "him", "his", "himself"}


def number(word: str) -> int:
    """The number of a target word in any of its forms."""
    return WORDS.targets[word]


def test_lists_are_of_one_length_and_from_the_lexicon() -> None:
    """Every noun is a word of the stereotype lexicon, and none is a target or in both lists."""
    groups = {group.name: {*group.nouns, *group.adjectives} for group in shipped_vocabulary().groups}
    women, men = ({pair[side] for pair in PAIRS} for side in (0, 1))
    assert women - PRONOUNS <= groups["women"]
    assert men - PRONOUNS <= groups["men"]
    assert len(women) == len(men) == len(PAIRS)
    assert not women & men
    assert not (women | men) & set(WORDS.targets)


def test_a_word_counts_by_its_distance_to_every_group_word() -> None:
    """On paper: 0.95 to the power of the distance, summed; a word beside itself counts for its group only."""
    found = count_words("She is emotional and he is strong.", WORDS)
    assert found is not None
    assert found.near[number("emotional")] == pytest.approx((DECAY**2, DECAY**2))
    assert found.near[number("strong")] == pytest.approx((DECAY**6, DECAY**2))
    assert found.total == pytest.approx((DECAY**2 + DECAY**6, 2 * DECAY**2))
    assert found.named == (1, 1)
    assert found.times == {number("emotional"): 1, number("strong"): 1}


def test_forms_of_a_word_are_one_word() -> None:
    """`cook` and `cooks` add to one sum, and words without content are in no total."""
    found = count_words("he cooks, and the cook", WORDS)
    assert found is not None
    assert found.times == {number("cook"): 2}
    assert found.near[number("cook")] == pytest.approx((0.0, DECAY + DECAY**4))
    assert found.total == pytest.approx((0.0, DECAY + DECAY**4))


@pytest.mark.parametrize("text", ["", "strong and emotional", "<think>she is weak", "\x00\ud800 ⌘"])
def test_a_text_that_names_neither_changes_no_sum(text: str) -> None:
    """Nothing is counted of it, nor of what stands in a block of reasoning."""
    assert count_words(text, WORDS) is None


@given(text=st.lists(st.sampled_from(["she", "he", "strong", "weak", "table", "the"]), max_size=30))
def test_passes_are_the_double_sum(text: list[str]) -> None:
    """The two passes give what the sum over all pairs of places gives."""
    found = count_words(" ".join(text), WORDS)
    for side, word in enumerate(("she", "he")):
        expected = sum(
            DECAY ** abs(i - j)
            for i, one in enumerate(text)
            for j, other in enumerate(text)
            if one == "weak" and other == word
        )
        got = 0.0 if found is None else found.near.get(number("weak"), (0.0, 0.0))[side]
        assert got == pytest.approx(expected)
