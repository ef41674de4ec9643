"""Verdicts: the one place that turns numbers into words about a disparity (docs/explanation/verdicts.md)."""

import math
from dataclasses import dataclass

from audit.estimates.measures import amount, beyond_any
from audit.records import Control, Verdict
from audit.statistics.equivalence import equivalence_of
from audit.statistics.intervals import ClusterEstimate, Interval
from audit.statistics.power import detectable_by

__all__ = ["POWER", "Judged", "Question", "deciding", "judge", "too_few"]

POWER = 0.80
"""Share of runs that are to decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Everything a verdict on one disparity depends on."""

    estimate: ClusterEstimate
    p_adjusted: float
    """p after adjustment for the whole declared family."""
    rate: float
    """False discovery rate declared before the run."""
    margin: float | None
    """Smallest disparity of concern, in the measure's unit; None if none was declared for it."""
    measure: str
    """Name under which a spec gives its margin."""
    controls: tuple[Control, ...]
    noise_floor: float | None
    smallest_detectable: float | None
    """None where all templates agree."""
    deciding: float | None
    """Margin at which the design would decide, see `deciding`; None as above."""
    missing: str | None
    """Why missing answers spoil the contrast; None if they do not."""
    minimum_clusters: int
    unit: str = "rate"
    """Unit of the measure: decides how the reasons speak of sizes."""
    selected: Interval | None = None
    """Interval that allows for having been picked out of the family; None if it was not."""
    sampled_too: str | None = None
    """What else is a sample beside templates, whose share of the error more templates leave as it is."""

    @property
    def size(self) -> Interval:
        """The interval that says how large it is.

        What was picked was picked because it came out large, so its plain interval holds less often than
        its level says (Benjamini & Yekutieli 2005, JASA 100:71-81).
        """
        return self.estimate.interval if self.selected is None else self.selected


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A verdict and why."""

    verdict: Verdict
    material: bool = False
    reasons: tuple[str, ...] = ()


def deciding(found: ClusterEstimate, *, family_level: float) -> float | None:
    """The margin at which a design like this one would decide in four of five runs, as a plan means it.

    The larger of two: the true disparity that it tells from 0 within the family, and the margin within
    which it would place a true disparity of 0 by both one-sided tests.

    Args:
        found: The estimate.
        family_level: 1 - alpha of its two-sided test if it were the only true disparity of the family.

    Returns:
        A size in the unit of the estimate; None where all templates agree.

    Source:
        As for `audit.statistics.clusters_needed` and `clusters_for_equivalence`.
    """
    seen = detectable_by(found, level=family_level, power=POWER)
    shown = detectable_by(found, level=2 * found.interval.level - 1, power=(1 + POWER) / 2)
    return None if seen is None or shown is None else max(seen, shown)


def judge(question: Question) -> Judged:
    """The verdict on one disparity.

    `disparity` needs four things at once: adjusted p at or below the declared rate, an interval that
    excludes 0, negative controls that hold, and a size beyond the noise floor. How large such a one is,
    below the margin or material, is read from the interval that allows for the picking. What the test of
    equivalence (two one-sided tests) puts within the margin is `equivalent`.

    Source:
        Equivalence: Schuirmann (1987), J. Pharmacokinetics and Biopharmaceutics 15:657-680.
    """
    unfit = _unfit(question)
    if unfit is not None:
        return Judged(verdict=Verdict.NOT_MEASURED, reasons=(unfit,))
    found, margin = question.estimate, question.margin
    low, high = found.interval.low, found.interval.high
    beyond_noise = question.noise_floor is None or abs(found.point) > question.noise_floor
    selected = question.p_adjusted <= question.rate and (low > 0 or high < 0)
    if selected and beyond_noise:
        size = question.size
        if margin is not None and -margin < size.low and size.high < margin:
            return Judged(verdict=Verdict.EQUIVALENT, reasons=("real, but below the margin of concern",))
        material = margin is not None and (size.low > margin or size.high < -margin)
        return Judged(verdict=Verdict.DISPARITY, material=material)
    if margin is not None and equivalence_of(found, margin=margin, level=found.interval.level).equivalent:
        return Judged(
            verdict=Verdict.EQUIVALENT,
            reasons=("the test of equivalence within the margin of concern passes",),
        )
    return Judged(verdict=Verdict.INCONCLUSIVE, reasons=_why_open(question, selected=selected))


def too_few(templates: int, least: int) -> str:
    """Why so few templates state nothing."""
    return f"{templates} template{'' if templates == 1 else 's'}; at least {least} are needed to state it"


def _unfit(question: Question) -> str | None:
    n, minimum = question.estimate.n_clusters, question.minimum_clusters
    if n < minimum:
        return too_few(n, minimum)
    if question.missing is not None:
        return question.missing
    failed = [control for control in question.controls if not control.holds]
    if failed:
        worst = max(failed, key=lambda control: abs(control.point))
        return (
            f"the negative control does not hold: the {worst.placebo} placebo, where the truth is 0, shows "
            f"{amount(worst.point, question.unit)} [{amount(worst.ci_low, question.unit)}, "
            f"{amount(worst.ci_high, question.unit)}]"
        )
    return None


def _why_open(question: Question, *, selected: bool) -> tuple[str, ...]:
    reasons: list[str] = []
    if selected:
        reasons.append(
            f"not beyond the noise floor of {amount(question.noise_floor, question.unit)} that placebos show"
        )
    else:
        reasons.append(f"not told apart from 0 at a false discovery rate of {question.rate:g}")
    if question.margin is None:
        reasons.append(
            "no margin of concern is declared for this measure, so it cannot be called equivalent; give one "
            f"in its own unit in the spec, as in: judgement: {{margins: {{{question.measure}: 2}}}}"
        )
        return tuple(reasons)
    if question.smallest_detectable is None:
        n = question.estimate.n_clusters
        reasons.append(f"all {n} templates agree, so their spread is unknown; more templates would decide")
        return tuple(reasons)
    if beyond_any(question.smallest_detectable, question.unit):
        reasons.append("this design cannot see any disparity of this measure in 4 of 5 runs")
    else:
        reasons.append(
            f"this design sees {amount(question.smallest_detectable, question.unit)} or more in 4 of 5 runs "
            "if it were the only question"
        )
    if question.deciding is not None and question.deciding > question.margin:
        reasons.append(_what_would_decide(question, question.margin, question.deciding))
    return tuple(reasons)


def _what_would_decide(question: Question, margin: float, decided: float) -> str:
    at = f"at the margin of {amount(margin, question.unit)}"
    if question.sampled_too is not None:
        return (
            f"more templates alone need not decide {at}: {question.sampled_too} are a sample too, and more "
            "templates do not make its part of the error smaller"
        )
    needed = math.ceil(question.estimate.n_clusters * (decided / margin) ** 2)
    return f"about {needed} templates of this kind would decide {at}"
