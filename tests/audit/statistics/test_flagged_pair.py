"""Two arms' flagged shares, and the error of their gap however each is scaled."""

import numpy as np
import pytest

from audit.errors import NotMeasuredError
from audit.statistics.flagged_pair import flagged_pair
from audit.statistics.measurement_error import paired_variance
from audit.statistics.multi_way import multi_way_cluster
from audit.statistics.pooling import stratified_t
from probes.seeds import rng


def test_one_stratum_is_the_paired_mean() -> None:
    """With one stratum the gap's variance is that of the scaled differences of its clusters."""
    draw = rng(1, "pair")
    group, reference = draw.random(30), draw.random(30)
    found = flagged_pair([group], [reference])
    assert (found.group, found.reference, found.df) == (group.mean(), reference.mean(), 29)
    for scales in ((1.0, 1.0), (0.8, 0.6)):
        assert found.gap_variance(*scales) == pytest.approx(paired_variance(group, reference, *scales))


def test_strata_weigh_alike_and_add_up_as_in_the_pooled_estimate() -> None:
    """The gap, its error and its degrees of freedom are those of the stratified t interval."""
    draw = rng(2, "strata")
    group, reference = ([draw.random(size) for size in (8, 40)] for _ in range(2))
    found = flagged_pair(group, reference)
    pooled = stratified_t([one - other for one, other in zip(group, reference, strict=True)])
    assert found.group - found.reference == pytest.approx(pooled.point)
    assert found.gap_variance(1, 1) == pytest.approx(pooled.standard_error**2)
    assert found.df == pytest.approx(pooled.df)


def test_a_cluster_that_strata_share_is_one() -> None:
    """Strata over the same clusters have the error of the multi-way cluster variance."""
    draw = rng(3, "shared")
    same = draw.random(20) - 0.5
    group = [np.clip(0.5 + same / 2 + 0.1 * (draw.random(20) - 0.5), 0, 1) for _ in range(2)]
    reference = [np.full(20, 0.3) for _ in range(2)]
    codes = [np.arange(20)] * 2
    found = flagged_pair(group, reference, codes)
    influence = np.concatenate([(one - one.mean()) / 40 for one in group])
    clustered = multi_way_cluster(influence, np.concatenate(codes), np.repeat([0, 1], 20))
    assert found.gap_variance(1, 1) == pytest.approx(clustered.standard_error**2)
    assert found.gap_variance(1, 1) > 1.5 * flagged_pair(group, reference).gap_variance(1, 1)
    assert found.df == 19


def test_what_does_not_vary_has_an_error_all_the_same() -> None:
    """Equal clusters show no spread, which does not mean that there is none."""
    quiet = flagged_pair([[0.2] * 10], [[0.1] * 10])
    assert quiet.gap_variance(1, 1) == pytest.approx(
        paired_variance(np.full(10, 0.2), np.full(10, 0.1), 1, 1)
    )
    steps = np.linspace(0.1, 0.5, 10)
    level = flagged_pair([steps + 0.2], [steps])
    assert level.gap_variance(1, 1) == pytest.approx(2 * steps.var(ddof=1) / 10)
    half = flagged_pair([[0.2] * 10, steps + 0.2], [[0.1] * 10, steps])
    assert half.gap_variance(1, 1) > level.gap_variance(1, 1) / 4
    assert half.df == 9


def test_a_better_known_error_is_taken_over() -> None:
    """A method that sees more than clusters raises the variance of the gap to its own, never lowers it."""
    draw = rng(4, "more")
    found = flagged_pair([draw.random(12)], [draw.random(12)])
    seen = found.gap_variance(1, 1)
    more = found.at_least(3 * seen, 5.0)
    assert more.gap_variance(1, 1) == pytest.approx(3 * seen)
    assert more.df == 5.0
    assert found.at_least(seen / 3, 5.0).gap_variance(1, 1) == pytest.approx(seen)


def test_arms_of_other_clusters_are_refused() -> None:
    """Arms that differ in shape, are alone, or lie outside [0, 1] are refused."""
    with pytest.raises(ValueError, match="got 1 and 2 rates"):
        flagged_pair([[0.1]], [[0.1, 0.2]])
    with pytest.raises(ValueError, match="outside the bounds"):
        flagged_pair([[0.1, 1.2]], [[0.1, 0.2]])
    with pytest.raises(NotMeasuredError, match="got 1"):
        flagged_pair([[0.1, 0.2], [0.1]], [[0.1, 0.2], [0.1]])
    with pytest.raises(NotMeasuredError):
        flagged_pair([], [])
