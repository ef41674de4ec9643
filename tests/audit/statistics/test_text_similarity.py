"""Similarity of texts by their words."""

from math import exp, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import NotMeasuredError
from audit.statistics.text_similarity import (
    bleu,
    cosine_similarity,
    rouge_l,
    weighted_cosine,
    word_weights,
    words,
)

texts = st.lists(st.sampled_from(["loan", "yes", "no", "she", "he", "is", "denied"]), max_size=9).map(
    " ".join
)


def test_rouge_l_matches_its_paper() -> None:
    """Lin's example: "police killed the gunman" has .75 and .5 against the two candidates."""
    found = rouge_l(["police killed the gunman"] * 2, ["police kill the gunman", "the gunman kill police"])
    assert found.tolist() == [0.75, 0.5]


def test_bleu_matches_its_formula() -> None:
    """Precisions 5/6, 3/5, 1/4 and 0.1/3 of a pair of six words, by hand; the shorter pays for brevity."""
    found = bleu(["the cat is on the mat"], ["the cat sat on the mat"])
    assert found[0] == pytest.approx((5 / 6 * 3 / 5 * 1 / 4 * 0.1 / 3) ** 0.25)
    brief = bleu(["the cat is on"], ["the cat is on the mat"])
    assert brief[0] == pytest.approx(min(exp(1 - 6 / 4), (4 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25))
    # Papineni's own: of seven times "the", only two count.
    repeated = bleu(["the the the the the the the"], ["the cat is on the mat"])
    assert repeated[0] == pytest.approx((2 / 7 * 0.1 / 6 * 0.1 / 5 * 0.1 / 4) ** 0.25)


def test_cosine_is_of_smoothed_tf_idf() -> None:
    """The cosine of two texts equals the one computed by hand from the smoothed weights."""
    rare, common = 1 + np.log(3 / 2), 1.0
    by_hand = common**2 / sqrt(common**2 + rare**2) / sqrt(common**2 + rare**2)
    assert cosine_similarity(["loan approved"], ["loan denied"])[0] == pytest.approx(by_hand)


def test_cosine_weights_can_come_from_a_corpus() -> None:
    """With a corpus of its own a pair's value does not depend on the other pairs."""
    corpus = ["loan approved", "loan denied", "loan refused"]
    alone = cosine_similarity(["loan approved"], ["loan denied"], corpus=corpus)
    beside = cosine_similarity(["loan approved", "approved"], ["loan denied", "denied"], corpus=corpus)
    assert beside[0] == pytest.approx(alone[0])
    assert np.isnan(cosine_similarity(["unheard"], ["loan"], corpus=corpus)[0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=5))
def test_similarities_are_symmetric_and_bounded(pairs: list[tuple[str, str]]) -> None:
    """Each is in [0, 1], the same both ways, 1 for equal words, 0 without a common one, nan without any."""
    first, second = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    for measure in (rouge_l, bleu, cosine_similarity):
        if measure is cosine_similarity and not any(first + second):
            continue
        found, mirror = measure(first, second), measure(second, first)
        assert found == pytest.approx(mirror, nan_ok=True)
        for value, (a, b) in zip(found, pairs, strict=True):
            assert np.isnan(value) == (not a or not b)
            if a and b:
                assert 0 <= value <= 1
            if a and a == b:
                assert value == pytest.approx(1.0)
            if a and b and not set(a.split()) & set(b.split()):
                assert value == 0


@settings(max_examples=80)
@given(texts, texts)
def test_common_subsequence_matches_the_table(a: str, b: str) -> None:
    """The bit-vector length equals that of the dynamic programme."""
    first, second = a.split(), b.split()
    table = np.zeros((len(first) + 1, len(second) + 1))
    for i, x in enumerate(first):
        for j, y in enumerate(second):
            table[i + 1, j + 1] = table[i, j] + 1 if x == y else max(table[i, j + 1], table[i + 1, j])
    if first and second:
        assert rouge_l([a], [b])[0] == pytest.approx(2 * table[-1, -1] / (len(first) + len(second)))


def test_words_of_many_scripts() -> None:
    """Marks stay with their letters, scripts without spaces are split, composed and decomposed are one."""
    assert words(["हिन्दी भाषा", "ไทย", "Straße, 3.5 kg", "日本語 text"]) == [
        ["हिन्दी", "भाषा"],
        ["ไ", "ท", "ย"],
        ["strasse", "3", "5", "kg"],
        ["日", "本", "語", "text"],
    ]
    assert words(["Jose\u0301"]) == words(["José"])
    assert words(["... !", ""]) == [[], []]
    assert words([]) == []


def test_long_texts_are_fast() -> None:
    """A pair of 20,000 words is compared without a table of 400 million cells."""
    text = " ".join(str(number * number % 997) for number in range(20_000))
    assert rouge_l([text], [text])[0] == 1.0


def test_malformed_input_is_refused() -> None:
    """Unequal numbers of texts and a corpus without words are refused."""
    for measure in (rouge_l, bleu, cosine_similarity):
        with pytest.raises(ValueError, match="one text a pair; got 1 and 2"):
            measure(["a"], ["a", "b"])
    with pytest.raises(NotMeasuredError, match="texts with words"):
        cosine_similarity(["..."], [""])


@settings(deadline=None)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=6))
def test_weights_from_batches_give_the_cosine_of_one_corpus(pairs: list[tuple[str, str]]) -> None:
    """Texts that come in batches and in any order give scikit-learn's vectors to 1e-12."""
    first, second = [one for one, _ in pairs], [other for _, other in pairs]
    weights = word_weights([second[:2], first, second[2:]])
    found = weighted_cosine(first, second, weights)
    if not weights.places:
        assert np.isnan(found).all()
        return
    expected = cosine_similarity(first, second, corpus=[*first, *second])
    np.testing.assert_allclose(found, expected, atol=1e-12)
