"""Choosing a design: how likely it decides, and the cheapest that does."""

from dataclasses import dataclass
from math import sqrt

from scipy.special import stdtr, stdtrit

from audit.statistics.arguments import check_at_least, check_fraction
from audit.statistics.power import clusters_for_equivalence, clusters_needed, difference_variance

__all__ = ["Decision", "chance_equivalent", "chance_found", "cheapest_design", "most_repeats"]

_MOST_PAIRS = 256
"""Repeats beyond which templates' own reactions are all that is left, for any size of noise met so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a design has to decide, and from which variances."""

    margin: float
    """Smallest disparity of concern, above 0."""
    slope_sd: float
    noise_sd: float
    """Of one pair."""
    family_level: float
    """1 - alpha of the two-sided test of one contrast within its family."""
    level: float = 0.95
    """1 - alpha of each one-sided test of equivalence."""


def chance_equivalent(decision: Decision, *, n_clusters: int, pairs: int) -> float:
    """Chance that a true disparity of 0 is called equivalent.

    2 F(margin / se - t(1 - alpha)) - 1 with F the t distribution, not below 0, se from both variances.

    Args:
        decision: Margin, variances and level.
        n_clusters: Templates, at least 2.
        pairs: Pairs a template, at least 1.

    Returns:
        A probability in [0, 1).

    Raises:
        ValueError: An argument is out of range.

    Source:
        Julious (2004), Statistics in Medicine 23:1921-1986, eq. 29.
    """
    error, df = _error(decision, n_clusters, pairs)
    return max(0.0, 2 * float(stdtr(df, decision.margin / error - stdtrit(df, decision.level))) - 1)


def chance_found(decision: Decision, disparity: float, *, n_clusters: int, pairs: int) -> float:
    """Chance that a true disparity is told from 0, within the family.

    Args:
        decision: Variances and level of the family.
        disparity: The true disparity, at least 0.
        n_clusters: Templates, at least 2.
        pairs: Pairs a template, at least 1.

    Returns:
        A probability in (0, 1); the chance of the wrong sign is left out.

    Raises:
        ValueError: An argument is out of range.

    Source:
        Cohen (1988), Statistical Power Analysis, 2nd ed., section 2.4, in its t form.
    """
    error, df = _error(decision, n_clusters, pairs)
    return float(stdtr(df, disparity / error - stdtrit(df, 0.5 + decision.family_level / 2)))


def cheapest_design(
    decision: Decision, *, power: float, pairs_a_repeat: int = 1, most_clusters: int | None = None
) -> tuple[int, int] | None:
    """Templates and repeats that decide at the margin with the fewest outputs.

    Deciding asks for both: a true disparity as large as the margin is told from 0 within the family, and
    a true disparity of 0 is called equivalent, each with the given power.

    Args:
        decision: Margin, variances and levels.
        power: A fraction in [0.5, 1).
        pairs_a_repeat: Pairs that one repeat of a template gives (its merits and sets), at least 1.
        most_clusters: Templates there are; None for no limit.

    Returns:
        (templates, repeats), or None if no number of repeats does with the templates there are.

    Raises:
        ValueError: An argument is out of range.
    """
    check_at_least("pairs_a_repeat", pairs_a_repeat, 1)
    found: tuple[int, int] | None = None
    for repeats in range(1, most_repeats(pairs_a_repeat) + 1):
        known = {
            "slope_sd": decision.slope_sd,
            "noise_sd": decision.noise_sd,
            "power": power,
        }
        pairs = repeats * pairs_a_repeat
        n = max(
            clusters_needed(decision.margin, repeats=pairs, level=decision.family_level, **known),
            clusters_for_equivalence(decision.margin, repeats=pairs, level=decision.level, **known),
        )
        if most_clusters is not None and n > most_clusters:
            continue
        if found is None or n * repeats < found[0] * found[1]:
            found = (n, repeats)
    return found


def most_repeats(pairs_a_repeat: int) -> int:
    """The most repeats that `cheapest_design` considers, at least 1.

    Args:
        pairs_a_repeat: Pairs that one repeat of a template gives, at least 1.

    Raises:
        ValueError: The argument is out of range.
    """
    check_at_least("pairs_a_repeat", pairs_a_repeat, 1)
    return max(1, _MOST_PAIRS // pairs_a_repeat)


def _error(decision: Decision, n_clusters: int, pairs: int) -> tuple[float, float]:
    check_at_least("n_clusters", n_clusters, 2)
    check_fraction("family_level", decision.family_level)
    variance = difference_variance(slope_sd=decision.slope_sd, noise_sd=decision.noise_sd, repeats=pairs)
    return sqrt(variance / n_clusters), n_clusters - 1.0
