"""How a difference is said in the unit of its measure."""

__all__ = ["amount", "beyond_any"]

_WITHIN_ONE = ("rate", "score in [0, 1]", "place in [0, 1]")
"""Units of values between 0 and 1, of which no two differ by more than 1."""


def amount(value: float | None, unit: str, *, exactly: bool = False) -> str:
    """A difference as people read it: percentage points for rates, else the number with its unit.

    A decided number says itself what it counts, such as credits or years.

    Args:
        value: The difference, in the unit; None if it is not known.
        unit: `rate`, or the unit of the number.
        exactly: Whether to say all its digits, as of a margin that was declared.

    >>> amount(0.1, "rate"), amount(2, "years"), amount(0.1, "rate", exactly=True)
    ('10.0 points', '2 years', '10 points')
    """
    if value is None:
        return "unknown size"
    if unit == "rate":
        return f"{100 * value:g} points" if exactly else f"{100 * value:.1f} points"
    number = f"{value:g}" if exactly else f"{value:.3g}"
    return number if unit == "number" else f"{number} {unit}"


def beyond_any(size: float, unit: str) -> bool:
    """Whether a difference is larger than any that a measure of this unit can have.

    A design that needs such a one to see anything sees nothing.

    >>> beyond_any(1.947, "rate"), beyond_any(0.2, "rate"), beyond_any(40.0, "years")
    (True, False, False)
    """
    return unit in _WITHIN_ONE and size > 1
