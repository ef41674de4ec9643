"""What other tools say of the same simulated audits: fairlearn's bootstrap, LangFair's group difference.

fairlearn, `MetricFrame(n_boot=..., ci_quantiles=...)`: draws rows with replacement, whatever they share,
takes the rate of each group, and gives percentiles; `difference_ci` is that of the largest rate minus the
smallest (`fairlearn/metrics/_bootstrap.py`, `_metric_frame.py`, version 0.15).

LangFair, `SentimentBias(parity="weak")` (`langfair/metrics/counterfactual/metrics/sentimentbias.py`): the
mean of the thresholded readings of one group minus that of the other. The number is returned as it is,
without an interval, a test or a threshold for it; what to take for a difference is left to its reader.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from fairlearn.metrics import MetricFrame

from audit.statistics import Interval, cluster_t_interval, sign_flip_test
from benchmarks.calibration.counting import holds, naive_holds, naive_p
from benchmarks.calibration.designs import ALPHA, GAP, ROOT, UNIT, Arms, paired_arms
from benchmarks.calibration.designs import DESIGNS as GRID
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = [
    "fairlearn_agrees",
    "fairlearn_interval",
    "peers_cover_a_gap",
    "peers_find_a_gap",
    "peers_without_a_gap",
    "row_bootstrap",
]

DESIGNS = (*GRID, (40, 100))
RESAMPLES = 400
FLIPS = 999
ENOUGH = 100
CONCERN = 0.05
CHECKED_RESAMPLES = 200

Vector = npt.NDArray[np.float64]


def fairlearn_interval(
    hits: int, reference_hits: int, outputs: int, *, resamples: int, seed: int
) -> Interval:
    """The 95 % interval of `MetricFrame.difference_ci`, by fairlearn itself.

    Args:
        hits: Favourable outputs of the group.
        reference_hits: Those of the reference.
        outputs: Outputs of each.
        resamples: Its `n_boot`.
        seed: Its `random_state`.
    """
    said = np.repeat([1, 0, 1, 0], [hits, outputs - hits, reference_hits, outputs - reference_hits])
    frame = MetricFrame(
        metrics=_rate,
        y_true=said,
        y_pred=said,
        sensitive_features=pd.Series(np.repeat(["group", "reference"], outputs)),
        n_boot=resamples,
        ci_quantiles=[ALPHA / 2, 1 - ALPHA / 2],
        random_state=seed,
    )
    low, high = (float(end) for end in frame.difference_ci(method="between_groups"))
    return Interval(low=low, high=high, level=1 - ALPHA, method="fairlearn, rows drawn anew")


def _rate(_y_true: Vector, y_pred: Vector) -> float:
    return float(np.mean(y_pred))


def row_bootstrap(
    hits: int, reference_hits: int, outputs: int, *, resamples: int, stream: np.random.Generator
) -> tuple[Interval, Interval]:
    """Percentile intervals over rows drawn anew: of |difference|, as fairlearn's, and with its sign.

    Drawing rows of two groups and two outcomes is drawing the counts of the four kinds.
    """
    kinds = np.array([hits, outputs - hits, reference_hits, outputs - reference_hits])
    counts = stream.multinomial(2 * outputs, kinds / kinds.sum(), size=resamples)
    ours, theirs = counts[:, :2].sum(axis=1), counts[:, 2:].sum(axis=1)
    kept = (ours > 0) & (theirs > 0)
    difference = counts[kept, 0] / ours[kept] - counts[kept, 2] / theirs[kept]
    ends = [np.quantile(values, [ALPHA / 2, 1 - ALPHA / 2]) for values in (np.abs(difference), difference)]
    unsigned, signed = (
        Interval(low=float(low), high=float(high), level=1 - ALPHA, method="rows drawn anew")
        for low, high in ends
    )
    return unsigned, signed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What each tool states of one simulated audit."""

    ours: Interval
    found: bool
    """Our interval leaves out 0 and the sign-flip p is at most 5 %."""
    stated: float
    """LangFair's number."""
    unsigned: Interval
    """fairlearn's interval, of the larger rate minus the smaller."""
    signed: Interval
    """The same bootstrap with the sign kept."""


def _audits(simulations: int, templates: int, repeats: int, gap: float) -> tuple[Arms, list[_Said]]:
    stream = rng(ROOT, "peers", templates, repeats, round(100 * gap))
    arms = paired_arms(stream, (simulations, templates), repeats, gap=gap)
    each = zip(arms.group, arms.reference, strict=True)
    return arms, [_said(group, reference, repeats, stream) for group, reference in each]


def _said(group: Vector, reference: Vector, repeats: int, stream: np.random.Generator) -> _Said:
    hits, others = (round(repeats * float(arm.sum())) for arm in (group, reference))
    outputs = repeats * group.size
    unsigned, signed = row_bootstrap(hits, others, outputs, resamples=RESAMPLES, stream=stream)
    ours = cluster_t_interval(group - reference, bounds=UNIT)
    found = not holds(ours.interval, 0.0)
    if found and not ours.degenerate:
        flips = sign_flip_test(group - reference, flips=FLIPS, rng=stream, enough=ENOUGH)
        found = flips.mid_p_value <= ALPHA
    return _Said(
        ours=ours.interval,
        found=found,
        stated=(hits - others) / outputs,
        unsigned=unsigned,
        signed=signed,
    )


def _read_as_differences(simulations: int, gap: float) -> list[Cell]:
    """How often each tool's output reads as a difference."""
    cells = []
    for templates, repeats in DESIGNS:
        arms, said = _audits(simulations, templates, repeats, gap)
        cell = Cell(templates=templates, repeats=repeats)
        cell.add("ours", float(np.mean([one.found for one in said])))
        cell.add("naive z-test", float((naive_p(arms, repeats) <= ALPHA).mean()))
        cell.average(
            ("LangFair, not 0", "LangFair, 5 points", "fairlearn, not 0", "fairlearn, 5 points"),
            [
                (
                    one.stated != 0,
                    abs(one.stated) > CONCERN,
                    one.unsigned.low > 0,
                    one.unsigned.low > CONCERN,
                )
                for one in said
            ],
        )
        cell.add("rows drawn anew", float(np.mean([not holds(one.signed, 0.0) for one in said])))
        cells.append(cell)
    return cells


def peers_without_a_gap(simulations: int) -> list[Cell]:
    """How often each tool's output reads as a difference, where there is none.

    Ours needs a sign-flip p of at most 5 % and an interval without 0. The naive z-test takes every output
    as independent. LangFair (`SentimentBias`, `parity="weak"`) returns the difference of the two means of
    yes-or-no readings and nothing beside it, no interval, no test and no threshold: the columns are a
    reader who takes any number but 0 for a difference, and one who takes 5 points. fairlearn's
    `difference_ci` is the interval of the larger rate minus the smaller: the columns are whether it leaves
    out 0, and whether it lies beyond 5 points. The last column bootstraps rows as fairlearn does but keeps
    the sign.
    """
    return _read_as_differences(simulations, 0.0)


def peers_find_a_gap(simulations: int) -> list[Cell]:
    """How often each tool's output reads as a difference, where there is one of 10 points.

    The columns are those of the table above, and are to be read beside it: what claims a difference nearly
    always where there is none finds nothing here.
    """
    return _read_as_differences(simulations, GAP)


def peers_cover_a_gap(simulations: int) -> list[Cell]:
    """How often each tool's 95 % interval contains a true difference of 10 points, on the same data.

    Naive is the interval of two independent proportions. fairlearn's is that of the larger rate minus the
    smaller, held against 10 points; "rows drawn anew" keeps the sign. LangFair states no interval: its
    column is how often its number lies within 5 points of the truth.
    """
    cells = []
    for templates, repeats in DESIGNS:
        arms, said = _audits(simulations, templates, repeats, GAP)
        cell = Cell(templates=templates, repeats=repeats)
        cell.add("ours", float(np.mean([holds(one.ours, GAP) for one in said])))
        cell.add("naive", float(naive_holds(arms, repeats, GAP).mean()))
        cell.add("fairlearn", float(np.mean([holds(one.unsigned, GAP) for one in said])))
        cell.add("rows drawn anew", float(np.mean([holds(one.signed, GAP) for one in said])))
        cell.add(
            "LangFair, within 5 points", float(np.mean([abs(one.stated - GAP) <= CONCERN for one in said]))
        )
        cells.append(cell)
    return cells


def fairlearn_agrees(simulations: int) -> list[Cell]:
    """Mean distance, in points, between the ends of two bootstrap intervals of the same data.

    fairlearn itself takes seconds an interval, so it is run on a few simulated audits of each design, and
    the tables above use a bootstrap of counts. The distance between the two is that of one of them to
    itself under another seed.
    """
    cells = []
    for templates, repeats in ((12, 4), (30, 4), (100, 4)):
        stream = rng(ROOT, "fairlearn", templates, repeats)
        arms = paired_arms(stream, (simulations, templates), repeats)
        outputs = templates * repeats
        apart = []
        for number, (group, reference) in enumerate(zip(arms.group, arms.reference, strict=True)):
            a, b = (round(repeats * float(arm.sum())) for arm in (group, reference))
            real, other = (
                fairlearn_interval(a, b, outputs, resamples=CHECKED_RESAMPLES, seed=2 * number + k)
                for k in (0, 1)
            )
            ours, _ = row_bootstrap(a, b, outputs, resamples=CHECKED_RESAMPLES, stream=stream)
            apart.append([_apart(real, ours), _apart(real, other)])
        cell = Cell(templates=templates, repeats=repeats)
        cell.average(("fairlearn to ours", "fairlearn to itself"), apart)
        cells.append(cell)
    return cells


def _apart(one: Interval, other: Interval) -> float:
    return (abs(one.low - other.low) + abs(one.high - other.high)) / 2
