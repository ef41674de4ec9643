"""Verdicts on the contrasts of a table: all tests of one audit are one family."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import ndtri

from audit.records import Verdict
from audit.statistics.intervals import Interval
from audit.statistics.multiplicity import benjamini_hochberg, fcr_level
from audit.tables.rates import LEVEL, MINIMUM_UNITS, Contrast, Counts

__all__ = ["FALSE_DISCOVERY_RATE", "Judged", "Question", "judge_family", "too_few"]

FALSE_DISCOVERY_RATE = 0.05
_POWER = 0.8
"""Share of tables that are to decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Is this group treated like the reference?"""

    contrast: Contrast | None
    """None if the question is unfit."""
    units: float
    """Independent units of each side, were both as large and showed as much."""
    clustered: bool
    picked_from: int | None
    """Number of groups the reference was picked from for its rate; None if it was named beforehand."""
    unfit: str | None
    """Why the question has no answer; None if it has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A verdict, and what it rests on."""

    verdict: Verdict
    reasons: tuple[str, ...]
    contrast: Contrast | None = None
    p_adjusted: float | None = None
    selected: Interval | None = None
    """The interval that allows for having been picked out of the family; None if it was not."""
    material: bool = False
    """True if the whole of that interval lies beyond the margin."""


def judge_family(questions: Sequence[Question], *, margin: float) -> list[Judged]:
    """The verdict on every question of one audit.

    `disparity` needs an adjusted p at or below 5 % and an interval that excludes 0. How large such a one is,
    below the margin (then `equivalent`) or material, is read from the interval that allows for the picking.
    What two one-sided tests put within the margin is `equivalent` too.

    A reference picked as the highest of K groups makes every difference look larger than it is. Then
    p counts K / 2 times, which is as strict as correcting for every pair of the K groups. The
    intervals are not corrected for the picking of the reference: name it beforehand where you can.

    Args:
        questions: The whole family.
        margin: Smallest difference that matters, a fraction above 0.

    Returns:
        Verdicts in the order received.

    Source:
        Benjamini & Hochberg (1995), J. Royal Stat. Soc. B 57:289-300; intervals of what is picked:
        Benjamini & Yekutieli (2005), JASA 100:71-81.
    """
    found = [one.contrast if one.unfit is None else None for one in questions]
    measured = [number for number, one in enumerate(found) if one is not None]
    p_values = [
        min(1.0, one.p_value * _factor(question))
        for question, one in zip(questions, found, strict=True)
        if one is not None
    ]
    adjusted = dict(zip(measured, benjamini_hochberg(p_values).tolist(), strict=True))
    passed = sum(p <= FALSE_DISCOVERY_RATE for p in adjusted.values())
    level = fcr_level(passed, len(adjusted), 1 - LEVEL) if passed else LEVEL
    return [
        Judged(verdict=Verdict.NOT_MEASURED, reasons=(question.unfit or "",))
        if one is None
        else _judge(
            question,
            one,
            _Size(
                p_adjusted=adjusted[number],
                level=level,
                alone=FALSE_DISCOVERY_RATE / len(adjusted) / _factor(question),
                margin=margin,
            ),
        )
        for number, (question, one) in enumerate(zip(questions, found, strict=True))
    ]


def _factor(question: Question) -> float:
    return 1.0 if question.picked_from is None else max(1.0, question.picked_from / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Size:
    """What the family makes of one contrast, and what its size is held against."""

    p_adjusted: float
    level: float
    """Level of the interval of what was picked."""
    alone: float
    """p that one contrast needs if it is the only one of the family that differs."""
    margin: float


def _judge(question: Question, found: Contrast, size: _Size) -> Judged:
    verdict, material, margin = Verdict.INCONCLUSIVE, False, size.margin
    reasons: tuple[str, ...] = ()
    selected: Interval | None = None
    if size.p_adjusted <= FALSE_DISCOVERY_RATE and (found.interval.low > 0 or found.interval.high < 0):
        selected = found.interval_at(size.level)
        if -margin < selected.low and selected.high < margin:
            verdict, reasons = Verdict.EQUIVALENT, ("real, but below the margin of concern",)
        else:
            verdict, material = Verdict.DISPARITY, selected.low > margin or selected.high < -margin
        if size.level > LEVEL:
            ends = f"[{selected.low:+.3f}, {selected.high:+.3f}]"
            reasons = (*reasons, f"the interval that allows for the picking is {ends}")
    elif found.equivalent:
        verdict, reasons = (
            Verdict.EQUIVALENT,
            ("the test of equivalence within the margin of concern passes",),
        )
    else:
        reasons = _why_open(question, found, size)
    return Judged(
        verdict=verdict,
        reasons=reasons,
        contrast=found,
        p_adjusted=size.p_adjusted,
        selected=selected,
        material=material,
    )


def _why_open(question: Question, found: Contrast, size: _Size) -> tuple[str, ...]:
    reasons = [f"not told apart from 0 at a false discovery rate of {FALSE_DISCOVERY_RATE:g}"]
    seen = found.smallest_detectable
    if seen is None:
        reasons.append("no spread was seen; more data would decide")
        return tuple(reasons)
    shown = "show no difference at all" if seen > 1 else f"show {seen:.3f} or more"
    reasons.append(f"data of this size {shown} in 4 of 5 tables")
    decides = seen * _steps(size.alone)
    if decides > size.margin:
        what = "clusters with rows of each group" if question.clustered else "rows a group"
        needed = math.ceil(question.units * (decides / size.margin) ** 2)
        reasons.append(f"about {needed:,} {what} would decide at the margin of {size.margin:g}")
    return tuple(reasons)


def _steps(alone: float) -> float:
    """What decides in 4 of 5 tables, over what is seen in as many of a difference asked about alone.

    To decide is both: a difference as large as the margin is told from 0 within the family, and a difference
    of 0 is placed within the margin by both one-sided tests.
    """
    found = float(ndtri(1 - alone / 2) + ndtri(_POWER))
    placed = float(ndtri(LEVEL) + ndtri((1 + _POWER) / 2))
    return max(found, placed) / float(ndtri(0.5 + LEVEL / 2) + ndtri(_POWER))


def too_few(label: str, counts: Counts, of: str) -> str | None:
    """Why a side has too few data for a verdict; None if it has enough.

    Args:
        label: The group's name.
        counts: Its counts.
        of: What its rows are, such as `decisions`.
    """
    if counts.units >= MINIMUM_UNITS:
        return None
    what = f"clusters with {of}" if counts.clustered else of
    return f"{label} has {counts.units} {what}; at least {MINIMUM_UNITS} are needed"
