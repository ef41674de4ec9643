"""Calibration where names signal the group: each has an effect of its own, so names are a sample too."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from audit.errors import NotMeasuredError
from audit.statistics import (
    CrossedNames,
    cluster_t_interval,
    multi_way_cluster,
    template_differences,
    two_way_cluster,
)
from benchmarks.calibration.counting import holds
from benchmarks.calibration.designs import (
    DESIGNS,
    GAP,
    ROOT,
    SLOPE_SD,
    TEMPLATE_SD,
    UNIT,
    mean_slope,
    named_pairs,
)
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["crossed", "crossed_gaps", "crossed_nulls", "two_way_false_alarms"]

Vector = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
POOLS = ((28, 9), (10, 6))
"""First and last names an arm: as in an audit's contrasts of race, and as in one cell of its names."""
FIRST_SD, LAST_SD = 0.4, 0.3
"""Standard deviations of the names' effects on the logit."""
_METHODS = ("templates only", "full names", "first names", "first and last names")


def two_way_false_alarms(simulations: int) -> list[Cell]:
    """How often a difference is claimed when only the names differ.

    Each group has 30 names with effects of standard deviation 0.5 on the logit, drawn anew for each pair.
    """
    cells = []
    for templates, pairs in DESIGNS:
        stream = rng(ROOT, "names", templates, pairs)
        wrong = [_two_way_misses(stream, templates, pairs) for _ in range(simulations)]
        cell = Cell(templates=templates, repeats=pairs)
        cell.average(("cluster-t, names ignored", "two-way"), wrong)
        cells.append(cell)
    return cells


def _two_way_misses(stream: np.random.Generator, templates: int, pairs: int) -> tuple[bool, bool]:
    named = named_pairs(stream, templates, pairs, names=30, name_sd=0.5)
    found = template_differences(named.values, named.cluster, named.set_code, named.is_group)
    one_way = cluster_t_interval(found.differences, bounds=UNIT)
    two_way = two_way_cluster(
        found.set_influence, found.set_clusters, named.names[found.sets], point=one_way.point, bounds=UNIT
    )
    return not holds(one_way.interval, 0.0), not holds(two_way.interval, 0.0)


def crossed_nulls(simulations: int) -> list[Cell]:
    """How often a difference is claimed where only first and last names have effects of their own.

    Each arm of each pair draws a first and a last name of its group, with effects of standard deviation
    0.4 and 0.3 on the logit; "repeats" is pairs a template, one answer each. "28 x 9" is 28 first and 9
    last names a group, as in an audit's contrast of two groups by race/ethnicity; "10 x 6" is one cell of
    its names. Columns cluster by: templates alone (cluster-t); templates and full names (two-way);
    templates and first names; templates, first names and last names (`multi_way_cluster`, which a run
    uses).
    """
    return [crossed(pool, design, gap=0.0, simulations=simulations) for pool in POOLS for design in DESIGNS]


def crossed_gaps(simulations: int) -> list[Cell]:
    """How often nominal 95 % intervals contain a true difference of 10 points, with names as above.

    The truth is that of all names such as these, not of the ones drawn.
    """
    return [crossed(pool, design, gap=GAP, simulations=simulations) for pool in POOLS for design in DESIGNS]


def crossed(pool: tuple[int, int], design: tuple[int, int], *, gap: float, simulations: int) -> Cell:
    """One cell of these tables.

    Args:
        pool: First and last names a group.
        design: Templates, and pairs a template.
        gap: True difference of rates, a fraction.
        simulations: How many audits to simulate.
    """
    (firsts, lasts), (templates, pairs) = pool, design
    stream = rng(ROOT, "crossed", firsts, templates, pairs, round(100 * gap))
    slope = mean_slope(gap, name_sd=float(np.hypot(FIRST_SD, LAST_SD)))
    covered = [_crossed_holds(_Crossed.drawn(stream, pool, design, slope), gap) for _ in range(simulations)]
    cell = Cell(templates=templates, repeats=pairs, note=f"{firsts} x {lasts}")
    cell.average(_METHODS, covered if gap else 1 - np.array(covered))
    return cell


@dataclass(frozen=True, slots=True, kw_only=True)
class _Crossed:
    """One simulated audit: rows of group and reference, one column a pair."""

    answers: Vector
    """0 or 1, shape (2, templates x pairs), the group's first."""
    template: Codes
    """Shape (templates x pairs,)."""
    first: Codes
    """First name of each answer, no name in both arms, shape (2, templates x pairs)."""
    last: Codes

    @classmethod
    def drawn(
        cls, stream: np.random.Generator, pool: tuple[int, int], design: tuple[int, int], slope: float
    ) -> "_Crossed":
        """Names drawn anew for each answer, from pools of first and last names an arm."""
        templates, pairs = design
        template = np.repeat(np.arange(templates), pairs)
        codes, effects = [], np.zeros((2, template.size))
        for size, spread in zip(pool, (FIRST_SD, LAST_SD), strict=True):
            drawn = stream.integers(0, size, (2, template.size)) + np.array([[0], [size]])
            effects += spread * stream.standard_normal(2 * size)[drawn]
            codes.append(drawn)
        base = TEMPLATE_SD * stream.standard_normal(templates)[template]
        half = (slope + SLOPE_SD * stream.standard_normal(templates))[template] / 2
        rates = expit(base + np.array([half, -half]) + effects)
        answers = stream.binomial(1, rates).astype(np.float64)
        return cls(answers=answers, template=template, first=codes[0], last=codes[1])


def _crossed_holds(audit: _Crossed, truth: float) -> list[float]:
    """Whether each method's interval contains the truth; nan where it is not measured."""
    means = audit.answers.mean(axis=1)
    point = float(means[0] - means[1])
    templates = int(audit.template[-1]) + 1
    differences = (audit.answers[0] - audit.answers[1]).reshape(templates, -1).mean(axis=1)
    # Each arm's influence is its answer's distance from the arm's mean, negative for the reference.
    weights = np.array([[1.0], [-1.0]]) / np.full(audit.template.size, audit.template.size)
    influence = (audit.answers - means[:, np.newaxis]) * weights
    full = audit.first * (int(audit.last.max()) + 1) + audit.last
    by_name = [[full.ravel()], [audit.first.ravel()], [audit.first.ravel(), audit.last.ravel()]]
    found = [float(holds(cluster_t_interval(differences, bounds=UNIT).interval, truth))]
    for names in by_name:
        try:
            interval = multi_way_cluster(
                influence.ravel(),
                np.tile(audit.template, 2),
                np.zeros(influence.size, dtype=np.int64),
                names=CrossedNames(of=names, weights=weights.ravel()),
                point=point,
            ).interval
        except NotMeasuredError:
            found.append(float("nan"))
            continue
        found.append(float(holds(interval, truth)))
    return found
