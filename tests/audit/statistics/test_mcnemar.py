"""McNemar's mid-p test of pairs with a template each."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit

from audit.errors import NotMeasuredError
from audit.statistics.mcnemar import McNemarResult, mcnemar_mid_p
from probes.seeds import rng


def of_counts(group_only: int, reference_only: int, agreeing: int = 3) -> McNemarResult:
    """The test of a table given by its counts."""
    group = [1] * group_only + [0] * reference_only + [1] * agreeing
    reference = [0] * group_only + [1] * reference_only + [1] * agreeing
    return mcnemar_mid_p(group, reference, range(len(group)))


def test_published_example() -> None:
    """The airway data of Fagerland, Lydersen & Laake (1 and 7 discordant) give mid-p .039, exact .070."""
    found = of_counts(1, 7, 13)
    assert (found.p_value, found.exact_p_value) == pytest.approx((0.0391, 0.0703), abs=5e-5)
    assert found.difference == pytest.approx(-6 / 21)
    assert (found.n_pairs, found.n_group_only, found.n_reference_only) == (21, 1, 7)


@given(st.integers(0, 60), st.integers(0, 60))
@settings(max_examples=80)
def test_mid_p_is_the_exact_p_less_half_of_what_ties(b: int, c: int) -> None:
    """Mid-p is the exact p less the probability of the observed table, symmetric, and never 0."""
    found, mirrored = of_counts(b, c), of_counts(c, b)
    exact = stats.binomtest(b, b + c).pvalue if b + c else 1.0
    tied = float(stats.binom.pmf(b, b + c, 0.5)) * (0.5 if b == c else 1.0)
    assert found.exact_p_value == pytest.approx(exact)
    assert found.p_value == pytest.approx(1.0 if b + c == 0 else exact - tied)
    assert found.p_value == mirrored.p_value
    assert 0 < found.least_p_value <= found.p_value <= 1


def test_templates_with_two_pairs_are_refused() -> None:
    """Two pairs of one template are an error that says what to do, not a p-value."""
    with pytest.raises(ValueError, match="one pair a template; got 3 pairs of 2 templates: average"):
        mcnemar_mid_p([1, 0, 1], [0, 0, 1], [4, 4, 5])


def test_bad_arguments_are_refused() -> None:
    """Unequal shapes, other answers than 0 and 1, and no pair at all are refused."""
    with pytest.raises(ValueError, match="share one shape"):
        mcnemar_mid_p([1, 0], [0], [1, 2])
    with pytest.raises(ValueError, match="0 or 1"):
        mcnemar_mid_p([0.5], [0], [1])
    with pytest.raises(NotMeasuredError, match="at least 1 pair"):
        mcnemar_mid_p([], [], [])


def test_mid_p_holds_its_level_and_uses_it() -> None:
    """Under template and slope heterogeneity mid-p errs close to 5 %, the exact p below it."""
    stream = rng(31, "mcnemar")
    base, slope = 1.5 * stream.standard_normal((2000, 60)), 0.5 * stream.standard_normal((2000, 60))
    group, reference = (
        stream.binomial(1, expit(base + slope / 2)),
        stream.binomial(1, expit(base - slope / 2)),
    )
    found = [mcnemar_mid_p(one, two, np.arange(60)) for one, two in zip(group, reference, strict=True)]
    mid, exact = np.mean([[one.p_value <= 0.05, one.exact_p_value <= 0.05] for one in found], axis=0)
    assert 0.033 < mid < 0.0625
    assert exact < mid - 0.005
