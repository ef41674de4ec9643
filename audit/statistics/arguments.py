"""Checks of arguments that every statistic makes at its door."""

import numpy as np
import numpy.typing as npt

from audit.errors import NotMeasuredError

__all__ = [
    "Codes",
    "Flags",
    "Vector",
    "check_at_least",
    "check_clusters",
    "check_fraction",
    "finite_vector",
]

_LEAST_CLUSTERS = 2
"""One cluster shows no spread between clusters."""

Vector = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def check_fraction(name: str, value: float) -> None:
    """Refuse a value that is not strictly between 0 and 1.

    Args:
        name: What the value is, for the message.
        value: The value received.

    Raises:
        ValueError: The value is outside (0, 1) or is not a number.
    """
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name} must be in (0, 1); got {value!r}")


def check_at_least(name: str, value: int, least: int) -> None:
    """Refuse a count that is too small.

    Args:
        name: What the value is, for the message.
        value: The value received.
        least: The smallest accepted value.

    Raises:
        ValueError: The value is below `least`.
    """
    if value < least:
        raise ValueError(f"{name} must be at least {least}; got {value!r}")


def check_clusters(what: str, n_clusters: int) -> None:
    """Refuse to state an error from fewer than 2 clusters.

    Args:
        what: What is to be stated and over what, for the message.
        n_clusters: Number of clusters that count.

    Raises:
        NotMeasuredError: There are fewer than 2.
    """
    if n_clusters < _LEAST_CLUSTERS:
        raise NotMeasuredError(f"{what} needs at least {_LEAST_CLUSTERS} clusters; got {n_clusters}")


def finite_vector(name: str, values: npt.ArrayLike) -> Vector:
    """The values as a one-dimensional array of finite float64.

    Args:
        name: What the values are, for the message.
        values: Anything numpy can read as numbers.

    Returns:
        Shape (n,), float64; not copied if it is one already.

    Raises:
        ValueError: The array has another number of dimensions, or holds nan or infinity.
    """
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1:
        raise ValueError(f"{name} must have one dimension; got shape {vector.shape}")
    n_bad = int((~np.isfinite(vector)).sum())
    if n_bad:
        raise ValueError(f"{name} must be finite; got {n_bad} nan or infinite values")

    return vector
