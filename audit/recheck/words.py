"""What a re-scored claim comes to, in words."""

from audit.recheck.card import Bounds, Outcome
from audit.recheck.claim import Claim

__all__ = ["cannot_show", "verdict_of"]

_ALWAYS = (
    "Whether the outputs are the model's: they are taken as released.",
    "Anything about prompts of another kind, another model or another time.",
)
_INDEPENDENT = (
    "The spread between templates: no cluster column is named, so rows count as independent, and if some "
    "share a prompt or a person the interval is too narrow."
)


def cannot_show(claim: Claim, *, clustered: bool) -> tuple[str, ...]:
    """What the card does not show: the claim's own limits, then those of every recheck."""
    return (*claim.cannot_show, *(() if clustered else (_INDEPENDENT,)), *_ALWAYS)


def verdict_of(
    claim: Claim,
    figure: float | None,
    interval: Bounds | None,
    p_adjusted: float | None,
    *,
    why: str | None,
    reproduced: bool,
) -> tuple[Outcome, str]:
    """The outcome, and a sentence with its numbers.

    A claim is supported if the figure is reproduced, the interval lies wholly on the side of the neutral
    value that the figure is on, and the p-value, adjusted over the claims rechecked together, is at most
    1 - level.

    Args:
        claim: What was published.
        figure: What the outputs give; None if it has no value.
        interval: The interval that is judged; None if none can be stated.
        p_adjusted: Adjusted p-value; None without a neutral value.
        why: Why no interval can be stated; None if one is.
        reproduced: Whether `figure` is the published one to the digits printed.
    """
    if figure is None:
        return "differs", f"The outputs give no value; {_kind(claim)} is {claim.published}."
    if not reproduced:
        return (
            "differs",
            f"The outputs give {_number(figure, claim)}, not the {_kind(claim)} {claim.published}.",
        )
    if interval is None:
        return "not_measured", f"{_again(claim)}, but no interval can be stated: {why}."
    span = f"[{_number(interval.low, claim)}, {_number(interval.high, claim)}]"
    if claim.null is None:
        return "described", f"{_again(claim)}, {span}; no neutral value is declared to tell it from."
    doubt = _doubt(claim, interval, claim.null, p_adjusted)
    if doubt is not None:
        return "not_told_apart", f"{_again(claim)}, but {span} {doubt}."
    return "supported", f"{_again(claim)}, and {span} excludes {claim.null:g}."


def _kind(claim: Claim) -> str:
    return "published" if claim.basis == "printed" else "derived figure"


def _again(claim: Claim) -> str:
    return "Recomputed as published" if claim.basis == "printed" else "Recomputed as derived"


def _doubt(claim: Claim, interval: Bounds, null: float, p_adjusted: float | None) -> str | None:
    """Why the figure is not told apart from the neutral value; None if it is."""
    if interval.low <= null <= interval.high:
        return f"includes {null:g}: it is not told apart from it"
    if (claim.figure > null) != (interval.low > null):
        return f"lies on the other side of {null:g}"
    if p_adjusted is not None and p_adjusted > 1 - claim.level:
        return (
            f"excludes {null:g} only before correction for the claims rechecked together "
            f"(adjusted p {p_adjusted:.3f})"
        )
    return None


def _number(value: float, claim: Claim) -> str:
    """A value with one digit more than were published."""
    digits = len(claim.published.partition(".")[2]) + 1
    return f"{value:.{digits}f}"
