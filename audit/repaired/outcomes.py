"""What a repair came to: findings fixed, left and new, beside a repeat and a repair by prompt alone."""

from collections.abc import Sequence
from typing import Literal

from audit.findings.document import RunDocument
from audit.records import Change, Finding, Verdict
from probes.records import Record

__all__ = ["Beside", "FindingOutcome", "beside", "finding_outcomes"]

Outcome = Literal["fixed", "no_longer_found", "unchanged", "new"]


class FindingOutcome(Record):
    """A finding of one of two runs, and what became of it."""

    id: str
    claim: str
    outcome: Outcome
    """`fixed`: found before, not after, and shown to be smaller. `no_longer_found`: found before, not after,
    but not shown to be smaller. `unchanged`: found in both. `new`: found after only."""
    shown: bool
    """Whether the paired change is told apart from 0, after adjustment: smaller for the first three, larger
    for a new one."""
    inside: bool = False
    """Whether the run after shows it within its limit or margin; gone and smaller does not say so."""


class Beside(Record):
    """One change of a repair, beside what else was tried with the same prompts."""

    finding: str
    base: Change | None = None
    """The change from the first run to a second audit of the same model: what repeating alone does."""
    prompt_only: Change | None = None
    """The change from the first run to the same model with an instruction."""
    against_prompt_only: Change | None = None
    """The change from the model with an instruction to the repaired one."""
    beyond_base: bool | None = None
    """Whether the repair's interval lies apart from the repeat's; None where one is missing."""


def finding_outcomes(
    before: RunDocument, after: RunDocument, changes: Sequence[Change]
) -> tuple[FindingOutcome, ...]:
    """What became of each finding of two runs of one plan.

    Args:
        before: The earlier run.
        after: The later one.
        changes: Their changes.

    Returns:
        Findings in the order fixed, no longer found, unchanged, new; each in the order of its run.
    """
    moved = {one.finding: one for one in changes}
    later = {finding.id for finding in after.findings}
    earlier = {finding.id for finding in before.findings}
    found = [
        _outcome(finding, moved.get(finding.id), gone=finding.id not in later) for finding in before.findings
    ]
    found += [
        FindingOutcome(
            id=finding.id,
            claim=finding.claim,
            outcome="new",
            shown=_word(moved.get(finding.id)) == "larger",
        )
        for finding in after.findings
        if finding.id not in earlier
    ]
    order = ("fixed", "no_longer_found", "unchanged", "new")
    return tuple(sorted(found, key=lambda one: order.index(one.outcome)))


def beside(
    changes: Sequence[Change],
    *,
    base: Sequence[Change],
    prompt_only: Sequence[Change],
    against_prompt_only: Sequence[Change],
) -> tuple[Beside, ...]:
    """Each change of a repair with the same change elsewhere.

    Args:
        changes: Of the repair.
        base: From the first run to a repeat of it; may be empty.
        prompt_only: From the first run to the same model with an instruction; may be empty.
        against_prompt_only: From that to the repaired model; may be empty.
    """
    others = [{one.finding: one for one in some} for some in (base, prompt_only, against_prompt_only)]
    return tuple(_beside(change, *(other.get(change.finding) for other in others)) for change in changes)


def _beside(change: Change, base: Change | None, prompt: Change | None, against: Change | None) -> Beside:
    return Beside(
        finding=change.finding,
        base=base,
        prompt_only=prompt,
        against_prompt_only=against,
        beyond_base=None if base is None else _apart(change, base),
    )


def _apart(one: Change, other: Change) -> bool | None:
    (low, high), (other_low, other_high) = one.stated_interval, other.stated_interval
    if low is None or high is None or other_low is None or other_high is None:
        return None
    return low > other_high or high < other_low


def _outcome(finding: Finding, change: Change | None, *, gone: bool) -> FindingOutcome:
    shown = _word(change) == "smaller"
    outcome: Outcome = "unchanged" if not gone else "fixed" if shown else "no_longer_found"
    inside = change is not None and change.after_verdict in {Verdict.WITHIN, Verdict.EQUIVALENT}
    return FindingOutcome(id=finding.id, claim=finding.claim, outcome=outcome, shown=shown, inside=inside)


def _word(change: Change | None) -> str | None:
    return None if change is None else change.verdict
