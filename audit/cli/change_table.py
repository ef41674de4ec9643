"""The table of changes between two runs on a terminal."""

from collections.abc import Sequence

from audit.cli.console import clean, say, table
from audit.cli.numbers import DIFFERENCES, bounds, signed, value
from audit.estimates.moved import SHARED
from audit.estimates.places import places
from audit.records import Change, Verdict

__all__ = ["show_changes"]


def show_changes(changes: Sequence[Change]) -> None:
    """Print changes, before and after, with their paired intervals, and why one is not decided.

    What neither run measured, and what no answer of either ever showed, is counted in a line.
    """
    shown = [one for one in changes if not _never_changed(one) and not _never_measured(one)]
    table(
        ["measure", "where", "contrast", "before", "after", "change", "interval", "verdict", "n", "why"],
        [
            [
                change.measure,
                clean(place),
                "-"
                if change.group is None
                else clean(f"{change.group} - {change.reference_group} ({change.signal})"),
                value(change.before, difference=change.kind in DIFFERENCES),
                value(change.after, difference=change.kind in DIFFERENCES),
                signed(change.change),
                bounds(change.ci_low, change.ci_high),
                change.verdict.replace("_", " "),
                f"{change.n_outputs} / {change.n_clusters}",
                _why(change),
            ]
            for change, place in zip(shown, places(shown), strict=True)
        ],
        below=("why", "n", "measure", "before", "after", "where"),
    )
    if apart := sum(SHARED in one.reasons for one in shown):
        say(f"{apart} of these: {SHARED}")
    unmeasured = [one for one in changes if _never_measured(one)]
    _count("of what neither run measured", unmeasured)
    never = [one for one in changes if _never_changed(one)]
    _count("between groups of what no answer of either run showed", never)


def _count(what: str, left_out: Sequence[Change]) -> None:
    if left_out:
        measures = ", ".join(sorted({one.measure for one in left_out}))
        say(f"and {len(left_out)} {what} ({measures}); see --json")


def _never_measured(change: Change) -> bool:
    return {change.before_verdict, change.after_verdict} == {Verdict.NOT_MEASURED}


def _never_changed(change: Change) -> bool:
    """A change of a difference of which no side of either run shows a single case."""
    sides = (
        change.before_group_rate,
        change.before_reference_rate,
        change.after_group_rate,
        change.after_reference_rate,
    )
    return change.kind == "disparity" and change.verdict == "inconclusive" and all(one == 0 for one in sides)


def _why(change: Change) -> str:
    """Why a change is not decided or must be read with care, and whether what must not get worse did."""
    kept = change.non_inferiority
    said = []
    if kept is not None:
        word = kept.verdict.replace("_", " ")
        said.append(f"{word}: no worse than {signed(kept.bound)} (margin {kept.margin:.3f})")
    return "; ".join([*said, *(reason for reason in change.reasons if reason != SHARED)])
