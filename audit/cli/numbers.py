"""Numbers in tables on a terminal: a difference has its sign, and what is not stated is a dash."""

__all__ = ["DIFFERENCES", "between", "bounds", "number", "probability", "signed", "value"]

DIFFERENCES = frozenset({"disparity", "distance", "price"})
"""Kinds of estimate whose neutral value is 0; the others are quantities of one population."""


_LEAST = 0.001
"""Below this three digits show nothing of a p-value."""


def number(given: float | None) -> str:
    """A rate, a ratio or another quantity of one population."""
    return value(given, difference=False)


def probability(given: float | None) -> str:
    """A p-value.

    >>> probability(0.00004), probability(0.25), probability(None)
    ('<0.001', '0.250', '-')
    """
    return f"<{_LEAST}" if given is not None and given < _LEAST else number(given)


def signed(given: float | None) -> str:
    """A difference."""
    return value(given, difference=True)


def bounds(low: float | None, high: float | None) -> str:
    """The interval of a difference."""
    return between(low, high, difference=True)


def value(given: float | None, *, difference: bool) -> str:
    """A number; a difference has its sign, so that a rate of one population is not taken for one.

    >>> value(-0.0001, difference=True), value(0.25, difference=False), value(None, difference=True)
    ('+0.000', '0.250', '-')
    """
    if given is None:
        return "-"
    rounded = round(given, 3) + 0.0  # of what rounds to 0 the sign tells nothing
    return f"{rounded:+.3f}" if difference else f"{rounded:.3f}"


def between(low: float | None, high: float | None, *, difference: bool) -> str:
    """An interval."""
    if low is None or high is None:
        return "-"
    return f"[{value(low, difference=difference)}, {value(high, difference=difference)}]"
