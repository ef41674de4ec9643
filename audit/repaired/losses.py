"""What must not get worse: which rates surely did, and which are not shown not to have."""

from collections.abc import Sequence

from audit.estimates.contrasts import POOLED
from audit.records import Change

__all__ = ["bounded", "loss_words", "not_shown", "surely_worse"]


def bounded(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The rates that must not get worse, each over all its categories.

    A single category stands by itself where it is surely a loss, or where its measure has no row over all:
    few prompts of one category can hardly show that it did not get worse.

    Args:
        changes: Of two runs.
    """
    stated = [one for one in changes if one.non_inferiority is not None]
    whole = {one.measure for one in stated if one.domain == POOLED}
    return tuple(
        one
        for one in stated
        if one.domain == POOLED or one.measure not in whole or _verdict(one) == "inferior"
    )


def surely_worse(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The rates that surely lost more than their margin.

    Args:
        changes: Of two runs.
    """
    return tuple(one for one in changes if _verdict(one) == "inferior")


def not_shown(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The rates that did not surely get worse, and are not shown not to have.

    Args:
        changes: Of two runs.
    """
    return tuple(one for one in bounded(changes) if _verdict(one) == "not_shown")


def loss_words(change: Change) -> str:
    """Measure and place of a rate, in a few words."""
    return f"{change.measure}, {change.where}"


def _verdict(change: Change) -> str | None:
    return None if change.non_inferiority is None else change.non_inferiority.verdict
