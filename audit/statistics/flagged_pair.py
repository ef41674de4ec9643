"""Two arms' flagged shares with what is needed to correct their gap by any pair of error rates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from audit.statistics.arguments import Codes, Vector, check_clusters, finite_vector
from audit.statistics.intervals import check_bounds
from audit.statistics.measurement_error import mean_variance

__all__ = ["FlaggedPair", "flagged_pair"]

_ROUNDING = 1e-12
"""Share of the arms' variances below which that of their difference is rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlaggedPair:
    """Flagged shares of the group's and the reference's arm, strata weighing alike, and their errors."""

    group: float
    """A fraction in [0, 1]."""
    reference: float
    group_variance: float
    """Of the share as the mean of its strata."""
    reference_variance: float
    covariance: float
    alone: tuple[float, float]
    """Variances of both arms as if they were not paired; above 0."""
    df: float

    def gap_variance(self, of_group: float, of_reference: float) -> float:
        """Variance of group / a - reference / b; never 0.

        Args:
            of_group: a, above 0.
            of_reference: b, above 0.
        """
        found = (
            self.group_variance / of_group**2
            + self.reference_variance / of_reference**2
            - 2 * self.covariance / (of_group * of_reference)
        )
        scale = self.group_variance / of_group**2 + self.reference_variance / of_reference**2
        if found > _ROUNDING * scale:
            return found
        # Clusters whose difference is the same throughout leave the spread of each arm by itself.
        return self.alone[0] / of_group**2 + self.alone[1] / of_reference**2

    def at_least(self, variance: float, df: float) -> "FlaggedPair":
        """The pair with the error of its uncorrected gap raised to one that is known better.

        What is missing, such as the spread between names, is shared by both arms alike.

        Args:
            variance: That of group - reference by a method that sees more than these clusters.
            df: Its degrees of freedom.
        """
        seen = self.group_variance + self.reference_variance - 2 * self.covariance
        extra = max(variance - seen, 0.0) / 2
        return replace(
            self,
            group_variance=self.group_variance + extra,
            reference_variance=self.reference_variance + extra,
            df=df,
        )


def flagged_pair(
    group: Sequence[npt.ArrayLike],
    reference: Sequence[npt.ArrayLike],
    clusters: Sequence[Codes] | None = None,
) -> FlaggedPair:
    """The pair of two arms over strata that weigh alike, whichever of them has more clusters.

    Influences u_t of a cluster on an arm's mean, (x_t - mean_k) sqrt(T_k / (T_k - 1)) / (T_k K) summed over
    the strata that it is in, give variances sum(u^2) and the covariance sum(u v).

    Args:
        group: By stratum, the flagged share of each cluster in the group's arm, in [0, 1], shape (T_k,).
        reference: The same for the reference's arm.
        clusters: By stratum, the code of each cluster; strata that share one are not independent. By
            default none is shared.

    Raises:
        NotMeasuredError: There is no stratum, or one has fewer than 2 clusters.
        ValueError: The shapes differ, or a share is outside [0, 1].
    """
    arms = [[finite_vector("rates", one) for one in arm] for arm in (group, reference)]
    sizes = [one.size for one in arms[0]]
    if sizes != [one.size for one in arms[1]]:
        raise ValueError(
            f"both arms must be over the same clusters; got {sum(sizes)} and "
            f"{sum(one.size for one in arms[1])} rates"
        )
    for size in sizes or [0]:
        check_clusters("a sensitivity band", size)
    for rates in (*arms[0], *arms[1]):
        check_bounds(rates, (0.0, 1.0))
    codes = np.arange(sum(sizes)) if clusters is None else np.concatenate(clusters)
    _, place = np.unique(codes, return_inverse=True)
    ours, theirs = (np.bincount(place, weights=_influence(arm)) for arm in arms)
    # A stratum that is silent in both arms may only not have shown what it varies by.
    silent = [bool(np.ptp(g) == 0 and np.ptp(r) == 0) for g, r in zip(*arms, strict=True)]
    alone = [[mean_variance(one) / len(sizes) ** 2 for one in arm] for arm in arms]
    unseen = [sum(one for one, quiet in zip(arm, silent, strict=True) if quiet) for arm in alone]
    return FlaggedPair(
        group=float(np.mean([one.mean() for one in arms[0]])),
        reference=float(np.mean([one.mean() for one in arms[1]])),
        group_variance=float(ours @ ours) + unseen[0],
        reference_variance=float(theirs @ theirs) + unseen[1],
        covariance=float(ours @ theirs),
        alone=(sum(alone[0]), sum(alone[1])),
        df=_df(arms, silent, shared=int(place.max()) + 1 < codes.size),
    )


def _influence(arm: Sequence[Vector]) -> Vector:
    return np.concatenate(
        [(one - one.mean()) * np.sqrt(one.size / (one.size - 1)) / (one.size * len(arm)) for one in arm]
    )


def _df(arms: Sequence[Sequence[Vector]], silent: Sequence[bool], *, shared: bool) -> float:
    """Satterthwaite's over the strata's differences; that of the smallest where strata share clusters."""
    sizes = np.array([one.size for one in arms[0]], dtype=np.float64)
    if shared or all(silent):
        return float(sizes.min() - 1)
    parts = np.array([(one - other).var(ddof=1) / one.size for one, other in zip(*arms, strict=True)])
    if parts.sum() == 0:
        return float(sizes.min() - 1)
    return float(parts.sum() ** 2 / (parts**2 / (sizes - 1)).sum())
