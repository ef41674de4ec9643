"""Agreement between raters, against published tables and by simulation."""

from collections.abc import Callable
from functools import partial
from math import sqrt
from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from audit.errors import NotMeasuredError
from audit.statistics.agreement import (
    AgreementEstimate,
    cohen_kappa,
    gwet_ac1,
    krippendorff_alpha,
    raw_agreement,
)
from audit.statistics.rates import clustered_rate_interval
from probes.seeds import rng

NAN = float("nan")
Coefficient = Callable[..., AgreementEstimate]

FOUR_OBSERVERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
).T
"""The worked example of Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, section C."""

ALL: list[Coefficient] = [
    raw_agreement,
    cohen_kappa,
    partial(cohen_kappa, weights="quadratic"),
    gwet_ac1,
    krippendorff_alpha,
    partial(krippendorff_alpha, metric="ordinal"),
    partial(krippendorff_alpha, metric="interval"),
]
CORRECTED = ALL[1:]


def pairs_of_table(table: list[list[int]]) -> npt.NDArray[np.float64]:
    """Rows of ratings from a table of counts, first rater down."""
    return np.array(
        [(i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)],
        dtype=np.float64,
    )


@pytest.mark.parametrize(("metric", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_matches_the_published_example(
    metric: Literal["nominal", "ordinal", "interval"], alpha: float
) -> None:
    """Four observers, twelve units, missing ratings: alpha as Krippendorff printed it."""
    found = krippendorff_alpha(FOUR_OBSERVERS, metric=metric)
    assert found.point == pytest.approx(alpha, abs=5e-4)
    assert (found.n_items, found.n_unpaired, found.n_missing) == (11, 1, 7)
    assert found.interval.low < alpha < found.interval.high < 1


def test_ac1_matches_the_published_example() -> None:
    """The same ratings have the AC1 of .77544 and the raw agreement of .81818 that irrCAC documents."""
    assert gwet_ac1(FOUR_OBSERVERS).point == pytest.approx(0.77544, abs=5e-6)
    assert raw_agreement(FOUR_OBSERVERS).point == pytest.approx(0.8181818, abs=5e-8)


def test_kappa_matches_cohens_own_example() -> None:
    """Cohen's 1960 table of 200 cases has kappa .492."""
    ratings = pairs_of_table([[88, 14, 18], [10, 40, 10], [2, 6, 12]])
    found = cohen_kappa(ratings)
    assert found.point == pytest.approx(0.29 / 0.59)
    assert found.n_items == 200


@pytest.mark.parametrize("weights", ["nominal", "linear", "quadratic"])
def test_kappa_matches_scikit_learn(weights: Literal["nominal", "linear", "quadratic"]) -> None:
    """Weighted and unweighted kappa agree with scikit-learn's, unused categories included."""
    ratings = rng(21, "kappa").integers(0, 4, (60, 2)).astype(np.float64)
    expected = cohen_kappa_score(
        *ratings.T, weights=None if weights == "nominal" else weights, labels=[0, 1, 2, 3, 4]
    )
    found = cohen_kappa(ratings, weights=weights, categories=[0, 1, 2, 3, 4])
    assert found.point == pytest.approx(expected)


def test_jackknife_error_is_the_textbook_error_of_kappa() -> None:
    """The interval is as wide as the large-sample error of Fleiss, Cohen & Everitt (1969) makes it."""
    table = np.array([[400, 100], [60, 440]]) / 1000
    kappa, rows, columns = 0.68, table.sum(axis=1), table.sum(axis=0)
    chance = float(rows @ columns)
    inside = sum(table[i, i] * (1 - (rows[i] + columns[i]) * (1 - kappa)) ** 2 for i in range(2))
    across = (1 - kappa) ** 2 * sum(
        table[i, j] * (columns[i] + rows[j]) ** 2 for i in range(2) for j in range(2) if i != j
    )
    error = sqrt((inside + across - (kappa - chance * (1 - kappa)) ** 2) / 1000) / (1 - chance)
    found = cohen_kappa(pairs_of_table([[400, 100], [60, 440]]))
    assert found.point == pytest.approx(kappa)
    width = found.interval.high - found.interval.low
    assert width == pytest.approx(2 * 1.962 * error, rel=0.01)


def test_two_raters_without_gaps_tie_the_coefficients() -> None:
    """For two raters alpha nominal is Scott's pi corrected for the sample size, by hand."""
    found = krippendorff_alpha(pairs_of_table([[5, 1], [2, 4]]))
    shares = np.array([13, 11]) / 24
    pi = (9 / 12 - shares @ shares) / (1 - shares @ shares)
    assert found.point == pytest.approx(1 - (1 - pi) * 23 / 24)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([0.0, 1.0, 2.0, NAN]), min_size=3, max_size=3), min_size=4, max_size=12)
)
def test_order_of_items_and_raters_does_not_matter(rows: list[list[float]]) -> None:
    """Shuffled items and raters give the same number, at most 1, inside its interval - or none."""
    ratings = np.array(rows)
    for make in (raw_agreement, gwet_ac1, *CORRECTED[3:]):
        try:
            found = make(ratings)
        except NotMeasuredError:
            with pytest.raises(NotMeasuredError):
                make(ratings[::-1, ::-1])
            continue
        mirror = make(ratings[::-1, ::-1])
        assert found.point == pytest.approx(mirror.point)
        assert found.interval.low == pytest.approx(mirror.interval.low)
        assert found.interval.low <= found.point + 1e-12
        assert found.point <= found.interval.high + 1e-12
        assert found.interval.high <= 1


def test_alpha_of_intervals_ignores_unit_and_origin() -> None:
    """Large numbers of any unit have the alpha of their differences, and equal ones disagree by nothing."""
    base = krippendorff_alpha(FOUR_OBSERVERS, metric="interval")
    moved = krippendorff_alpha(1e6 + 0.01 * FOUR_OBSERVERS, metric="interval")
    assert moved.point == pytest.approx(base.point, abs=1e-6)
    same = krippendorff_alpha([[1e6 + 0.1, 1e6 + 0.1], [3e6, 3e6], [5e6, 5e6]], metric="interval")
    assert (same.point, same.degenerate) == (1.0, True)


@pytest.mark.parametrize("make", CORRECTED)
def test_full_agreement_is_no_certainty(make: Coefficient) -> None:
    """Raters who never disagreed get a flagged bound that narrows with the number of items."""
    few, many = ([[0, 0], [1, 1], [2, 2]] * n for n in (4, 40))
    found, more = make(few), make(many)
    assert found.degenerate
    assert found.point == 1
    assert found.interval.low < more.interval.low < 1 == found.interval.high
    assert make([[0, 0], [1, 1]]).interval.low >= -1


def test_disagreement_itself_is_below_chance() -> None:
    """Raters who always contradict each other are below 0, not 0, and the interval stays above -1."""
    found = cohen_kappa([[0, 1], [1, 0], [0, 1], [1, 0], [1, 1]])
    assert found.point < -0.5
    assert found.interval.low >= -1


def test_clusters_widen_the_interval() -> None:
    """Ten copies of each item under one cluster leave the interval as it was; as items they shrink it."""
    ratings = pairs_of_table([[8, 2], [3, 7]])
    tenfold = np.repeat(ratings, 10, axis=0)
    for make in ALL:
        once, copied = make(ratings), make(tenfold, cluster=np.repeat(np.arange(20), 10))
        assert copied.n_clusters == once.n_clusters == 20
        assert copied.interval.low == pytest.approx(once.interval.low, abs=0.04)
        assert make(tenfold).interval.low > once.interval.low + 0.05


def test_categories_that_could_be_given_count_for_ac1() -> None:
    """A third category that nobody used lowers what chance gives, and raises AC1."""
    ratings = [[0, 0], [1, 1], [0, 1], [0, 0]]
    assert gwet_ac1(ratings, categories=[0, 1, 2]).point > gwet_ac1(ratings).point
    declared = gwet_ac1([[0, 0], [0, 0], [0, 0]], categories=[0, 1])
    assert (declared.point, declared.degenerate) == (1.0, True)


def test_raw_agreement_averages_items() -> None:
    """An item of three raters of whom two agree has a third of its pairs, and items count alike."""
    found = raw_agreement(np.array([[0, 0, 1], [1, 1, NAN], [0, NAN, NAN]]))
    assert found.point == pytest.approx((1 / 3 + 1) / 2)
    assert (found.n_items, found.n_unpaired, found.n_missing) == (2, 1, 3)
    assert found.interval == clustered_rate_interval([1 / 3, 1.0], [1, 1]).interval


@pytest.mark.parametrize("make", CORRECTED)
def test_one_category_is_not_measured(make: Coefficient) -> None:
    """Where every rating is the same, agreement beyond chance does not exist."""
    with pytest.raises(NotMeasuredError, match="at least 2 categories"):
        make([[1, 1], [1, 1], [1, 1]])


def test_too_little_is_not_measured() -> None:
    """No rating, no two raters on an item, one cluster, or variety in one cluster only: not measured."""
    with pytest.raises(NotMeasuredError, match="all are missing"):
        raw_agreement([[NAN, NAN]])
    for make in ALL:
        with pytest.raises(NotMeasuredError, match="at least 2 clusters; got 0"):
            make([[1, NAN], [NAN, 0]])
        with pytest.raises(NotMeasuredError, match="got 1"):
            make([[1, 0], [0, 0]], cluster=[4, 4])
    with pytest.raises(NotMeasuredError, match="without one of the clusters"):
        krippendorff_alpha([[1, 0], [0, 0], [0, 0]])


def test_malformed_ratings_are_refused() -> None:
    """Other shapes, infinite ratings, and categories outside the declared ones are errors."""
    with pytest.raises(ValueError, match="must be of shape"):
        raw_agreement([1, 0])
    with pytest.raises(ValueError, match="finite or nan"):
        raw_agreement([[1, float("inf")]])
    with pytest.raises(ValueError, match=r"one an item; got \(1,\)"):
        raw_agreement([[1, 1], [0, 0]], cluster=[1])
    with pytest.raises(ValueError, match="of 2 raters"):
        cohen_kappa([[1, 1, 1]])
    with pytest.raises(ValueError, match=r"among \[0.0, 1.0\]; got \[2.0\]"):
        cohen_kappa([[0, 2]], categories=[0, 1])


def simulated(stream: np.random.Generator, items: int, error: float, share: float) -> npt.NDArray[np.float64]:
    """Three raters who each misread a truth with one probability; a fifth of the ratings is missing."""
    truth = stream.random((items, 1)) < share
    ratings = (truth ^ (stream.random((items, 3)) < error)).astype(np.float64)
    ratings[stream.random((items, 3)) < 0.2] = NAN
    return ratings


@pytest.mark.parametrize(("share", "items"), [(0.5, 60), (0.15, 120)])
def test_intervals_cover(share: float, items: int) -> None:
    """Intervals of alpha and AC1 contain the true coefficient in about 95 % of simulations."""
    error = 0.1
    disagreement = 2 * error * (1 - error)
    seen = share * (1 - error) + (1 - share) * error
    truth = 1 - disagreement / (2 * seen * (1 - seen))
    ac1 = 1 - disagreement / (1 - 2 * seen * (1 - seen))
    stream = rng(22, "agreement", items)
    missed = []
    for _ in range(700):
        ratings = simulated(stream, items, error, share)
        alpha, other = krippendorff_alpha(ratings).interval, gwet_ac1(ratings).interval
        missed.append([not alpha.low <= truth <= alpha.high, not other.low <= ac1 <= other.high])
    assert np.mean(missed, axis=0) == pytest.approx([0.05, 0.05], abs=0.025)


def test_items_are_not_clusters() -> None:
    """Where items of a template share their truth and their trap, items as clusters miss far too often."""
    stream = rng(23, "clustered")
    cluster = np.repeat(np.arange(30), 10)
    truth_of_kappa = 1 - 0.2 / 0.5
    missed = []
    for _ in range(500):
        # A template confuses the second rater wholly or not at all.
        truth = stream.random(300) < 0.5
        trap = (stream.random(30) < 0.2)[cluster]
        ratings = np.column_stack([truth, truth ^ trap])
        missed.append(
            [
                not one.low <= truth_of_kappa <= one.high
                for one in (cohen_kappa(ratings).interval, cohen_kappa(ratings, cluster=cluster).interval)
            ]
        )
    naive, clustered = np.mean(missed, axis=0)
    assert naive > 0.4
    assert clustered < 0.09


@pytest.mark.parametrize("estimate", [cohen_kappa, gwet_ac1, krippendorff_alpha])
@pytest.mark.parametrize("ratings", [[[1, 0], [0, 1]] * 6, [[1, 0]] * 12])
def test_items_that_are_all_alike_bound_what_others_may_be(
    estimate: Callable[..., AgreementEstimate], ratings: list[list[int]]
) -> None:
    """Raters who disagree on each of twelve items may still agree on a quarter of all others."""
    found = estimate(ratings)
    assert found.degenerate
    assert -1 <= found.interval.low <= found.point < found.interval.high < 1
    many = estimate(ratings * 20)
    assert many.interval.high - many.interval.low < (found.interval.high - found.interval.low) / 10
