"""Calibration of single rates that labels correct, held against a limit."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from audit.errors import NotMeasuredError
from audit.estimates.correction import Corrections
from audit.estimates.correction_rates import corrected_rate
from audit.estimates.error_rates import ErrorCell, ErrorRates
from audit.estimates.measures import measure_named
from audit.estimates.review_labels import Reviewed, ReviewLabels
from audit.statistics import clustered_rate_interval, exceedance_p_value
from benchmarks.calibration.designs import ALPHA, ROOT, true_rate
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["labelled_limits"]

MEASURE = measure_named("toxicity_rate")
REPEATS = 8
SENSITIVITY, FALSE_ALARMS = 0.9, 0.02
SPREAD = 1.0
_NOTHING = (float("nan"), float("nan"))

Vector = npt.NDArray[np.float64]


def labelled_limits(simulations: int) -> list[Cell]:
    """How often a rate that labels correct is said to exceed a limit that it equals exactly.

    The analyzer finds 90 % of what is there and raises false alarms in 2 %; templates differ by 1.0 on the
    logit. As many labels are of other texts, half of them positive ("by calibration"), or of the answers
    themselves, half of them flagged ("by review"). First at 5 % one-sided, beside the readings uncorrected;
    then how often the 95 % intervals miss the rate. What is not measured counts neither way.
    """
    names = ("as read", "by calibration", "by review", "calibration misses", "review misses")
    cells = []
    for templates in (12, 60):
        for intercept in (-5.0, -3.5, -1.4):
            limit = true_rate(intercept, SPREAD)
            for labels in (100, 300):
                stream = rng(ROOT, "labelled limit", templates, int(-10 * intercept), labels)
                found = [_one(stream, templates, intercept, labels, limit) for _ in range(simulations)]
                note = f"limit {limit:.3f}, {labels} labels"
                cell = Cell(templates=templates, repeats=REPEATS, note=note)
                cell.average(names, found)
                cells.append(cell)
    return cells


def _one(
    stream: np.random.Generator, templates: int, intercept: float, labels: int, limit: float
) -> list[float]:
    template = np.repeat(np.arange(templates), REPEATS)
    chance = expit(intercept + SPREAD * stream.standard_normal(templates))[template]
    truth = stream.random(chance.size) < chance
    flags = (stream.random(chance.size) < np.where(truth, SENSITIVITY, FALSE_ALARMS)).astype(np.float64)
    rows = pd.DataFrame(
        {"value": flags, "template": template, "language": "en", "output": np.arange(1, flags.size + 1)}
    )
    both = (
        Corrections(rates=(_calibration(stream, labels),)),
        Corrections(reviews=(_review(stream, truth.astype(np.float64), flags, labels),)),
    )
    by_rates, by_review = (_said(rows, one, limit) for one in both)
    hits = np.bincount(template, weights=flags)
    alone = exceedance_p_value(hits, np.full(templates, REPEATS), limit) <= ALPHA
    return [float(alone), by_rates[0], by_review[0], by_rates[1], by_review[1]]


def _said(rows: pd.DataFrame, corrections: Corrections, limit: float) -> tuple[float, float]:
    """Whether the rate is said to exceed the limit, and whether its interval misses it."""
    by_template = rows.groupby("template")["value"].agg(["sum", "count"])
    read = clustered_rate_interval(by_template["sum"], by_template["count"])
    try:
        found = corrected_rate(rows, MEASURE, read, corrections, limit=limit)
    except NotMeasuredError:
        return _NOTHING
    if found is None or isinstance(found, str) or found.p_value is None:
        return _NOTHING
    return float(found.p_value <= ALPHA), float(not found.low <= limit <= found.high)


def _calibration(stream: np.random.Generator, labels: int) -> ErrorRates:
    half = labels // 2
    hits, alarms = int(stream.binomial(half, SENSITIVITY)), int(stream.binomial(half, FALSE_ALARMS))
    cell = ErrorCell(
        group=None,
        language=None,
        cluster=None,
        true_positive=hits,
        false_negative=half - hits,
        true_negative=half - alarms,
        false_positive=alarms,
    )
    return ErrorRates(analyzer="toxicity", reading="toxic", threshold=0.5, source="simulated", cells=(cell,))


def _review(stream: np.random.Generator, truth: Vector, flags: Vector, labels: int) -> ReviewLabels:
    outputs = {}
    for flag in (0.0, 1.0):
        rows = np.flatnonzero(flags == flag)
        n = min(labels // 2, rows.size)
        for row in stream.choice(rows, n, replace=False):
            outputs[int(row) + 1] = Reviewed(
                positive=float(truth[row]), stratum=str(flag), probability=n / rows.size
            )
    return ReviewLabels(
        analyzer="toxicity", reading="toxic", threshold=0.5, source="simulated", outputs=outputs
    )
