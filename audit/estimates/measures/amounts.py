"""How a difference is said in the unit of its measure."""

__all__ = ["amount"]


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
