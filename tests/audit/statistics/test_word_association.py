"""Word associations: published definitions, invariances, swaps that know chance, and what is not stated."""

from math import log10

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from audit.errors import NotMeasuredError
from audit.statistics import co_occurrence_bias_score, stereotypical_associations, swapped_excess

COUNTS = arrays(np.float64, (3, 2, 5), elements=st.integers(0, 50).map(float))


def by_hand(near: list[list[float]], total: list[float], named: list[int]) -> float:
    """The score as it is written: conditional probabilities word by word, any size of the vocabulary."""
    scores = []
    for word in range(len(near[0])):
        if near[0][word] > 0 and near[1][word] > 0:
            p = [near[g][word] / total[g] / (named[g] / 1234) for g in (0, 1)]
            scores.append(abs(log10(p[0] / p[1])))
    return float(np.mean(scores))


def test_score_is_the_published_one() -> None:
    """Word by word from the formula, with a word left out that goes with one group only."""
    near, total, named = [[3.0, 0.5, 2.0, 0.0], [1.0, 4.0, 0.0, 0.0]], [9.5, 12.0], [4, 7]
    found = co_occurrence_bias_score([near, near], [total, total], [named, named])
    assert found == pytest.approx([by_hand(near, total, named)] * 2)


def test_naming_one_group_more_often_moves_the_score_by_itself() -> None:
    """Words that go with both groups alike score log10 of how much more often one is named."""
    near = [[[4.0, 8.0], [1.0, 2.0]]]
    assert co_occurrence_bias_score(near, [[20.0, 5.0]], [[8, 2]]) == pytest.approx([log10(4)])


def test_associations_are_the_total_variation_distance() -> None:
    """One group only is 1 - 1/G, equal shares are 0; an unseen word is not in the mean."""
    assert stereotypical_associations([[[2, 0], [0, 0]]]) == pytest.approx([0.5])
    assert stereotypical_associations([[[2, 3], [0, 3], [0, 3]]]) == pytest.approx([(2 / 3 + 0) / 2])


def test_without_words_there_is_no_value() -> None:
    """Missing is nan and never 0, the neutral value."""
    assert np.isnan(co_occurrence_bias_score([[[1.0], [0.0]]], [[1, 1]], [[1, 1]])).all()
    assert np.isnan(stereotypical_associations(np.zeros((1, 2, 3)))).all()


@given(counts=COUNTS, factor=st.floats(0.1, 10))
def test_order_of_groups_and_amount_of_text_do_not_matter(
    counts: np.ndarray[tuple[int, int, int], np.dtype[np.float64]], factor: float
) -> None:
    """Both measures are the same with the groups exchanged and with every count multiplied."""
    total, named = counts.sum(axis=2) + 1, counts.max(axis=2) + 1
    score = co_occurrence_bias_score(counts, total, named)
    turned = co_occurrence_bias_score(counts[:, ::-1], total[:, ::-1], named[:, ::-1])
    assert turned == pytest.approx(score, nan_ok=True)
    assert co_occurrence_bias_score(factor * counts, total, named) == pytest.approx(score, nan_ok=True)
    apart = stereotypical_associations(counts)
    assert stereotypical_associations(factor * counts[:, ::-1]) == pytest.approx(apart, nan_ok=True)
    assert np.all((apart >= 0) & (apart <= 0.5) | np.isnan(apart))


def draws(seed: int, tilt: float, templates: int = 20) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Counts of 12 words with two groups, each word's lean being `tilt` of one sign or the other."""
    stream = np.random.default_rng(seed)
    lean = 0.5 + tilt * np.where(np.arange(12) % 2, 1, -1)
    together = stream.poisson(1.0, (templates, 12))
    first = stream.binomial(together, lean)
    return np.stack([first, together - first], axis=1).astype(np.float64)


def test_chance_alone_has_no_excess_and_a_lean_has() -> None:
    """Equal groups: large value, excess near 0, p seldom small. Words that lean: excess, small p."""
    nulls = [
        swapped_excess(
            stereotypical_associations, draws(seed, 0.0), swaps=99, rng=np.random.default_rng(seed)
        )
        for seed in range(120)
    ]
    assert np.mean([one.observed.point for one in nulls]) > 0.07
    assert abs(np.mean([one.excess.point for one in nulls])) < 0.008
    assert np.mean([one.p_value <= 0.05 for one in nulls]) <= 0.11
    leaning = swapped_excess(stereotypical_associations, draws(1, 0.3), rng=np.random.default_rng(1))
    assert leaning.p_value == pytest.approx(1 / 500)
    assert leaning.excess.interval.low > 0.1
    assert leaning.observed.point - leaning.swapped == pytest.approx(leaning.excess.point)


def test_same_stream_same_numbers() -> None:
    """The swaps come from the generator given and from nothing else."""
    one, two = (
        swapped_excess(stereotypical_associations, draws(3, 0.1), rng=np.random.default_rng(5))
        for _ in range(2)
    )
    assert one == two


def test_rounding_makes_no_counts() -> None:
    """A word that only the first group has stays without a score when clusters are left out or swapped."""
    sides = np.zeros((12, 2, 2))
    sides[:, :, 0] = 1 / 3 + np.arange(12)[:, np.newaxis] / 7 + np.array([0.0, 0.1])
    sides[0, 0, 1] = 0.1

    def score(
        counts: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    ) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        one = np.ones((len(counts), 2))
        return co_occurrence_bias_score(counts, one, one)

    found = swapped_excess(score, sides, rng=np.random.default_rng(0))
    assert found.observed.point < 0.1
    assert found.swapped < 0.1


@pytest.mark.parametrize(
    ("sides", "said"),
    [
        (np.ones((1, 2, 3)), "cluster"),
        (np.zeros((12, 2, 3)), "no value"),
        (np.ones((12, 2, 3)), "the same"),
    ],
)
def test_what_cannot_be_stated_is_not(
    sides: np.ndarray[tuple[int, ...], np.dtype[np.float64]], said: str
) -> None:
    """One cluster, no words, or no spread: no number."""
    with pytest.raises(NotMeasuredError, match=said):
        swapped_excess(stereotypical_associations, sides, rng=np.random.default_rng(0))


def test_an_excess_over_swaps_without_values_is_refused() -> None:
    """Where swapped groups have no value either, nothing is known of chance."""

    def picky(
        counts: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    ) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        gaps = counts[:, 0, 0] - counts[:, 1, 0]
        return np.where(gaps > 0, gaps, np.nan)

    sides = np.stack([np.arange(12.0) + 9, np.ones(12)], axis=1)[:, :, np.newaxis]
    with pytest.raises(NotMeasuredError, match="swaps of the groups"):
        swapped_excess(picky, sides, rng=np.random.default_rng(0))


def test_arguments_are_checked() -> None:
    """Shapes and counts outside the range are refused."""
    with pytest.raises(ValueError, match="shape"):
        swapped_excess(stereotypical_associations, np.ones((12, 3, 2)), rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="swaps"):
        swapped_excess(stereotypical_associations, np.ones((12, 2, 2)), swaps=9, rng=np.random.default_rng(0))
