"""Many tests at once: adjusted p-values of one declared family, and intervals of those selected."""

import numpy as np
import numpy.typing as npt

from audit.statistics.arguments import Vector, check_fraction, finite_vector

__all__ = [
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "fcr_level",
    "holm",
    "weighted_benjamini_hochberg",
]


def benjamini_hochberg(p_values: npt.ArrayLike) -> Vector:
    """Adjusted p-values: rejecting those at most q keeps the false discovery rate at most q.

    With sorted p(1) <= ... <= p(m): adjusted p(i) = min over j >= i of m p(j) / j, at most 1. Valid for
    independent or positively dependent tests; contrasts that share a reference group are in
    practice close to that. Where the dependence can be anything, use `benjamini_yekutieli`. Leave out
    what was not measured: a placeholder p-value would change the others.

    Args:
        p_values: The whole family declared before the run, not only the promising ones, shape (m,).

    Returns:
        Adjusted p-values in the order received, shape (m,); an empty family gives an empty array.

    Raises:
        ValueError: A value is outside [0, 1] or nan, or the array is not one-dimensional.

    Source:
        Benjamini & Hochberg (1995), J. Royal Stat. Soc. B 57:289-300.

    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    p = _family(p_values)
    return _step_up(p, p.size / np.arange(1, p.size + 1))


def weighted_benjamini_hochberg(p_values: npt.ArrayLike, weights: npt.ArrayLike) -> Vector:
    """Adjusted p-values of a family whose tests were given unequal shares of the rate beforehand.

    Test i has the weight w(i), and the weights average 1. At the rate q the rejected tests are those with
    p(i) <= q min(1, R w(i) / m), for the largest R for which there are R of them; the adjusted p(i) is the
    smallest q at which i is among them. Equal weights give `benjamini_hochberg`. The 1 keeps a
    heavy test from being held to less than it would be alone: no adjusted p is below its own p.

    The false discovery rate of the whole family stays at most q, whatever the weights, where plain
    Benjamini-Hochberg keeps it. Weights must not depend on the p-values: give them by what was to be
    found out, before looking.

    Args:
        p_values: The whole family, shape (m,).
        weights: Weight of each test, above 0, shape (m,); scaled here to an average of 1.

    Returns:
        Adjusted p-values in the order received, shape (m,).

    Raises:
        ValueError: As for `benjamini_hochberg`, the shapes differ, or a weight is not above 0.

    Source:
        Genovese, Roeder & Wasserman (2006), Biometrika 93:509-524, theorem 1; that thresholds lowered
        by the 1 keep the rate: Blanchard & Roquain (2008), Electronic J. Statistics 2:963-992,
        proposition 2.7 (self-consistent step-up procedures).

    >>> weighted_benjamini_hochberg([0.01, 0.04, 0.03], [2.0, 0.5, 0.5]).round(3).tolist()
    [0.015, 0.08, 0.08]
    """
    p = _family(p_values)
    weight = finite_vector("weights", weights)
    if weight.shape != p.shape or (weight <= 0).any():
        raise ValueError("weights must be one number above 0 for each p-value")
    adjusted = np.ones_like(p)
    shares = weight / weight.sum() if p.size else weight
    for rejected in range(1, p.size + 1):
        # The rate at which each test passes when so many are rejected, and at which so many pass.
        passes = p / np.minimum(1.0, rejected * shares)
        enough = np.partition(passes, rejected - 1)[rejected - 1]
        adjusted = np.minimum(adjusted, np.maximum(passes, enough))
    return adjusted


def benjamini_yekutieli(p_values: npt.ArrayLike) -> Vector:
    """Adjusted p-values that control the false discovery rate under any dependence.

    Those of `benjamini_hochberg` times 1 + 1/2 + ... + 1/m: about 3.6 times as strict for 20 tests.

    Args:
        p_values: The whole family, shape (m,).

    Returns:
        Adjusted p-values in the order received, shape (m,).

    Raises:
        ValueError: As for `benjamini_hochberg`.

    Source:
        Benjamini & Yekutieli (2001), Annals of Statistics 29:1165-1188, theorem 1.3.

    >>> benjamini_yekutieli([0.01, 0.04, 0.03]).round(3).tolist()
    [0.055, 0.073, 0.073]
    """
    p = _family(p_values)
    ranks = np.arange(1, p.size + 1)
    return _step_up(p, p.size / ranks * (1 / ranks).sum())


def holm(p_values: npt.ArrayLike) -> Vector:
    """Adjusted p-values: rejecting those at most a keeps the chance of any false rejection at most a.

    Adjusted p(i) = max over j <= i of (m - j + 1) p(j), at most 1; valid under any dependence. Use it for
    gates, where one false alarm blocks a release; for a scan it is needlessly strict.

    Args:
        p_values: The whole family, shape (m,).

    Returns:
        Adjusted p-values in the order received, shape (m,).

    Raises:
        ValueError: As for `benjamini_hochberg`.

    Source:
        Holm (1979), Scandinavian J. Statistics 6:65-70.

    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p = _family(p_values)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    return np.minimum(adjusted, 1.0)


def fcr_level(
    n_selected: int, n_tests: int, rate: float, *, weight: float = 1.0, any_dependence: bool = False
) -> float:
    """Level at which to compute the intervals of selected findings so that few of those shown miss.

    Picking the largest results and showing their ordinary 95 % intervals misses far more often than
    5 %. At the level 1 - rate min(1, n_selected weight / n_tests) the expected share of shown
    intervals that miss the truth is at most `rate`, and an interval leaves out 0 exactly where its
    own test selects it.

    Args:
        n_selected: Findings selected by Benjamini-Hochberg at `rate`, from 1 to `n_tests`.
        n_tests: Size of the family.
        rate: The false discovery rate of the selection, a fraction in (0, 1).
        weight: Weight of the finding in `weighted_benjamini_hochberg`, above 0; weights average 1.
        any_dependence: Divide the rate by 1 + 1/2 + ... + 1/n_tests, which holds under any dependence.

    Returns:
        The level, a fraction in (0, 1), at least 1 - rate.

    Raises:
        ValueError: An argument is outside the range above.

    Source:
        Benjamini & Yekutieli (2005), JASA 100:71-81, definition 1 and theorems 1 and 4. With weights the
        proof of theorem 1 sums the rates weight * rate / n_tests, which add up to `rate`.

    >>> round(fcr_level(3, 20, 0.05), 6)
    0.9925
    """
    check_fraction("rate", rate)
    if not 1 <= n_selected <= n_tests:
        raise ValueError(f"n_selected must be between 1 and n_tests ({n_tests!r}); got {n_selected!r}")
    if not weight > 0:
        raise ValueError(f"weight must be above 0; got {weight!r}")
    strictness = float((1 / np.arange(1, n_tests + 1)).sum()) if any_dependence else 1.0
    return 1 - rate * min(1.0, n_selected * weight / n_tests) / strictness


def _family(p_values: npt.ArrayLike) -> Vector:
    p = finite_vector("p_values", p_values)
    if (p < 0).any() or (p > 1).any():
        raise ValueError(f"p-values must be in [0, 1]; got {p.min()!r} to {p.max()!r}")
    return p


def _step_up(p: Vector, factors: Vector) -> Vector:
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum.accumulate((p[order] * factors)[::-1])[::-1]
    return np.minimum(adjusted, 1.0)
