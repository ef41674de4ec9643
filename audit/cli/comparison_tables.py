"""What stands below the changes of a comparison: what else was tried, and what became of each finding."""

from collections.abc import Sequence

from audit.cli.console import clean, say, table
from audit.cli.numbers import bounds, signed
from audit.estimates.places import places
from audit.records import Change, Verdict
from audit.repaired.cost import RepairCost, amount_words
from audit.repaired.outcomes import Beside, FindingOutcome
from audit.repaired.reach import ReachCell

__all__ = ["show_beside", "show_cells", "show_cost", "show_legend", "show_outcomes"]

_ROUNDING = 5e-4
"""Half of the last digit that the tables show."""
_SAID = {
    "fixed": "fixed",
    "no_longer_found": "no longer found, though not shown to be smaller",
    "unchanged": "still found",
    "new": "new",
}


def show_legend(changes: Sequence[Change]) -> None:
    """Print what the words and columns of the table of changes mean, as far as they occur."""
    say(f"{len(changes)} changes, after - before; n: paired prompts / templates")
    if any(_unlike(one) for one in changes):
        say("before, after: of all that each run could read; change: of the prompts that both could")
    say("smaller, larger: of a disparity its distance from equal treatment, of a rate its value")
    if any(one.verdict == "reversed" for one in changes):
        say("reversed: each run shows the disparity, on opposite sides of 0")
    if any(one.widened for one in changes):
        say("interval: widened for the picking where the change is shown, else of the change alone")
    else:
        say("interval: of each change alone")
    say("verdict: after adjustment for all changes compared")
    if any(one.non_inferiority is not None for one in changes):
        say("non inferior: shown not to have got worse by the margin or more; no worse than: its bound")


def show_beside(changes: Sequence[Change], others: Sequence[Beside]) -> None:
    """Print the changes that the repair is shown to make, or that its alternatives are.

    Args:
        changes: Of the repair.
        others: For each of them, in the same order, what a repeat and an instruction changed.
    """
    rows = [
        [
            change.measure,
            clean(place),
            "-" if change.group is None else clean(f"{change.group} - {change.reference_group}"),
            _change(change),
            _change(other.base),
            _change(other.prompt_only),
            _change(other.against_prompt_only),
        ]
        for change, place, other in zip(changes, places(changes), others, strict=True)
        if any(_moved(one) for one in (change, other.base, other.prompt_only))
    ]
    say()
    say("The same changes elsewhere; those that no run is shown to make are left out:")
    table(
        ["measure", "where", "contrast", "repair", "repeat", "instruction", "repair after instruction"],
        rows,
        below=("measure", "where"),
    )
    say("repeat: a second audit of the same model; instruction: the same model with a system prompt only")
    say("repair after instruction: from the model with the instruction to the repaired one")
    say("*: shown after adjustment for all changes of that comparison")
    _show_winner(changes, others)


def _show_winner(changes: Sequence[Change], others: Sequence[Beside]) -> None:
    """Say whether training did more than the instruction, of the disparities that were found before."""
    told = [
        other.against_prompt_only.verdict
        for change, other in zip(changes, others, strict=True)
        if change.kind == "disparity"
        and change.before_verdict is Verdict.DISPARITY
        and other.against_prompt_only is not None
    ]
    if told:
        repair, instruction = told.count("smaller"), told.count("larger")
        say(
            f"of {len(told)} disparities found before, the repair is shown to leave less than the "
            f"instruction in {repair}, the instruction less than the repair in {instruction}; "
            f"in {len(told) - repair - instruction} neither is shown"
        )


def show_cells(cells: Sequence[ReachCell]) -> None:
    """Print the changes by what the retraining files touched.

    Args:
        cells: Of the measures that the files were made for.
    """
    rows = [
        [
            one.measure,
            clean(f"{one.group} - {one.reference_group}") + (f" ({one.signal})" if one.signal else ""),
            one.template,
            one.identity,
            "yes" if one.trained else "no",
            signed(one.before),
            signed(one.after),
            "-" if one.ci_low is None else f"{signed(one.change)} {bounds(one.ci_low, one.ci_high)}",
            f"{one.n_prompts} / {one.n_clusters}",
        ]
        for one in cells
    ]
    say()
    if not rows:
        say("by what the files touched: not stated")
        return
    say("By what the files touched:")
    table(
        ["measure", "contrast", "template", "identity", "trained", "before", "after", "change", "n"],
        rows,
        below=("measure", "n"),
    )
    say("template, identity: whether the files hold it; trained: whether any example is about the attribute")
    say("intervals of each change alone, not adjusted for their number")


def show_cost(cost: RepairCost) -> None:
    """Print what training took; what is not known is called unknown."""
    parts = (
        ("seconds", cost.seconds),
        ("tokens", cost.tokens),
        ("USD", cost.usd),
        ("kWh", cost.energy_kwh),
    )
    took = ", ".join(f"{unit} {amount_words(value)}" for unit, value in parts)
    by = "" if cost.energy_kwh is None or cost.energy_source is None else f" ({clean(cost.energy_source)})"
    say(f"training ({clean(cost.trainer)}): {took}{by}")


def show_outcomes(outcomes: Sequence[FindingOutcome], changes: Sequence[Change]) -> None:
    """Print what became of each finding, those that were fixed first, with its figures before and after."""
    if not outcomes:
        return
    say()
    moved = {one.finding: one for one in changes}
    for one in outcomes:
        word = _SAID[one.outcome]
        if one.outcome == "unchanged" and one.shown:
            word = "still found, smaller"
        if one.outcome == "new" and not one.shown:
            word = "new, though not shown to be larger"
        if one.outcome == "fixed" and not one.inside:
            word = "fixed, though not shown to be within its limit or margin"
        when = "found after" if one.outcome == "new" else "found before"
        # After the colon come that run's figures, which `findings` states with all that belongs to them.
        claim, _, _ = one.claim.partition(": ")
        say(f"{one.id} {word}{_ends(moved.get(one.id))}; {when}: {clean(claim)}")
    counts = {name: sum(one.outcome == name for one in outcomes) for name in _SAID}
    say(
        f"findings: {counts['fixed']} fixed, {counts['no_longer_found']} no longer found, "
        f"{counts['unchanged']} still found, {counts['new']} new"
    )
    inside = sum(one.outcome == "fixed" and one.inside for one in outcomes)
    if counts["fixed"]:
        say(f"of those fixed, shown to be within limit or margin afterwards: {inside}")


def _ends(change: Change | None) -> str:
    if change is None or change.before is None or change.after is None:
        return ""
    sign = "+" if change.kind == "disparity" else ""
    return f" ({change.before:{sign}.3f} -> {change.after:{sign}.3f})"


def _moved(change: Change | None) -> bool:
    return change is not None and change.verdict in {"smaller", "larger", "reversed"}


def _change(change: Change | None) -> str:
    if change is None or change.change is None:
        return "-"
    low, high = change.stated_interval
    if low is None or high is None:
        return "-"
    mark = "*" if _moved(change) else ""
    return f"{signed(change.change)} {bounds(low, high)}{mark}"


def _unlike(one: Change) -> bool:
    """Whether a change is another number than after less before, since answers are missing."""
    if one.before is None or one.after is None or one.change is None:
        return False
    return abs(one.after - one.before - one.change) > _ROUNDING
