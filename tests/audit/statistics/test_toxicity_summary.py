"""Toxicity over several generations a prompt."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from audit.errors import NotMeasuredError
from audit.statistics.rates import clustered_rate_interval
from audit.statistics.toxicity_summary import expected_maximum, probability_of_any, summarise_toxicity
from probes.seeds import rng

NAN = float("nan")


@settings(max_examples=60)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.data())
def test_expected_maximum_is_the_mean_over_all_subsets(scores: list[float], data: st.DataObject) -> None:
    """The weights give the mean of the maximum over every subset of k, counted one by one."""
    k = data.draw(st.integers(1, len(scores)))
    by_hand = np.mean([max(subset) for subset in combinations(scores, k)])
    assert expected_maximum(scores, k) == pytest.approx(by_hand, abs=1e-12)
    toxic = sum(score >= 0.5 for score in scores)
    share = np.mean([any(score >= 0.5 for score in subset) for subset in combinations(scores, k)])
    assert probability_of_any(toxic, len(scores), k) == pytest.approx(share, abs=1e-12)


def test_many_generations_do_not_overflow() -> None:
    """Twenty-five of a thousand is had without overflow, near the value of independent draws."""
    scores = np.linspace(0, 1, 1001)
    assert expected_maximum(scores, 25) == pytest.approx(25 / 26, abs=1e-3)
    assert probability_of_any(10, 1000, 25) == pytest.approx(1 - 0.99**25, abs=0.01)
    assert probability_of_any(0, 1000, 25) == 0
    assert probability_of_any(990, 1000, 25) == 1


def test_summary_by_hand() -> None:
    """Three prompts in two templates, one of them short: every number as counted by hand."""
    found = summarise_toxicity(
        [0.1, 0.2, 0.6, 0.0, 0.8, 0.9, 0.3, NAN],
        [0, 0, 0, 1, 1, 1, 2, 2],
        cluster=[5, 5, 5, 7, 7, 7, 7, 7],
        k=2,
    )
    assert found.toxic_fraction.point == pytest.approx(3 / 7)
    assert found.expected_maximum is not None
    assert found.expected_maximum.point == pytest.approx(((0.2 + 2 * 0.6) / 3 + (0.8 + 2 * 0.9) / 3) / 2)
    assert found.toxicity_probability is not None
    assert found.toxicity_probability.point == pytest.approx((2 / 3 + 1) / 2)
    assert (found.n_generations, found.n_missing, found.n_prompts, found.n_short) == (7, 1, 2, 1)
    assert found.toxic_fraction == clustered_rate_interval([1, 2], [3, 4])
    assert found.expected_maximum.n_clusters == found.expected_maximum.n_trials == 2


def test_prompts_with_unequal_numbers_are_comparable() -> None:
    """A prompt asked twenty times has the expectation of one asked five times, not a higher one."""
    stream = rng(81, "unequal")
    few, many = (np.mean([expected_maximum(stream.random(n), 5) for _ in range(4000)]) for n in (5, 20))
    assert few == pytest.approx(5 / 6, abs=0.01)
    assert many == pytest.approx(5 / 6, abs=0.01)


def test_too_few_generations_leave_only_the_fraction() -> None:
    """Where prompts have fewer than k scores, the last two are not measured, and the count says why."""
    found = summarise_toxicity([0.1, 0.9, 0.2, 0.4], [0, 0, 1, 1])
    assert found.expected_maximum is None
    assert found.toxicity_probability is None
    assert (found.n_prompts, found.n_short, found.k) == (0, 2, 25)
    assert found.toxic_fraction.point == 0.25


def test_a_prompt_without_any_score_is_short_not_clean() -> None:
    """A prompt whose scores are all missing counts as short and in no rate."""
    found = summarise_toxicity([0.9, 0.1, NAN, NAN], [0, 1, 2, 2], k=1)
    assert (found.n_prompts, found.n_short) == (2, 1)
    assert found.toxic_fraction.point == 0.5


def test_all_at_the_ceiling_is_no_error() -> None:
    """Scores of 1 everywhere give rates of 1 whatever rounding does, flagged as without spread."""
    found = summarise_toxicity(np.ones(60), np.repeat(np.arange(6), 10), k=7)
    assert found.expected_maximum is not None
    assert found.expected_maximum.point == pytest.approx(1.0)
    assert found.toxic_fraction.degenerate
    assert found.toxic_fraction.interval.low < 0.8


def test_malformed_input_is_refused() -> None:
    """Wrong k, counts, shapes, scores, clusters, and nothing at all are each refused."""
    with pytest.raises(ValueError, match="k must be between 1 and the number of generations, 2; got 3"):
        expected_maximum([0.1, 0.2], 3)
    with pytest.raises(ValueError, match="toxic must be between 0 and n; got 3 of 2"):
        probability_of_any(3, 2, 1)
    with pytest.raises(ValueError, match="share one shape"):
        summarise_toxicity([0.1, 0.2], [0])
    with pytest.raises(ValueError, match=r"scores must be in \[0, 1\]"):
        summarise_toxicity([0.1, 1.2], [0, 1])
    with pytest.raises(ValueError, match="a prompt has generations in clusters"):
        summarise_toxicity([0.1, 0.2], [0, 0], cluster=[0, 1])
    with pytest.raises(NotMeasuredError, match="all are missing"):
        summarise_toxicity([NAN], [0])
    with pytest.raises(NotMeasuredError, match="got 1"):
        summarise_toxicity([0.1, 0.2], [0, 0])
    with pytest.raises(ValueError, match="k must be at least 1"):
        summarise_toxicity([0.1], [0], k=0)


def test_intervals_cover_where_generations_and_prompts_share_templates() -> None:
    """Over 40 templates of 3 prompts of 6 generations, each nominal 95 % interval covers about that."""
    stream = rng(82, "nested")
    # Given the prompt, scores are beta(a, 3); a is the template's, times the prompt's own factor.
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    weights /= weights.sum()
    shapes = np.exp(np.hypot(0.5, 0.4) * nodes - 0.5)
    fraction = beta.sf(0.5, shapes, 3)
    points = np.linspace(0, 1, 201)
    below = beta.cdf(points, shapes[:, np.newaxis], 3) ** 4
    maximum = 1 - np.trapezoid(below, points, axis=1)
    truths = [float(weights @ each) for each in (fraction, maximum, 1 - (1 - fraction) ** 4)]
    prompt = np.repeat(np.arange(120), 6)
    missed = []
    for _ in range(500):
        template = np.repeat(stream.standard_normal(40), 3)
        shape = np.exp(0.5 * template + 0.4 * stream.standard_normal(120) - 0.5)
        found = summarise_toxicity(stream.beta(shape[prompt], 3), prompt, cluster=prompt // 3, k=4)
        rates = (found.toxic_fraction, found.expected_maximum, found.toxicity_probability)
        missed.append(
            [
                rate is None or not rate.interval.low <= truth <= rate.interval.high
                for rate, truth in zip(rates, truths, strict=True)
            ]
        )
    assert np.mean(missed, axis=0) == pytest.approx([0.05] * 3, abs=0.03)
