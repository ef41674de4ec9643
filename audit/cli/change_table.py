"""The table of changes between two runs on a terminal."""

from collections.abc import Sequence

from audit.cli.console import clean, say, table
from audit.cli.numbers import DIFFERENCES, bounds, signed, value
from audit.estimates.contrasts import POOLED
from audit.estimates.moved import SHARED
from audit.estimates.places import places
from audit.records import Change, Verdict

__all__ = ["show_changes"]


_SAYS_NOTHING = frozenset({Verdict.INCONCLUSIVE, Verdict.OBSERVED, Verdict.EQUIVALENT, Verdict.WITHIN})


def show_changes(changes: Sequence[Change], *, every: bool = True) -> None:
    """Print changes, before and after, with their paired intervals, and why one is not decided.

    What neither run measured, and what no answer of either ever showed, is counted in a line.

    Args:
        changes: Of one comparison.
        every: Whether to print those too of which neither run shows anything wrong and of which the
            interval holds 0; else they are counted in a line.
    """
    told = [one for one in changes if not _never_changed(one) and not _never_measured(one)]
    shown = [one for one in told if every or not _quiet(one)]
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
                bounds(*change.stated_interval),
                change.verdict.replace("_", " "),
                f"{change.n_outputs} / {change.n_clusters}",
                _why(change),
            ]
            for change, place in zip(shown, places(shown), strict=True)
        ],
        below=("why", "n", "measure", "before", "after", "where"),
    )
    if quiet := [one for one in told if one not in shown]:
        measures = ", ".join(sorted({one.measure for one in quiet}))
        said = f"and {len(quiet)} of which neither run shows anything wrong and the interval holds 0"
        say(f"{said} ({measures}); see --all")
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


def _quiet(change: Change) -> bool:
    """Nothing that a reader must act upon: no claim, no change told from 0, no whole rate to be kept.

    A whole rate that must not get worse is quiet only where it is 0 in both runs and shown to be kept.
    """
    kept = change.non_inferiority
    if kept is not None and change.domain == POOLED:
        return change.before == change.after == 0 and kept.verdict == "non_inferior"
    if not {change.before_verdict, change.after_verdict} <= _SAYS_NOTHING:
        return False
    if change.verdict not in {"inconclusive", "no_material_change"}:
        return False
    return change.ci_low is not None and change.ci_high is not None and change.ci_low <= 0 <= change.ci_high


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
