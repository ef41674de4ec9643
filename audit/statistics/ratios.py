"""Impact ratios: one group's favourable rate over another's, with intervals that know of clusters.

A ratio of 0.8 is a screen that some guidelines name, not a verdict: it says neither how sure the
ratio is nor whether the difference matters.
"""

from dataclasses import dataclass, replace
from math import exp, fsum, log, log1p, sqrt

import numpy as np
import numpy.typing as npt

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Vector, check_at_least, check_clusters, check_fraction, finite_vector
from audit.statistics.intervals import Interval, Unseen, t_estimate
from audit.statistics.rates import clustered_rate_interval
from audit.statistics.unseen import share_unseen, with_unseen, witnesses

__all__ = ["FourFifths", "RatioEstimate", "four_fifths", "impact_ratio", "untellable"]

_FOUR, _FIFTHS = 4, 5
"""The four-fifths of 29 CFR 1607.4(D), as integers: 4/5 is not a binary fraction."""

_LEAST_POSITIVE = 5
"""Units of a reference with a favourable outcome from which a ratio to it has an upper end worth stating.

By the exact bounds of a count at 95 %, the rate of a rare outcome may lie below the one seen by a factor of
39 where 1 is seen, 8 at 2, 4.8 at 3, 3.7 at 4 and 3.1 at 5; the ratio is that much higher."""

_ROUNDING = 1e-12
"""Standard error of a log ratio below which the clusters count as equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioEstimate:
    """A ratio of two rates; its neutral value is 1."""

    point: float
    """Group's rate over the reference's."""
    log_standard_error: float
    """Standard error of the logarithm of the ratio; 0 exactly when `degenerate`."""
    df: float
    n_clusters: int
    """Clusters of the group or of the reference, whichever has fewer."""
    p_value: float | None
    """Two-sided p against a true ratio of 1; None if `degenerate`."""
    interval: Interval
    group_rate: float
    reference_rate: float
    degenerate: bool = False
    """True if the group's rate is 0 or no cluster differs: the interval is then a bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FourFifths:
    """The four-fifths screen on plain counts, with what one selection would change."""

    ratio: float
    below: bool
    """The ratio is below 0.8."""
    one_more_clears: bool
    """It is below, and one more selection in the group would lift it to 0.8 or more."""
    one_moved_reverses: bool
    """The group's rate is lower, and with one selection moved to the group it would be the higher one."""


def impact_ratio(
    group_selected: npt.ArrayLike,
    group_considered: npt.ArrayLike,
    reference_selected: npt.ArrayLike,
    reference_considered: npt.ArrayLike,
    *,
    level: float = 0.95,
) -> RatioEstimate:
    """A group's favourable rate over the reference's, from clusters, with an interval on the log scale.

    ratio = p_g / p_r with p = sum(selected) / sum(considered). Each cluster moves the log of the ratio by
    u = (s_g - p_g n_g) / (p_g N_g) - (s_r - p_r n_r) / (p_r N_r), N the totals; the standard error is
    sqrt(m / (m - 1) * sum(u^2)), where m is the number of clusters of the side that has fewer, and
    the interval is ratio * exp(-+ t(m - 1) * se). Clusters may hold both sides (templates) or one (people).

    Independent people are clusters of one: pass rows, 1 where the person is in the group.

    Where few clusters differ, what others may hide is added on the log scale (see `audit.statistics.unseen`);
    rows that are clusters of one each need no such help, since their spread follows from their rate.

    If the group's rate is 0, or no cluster moves the ratio, the log scale has no interval. Then it is
    the rates' own bounds divided, each at level (1 + level) / 2, so that both hold together at the level.

    Not for a ratio to whichever group turned out highest, unless it is said that it was picked
    afterwards: with equal groups such ratios lie below 1 by themselves.

    Args:
        group_selected: Favourable outcomes of the group by cluster, shape (T,).
        group_considered: Members of the group by cluster, shape (T,); 0 where it has none.
        reference_selected: Favourable outcomes of the reference by the same clusters, shape (T,).
        reference_considered: Members of the reference by the same clusters, shape (T,).
        level: Nominal coverage, a fraction in (0, 1).

    Returns:
        The ratio (not a percentage), at least 0.

    Raises:
        NotMeasuredError: A side has fewer than 2 clusters, or the reference's rate is 0.
        ValueError: The shapes differ, or 0 <= selected <= considered fails somewhere.

    Source:
        Katz, Baptista, Azen & Pike (1978), Biometrics 34:469-474 (log interval); the linearised
        influence: Cochran (1977), Sampling Techniques, 3rd ed., eq. 6.13.

    >>> people = impact_ratio([1] * 48 + [0] * 72, [1] * 80 + [0] * 40, [0] * 80 + [1] * 12 + [0] * 28,
    ...                       [0] * 80 + [1] * 40)
    >>> round(people.point, 3), people.n_clusters
    (2.0, 40)
    """
    check_fraction("level", level)
    group = _side("group", group_selected, group_considered)
    reference = _side("reference", reference_selected, reference_considered)
    if group.selected.shape != reference.selected.shape:
        raise ValueError(
            "group and reference must be over the same clusters; got shapes "
            f"{group.selected.shape} and {reference.selected.shape}"
        )
    n = min(group.n_clusters, reference.n_clusters)
    check_clusters("an impact ratio", n)
    if reference.rate == 0:
        raise NotMeasuredError("an impact ratio needs a reference rate above 0; got 0")
    point = group.rate / reference.rate
    error = 0.0
    if group.rate > 0:
        influence = group.influence() - reference.influence()
        # An exactly rounded sum does not depend on the order of the clusters.
        error = sqrt(fsum((influence**2).tolist()) * n / (n - 1))
    degenerate = error <= _ROUNDING
    if degenerate:
        interval, p_value = _divided_bounds(group, reference, level), None
    else:
        method = f"clustered log ratio (t, df {n - 1})"
        found = t_estimate(log(point), error, n - 1.0, n_clusters=n, level=level, method=method)
        unseen = _unseen(group, reference, (1 - level) / 2)
        found = found if unseen is None else with_unseen(found, unseen)
        ends = exp(found.interval.low), exp(found.interval.high)
        interval, p_value = replace(found.interval, low=ends[0], high=ends[1]), found.p_value
    return RatioEstimate(
        point=point,
        log_standard_error=0.0 if degenerate else error,
        df=n - 1.0,
        n_clusters=n,
        p_value=p_value,
        interval=interval,
        group_rate=group.rate,
        reference_rate=reference.rate,
        degenerate=degenerate,
    )


def untellable(selected: npt.ArrayLike, considered: npt.ArrayLike) -> str | None:
    """Why a ratio to this reference has no interval worth stating; None if it has one.

    With few favourable outcomes in the reference its rate may be many times lower than the one seen, so
    that the ratio has no upper end that would tell anything.

    Args:
        selected: Favourable outcomes of the reference by independent unit, shape (T,).
        considered: Members of the reference by the same units, shape (T,).

    Returns:
        The reason, in words.

    Source:
        Exact bounds of a count: Garwood (1936), Biometrika 28:437-442.

    >>> untellable([1, 0, 0], [10, 10, 10])
    'not measured: 1 favourable of 30 in the reference; a ratio to it needs 5 or more'
    """
    hits, asked = np.asarray(selected, dtype=np.float64), np.asarray(considered, dtype=np.float64)
    units = int((hits > 0).sum())
    if units >= _LEAST_POSITIVE:
        return None
    seen, total = int(hits.sum()), int(asked.sum())
    within = f", in {units} unit{'' if units == 1 else 's'}" if seen > units else ""
    more = "5 or more" if seen == units else "5 units or more with one"
    return f"not measured: {seen} favourable of {total} in the reference{within}; a ratio to it needs {more}"


def four_fifths(
    group_selected: int, group_considered: int, reference_selected: int, reference_considered: int
) -> FourFifths:
    """The four-fifths screen, and whether a single selection would change what it says.

    A ratio below 0.8 is "generally regarded" as evidence of adverse impact by the guideline, smaller
    gaps may count and larger ones may not: it is a screen. Where one selection moved from the
    reference to the group would make the group's rate the higher one, the numbers are too small for it.

    Args:
        group_selected: Favourable outcomes of the group.
        group_considered: Members of the group, at least 1.
        reference_selected: Favourable outcomes of the reference, at least 1.
        reference_considered: Members of the reference, at least 1.

    Returns:
        The screen's answer; never a finding by itself.

    Raises:
        NotMeasuredError: The reference has no favourable outcome, so there is no ratio.
        ValueError: 0 <= selected <= considered fails, or nobody was considered.

    Source:
        29 CFR 1607.4(D); one selection moved: Uniform Guidelines questions and answers (1979), 44 FR
        11996, question 21.

    >>> four_fifths(9, 20, 12, 20)
    FourFifths(ratio=0.75, below=True, one_more_clears=True, one_moved_reverses=False)
    """
    sides = ((group_selected, group_considered), (reference_selected, reference_considered))
    for selected, considered in sides:
        check_at_least("considered", considered, 1)
        if not 0 <= selected <= considered:
            raise ValueError(f"selected must be between 0 and considered; got {selected!r} of {considered!r}")
    if reference_selected == 0:
        raise NotMeasuredError("an impact ratio needs a reference rate above 0; got 0")
    scale = reference_selected * group_considered
    below = _is_below(group_selected * reference_considered, scale)
    lower = group_selected * reference_considered < scale
    moved = (group_selected + 1) * reference_considered > (reference_selected - 1) * group_considered
    room = group_selected < group_considered
    return FourFifths(
        ratio=group_selected * reference_considered / scale,
        below=below,
        one_more_clears=below and room and not _is_below((group_selected + 1) * reference_considered, scale),
        one_moved_reverses=lower and room and moved,
    )


def _is_below(numerator: int, denominator: int) -> bool:
    return _FIFTHS * numerator < _FOUR * denominator


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    selected: Vector
    considered: Vector
    rate: float
    n_clusters: int

    def influence(self) -> Vector:
        """What each cluster adds to the error of the log of the rate, shape (T,)."""
        moved = self.selected - self.rate * self.considered
        return np.asarray(moved / (self.rate * self.considered.sum()))


def _side(name: str, selected: npt.ArrayLike, considered: npt.ArrayLike) -> _Side:
    hits, asked = finite_vector(f"{name}_selected", selected), finite_vector(f"{name}_considered", considered)
    if hits.shape != asked.shape or (hits < 0).any() or (hits > asked).any():
        raise ValueError(
            f"{name}_selected and {name}_considered must have one shape and 0 <= selected <= considered"
        )
    total = float(asked.sum())
    if total == 0:
        raise NotMeasuredError(f"the {name} of an impact ratio has no member")
    return _Side(
        selected=hits, considered=asked, rate=float(hits.sum()) / total, n_clusters=int((asked > 0).sum())
    )


def _unseen(group: _Side, reference: _Side, tail: float) -> Unseen | None:
    """What clusters of other kinds could do to the logarithm of the ratio; None if they hide nothing.

    A share q of clusters that all favour the group moves it by log(1 + q (1 - p_g) / p_g) - log(1 - q),
    which is not linear in q: the room is that at the largest q the tail allows, over q.

    Args:
        group: The group.
        reference: The reference.
        tail: Chance of error on each side.
    """
    asked = np.stack([group.considered, reference.considered])
    if asked.sum(axis=0).max() <= 1:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        mine, theirs = np.stack([group.selected, reference.selected]) / asked
    if np.isnan(mine - theirs).any():
        rates = [mine[~np.isnan(mine)], theirs[~np.isnan(theirs)]]
        shares = [share_unseen(one, (0.0, 1.0)) for one in rates]
        sizes = np.array([float(one.size) for one in rates])
    else:
        shares = [share_unseen(mine - theirs, (-1.0, 1.0))] * 2
        sizes = np.array([float(mine.size)])
    if not any(shares):
        return None
    most = [1 - tail ** (1 / size) for size in np.broadcast_to(sizes, 2)]
    up = [
        log1p(q * (1 - side.rate) / side.rate) / q for q, side in zip(most, (group, reference), strict=True)
    ]
    down = [-log1p(-q) / q for q in most]
    rise = np.array([shares[0] * up[0], shares[1] * down[1]])
    fall = np.array([shares[0] * down[0], shares[1] * up[1]])
    if sizes.size == 1:
        rise, fall = rise.sum(keepdims=True), fall.sum(keepdims=True)
    return Unseen(fall=float(fall.sum()), rise=float(rise.sum()), n=witnesses(fall, rise, sizes))


def _divided_bounds(group: _Side, reference: _Side, level: float) -> Interval:
    each = (1 + level) / 2
    top = clustered_rate_interval(group.selected, group.considered, level=each).interval
    bottom = clustered_rate_interval(reference.selected, reference.considered, level=each).interval
    return Interval(
        low=top.low / bottom.high,
        high=top.high / bottom.low,
        level=level,
        method="bounds of the two rates, divided",
    )
