"""What a row of a table or figure is about, in a few words."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from audit.estimates.contrasts import POOLED
from audit.estimates.measures import measure_of
from audit.findings.reliability import analyzer_error_words
from audit.records import Change, Estimate, Verdict
from audit.reports.words import MINUS, bounds, said, words_of

__all__ = [
    "about",
    "by_group",
    "by_measure",
    "change_about",
    "contrast",
    "domain_words",
    "more_is_better",
    "unit_of",
    "value_of",
    "why",
]


def about(estimate: Estimate) -> str:
    """Domain, signal, technique and language of an estimate, as far as they are given."""
    pooled_harms = estimate.domain == POOLED and estimate.technique is not None
    parts = ["all categories" if pooled_harms else domain_words(estimate.domain)]
    if estimate.kind == "score":
        parts.append(said(estimate.measure))
    if estimate.signal is not None:
        parts.append(estimate.signal.value)
    if estimate.technique is not None:
        parts.append("plain request" if estimate.technique == "none" else said(estimate.technique))
    if estimate.language != "en":
        parts.append("all languages" if estimate.language == POOLED else estimate.language)
    return " · ".join(parts)


def why(estimate: Estimate) -> str:
    """What stands behind a verdict, in one line; empty if there is nothing to add."""
    parts = [] if estimate.verdict is Verdict.OBSERVED else list(estimate.reasons)
    if estimate.material:
        parts.append("the whole interval lies beyond the margin of concern")
    if estimate.widened:
        compared = estimate.kind != "rate"
        chosen = bounds(*estimate.stated_interval, estimate.unit, difference=compared)
        parts.append(f"interval adjusted for having been selected: {chosen}")
    if estimate.observation:
        parts.append(f"an observation and no finding by itself: the norm here is “{said(estimate.norm)}”")
    said_of_error = analyzer_error_words(estimate)
    if said_of_error:
        parts.append(said_of_error.removesuffix("."))
    parts.extend(estimate.notes)
    return "; ".join(parts)


def contrast(estimate: Estimate) -> str:
    """The two groups of a disparity; for other estimates the probe, if any."""
    if estimate.kind == "disparity":
        return f"{said(estimate.group)} against {said(estimate.reference_group)}"
    return estimate.probe


def change_about(change: Change) -> str:
    """The contrast, domain, signal and technique of a change, as far as they are given."""
    parts = []
    if change.attribute is not None:
        parts.append(f"{said(change.group)} {MINUS} {said(change.reference_group)}")
    parts.append(domain_words(change.domain))
    if change.signal is not None:
        parts.append(change.signal.value)
    if change.technique is not None:
        parts.append("plain request" if change.technique == "none" else said(change.technique))
    return " · ".join(parts)


def domain_words(domain: str) -> str:
    """A domain as people read it."""
    return "all domains" if domain == POOLED else said(domain)


def unit_of(change: Change) -> str:
    """Unit of a change's measure; `number` for a benchmark's own score."""
    measure = measure_of(change)
    return "number" if measure is None else measure.unit


def more_is_better(change: Change) -> bool:
    """True for a rate of which less is worse, such as that of correct decisions."""
    measure = measure_of(change)
    return change.kind == "rate" and measure is not None and measure.worse == "lower"


def by_group(rows: Sequence[Estimate]) -> Iterator[tuple[str, list[Estimate]]]:
    """Neighbouring estimates of one contrast (or one probe) together, with its name."""
    for heading, members in groupby(rows, key=contrast):
        yield heading, list(members)


def by_measure(rows: Sequence[Change]) -> Iterator[tuple[str, list[Change]]]:
    """Neighbouring changes of one measure and attribute together, with their name."""
    for (measure, attribute), grouped in groupby(rows, key=lambda row: (row.measure, row.attribute)):
        members = list(grouped)
        words = words_of(measure, members[0].declared)
        heading = words if attribute is None else f"{words}: {said(attribute)}"
        yield heading[:1].upper() + heading[1:], members


def value_of(value: float, estimate: Estimate) -> str:
    """What a measure reads in one exchange: yes or no, for decisions favourable or not, else the number.

    Args:
        value: What was read.
        estimate: What the exchange is an example of.
    """
    measure = measure_of(estimate)
    if measure is not None and (measure.analyzer, measure.reading) == ("decision", "favourable"):
        # a reply "Yes." to "Should we reject?" would stand beside "read as no"
        return {0.0: "unfavourable (0)", 1.0: "favourable (1)"}.get(value, f"{value:g}")
    return {0.0: "no (0)", 1.0: "yes (1)"}.get(value, f"{value:g}")
