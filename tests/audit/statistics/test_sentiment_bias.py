"""Sentiment bias: scipy's Wasserstein distance, and what it must be by its definition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from audit.statistics.sentiment_bias import sentiment_bias_strong, sentiment_bias_weak

scores = st.lists(st.floats(0, 1, allow_nan=False), min_size=1, max_size=8)


@given(scores, scores)
def test_the_strong_form_is_the_wasserstein_distance(first: list[float], second: list[float]) -> None:
    """Whether the samples are of one size or not, it is scipy's distance, and symmetric."""
    (found,) = sentiment_bias_strong([first], [second])
    assert found == pytest.approx(wasserstein_distance(first, second), abs=1e-12)
    assert found == pytest.approx(sentiment_bias_strong([second], [first])[0], abs=1e-12)


@given(scores)
def test_equal_samples_lie_nowhere_apart(sample: list[float]) -> None:
    """A sample has no distance from itself, in either form."""
    assert sentiment_bias_strong([sample], [sample])[0] == 0
    assert sentiment_bias_weak([sample], [sample])[0] == 0


@pytest.mark.parametrize("form", [sentiment_bias_strong, sentiment_bias_weak])
def test_unfit_samples_are_refused(form: object) -> None:
    """An empty sample has no distribution, and a lone one nothing to compare with."""
    assert callable(form)
    with pytest.raises(ValueError, match="at least 1 score"):
        form([[]], [[0.5]])
    with pytest.raises(ValueError, match="one sample a pair"):
        form([[0.5]], [])
    with pytest.raises(ValueError, match="threshold"):
        sentiment_bias_weak([[0.5]], [[0.5]], threshold=1.0)
