"""Clusters in several ways at once: templates within strata, and first and last names across them."""

from math import sqrt

import numpy as np
import numpy.typing as npt

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Codes, Vector, check_clusters, finite_vector
from audit.statistics.codes import count_codes, dense_codes
from audit.statistics.crossed import CrossedNames, crossed_variance
from audit.statistics.intervals import ClusterEstimate, t_estimate
from audit.statistics.squares import cluster_squares

__all__ = ["multi_way_cluster", "scaled_by_stratum", "within_templates"]

_LEAST_NAMES = 3
"""Two arms whose influences each add up to 0 leave nothing to see of fewer names."""


def multi_way_cluster(
    influence: npt.ArrayLike,
    templates: npt.ArrayLike,
    strata: npt.ArrayLike,
    *,
    names: CrossedNames | None = None,
    point: float = 0.0,
    level: float = 0.95,
) -> ClusterEstimate:
    """Interval of a difference of two arms, pooled over strata, whose parts share templates and names.

    variance = sum over all non-empty sets of dimensions of (-1)^(size + 1) V(set), each V the sum over its
    clusters of the squared sum of influences, plus what centring took from it (`crossed_variance`), and at
    least V of the templates alone. Influences are multiplied by sqrt(T_k / (T_k - 1)) in each stratum of T_k
    templates. Strata that share a template are one for it. Degrees of freedom: Satterthwaite's over the
    strata, or G - 2 of the dimension with the fewest names G, since either arm has a mean of its own, where
    that is less.

    Not for strata of fewer than about 5 templates, whose spread is hardly seen, nor without any spread.
    Misses with few names: docs/explanation/calibration.md.

    Args:
        influence: What each part adds to the error of the estimate, shape (n,); about 0 in sum in each arm.
        templates: Template code of each part, shape (n,); the same code in two strata is the same template.
        strata: Stratum code of each part, shape (n,).
        names: Names, where they are a sample too, and what each part weighs; None: templates alone.
        point: The estimate itself.
        level: Nominal coverage, a fraction in (0, 1).

    Returns:
        The estimate, in the unit of the influence; `n_clusters` is the number of templates.

    Raises:
        NotMeasuredError: A stratum has fewer than 2 templates, a dimension fewer than 3 names, or nothing
            varies between templates.
        ValueError: The shapes do not fit, or an influence is not finite.

    Source:
        Cameron, Gelbach & Miller (2011), J. Business & Economic Statistics 29:238-249, eq. 2.13 and
        section 2.4; Satterthwaite (1946), Biometrics Bulletin 2:110-114.

    >>> found = multi_way_cluster([0.1, -0.1, 0.2, -0.2], [0, 1, 2, 3], [0, 0, 1, 1])
    >>> round(found.df, 2), round(found.standard_error, 3)
    (1.47, 0.447)
    """
    parts = finite_vector("influence", influence)
    template, stratum = np.asarray(templates, dtype=np.int64), np.asarray(strata, dtype=np.int64)
    dimensions = [] if names is None else [np.asarray(codes, dtype=np.int64) for codes in names.of]
    shapes = [codes.shape for codes in (template, stratum, *dimensions)]
    shapes += [] if names is None else [np.shape(names.weights)]
    if any(shape != parts.shape for shape in shapes):
        raise ValueError(
            f"templates, strata, names and weights must have the shape {parts.shape} of influence; "
            f"got {shapes}"
        )
    scaled, sizes = scaled_by_stratum(parts, template, stratum)
    variance, df = within_templates(scaled, template, stratum, sizes)
    counts = [count_codes(codes) for codes in (template, *dimensions)]
    fewest = min(counts[1:], default=_LEAST_NAMES)
    if fewest < _LEAST_NAMES:
        raise NotMeasuredError(f"names as a sample need at least {_LEAST_NAMES} names; got {fewest}")
    method = _method(counts)
    if names is not None:
        by_stratum = np.sqrt([sizes[one] / (sizes[one] - 1) for one in sorted(sizes)])
        factor = by_stratum[dense_codes(stratum)]
        crossed = crossed_variance(parts, factor, template, stratum, names)
        # Names can only add variance in truth, so they may take none away by chance.
        if crossed < variance:
            method += "; at least the variance of templates"
        variance = max(variance, crossed)
        df = min([df, *(count - 2.0 for count in counts[1:])])
    method = f"{method}, df {df:.1f}"
    return t_estimate(point, sqrt(variance), df, n_clusters=counts[0], level=level, method=method)


def _method(counts: list[int]) -> str:
    ways = ("templates in strata that share them", "two-way", "three-way")[min(len(counts), 3) - 1]
    kinds = ("templates", "first names", "last names")
    each = ", ".join(f"{count} {kind}" for count, kind in zip(counts, kinds, strict=False))
    return f"{ways} cluster-t ({each})"


def scaled_by_stratum(parts: Vector, template: Codes, stratum: Codes) -> tuple[Vector, dict[int, int]]:
    """Influences with the correction of their stratum, and the templates of each stratum."""
    scaled, sizes = parts.copy(), {}
    for code in np.unique(stratum).tolist():
        inside = stratum == code
        count = count_codes(template[inside])
        check_clusters(f"stratum {code}", count)
        sizes[int(code)] = count
        scaled[inside] *= sqrt(count / (count - 1))
    return scaled, sizes


def within_templates(
    parts: Vector, template: Codes, stratum: Codes, sizes: dict[int, int]
) -> tuple[float, float]:
    """Variance between templates, and its degrees of freedom."""
    found = []
    for block in _blocks(template, stratum):
        inside = np.isin(stratum, list(block))
        # Of strata that share templates the smallest says how well the spread is known.
        spread = cluster_squares(parts[inside], [template[inside]])
        found.append((spread, min(sizes[one] for one in block) - 1))
    variance = sum(one for one, _ in found)
    if variance <= 0:
        raise NotMeasuredError("templates do not differ at all, so their spread cannot be estimated")
    return variance, variance**2 / sum(one**2 / df for one, df in found)


def _blocks(template: Codes, stratum: Codes) -> list[set[int]]:
    """Strata joined where they share a template."""
    blocks: list[tuple[set[int], set[int]]] = []
    for code in np.unique(stratum).tolist():
        joined, members = {int(code)}, set(template[stratum == code].tolist())
        apart = []
        for other, theirs in blocks:
            if members & theirs:
                joined, members = joined | other, members | theirs
            else:
                apart.append((other, theirs))
        blocks = [*apart, (joined, members)]
    return [joined for joined, _ in blocks]
