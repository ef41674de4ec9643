"""Numbers in tables on a terminal: a difference has its sign, and what is not stated is a dash."""

__all__ = ["DIFFERENCES", "between", "bounds", "signed", "value"]

DIFFERENCES = frozenset({"disparity", "distance", "price"})
"""Kinds of estimate whose neutral value is 0; the others are quantities of one population."""


def signed(number: float | None) -> str:
    """A difference."""
    return value(number, difference=True)


def bounds(low: float | None, high: float | None) -> str:
    """The interval of a difference."""
    return between(low, high, difference=True)


def value(number: float | None, *, difference: bool) -> str:
    """A number; a difference has its sign, so that a rate of one population is not taken for one.

    >>> value(-0.0001, difference=True), value(0.25, difference=False), value(None, difference=True)
    ('+0.000', '0.250', '-')
    """
    if number is None:
        return "-"
    rounded = round(number, 3) + 0.0  # of what rounds to 0 the sign tells nothing
    return f"{rounded:+.3f}" if difference else f"{rounded:.3f}"


def between(low: float | None, high: float | None, *, difference: bool) -> str:
    """An interval."""
    if low is None or high is None:
        return "-"
    return f"[{value(low, difference=difference)}, {value(high, difference=difference)}]"
