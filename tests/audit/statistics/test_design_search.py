"""Chances of a design, and the cheapest that decides."""

import numpy as np
import pytest

from audit.statistics.design_search import Decision, chance_equivalent, chance_found, cheapest_design
from audit.statistics.equivalence import tost

DECISION = Decision(margin=0.05, slope_sd=0.1, noise_sd=0.7, family_level=0.99)


def test_chances_are_what_simulation_shows() -> None:
    """Both chances match the share of simulated template means that decide, within 2 points."""
    stream = np.random.Generator(np.random.PCG64(2))
    spread = (0.1**2 + 0.7**2 / 16) ** 0.5
    rows = stream.normal(0.0, spread, size=(4000, 80))
    points, errors = rows.mean(axis=1), rows.std(axis=1, ddof=1) / 80**0.5
    equal = np.mean([tost(p, e, 79.0, margin=0.05).equivalent for p, e in zip(points, errors, strict=True)])
    assert chance_equivalent(DECISION, n_clusters=80, pairs=16) == pytest.approx(equal, abs=0.02)
    found = np.mean((points + 0.07) / errors > 2.64)  # t(79) at 0.995
    assert chance_found(DECISION, 0.07, n_clusters=80, pairs=16) == pytest.approx(found, abs=0.02)


def test_sixty_templates_by_four_never_call_equivalent() -> None:
    """At a margin of 5 points the usual small design has no chance to say so."""
    assert chance_equivalent(DECISION, n_clusters=60, pairs=4) == 0.0


def test_the_cheapest_design_decides_and_one_template_less_does_not() -> None:
    """Both chances reach the power, and no smaller number of templates at those repeats does."""
    found = cheapest_design(DECISION, power=0.8, pairs_a_repeat=3)
    assert found is not None
    templates, repeats = found
    pairs = 3 * repeats

    def least(n: int) -> float:
        return min(
            chance_equivalent(DECISION, n_clusters=n, pairs=pairs),
            chance_found(DECISION, 0.05, n_clusters=n, pairs=pairs),
        )

    assert least(templates) >= 0.799
    assert least(templates - 1) < 0.801


def test_few_templates_need_more_repeats_or_cannot() -> None:
    """A cap on templates costs outputs, and below the floor that slopes set nothing helps."""
    free = cheapest_design(DECISION, power=0.8)
    assert free is not None
    capped = cheapest_design(DECISION, power=0.8, most_clusters=300)
    assert capped is not None
    assert capped[0] <= 300
    assert capped[1] > free[1]
    assert capped[0] * capped[1] >= free[0] * free[1]
    assert cheapest_design(DECISION, power=0.8, most_clusters=30) is None


def test_arguments_are_checked() -> None:
    """Counts must be large enough."""
    with pytest.raises(ValueError, match="n_clusters must be at least 2"):
        chance_equivalent(DECISION, n_clusters=1, pairs=1)
    with pytest.raises(ValueError, match="pairs_a_repeat must be at least 1"):
        cheapest_design(DECISION, power=0.8, pairs_a_repeat=0)
