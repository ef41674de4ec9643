"""Calibration of comparisons of people: win shares in both orders, ranks, and names that both sides bear."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from audit.errors import NotMeasuredError
from audit.statistics import (
    ClusterEstimate,
    CrossedNames,
    Members,
    cluster_t_interval,
    multi_way_cluster,
    shared_member_cluster,
)
from benchmarks.calibration.counting import holds
from benchmarks.calibration.designs import ROOT, UNIT
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["names_in_pairs", "pairs_in_both_orders", "ranks_in_lists"]

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

FIRST, FIRST_SD, SLOPE_SD = 0.4, 1.0, 0.5
GAP = 0.6
"""Preference on the logit in cells with a difference."""
NAME_SD = 0.4
DESIGNS = ((12, 1), (12, 4), (30, 1), (30, 4), (100, 1), (100, 4))
MANY = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Win rates of one simulated run, one entry a template."""

    group_first: Array
    """Share of replies that prefer whoever is listed first, where that is the group's person."""
    reference_first: Array
    """Likewise where it is the reference's."""
    names: Codes
    """Codes of the group's and the reference's name, shape (T, 2)."""

    @property
    def differences(self) -> Array:
        """Win share of the group less that of the reference, of each template."""
        return self.group_first - self.reference_first


def drawn(
    stream: np.random.Generator,
    templates: int,
    repeats: int,
    *,
    liking: float = 0.0,
    names: int | None = None,
) -> Pairs:
    """One run: both orders of a pair in each template; a name adds to whoever bears it."""
    first = FIRST + FIRST_SD * stream.standard_normal(templates)
    slope = liking + SLOPE_SD * stream.standard_normal(templates)
    bears = np.zeros((templates, 2), dtype=np.int64)
    if names is not None:
        effects = NAME_SD * stream.standard_normal((names, 2))
        bears = np.column_stack([stream.permutation(np.arange(templates) % names) for _ in range(2)])
        slope = slope + effects[bears[:, 0], 0] - effects[bears[:, 1], 1]
    return Pairs(
        group_first=stream.binomial(repeats, expit(first + slope)) / repeats,
        reference_first=stream.binomial(repeats, expit(first - slope)) / repeats,
        names=bears + np.array([0, templates]),
    )


def truth(liking: float, extra: float = 0.0) -> float:
    """The expected difference of win shares, over many templates.

    Args:
        liking: Preference for the group on the logit.
        extra: Standard deviation that names add to the slope.
    """
    stream = rng(ROOT, "truth of pairs", f"{liking}", f"{extra}")
    first = FIRST + FIRST_SD * stream.standard_normal(MANY)
    slope = liking + sqrt(SLOPE_SD**2 + extra**2) * stream.standard_normal(MANY)
    return float(np.mean(expit(first + slope) - expit(first - slope)))


def pairs_in_both_orders(simulations: int) -> list[Cell]:
    """How often the 95 % interval of a difference of win shares misses the truth.

    "both orders" is the product's: cluster-t over templates of the two orders together. "rows as
    independent" takes replies for independent. "group first only" asks one order and holds the win share
    against one half, as if the place in the list did nothing.
    """
    cells = []
    for case, liking in (("no difference", 0.0), ("a difference", GAP)):
        expected = truth(liking)
        for templates, repeats in DESIGNS:
            stream = rng(ROOT, "pairs in both orders", case, templates, repeats)
            missed = []
            for _ in range(simulations):
                run = drawn(stream, templates, repeats, liking=liking)
                both = cluster_t_interval(run.differences, bounds=UNIT)
                one_order = cluster_t_interval(2 * run.group_first - 1, bounds=UNIT)
                missed.append(
                    [
                        not _holds(both, expected),
                        abs(run.differences.mean() - expected) > 1.96 * _row_wise(run, repeats),
                        not _holds(one_order, expected),
                    ]
                )
            cell = Cell(templates=templates, repeats=repeats, note=case)
            cell.average(("both orders", "rows as independent", "group first only"), missed)
            cells.append(cell)
    return cells


def ranks_in_lists(simulations: int) -> list[Cell]:
    """How often the 95 % interval of a difference of mean ranks, or of exposure, misses the truth.

    Lists of four, two of either group, in the four orders of the shipped design; replies are drawn by
    Plackett and Luce from the worth of a place (standard deviation 1.0), of a group and chance. "rank" and
    "exposure" are the product's: cluster-t over templates. "replies as independent" is the rank with each of
    the four orders and repeats taken for independent.
    """
    cells = []
    for case, liking in (("no difference", 0.0), ("a difference", GAP)):
        many = lists(rng(ROOT, "truth of lists", case), 20_000, 1, liking)
        expected = many.mean(axis=(1, 2))
        for templates, repeats in ((12, 1), (30, 1), (30, 4), (100, 1)):
            stream = rng(ROOT, "ranks in lists", case, templates, repeats)
            missed = []
            for _ in range(simulations):
                run = lists(stream, templates, repeats, liking)
                found = [cluster_t_interval(one.mean(axis=1), bounds=UNIT) for one in run]
                row_wise = 1.96 * run[0].std(ddof=1) / sqrt(run[0].size)
                missed.append(
                    [
                        *(
                            not _holds(one, value)
                            for one, value in zip(found, expected.tolist(), strict=True)
                        ),
                        abs(run[0].mean() - expected[0]) > row_wise,
                    ]
                )
            cell = Cell(templates=templates, repeats=repeats, note=case)
            cell.average(("rank", "exposure", "replies as independent"), missed)
            cells.append(cell)
    return cells


def lists(stream: np.random.Generator, templates: int, repeats: int, liking: float) -> Array:
    """Rank and exposure of the group less the reference's, of every reply, shape (2, templates, 4 x repeats).

    Each of the four orders has the group at its own two places; a template's difference is the mean of its
    replies.
    """
    place = FIRST_SD * stream.standard_normal((templates, 1, 4))
    slope = liking + SLOPE_SD * stream.standard_normal((templates, 1, 1))
    seated = np.repeat(np.array([[1, 0, 0, 1], [0, 1, 1, 0]] * 2), repeats, axis=0)[np.newaxis]
    worth = place + slope * seated + stream.gumbel(size=(templates, 4 * repeats, 4))
    above = np.argsort(np.argsort(-worth, axis=2), axis=2)
    side = np.where(seated == 1, 1.0, -1.0)
    rank = ((1 - above / 3) * side).sum(axis=2) / 2
    seen = 1 / np.log2(2 + above)
    return np.stack([rank, (seen * side).sum(axis=2) / seen.sum(axis=2)])


def names_in_pairs(simulations: int) -> list[Cell]:
    """How often 5 % tests find a difference where names have effects of their own and groups have none.

    A name adds 0.4 (standard deviation) on the logit to whoever bears it, and each side has the number of
    names that the case says. "shared names" is the product's: comparisons that share a name are dependent.
    "by own name" clusters each order by the name of whoever stands first, as if the other had no part in it,
    with `multi_way_cluster`, which makes up for most of that; "templates only" ignores names.
    """
    cells = []
    for names in (10, 20):
        for templates, repeats in ((30, 4), (100, 1), (100, 4)):
            stream = rng(ROOT, "names in pairs", names, templates, repeats)
            alarms = []
            for _ in range(simulations):
                run = drawn(stream, templates, repeats, names=names)
                found = (
                    _shared(run),
                    _by_own_name(run),
                    cluster_t_interval(run.differences, bounds=UNIT),
                )
                alarms.append([not _holds(one, 0.0) for one in found])
            cell = Cell(templates=templates, repeats=repeats, note=f"{names} names a side")
            cell.average(("shared names", "by own name", "templates only"), alarms)
            cells.append(cell)
    return cells


def _influence(run: Pairs) -> Array:
    differences = run.differences
    return np.asarray((differences - differences.mean()) / differences.size)


def _shared(run: Pairs) -> ClusterEstimate | None:
    templates = np.arange(run.differences.size)
    fewest = min(np.unique(column).size for column in run.names.T)
    try:
        return shared_member_cluster(
            _influence(run),
            templates,
            np.zeros_like(templates),
            Members(of=[tuple(pair) for pair in run.names.tolist()], fewest=fewest),
            point=float(run.differences.mean()),
        )
    except NotMeasuredError:
        return None


def _by_own_name(run: Pairs) -> ClusterEstimate | None:
    arms = (run.group_first, -run.reference_first)
    templates = np.arange(run.differences.size)
    try:
        return multi_way_cluster(
            np.concatenate([(arm - arm.mean()) / arm.size for arm in arms]),
            np.tile(templates, 2),
            np.zeros(2 * templates.size, dtype=np.int64),
            names=CrossedNames(
                of=[run.names.T.ravel()], weights=np.repeat([1.0, -1.0], templates.size) / templates.size
            ),
            point=float(run.differences.mean()),
        )
    except NotMeasuredError:
        return None


def _row_wise(run: Pairs, repeats: int) -> float:
    """Standard error of the difference if every reply were independent."""
    shares = np.array([run.group_first.mean(), run.reference_first.mean()])
    return float(sqrt((shares * (1 - shares)).sum() / (run.differences.size * repeats)))


def _holds(found: ClusterEstimate | None, expected: float) -> bool:
    """Whether an interval holds a value; one that cannot be stated claims nothing."""
    return found is None or holds(found.interval, expected)
