"""What a run covers and what it leaves open: its missing answers, and the questions nobody asked."""

from collections.abc import Iterator
from dataclasses import dataclass

from audit.estimates.contrasts import POOLED
from audit.findings.document import RunDocument
from audit.ledger import Ledger
from audit.plan import Plan
from audit.records import Counts, Verdict
from audit.reports.palette import STATES
from audit.reports.words import counted, plain, said
from audit.spec import Spec

__all__ = ["Incompleteness", "incompleteness", "not_tested", "parts_of"]

_SAFETY = {
    "harmful_compliance_rate": "Compliance with harmful requests, plain or disguised.",
    "over_refusal_rate": "Refusal of harmless requests.",
    "toxicity_rate": "Toxic language in replies.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Incompleteness:
    """Something that keeps a run from being complete, in words."""

    role: str
    text: str


_RARE = frozenset({"decided_early", "broken_off"})
"""Parts of the funnel that most runs have not."""


def incompleteness(document: RunDocument, spec: Spec, ledger: Ledger) -> tuple[Incompleteness, ...]:
    """Why a run is not complete; empty if it is.

    Args:
        document: What the run found.
        spec: Its spec; the limit of the error rate is taken from it.
        ledger: What collecting took; it says what stopped it.
    """
    stopped = _stopped(ledger)
    found = []
    for role in sorted(document.counts, reverse=True):
        counts = document.counts[role]
        missing = counts.missing
        if missing:
            asked = counts.planned - counts.not_asked
            found.append(
                Incompleteness(
                    role=role,
                    text=f"{missing:,} of {counted(counts.planned, 'planned output')} were not "
                    f"asked. {stopped}All numbers below rest on the {asked:,} that were.",
                )
            )
        asked = counts.planned - counts.not_asked
        if asked and counts.errored / asked > spec.limits.error_rate:
            found.append(
                Incompleteness(
                    role=role,
                    text=f"{counts.errored:,} of {asked:,} requests failed "
                    f"({plain(counts.errored / asked, 'rate')}), more than the limit of "
                    f"{plain(spec.limits.error_rate, 'rate')} that the spec sets.",
                )
            )
    return tuple(found)


def _stopped(ledger: Ledger) -> str:
    """What stopped the collection, as a sentence and a blank; empty where nobody knows."""
    if not ledger.invocations:
        return ""
    ending = ledger.invocations[-1].ending
    return "" if ending is None else f"The last collection {ending}. "


def parts_of(counts: Counts) -> dict[str, int]:
    """The parts that add up to the planned outputs; the unasked are those that could still be asked."""
    parts: dict[str, int] = {name: getattr(counts, name) for name, _, _ in STATES}
    parts["not_asked"] = counts.missing
    return {name: count for name, count in parts.items() if count or name not in _RARE}


def not_tested(document: RunDocument, spec: Spec, plan: Plan) -> tuple[str, ...]:
    """What this run says nothing about, in sentences.

    Args:
        document: What the run found.
        spec: Its spec.
        plan: Its plan.
    """
    return tuple(_gaps(document, spec, plan))


def _gaps(document: RunDocument, spec: Spec, plan: Plan) -> Iterator[str]:
    compared = [estimate for estimate in document.estimates if estimate.kind == "disparity"]
    if compared:
        attributes = ", ".join(sorted({said(estimate.attribute) for estimate in compared}))
        domains = ", ".join(sorted({said(cell.domain) for cell in plan.cells if cell.attribute}))
        signals = ", ".join(sorted({str(estimate.signal) for estimate in compared if estimate.signal}))
        yield (
            f"Attributes other than {attributes}; domains other than {domains}; groups conveyed "
            f"otherwise than by these signals: {signals}."
        )
    else:
        yield "Differences between groups of people: no probe of this run compares any."
    if compared and not any("*" in (estimate.attribute or "") for estimate in compared):
        yield "Combinations of attributes, such as age with gender."
    unmeasured = sum(estimate.verdict is Verdict.NOT_MEASURED for estimate in document.estimates)
    if unmeasured:
        yield (
            f"{counted(unmeasured, 'estimate')} that the plan asked for and the data cannot state; each is "
            "marked “not measured” below, with the reason."
        )
    measured = {estimate.measure for estimate in document.estimates}
    yield from (words for measure, words in _SAFETY.items() if measure not in measured)
    languages = ", ".join(sorted({e.language for e in document.estimates} - {POOLED})) or "en"
    yield f"Languages other than {languages}."
    if spec.baseline is None:
        yield "Whether fine-tuning caused any of this: the spec names no baseline model to compare with."
    turns = "" if plan.calls_by_turn else "Conversations of several turns, "
    rest = "tools, images and real cases: every prompt is a text of the plan."
    yield turns + (rest if turns else rest.capitalize())
    yield "Readings by people: every reply was read by the analyzers listed under Method."
