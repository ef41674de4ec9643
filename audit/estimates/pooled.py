"""The interval of a contrast over its strata: which of them share templates, and names if any."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from audit.estimates.name_arms import NameArms, named_interval
from audit.estimates.shared_names import SharedNames, shared_interval
from audit.statistics.arguments import Codes, Vector
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.codes import count_codes
from audit.statistics.intervals import ClusterEstimate, all_equal, equal_clusters_estimate
from audit.statistics.multi_way import multi_way_cluster
from audit.statistics.pooling import stratified_t
from audit.statistics.unseen import unseen_of, with_unseen

__all__ = [
    "LEAST_IN_STRATUM",
    "ByTemplate",
    "TemplateValues",
    "distinct_templates",
    "large_enough",
    "left_out_words",
    "pooled_interval",
    "weighed",
]

LEAST_IN_STRATUM = 5
"""Below this the spread of a domain is hardly seen, and it does not enter what is pooled over larger ones."""


class ByTemplate(Protocol):
    """One value of each template of a stratum, such as its paired difference."""

    @property
    def differences(self) -> Vector:
        """The values, shape (T,)."""
        ...

    @property
    def clusters(self) -> Codes:
        """Code of each template, shape (T,): the same code in two strata is the same template."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateValues:
    """Values of templates that are no paired difference."""

    differences: Vector
    clusters: Codes


def distinct_templates(parts: Sequence[ByTemplate]) -> int:
    """Templates of all strata; one that several strata ask is one."""
    return count_codes(np.concatenate([part.clusters for part in parts])) if parts else 0


def large_enough(sizes: Sequence[int]) -> list[bool]:
    """Which strata of so many templates enter what is pooled; all of them if none is large enough."""
    large = [size >= LEAST_IN_STRATUM for size in sizes]
    return large if any(large) else [True] * len(large)


def left_out_words(domains: Sequence[str]) -> str:
    """What a method says of the domains that do not enter what is pooled; nothing without any."""
    few = f"fewer than {LEAST_IN_STRATUM} templates in {', '.join(domains)}"
    return f"; left out: {few}" if domains else ""


def weighed(parts: Sequence[ByTemplate]) -> tuple[Vector, Vector]:
    """Differences of all templates and the weight of each in the pooled mean, both of shape (T,).

    A template that several strata ask has one difference, that of its strata by their weights.
    """
    values = np.concatenate([part.differences for part in parts])
    sizes = [part.differences.size for part in parts]
    weights = np.concatenate([np.full(size, 1.0 / (size * len(parts))) for size in sizes])
    if distinct_templates(parts) == values.size:
        return values, weights
    _, place = np.unique(np.concatenate([part.clusters for part in parts]), return_inverse=True)
    total = np.bincount(place, weights=weights).astype(np.float64)
    return np.bincount(place, weights=weights * values) / total, total


def pooled_interval(
    parts: Sequence[ByTemplate],
    named: Sequence[NameArms | SharedNames],
    *,
    level: float,
    bounds: tuple[float, float] | None,
) -> ClusterEstimate:
    """The mean over strata that weigh alike, with its interval.

    Args:
        parts: Differences of each stratum, or other values of its templates.
        named: The names of each stratum where they signal the group; else none.
        level: Nominal coverage, a fraction in (0, 1).
        bounds: Smallest and largest difference one template can have.

    Raises:
        NotMeasuredError: Too few clusters or names to state an error.
    """
    values = [part.differences for part in parts]
    # Where no template differs from another, there is a bound only, and it is that of the templates.
    varies = not all(all_equal(one, bounds) for one in values)
    shared = distinct_templates(parts) < sum(one.size for one in values)
    if not (varies and named) and not shared:
        if len(values) == 1:
            return cluster_t_interval(values[0], level=level, bounds=bounds)
        return stratified_t(values, level=level, bounds=bounds)
    point = float(np.mean([one.mean() for one in values]))
    if not varies:
        # Of strata that share templates the smallest alone is sure to hold independent witnesses.
        fewest = min(one.size for one in values)
        distinct = distinct_templates(parts)
        return equal_clusters_estimate(point, fewest, n_clusters=distinct, bounds=bounds, level=level)
    if named:
        # A measure is about one person or about two: its strata have names of one kind.
        shared_by = [one for one in named if isinstance(one, SharedNames)]
        arms = [one for one in named if isinstance(one, NameArms)]
        found = (
            shared_interval(shared_by, point=point, level=level)
            if shared_by
            else named_interval(arms, point=point, level=level)
        )
    else:
        found = multi_way_cluster(
            np.concatenate([(one - one.mean()) / (one.size * len(values)) for one in values]),
            np.concatenate([part.clusters for part in parts]),
            np.repeat(np.arange(len(values)), [one.size for one in values]),
            point=point,
            level=level,
        )
    # What strata share is weighed together first, as its spread is.
    hidden_in = [weighed(parts)[0]] if shared else values
    unseen = unseen_of(hidden_in, np.full(len(hidden_in), 1 / len(hidden_in)), bounds)
    return replace(found if unseen is None else with_unseen(found, unseen), bounds=bounds)
