"""Tests of one estimate against thresholds that the spec's gate declares."""

from collections.abc import Callable, Sequence
from math import exp, log

from audit.gate_conditions import Threshold
from audit.records import ThresholdTest

__all__ = ["LEAST_P", "threshold_tests"]

LEAST_P = 1e-6
"""Smallest p-value that is told; what is smaller is told as this, enough for 50,000 thresholds at 5 %."""

_MOST_P = 0.999
_STEPS = 24
"""Halvings of the range of log p: it is then known to a millionth of itself."""


def threshold_tests(
    thresholds: Sequence[Threshold], point: float, interval: Callable[[float], tuple[float, float]]
) -> tuple[ThresholdTest, ...]:
    """The two-sided p-value of each threshold: the smallest p with an interval, of 1 - p, beyond it.

    It is thereby the p-value of whatever interval the estimate has, and p <= 1 - level exactly where the
    interval of that level lies beyond the threshold.

    Args:
        thresholds: What is tested.
        point: The estimate.
        interval: Gives its interval at any level; it must widen as the level rises.

    Returns:
        One test a threshold, in order; p is 1 where the point itself is not beyond it.

    Source:
        Confidence intervals as inverted tests: Lehmann & Romano (2005), Testing Statistical Hypotheses, 3rd
        ed., section 3.5.
    """
    return tuple(
        ThresholdTest(value=one.value, side=one.side, p_value=_p_value(one, point, interval))
        for one in thresholds
    )


def _p_value(threshold: Threshold, point: float, interval: Callable[[float], tuple[float, float]]) -> float:
    def beyond(p: float) -> bool:
        low, high = interval(1 - p)
        return high < threshold.value if threshold.side == "below" else low > threshold.value

    outside = point < threshold.value if threshold.side == "below" else point > threshold.value
    if not outside or not beyond(_MOST_P):
        return 1.0
    if beyond(LEAST_P):
        return LEAST_P
    small, large = log(LEAST_P), log(_MOST_P)
    for _ in range(_STEPS):
        middle = (small + large) / 2
        if beyond(exp(middle)):
            large = middle
        else:
            small = middle
    return exp(large)
