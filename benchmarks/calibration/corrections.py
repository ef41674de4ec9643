"""Calibration of corrections for a classifier that errs: by error rates, by bands, by labels."""

import numpy as np
from scipy.special import stdtrit

from audit.errors import NotMeasuredError
from audit.statistics import (
    Calibration,
    calibrate,
    cluster_t_interval,
    corrected_gap,
    corrected_rate,
    gap_band,
    powered_gap,
    powered_mean,
    rate_band,
)
from benchmarks.calibration.counting import holds
from benchmarks.calibration.designs import ALPHA, ROOT, UNIT
from benchmarks.calibration.tables import Cell
from probes.seeds import rng

__all__ = ["bands", "bent_rulers", "few_labels", "rare_rates"]

DEPARTURE = 0.1


def bent_rulers(simulations: int) -> list[Cell]:
    """How often a gap is claimed where there is none but in the classifier's false alarms: 12 % and 3 %.

    Sensitivity is .85 for both, the true rate .2. "repeats" is labelled texts a group, in templates of 5.
    """
    cells = []
    for templates, texts in ((12, 100), (12, 400), (30, 100), (30, 400), (100, 100), (100, 400)):
        stream = rng(ROOT, "rulers", templates, texts)
        wrong = []
        for _ in range(simulations):
            base = stream.beta(1.5, 6, templates)
            flags = [stream.binomial(10, base * 0.85 + (1 - base) * alarms) / 10 for alarms in (0.12, 0.03)]
            own, other = (_labelled(stream, texts, alarms) for alarms in (0.12, 0.03))
            found = corrected_gap(flags[0], flags[1], own, other)
            uncorrected = cluster_t_interval(flags[0] - flags[1], bounds=UNIT)
            wrong.append((uncorrected.p_value <= ALPHA, found.p_value <= ALPHA))
        cell = Cell(templates=templates, repeats=texts)
        cell.average(("uncorrected", "corrected by group"), wrong)
        cells.append(cell)
    return cells


def bands(simulations: int) -> list[Cell]:
    """How often the corrected rate's 95 % interval, and the bands, contain the truth.

    The true rate is .2 in both groups. For the rate the classifier's errors are those of the group; for the
    gap only pooled ones are known, from which the groups depart by 5 points each way, within the band's
    10. "repeats" is labelled texts. The middle column corrects the gap by the pooled rates as if they held
    for both. The band of a rate has pooled error rates likewise.
    """
    cells = []
    for templates, texts in ((30, 100), (100, 400)):
        stream = rng(ROOT, "bands", templates, texts)
        inside = []
        for _ in range(simulations):
            base = stream.beta(1.5, 6, templates)
            flags = [stream.binomial(10, base * 0.85 + (1 - base) * alarms) / 10 for alarms in (0.12, 0.02)]
            try:
                rate = corrected_rate(flags[0], _labelled(stream, texts, 0.12)).interval
                pooled = _labelled(stream, texts, 0.07)
                band = gap_band(flags[0], flags[1], pooled, departure=DEPARTURE)
                narrow = gap_band(flags[0], flags[1], pooled, departure=0.0)
                seen = cluster_t_interval(flags[0], bounds=(0.0, 1.0)).interval
                one = rate_band(
                    (max(0.0, seen.low), min(1.0, seen.high)), pooled, limit=0.2, departure=DEPARTURE
                )
            except NotMeasuredError:
                continue
            inside.append(
                [
                    holds(rate, 0.2),
                    narrow.low <= 0 <= narrow.high,
                    band.low <= 0 <= band.high,
                    one.low <= 0.2 <= one.high,
                ]
            )
        cell = Cell(templates=templates, repeats=texts)
        names = ("corrected rate", "pooled rates, gap", "band of a gap", "band of a rate")
        cell.average(names, inside)
        cells.append(cell)
    return cells


def rare_rates(simulations: int) -> list[Cell]:
    """How often the nominal 95 % interval of a corrected rate contains it, by how rare it is.

    Sensitivity is .85, false alarms are 12 %; "repeats" is labelled texts, in templates of 5, and each
    template has 10 replies. The first column is the delta method's own interval, alike on both sides.
    What is not measured counts neither way.
    """
    cells = []
    for true in (0.01, 0.05, 0.2, 0.9):
        for templates, texts in ((12, 100), (30, 100), (30, 400), (100, 400)):
            stream = rng(ROOT, "rare", templates, texts, f"{true:g}")
            inside = []
            for _ in range(simulations):
                base = stream.beta(7.5 * true, 7.5 * (1 - true), templates)
                flags = stream.binomial(10, base * 0.85 + (1 - base) * 0.12) / 10
                try:
                    found = corrected_rate(flags, _labelled(stream, texts, 0.12))
                except NotMeasuredError:
                    continue
                reach = float(stdtrit(found.df, 1 - ALPHA / 2)) * found.standard_error
                alike = max(0.0, found.unbounded - reach) <= true <= min(1.0, found.unbounded + reach)
                inside.append([float(alike), holds(found.interval, true)])
            cell = Cell(templates=templates, repeats=texts, note=f"rate {true:g}")
            cell.average(("alike on both sides", "corrected rate"), inside)
            cells.append(cell)
    return cells


def _labelled(stream: np.random.Generator, texts: int, alarms: float) -> Calibration:
    """A calibration on texts of which half are positive, in templates of 5 that share part of their luck."""
    positive = np.arange(texts) < texts // 2
    rate = np.where(positive, 0.85, alarms)[::5]
    cluster = np.repeat(np.arange(texts // 5), 5)
    flagged = stream.random(texts) < stream.beta(8 * rate, 8 * (1 - rate))[cluster]
    return calibrate(flagged, positive, cluster=cluster)


def few_labels(simulations: int) -> list[Cell]:
    """How often a gap is claimed where there is none, with a machine that is biased by 5 points.

    Columns: the machine alone, the labels alone, both with whole templates labelled (`powered_mean`; nine
    times as many are not), and both with a fifth of each template labelled (`powered_gap`).
    """
    cells = []
    for templates in (12, 30, 100):
        stream = rng(ROOT, "labels", templates)
        wrong = []
        for _ in range(simulations):
            true = 0.15 * stream.standard_normal(10 * templates)
            scored = 0.05 + 0.8 * true + 0.05 * stream.standard_normal(true.size)
            whole = powered_mean(true[:templates], scored[:templates], scored[templates:])
            sets = 0.1 * stream.standard_normal((templates, 1)) + stream.normal(0, 0.3, (templates, 20))
            read = sets + 0.05 + 0.1 * stream.standard_normal((templates, 20))
            parts = powered_gap(sets[:, :4].mean(1), read[:, :4].mean(1), read[:, 4:].mean(1))
            found = (cluster_t_interval(scored), whole.labels_only, whole.estimate, parts.estimate)
            wrong.append([one.p_value <= ALPHA for one in found])
        cell = Cell(templates=templates, repeats=1)
        names = ("machine alone", "labels alone", "both, some templates", "both, part of each")
        cell.average(names, wrong)
        cells.append(cell)
    return cells
