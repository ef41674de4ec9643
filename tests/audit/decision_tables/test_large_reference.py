"""A reference that is summed once gives every contrast that it gives when it is summed anew."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.tables import large_reference
from audit.tables.large_reference import Reference
from audit.tables.rates import Trials, contrast, ratio_interval, tally

GROUPS = 6


def trials(seed: int, rows: int, a_cluster: int, rate: float) -> list[Trials]:
    """Groups of which the first holds half of the rows, with clusters that several have."""
    drawn = np.random.default_rng(seed)
    clusters = np.sort(drawn.integers(0, max(2, rows // a_cluster), rows))
    shares = [0.5, *[0.5 / (GROUPS - 1)] * (GROUPS - 1)]
    return list(
        tally(
            drawn.choice(GROUPS, size=rows, p=shares).astype(np.int16),
            GROUPS,
            trials=np.ones(rows, dtype=np.bool_),
            hits=drawn.random(rows) < rate,
            counts=np.ones(rows, dtype=np.int64),
            clusters=clusters,
        )
    )


@given(
    st.integers(0, 10_000),
    st.integers(60, 3000),
    st.sampled_from([1, 2, 5, 40]),
    st.sampled_from([0.0, 0.01, 0.3, 0.9, 1.0]),
)
@settings(max_examples=60, deadline=None)
def test_a_contrast_is_the_same_with_the_reference_summed_once(
    seed: int, rows: int, a_cluster: int, rate: float
) -> None:
    """Differences, intervals, p-values and ratios agree to rounding, degenerate tables included."""
    first, *others = trials(seed, rows, a_cluster, rate)
    known = Reference(first)
    for group in others:
        if min(group.units, first.units) < 2:
            continue
        one, other = known.contrast(group, margin=0.05), contrast(group, first, margin=0.05)
        for mine, theirs in (
            (one.difference, other.difference),
            (one.interval.low, other.interval.low),
            (one.interval.high, other.interval.high),
            (one.p_value, other.p_value),
            (one.interval_at(0.9).low, other.interval_at(0.9).low),
        ):
            assert mine == pytest.approx(theirs, rel=1e-7, abs=1e-10)
        assert (one.equivalent, one.interval.method) == (other.equivalent, other.interval.method)
        ratio, long = known.ratio_interval(group), ratio_interval(group, first)
        assert (ratio is None) == (long is None)
        if ratio is not None and long is not None:
            assert (ratio.low, ratio.high) == pytest.approx((long.low, long.high), rel=1e-7)
            assert ratio.method == long.method


def test_a_large_reference_is_not_walked_again_for_each_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where clusters differ enough, no contrast takes the long way."""

    def walked(*_: object, **__: object) -> None:
        raise AssertionError("the reference was summed again")

    first, *others = trials(7, 5000, 5, 0.4)
    known = Reference(first)
    for name in ("contrast", "ratio_interval"):
        monkeypatch.setattr(large_reference, name, walked)
    for group in others:
        known.contrast(group, margin=0.05)
        assert known.ratio_interval(group) is not None
