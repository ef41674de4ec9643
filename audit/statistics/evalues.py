"""E-values: evidence that may be read at any time, combined over runs, selected under any dependence."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Vector, finite_vector
from audit.statistics.multiplicity import benjamini_hochberg

__all__ = ["combine_e_values", "e_benjamini_hochberg"]


def e_benjamini_hochberg(e_values: npt.ArrayLike) -> Vector:
    """Adjusted values of e-values: rejecting those at most q keeps the false discovery rate at most q.

    With e(1) >= ... >= e(m): adjusted e(i) = min over j >= i of m / (j e(j)), at most 1, that is
    Benjamini-Hochberg on 1 / e. It holds under any dependence, without the factor of
    `benjamini_yekutieli`, and also for e-values stopped at a time chosen by looking.

    Not for p-values turned into e-values after the fact (1 / p is none).

    Args:
        e_values: The whole family declared before the run, each at least 0, shape (m,).

    Returns:
        Adjusted values in the order received, in (0, 1], shape (m,); an empty family gives an empty array.

    Raises:
        ValueError: A value is negative or not finite, or the array is not one-dimensional.

    Source:
        Wang & Ramdas (2022), J. Royal Stat. Soc. B 84:822-852, section 4 and theorem 2.

    >>> e_benjamini_hochberg([60.0, 1.0, 25.0]).round(3).tolist()
    [0.05, 1.0, 0.06]
    """
    e = _checked(e_values)
    return benjamini_hochberg(1 / np.maximum(e, 1.0))


def combine_e_values(e_values: npt.ArrayLike, *, dependence: Literal["sequential", "any"]) -> float:
    """One e-value of several for the same null hypothesis, such as those of nightly runs.

    Product if each was made from new outputs, of templates drawn anew, whatever was decided in between
    (`sequential`); mean if they may depend on each other (`any`), as when every run asks the same templates.
    1 / the result is a p-value.

    Args:
        e_values: E-values, each at least 0, shape (m,).
        dependence: What is known of how they depend on each other.

    Returns:
        The combined e-value, at least 0; above 1 speaks against the hypothesis.

    Raises:
        NotMeasuredError: There is no e-value.
        ValueError: As for `e_benjamini_hochberg`.

    Source:
        Vovk & Wang (2021), Annals of Statistics 49:1736-1754, propositions 3.1 (mean) and 4.2 (product).

    >>> combine_e_values([4.0, 6.0], dependence="sequential"), combine_e_values([4.0, 6.0], dependence="any")
    (24.0, 5.0)
    """
    e = _checked(e_values)
    if e.size == 0:
        raise NotMeasuredError("combining needs at least 1 e-value; got 0")
    return float(e.prod() if dependence == "sequential" else e.mean())


def _checked(e_values: npt.ArrayLike) -> Vector:
    e = finite_vector("e_values", e_values)
    if (e < 0).any():
        raise ValueError(f"e-values must be at least 0; got {e.min()!r}")
    return e
