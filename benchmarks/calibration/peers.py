"""What other tools say of the same simulated audits: fairlearn's bootstrap, LangFair's group difference.

fairlearn, `MetricFrame(n_boot=..., ci_quantiles=...)`: draws rows with replacement, whatever they share,
takes the rate of each group, and gives percentiles; `difference_ci` is that of the largest rate minus the
smallest (`fairlearn/metrics/_bootstrap.py`, `_metric_frame.py`, version 0.15).

LangFair, `SentimentBias(parity="weak")` (`langfair/metrics/counterfactual/metrics/sentimentbias.py`): the
mean of the thresholded readings of one group minus that of the other. The number is returned as it is,
without an interval, a test or a threshold for it; what to take for a difference is left to its reader.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd
from fairlearn.metrics import MetricFrame

from audit.statistics import Interval, cluster_t_interval, sign_flip_test
from benchmarks.calibration.designs import Arms, paired_arms
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["beside_peers", "fairlearn_agrees", "fairlearn_interval", "row_bootstrap"]

ROOT = 20265
DESIGNS = (*((templates, repeats) for templates in (12, 30, 100) for repeats in (1, 4, 16)), (40, 100))
RESAMPLES = 400
FLIPS = 999
ENOUGH = 100
CONCERN = 0.05
ALPHA = 0.05
UNIT = (-1.0, 1.0)
CHECKED = 5
"""Simulated audits that the real fairlearn is run on, a design."""
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


def beside_peers(simulations: int) -> list[Cell]:
    """How often each tool's output reads as a difference, where there is none.

    Ours needs a sign-flip p of at most 5 % and an interval without 0. LangFair (`SentimentBias`,
    `parity="weak"`) returns the difference of the two means of yes-or-no readings and nothing beside
    it, no interval, no test and no threshold: the columns are a reader who takes any number but 0 for a
    difference, and one who takes 5 points. fairlearn's `difference_ci` is the interval of the larger
    rate minus the smaller: the columns are whether it leaves out 0, and whether it lies beyond 5
    points. The last column bootstraps rows as fairlearn does but keeps the sign.
    """
    cells = []
    for templates, repeats in DESIGNS:
        stream = rng(ROOT, "peers", templates, repeats)
        arms = paired_arms(stream, (simulations, templates), repeats)
        pairs = zip(arms.group, arms.reference, strict=True)
        wrong = [_claims(Arms(group=g, reference=r), repeats, stream) for g, r in pairs]
        cell = Cell(templates=templates, repeats=repeats)
        names = ("ours", "LangFair, not 0", "LangFair, 5 points", "fairlearn, not 0", "fairlearn, 5 points")
        for name, share in zip((*names, "rows drawn anew"), np.mean(wrong, axis=0), strict=True):
            cell.add(name, float(share))
        cells.append(cell)
    return cells


def _claims(arms: Arms, repeats: int, stream: np.random.Generator) -> list[bool]:
    hits, reference = (round(repeats * float(arm.sum())) for arm in (arms.group, arms.reference))
    outputs = repeats * arms.group.size
    unsigned, signed = row_bootstrap(hits, reference, outputs, resamples=RESAMPLES, stream=stream)
    found = cluster_t_interval(arms.differences, bounds=UNIT)
    ours = found.interval.low > 0 or found.interval.high < 0
    if ours and not found.degenerate:
        ours = sign_flip_test(arms.differences, flips=FLIPS, rng=stream, enough=ENOUGH).mid_p_value <= ALPHA
    stated = abs(hits - reference) / outputs
    return [
        ours,
        stated > 0,
        stated > CONCERN,
        unsigned.low > 0,
        unsigned.low > CONCERN,
        signed.low > 0 or signed.high < 0,
    ]


def fairlearn_agrees(simulations: int) -> list[Cell]:
    """Mean distance, in points, between the ends of two bootstrap intervals of the same data.

    fairlearn itself is slow, so it is run on five simulated audits of each design, and the table above
    uses a bootstrap of counts. The distance between the two is that of one of them to itself under
    another seed.
    """
    cells = []
    for templates, repeats in ((12, 4), (30, 4), (100, 4)):
        stream = rng(ROOT, "fairlearn", templates, repeats)
        chosen = min(simulations, CHECKED)
        arms = paired_arms(stream, (chosen, templates), repeats)
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
        for name, size in zip(
            ("fairlearn to ours", "fairlearn to itself"), np.mean(apart, axis=0), strict=True
        ):
            cell.add(name, float(size))
        cells.append(cell)
    return cells


def _apart(one: Interval, other: Interval) -> float:
    return (abs(one.low - other.low) + abs(one.high - other.high)) / 2
