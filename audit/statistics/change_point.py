"""Whether a sequence of rounds changed somewhere, from the distances between them alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ChangePoint", "change_point"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """The likeliest change."""

    place: int
    """Rounds before it, at least 1."""
    p_value: float
    """Of the hypothesis that all orders of the rounds are equally likely."""


def change_point(
    distances: NDArray[np.float64], rng: np.random.Generator, *, draws: int = 1999
) -> ChangePoint:
    """Where rounds before and after differ most, and how often as much in rounds of any order.

    The statistic is the energy distance between the rounds before and after a place, weighted by their
    numbers, at the place where it is largest; its distribution is that over permutations of the rounds.

    Args:
        distances: Symmetric, of shape (rounds, rounds), at least 0, with a zero diagonal.
        rng: Draws the permutations.
        draws: How many.

    Raises:
        ValueError: There are fewer than 2 rounds, or the matrix is not square.

    Source:
        Matteson and James (2014), JASA 109:334-345 (E-divisive, one change); energy distance of Székely
        and Rizzo (2013), JSPI 143:1249-1272.

    >>> two_blocks = np.kron(np.array([[0.0, 1.0], [1.0, 0.0]]), np.ones((6, 6)))
    >>> found = change_point(two_blocks, np.random.default_rng(7))
    >>> found.place, found.p_value < 0.01
    (6, True)
    """
    rounds = len(distances)
    if rounds < 2 or distances.shape != (rounds, rounds):  # noqa: PLR2004 - a change lies between two
        raise ValueError(f"distances must be a square of at least 2 rounds; got {distances.shape}")
    seen = _largest(distances)
    as_large = 1
    for _ in range(draws):
        order = rng.permutation(rounds)
        # Equal sums come out unequal in their last bits when added in another order.
        as_large += _largest(distances[np.ix_(order, order)])[1] >= seen[1] - 1e-12
    return ChangePoint(place=seen[0], p_value=as_large / (draws + 1))


def _largest(distances: NDArray[np.float64]) -> tuple[int, float]:
    rounds = len(distances)
    best = (1, -np.inf)
    for place in range(1, rounds):
        before, after = slice(0, place), slice(place, rounds)
        between = distances[before, after].mean()
        within = distances[before, before].mean() + distances[after, after].mean()
        value = place * (rounds - place) / rounds * (2 * between - within)
        if value > best[1]:
            best = (place, float(value))
    return best
