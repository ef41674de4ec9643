"""Measures how often the intervals and tests are wrong when the truth is known, and writes the table.

python -m benchmarks.calibration.run [--simulations 2000] [--only TITLE]
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtr

from audit.statistics import (
    Interval,
    benjamini_hochberg,
    cluster_bootstrap,
    cluster_t_interval,
    clustered_rate_interval,
    equivalence_of,
    fcr_level,
    sign_flip_test,
    stratified_t,
    template_differences,
    two_way_cluster,
    wilson_interval,
)
from benchmarks.calibration import models, simultaneous
from benchmarks.calibration.designs import (
    SLOPE_SD,
    TEMPLATE_SD,
    Arms,
    Named,
    mean_slope,
    named_pairs,
    paired_arms,
    true_rate,
)
from benchmarks.calibration.tables import Cell, Section, page, write_page
from probes.seeds import rng

Vector = npt.NDArray[np.float64]
DESIGNS = tuple((templates, repeats) for templates in (12, 30, 100) for repeats in (1, 4, 16))
ROOT = 20260
UNIT = (-1.0, 1.0)
FLIPS = 999
RESAMPLES = 999
GAP = 0.10
FAMILY, TRUE_GAPS, FAMILY_GAP = 20, 6, 0.20


def misses(interval: Interval, truth: float) -> bool:
    """Whether an interval leaves out the truth."""
    return not interval.low <= truth <= interval.high


def naive_p(arms: Arms, repeats: int) -> Vector:
    """Two-sided p of the pooled two-proportion z-test that takes every output as independent."""
    group, reference = arms.group.mean(axis=-1), arms.reference.mean(axis=-1)
    outputs = repeats * arms.group.shape[-1]
    pooled = (group + reference) / 2
    error = np.sqrt(np.maximum(pooled * (1 - pooled) * 2 / outputs, 1e-300))
    return np.asarray(2 * ndtr(-np.abs(group - reference) / error))


def bootstrap(differences: Vector, method: str, stream: np.random.Generator) -> Interval:
    """Bootstrap interval of a mean difference."""
    n = differences.size
    found = cluster_bootstrap(
        lambda counts: counts @ differences / n,
        n,
        resamples=RESAMPLES,
        rng=stream,
        method="bca" if method == "bca" else "percentile",
    )
    return found.interval


def stratified(differences: Vector) -> Interval:
    """Interval over three strata of unequal size (a half, a third, a sixth of the templates)."""
    n = differences.size
    strata = np.split(differences, [n // 2, n // 2 + n // 3])
    return stratified_t(strata, bounds=UNIT).interval


def paired_methods(stream: np.random.Generator) -> dict[str, Callable[[Vector, float], bool]]:
    """By name: from differences and the truth to whether the method is wrong about it."""
    return {
        "cluster-t": lambda d, truth: misses(cluster_t_interval(d, bounds=UNIT).interval, truth),
        "stratified t": lambda d, truth: misses(stratified(d), truth),
        "bootstrap, percentile": lambda d, truth: misses(bootstrap(d, "percentile", stream), truth),
        "bootstrap, BCa": lambda d, truth: misses(bootstrap(d, "bca", stream), truth),
    }


def nulls(simulations: int) -> list[Cell]:
    """How often each method claims a difference where there is none.

    The naive test ignores the pairing and the clusters: with few repeats the first loss hides the second.
    """
    cells = []
    for templates, repeats in (*DESIGNS, (40, 100)):
        stream = rng(ROOT, "null", templates, repeats)
        arms = paired_arms(stream, (simulations, templates), repeats)
        rows = arms.differences
        cell = Cell(templates=templates, repeats=repeats)
        cell.add("naive z-test", float((naive_p(arms, repeats) <= 0.05).mean()))
        for name, wrong in paired_methods(stream).items():
            cell.add(name, float(np.mean([wrong(row, 0.0) for row in rows])))
        flips = [sign_flip_test(row, flips=FLIPS, rng=stream).p_value <= 0.05 for row in rows]
        cell.add("sign-flip", float(np.mean(flips)))
        cells.append(cell)
    return cells


def coverages(simulations: int) -> list[Cell]:
    """How often each nominal 95 % interval contains the truth."""
    cells = []
    for templates, repeats in DESIGNS:
        stream = rng(ROOT, "gap", templates, repeats)
        rows = paired_arms(stream, (simulations, templates), repeats, gap=GAP).differences
        cell = Cell(templates=templates, repeats=repeats)
        for name, wrong in paired_methods(stream).items():
            cell.add(name, 1 - float(np.mean([wrong(row, GAP) for row in rows])))
        cells.append(cell)
    return cells


def two_way_false_alarms(simulations: int) -> list[Cell]:
    """How often a difference is claimed when only the names differ.

    Each group has 30 names with effects of standard deviation 0.5 on the logit, drawn anew for each pair.
    """
    cells = []
    for templates, pairs in DESIGNS:
        stream = rng(ROOT, "names", templates, pairs)
        cell = Cell(templates=templates, repeats=pairs)
        wrong = np.array(
            [
                _named_misses(named_pairs(stream, templates, pairs, names=30, name_sd=0.5))
                for _ in range(simulations)
            ]
        )
        cell.add("cluster-t, names ignored", float(wrong[:, 0].mean()))
        cell.add("two-way", float(wrong[:, 1].mean()))
        cells.append(cell)
    return cells


def _named_misses(named: Named) -> tuple[bool, bool]:
    found = template_differences(named.values, named.cluster, named.set_code, named.is_group)
    one_way = cluster_t_interval(found.differences, bounds=UNIT)
    two_way = two_way_cluster(
        found.set_influence, found.set_clusters, named.names[found.sets], point=one_way.point, bounds=UNIT
    )
    return misses(one_way.interval, 0.0), misses(two_way.interval, 0.0)


def rates(simulations: int) -> list[Cell]:
    """How often the nominal 95 % interval of one rate contains it, by how rare it is."""
    cells = []
    for intercept in (-6.0, -3.0, 0.0):
        for templates in (12, 30, 100):
            stream = rng(ROOT, "rate", templates, int(intercept))
            logits = intercept + TEMPLATE_SD * stream.standard_normal((simulations, templates))
            hits = stream.binomial(4, expit(logits))
            truth, asked = true_rate(intercept), np.full(templates, 4)
            cell = Cell(templates=templates, repeats=4, note=f"rate {truth:.3f}")
            naive = [wilson_interval(int(row.sum()), 4 * templates) for row in hits]
            clustered = [clustered_rate_interval(row, asked).interval for row in hits]
            cell.add("Wilson over outputs", 1 - float(np.mean([misses(i, truth) for i in naive])))
            cell.add("clustered rate", 1 - float(np.mean([misses(i, truth) for i in clustered])))
            cells.append(cell)
    return cells


def families(simulations: int) -> list[Cell]:
    """The share of false claims among those of Benjamini-Hochberg at 5 %, and of their intervals that miss.

    The 6 true differences are of 20 points.
    """
    cells = []
    for templates, repeats in ((30, 1), (30, 4), (100, 4)):
        for shared in (False, True):
            stream = rng(ROOT, "family", templates, repeats, int(shared))
            shares = np.array(
                [_family(stream, templates, repeats, shared=shared) for _ in range(simulations)]
            )
            note = "one reference arm for all" if shared else "independent contrasts"
            cell = Cell(templates=templates, repeats=repeats, note=note)
            cell.add("naive z-test + BH", float(shares[:, 0].mean()))
            cell.add("cluster-t + BH", float(shares[:, 1].mean()))
            cell.add("selected, own interval misses", float(shares[:, 2].mean()))
            cell.add("selected, FCR interval misses", float(shares[:, 3].mean()))
            cells.append(cell)
    return cells


def _family(stream: np.random.Generator, templates: int, repeats: int, *, shared: bool) -> tuple[float, ...]:
    shape = (FAMILY, templates)
    base = TEMPLATE_SD * stream.standard_normal((1, templates) if shared else shape)
    moved = np.zeros((FAMILY, 1))
    moved[:TRUE_GAPS] = mean_slope(FAMILY_GAP)
    slope = moved + SLOPE_SD * stream.standard_normal(shape)
    # One reference arm cannot carry half of every slope; at logit 0 the null is symmetric all the same.
    low = base if shared else base - slope / 2
    reference = np.broadcast_to(stream.binomial(repeats, expit(low)) / repeats, shape)
    arms = Arms(group=stream.binomial(repeats, expit(low + slope)) / repeats, reference=reference)
    found = [cluster_t_interval(row, bounds=UNIT) for row in arms.differences]
    truth = _family_truth(shared=shared)
    false = np.arange(FAMILY) >= TRUE_GAPS
    naive = benjamini_hochberg(naive_p(arms, repeats)) <= 0.05
    chosen = np.flatnonzero(benjamini_hochberg([one.p_value for one in found]) <= 0.05)
    if not chosen.size:
        return float((naive & false).sum() / max(1, naive.sum())), 0.0, 0.0, 0.0
    level = fcr_level(chosen.size, FAMILY, 0.05)
    adjusted = [cluster_t_interval(arms.differences[k], level=level, bounds=UNIT).interval for k in chosen]
    return (
        float((naive & false).sum() / max(1, naive.sum())),
        float(false[chosen].mean()),
        float(np.mean([misses(found[k].interval, truth[k]) for k in chosen])),
        float(np.mean([misses(i, truth[k]) for i, k in zip(adjusted, chosen, strict=True)])),
    )


def _family_truth(*, shared: bool) -> Vector:
    truth = np.zeros(FAMILY)
    slope = mean_slope(FAMILY_GAP)
    reached = true_rate(slope, float(np.hypot(TEMPLATE_SD, SLOPE_SD))) - 0.5
    truth[:TRUE_GAPS] = reached if shared else FAMILY_GAP
    return truth


def power(simulations: int) -> list[Cell]:
    """How often cluster-t finds planted differences, and TOST says equivalent (margin 5 points)."""
    cells = []
    for templates, repeats in DESIGNS:
        stream = rng(ROOT, "power", templates, repeats)
        cell = Cell(templates=templates, repeats=repeats)
        shape = (simulations, templates)
        for gap in (0.02, 0.05, 0.10, 0.20):
            rows = paired_arms(stream, shape, repeats, gap=gap).differences
            found = [cluster_t_interval(row, bounds=UNIT).p_value <= 0.05 for row in rows]
            cell.add(f"finds {gap * 100:.0f} points", float(np.mean(found)))
        for gap, name in ((0.0, "equivalent at 0"), (0.05, "equivalent at 5 points (wrong)")):
            rows = paired_arms(stream, shape, repeats, gap=gap).differences
            same = [
                equivalence_of(cluster_t_interval(row, bounds=UNIT), margin=0.05).equivalent for row in rows
            ]
            cell.add(name, float(np.mean(same)))
        cells.append(cell)
    return cells


SECTIONS = (
    Section(
        title="False alarms without a true difference",
        make=nulls,
        target=(None, 0.065),
        promised=("cluster-t", "stratified t", "sign-flip"),
    ),
    Section(
        title="Coverage of nominal 95 % with a true difference of 10 points",
        make=coverages,
        target=(0.935, 0.965),
        promised=("cluster-t", "stratified t"),
    ),
    Section(
        title="False alarms when names have effects of their own",
        make=two_way_false_alarms,
        target=(None, 0.065),
        promised=("two-way",),
    ),
    Section(
        title="Coverage for one population's rate",
        make=rates,
        target=(0.935, None),
        promised=("clustered rate",),
    ),
    Section(
        title="Families of 20 contrasts, 6 of them true",
        make=families,
        target=(None, 0.055),
        promised=("cluster-t + BH", "selected, FCR interval misses"),
    ),
    Section(title="Power, and equivalence", make=power),
    Section(
        title="False alarms with one pair a template",
        make=models.one_pair,
        target=(None, 0.065),
        promised=("cluster-t", "McNemar, mid-p", "McNemar, exact"),
    ),
    Section(title="Coverage of a ratio of rates by the bootstrap", make=models.ratios, target=(0.935, 0.965)),
    Section(
        title="False alarms of regressions of answers",
        make=models.regressions,
        target=(None, 0.065),
        promised=("CR2, Satterthwaite t",),
    ),
    Section(
        title="False alarms of regressions of log-odds",
        make=models.mixed_effects,
        target=(None, 0.065),
        promised=("mixed-effects logit",),
    ),
    Section(
        title="False alarms over several groups",
        make=simultaneous.group_families,
        target=(None, 0.065),
        promised=("max-T, reference", "max-T, grand mean"),
    ),
    Section(
        title="False alarms when a run is looked at while it accrues",
        make=simultaneous.looks,
        target=(None, 0.065),
        promised=("betting interval", "betting e-value of 20"),
    ),
    Section(
        title="Coverage of pooled studies",
        make=simultaneous.pooled_studies,
        target=(0.935, None),
        promised=("random effects",),
    ),
    Section(
        title="Coverage of pooled counts",
        make=simultaneous.pooled_counts,
        target=(0.935, None),
        promised=("difference", "ratio"),
    ),
)
"""Tables of the page, in order."""


def main() -> None:
    """Run every simulation, print the page and write it."""
    write_page(SECTIONS, page, description=__doc__ or "", name="calibration.md")


if __name__ == "__main__":
    main()
