"""McNemar's mid-p test: yes/no answers in pairs, where every pair has a template of its own."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, gammaln

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Codes, Vector, finite_vector

__all__ = ["McNemarResult", "mcnemar_mid_p"]


@dataclass(frozen=True, slots=True, kw_only=True)
class McNemarResult:
    """A two-sided test that the group and the reference have the same rate."""

    p_value: float
    """Mid-p, in (0, 1]."""
    exact_p_value: float
    """The p-value that never errs above its level, at the price of power, in (0, 1]."""
    difference: float
    """Rate of the group minus rate of the reference over all pairs, in [-1, 1]."""
    n_pairs: int
    n_group_only: int
    """Pairs in which only the group's answer is 1."""
    n_reference_only: int
    """Pairs in which only the reference's answer is 1."""
    least_p_value: float
    """Smallest mid-p that this many discordant pairs could give."""


def mcnemar_mid_p(group: npt.ArrayLike, reference: npt.ArrayLike, cluster: npt.ArrayLike) -> McNemarResult:
    """Exact mid-p test of paired yes/no answers, one pair a template.

    Given n = b + c discordant pairs, b of them for the group alone, b is Binomial(n, 1/2) if both have
    one rate. With f its probabilities, mid-p = 2 P(B < min(b, c)) + f(min(b, c)), and
    1 - f(b) / 2 if b = c. Pairs that agree do not enter.

    Not where a template has more than one pair or repeat: pairs of one template are not independent,
    and the test would err far above its level. `cluster_t_interval` on the template means is then
    the answer, and it also gives the interval that this test lacks. Mid-p is not guaranteed
    to stay at its level, but hardly ever passes it; `exact_p_value` is, and rejects about half as often.

    Args:
        group: Answer of the group's member of each pair, 0 or 1, shape (n,).
        reference: Answer of the reference's member, 0 or 1, shape (n,).
        cluster: Code of the template of each pair, shape (n,); no two alike.

    Returns:
        The test. If no pair is discordant, both p-values are 1.

    Raises:
        NotMeasuredError: There is no pair.
        ValueError: The shapes differ, an answer is neither 0 nor 1, or two pairs share a template.

    Source:
        McNemar (1947), Psychometrika 12:153-157; mid-p: Fagerland, Lydersen & Laake (2013), BMC
        Medical Research Methodology 13:91, eq. 7.

    >>> found = mcnemar_mid_p([1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 1], range(6))
    >>> round(found.p_value, 5), round(found.exact_p_value, 5)
    (0.125, 0.21875)
    """
    first, second = _checked(group, reference, cluster)
    b = int(((first == 1) & (second == 0)).sum())
    c = int(((first == 0) & (second == 1)).sum())
    mid, exact = _p_values(b, c)
    return McNemarResult(
        p_value=mid,
        exact_p_value=exact,
        difference=(b - c) / first.size,
        n_pairs=first.size,
        n_group_only=b,
        n_reference_only=c,
        least_p_value=_p_values(0, b + c)[0],
    )


def _p_values(b: int, c: int) -> tuple[float, float]:
    n, fewer = b + c, min(b, c)
    if n == 0:
        return 1.0, 1.0
    below = float(bdtr(fewer - 1, n, 0.5)) if fewer else 0.0
    at = float(np.exp(gammaln(n + 1) - gammaln(fewer + 1) - gammaln(n - fewer + 1) - n * np.log(2.0)))
    if b == c:
        return 1 - at / 2, 1.0
    return 2 * below + at, min(1.0, 2 * (below + at))


def _checked(group: npt.ArrayLike, reference: npt.ArrayLike, cluster: npt.ArrayLike) -> tuple[Vector, Vector]:
    first, second = finite_vector("group", group), finite_vector("reference", reference)
    codes: Codes = np.asarray(cluster, dtype=np.int64)
    if not first.shape == second.shape == codes.shape:
        raise ValueError(
            "group, reference and cluster must share one shape (n,); "
            f"got {first.shape}, {second.shape} and {codes.shape}"
        )
    if first.size == 0:
        raise NotMeasuredError("McNemar's test needs at least 1 pair; got 0")
    if not (np.isin(first, (0, 1)).all() and np.isin(second, (0, 1)).all()):
        raise ValueError("answers must be 0 or 1")
    n_shared = codes.size - np.unique(codes).size
    if n_shared:
        raise ValueError(
            f"McNemar's test needs one pair a template; got {codes.size} pairs of "
            f"{codes.size - n_shared} templates: average them and use cluster_t_interval"
        )
    return first, second
