"""How alike two texts are by their words: ROUGE-L, BLEU and cosine of TF-IDF vectors, pair by pair.

Meant for counterfactual pairs: replies to prompts that differ in a group only. A low similarity says that
the words differ, not that one group was treated worse; compare it with that of placebo pairs, and give
the pairs' values to `cluster_t_interval` by template. A text without any word has no similarity: nan.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, nan
from typing import TYPE_CHECKING

import numpy as np

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Vector

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["WordWeights", "bleu", "cosine_similarity", "rouge_l", "weighted_cosine", "word_weights", "words"]

_ORDERS = 4
"""Longest run of words that BLEU compares."""

_SMOOTHING = 0.1
"""Matches that BLEU counts for an order that has none."""

_WRITTEN_WITHOUT_SPACES = ("CJK ", "HIRAGANA", "KATAKANA", "THAI ", "LAO ", "KHMER ", "MYANMAR ")
"""Scripts, by the start of their characters' Unicode names, in which each letter counts as a word."""


def words(texts: Sequence[str]) -> list[list[str]]:
    """The words of each text: runs of letters, marks and digits, in lower case.

    Scripts written without spaces (such as Chinese, Japanese, Thai) are split into letters, each with the
    marks that follow it. There is no stemming, which would be right for one language only.

    Args:
        texts: Any texts.

    Returns:
        One list of words a text.

    >>> words(["Don't go, José!", "你好 12"])
    [['don', 't', 'go', 'josé'], ['你', '好', '12']]
    """
    folded = [unicodedata.normalize("NFC", text).casefold() for text in texts]
    table = {ord(letter): _spaced(letter) for letter in set().union(*folded)}
    return [text.translate(table).split() for text in folded]


def rouge_l(first: Sequence[str], second: Sequence[str]) -> Vector:
    """ROUGE-L of each pair: twice the longest common subsequence of words over both lengths.

    2 L / (m + n), the harmonic mean of L / m and L / n. The same whichever text comes first.

    Not for whether two texts mean the same: "approved" and "not approved" are nearly alike.

    Args:
        first: One text a pair.
        second: The other text of each pair.

    Returns:
        A fraction in [0, 1] a pair, 1 if the words are the same, nan if a text has none; shape (n,).

    Raises:
        ValueError: The lengths differ.

    Source:
        Lin (2004), ACL workshop Text Summarization Branches Out, eq. 2-4 with beta = 1; the
        subsequence by bit vectors: Hyyro (2004), Australasian Workshop on Combinatorial Algorithms.

    >>> rouge_l(["police killed the gunman"], ["police kill the gunman"]).tolist()
    [0.75]
    """
    return np.array(
        [2 * _common(a, b) / (len(a) + len(b)) if a and b else nan for a, b in _pairs(first, second)],
        dtype=np.float64,
    )


def bleu(first: Sequence[str], second: Sequence[str]) -> Vector:
    """BLEU of each pair, the smaller of both directions, with smoothing.

    The geometric mean of the precisions of runs of 1 to 4 words, times exp(1 - r / c) if the candidate
    is shorter. An order without a match counts 0.1 matches; without a common word BLEU is 0. Orders
    longer than the candidate are left out, so that equal texts have 1 however short they are.

    Not for short answers, where one word decides: use `rouge_l`, or the decision itself.

    Args:
        first: One text a pair.
        second: The other text of each pair.

    Returns:
        A fraction in [0, 1] a pair, nan if a text has no word; shape (n,).

    Raises:
        ValueError: The lengths differ.

    Source:
        Papineni et al. (2002), ACL, section 2.3; smoothing: Chen & Cherry (2014), WMT, method 1; the
        smaller direction as counterfactual BLEU: Bouchard (2024), arXiv:2407.10853.

    >>> bleu(["the cat is on the mat"], ["the cat sat on the mat"]).round(4).tolist()
    [0.2541]
    """
    found = []
    for a, b in _pairs(first, second):
        runs = [_runs(text) for text in (a, b)]
        both = ((a, b, runs[0], runs[1]), (b, a, runs[1], runs[0]))
        found.append(min(_bleu(len(c), len(r), own, other) for c, r, own, other in both) if a and b else nan)
    return np.array(found, dtype=np.float64)


def cosine_similarity(
    first: Sequence[str], second: Sequence[str], *, corpus: Sequence[str] | None = None
) -> Vector:
    """Cosine of the TF-IDF vectors of each pair.

    Words that few texts have weigh more. The weights come from `corpus`, by default the texts of all pairs:
    then a pair's value depends on the other pairs, and only values from one corpus compare.

    Not the cosine of sentence embeddings, which see synonyms; this sees words only.

    Args:
        first: One text a pair.
        second: The other text of each pair.
        corpus: Texts that the weights of words come from; words that it lacks do not count.

    Returns:
        A fraction in [0, 1] a pair, nan if a text has no word that counts; shape (n,).

    Raises:
        NotMeasuredError: No text of the corpus has a word.
        ValueError: The lengths differ.

    Source:
        Counterfactual cosine similarity: Bouchard (2024), arXiv:2407.10853, here on TF-IDF vectors;
        weights: Salton & Buckley (1988), Information Processing & Management 24:513-523, with the smoothed
        inverse document frequency of scikit-learn.

    >>> cosine_similarity(["a b", "b c"], ["b a", "a d"]).round(3).tolist()
    [1.0, 0.0]
    """
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - a second of import

    _check_lengths(first, second)
    spoken = words([*first, *second])
    known = spoken if corpus is None else words(corpus)
    if not any(known):
        raise NotMeasuredError("a cosine similarity needs texts with words; got none")
    vectorizer = TfidfVectorizer(analyzer=list).fit(known)
    vectors = vectorizer.transform(spoken)
    left, right = vectors[: len(first)], vectors[len(first) :]
    return _products(left, right)


@dataclass(frozen=True, slots=True, kw_only=True)
class WordWeights:
    """How much each word counts in a cosine: more, the fewer texts have it."""

    places: Mapping[str, int]
    """Word to its place in `weights`."""
    weights: Vector
    """Smoothed inverse document frequency, shape (n words,)."""
    n_texts: int


def word_weights(batches: Iterable[Sequence[str]]) -> WordWeights:
    """Weights of words from texts that come in batches, so that no more than one batch is held.

    ln((1 + n) / (1 + texts with the word)) + 1, as `cosine_similarity` takes them from its corpus.

    Args:
        batches: The texts.

    Returns:
        The weights, to be given to `weighted_cosine`; the same for any order of the texts.

    Source:
        As for `cosine_similarity`.

    >>> word_weights([["a b"], ["b"]]).weights.round(3).tolist()
    [1.405, 1.0]
    """
    texts, n = Counter[str](), 0
    for batch in batches:
        for spoken in words(batch):
            texts.update(set(spoken))
            n += 1
    known = sorted(texts)
    counts = np.array([texts[word] for word in known], dtype=np.float64)
    places = {word: place for place, word in enumerate(known)}
    return WordWeights(places=places, weights=np.log((1 + n) / (1 + counts)) + 1, n_texts=n)


def weighted_cosine(first: Sequence[str], second: Sequence[str], weights: WordWeights) -> Vector:
    """Cosine of the TF-IDF vectors of each pair, with weights had before; see `cosine_similarity`.

    Args:
        first: One text a pair.
        second: The other text of each pair.
        weights: How much each word counts; words that it lacks do not.

    Returns:
        A fraction in [0, 1] a pair, nan if a text has no word that counts; shape (n,).

    Raises:
        ValueError: The lengths differ.

    >>> weighted_cosine(["a b", "b c"], ["b a", "a"], word_weights([["a b", "b c"]])).round(3).tolist()
    [1.0, 0.0]
    """
    from sklearn.feature_extraction.text import CountVectorizer  # noqa: PLC0415 - a second of import
    from sklearn.preprocessing import normalize  # noqa: PLC0415 - as above

    _check_lengths(first, second)
    if not weights.places:
        return np.full(len(first), nan)
    counter = CountVectorizer(analyzer=list, vocabulary=weights.places)
    counts = counter.transform(words([*first, *second])).multiply(weights.weights).tocsr()
    vectors = normalize(counts)
    left, right = vectors[: len(first)], vectors[len(first) :]
    return _products(left, right)


def _products(left: "csr_matrix", right: "csr_matrix") -> Vector:
    """Products of unit vectors row by row; nan where one is empty."""
    products = np.asarray(left.multiply(right).sum(axis=1), dtype=np.float64).ravel()
    empty = (np.diff(left.indptr) == 0) | (np.diff(right.indptr) == 0)
    # Unit vectors can have a product a hair above 1.
    return np.where(empty, nan, np.minimum(products, 1.0))


def _spaced(letter: str) -> str:
    """The letter itself, a space for what is no part of a word, or the letter as a word of its own."""
    kind = unicodedata.category(letter)[0]
    if kind not in "LMN":
        return " "
    alone = kind == "L" and unicodedata.name(letter, "").startswith(_WRITTEN_WITHOUT_SPACES)
    return f" {letter}" if alone else letter


def _check_lengths(first: Sequence[str], second: Sequence[str]) -> None:
    if len(first) != len(second):
        raise ValueError(f"first and second must be one text a pair; got {len(first)} and {len(second)}")


def _pairs(first: Sequence[str], second: Sequence[str]) -> list[tuple[list[str], list[str]]]:
    _check_lengths(first, second)
    spoken = words([*first, *second])
    return list(zip(spoken[: len(first)], spoken[len(first) :], strict=True))


def _common(first: list[str], second: list[str]) -> int:
    """Length of the longest common subsequence; each bit of `open_` is a place of `first` not yet matched."""
    places: dict[str, int] = {}
    for position, word in enumerate(first):
        places[word] = places.get(word, 0) | 1 << position
    every = (1 << len(first)) - 1
    open_ = every
    for word in second:
        matched = open_ & places.get(word, 0)
        open_ = ((open_ + matched) | (open_ - matched)) & every
    return len(first) - open_.bit_count()


def _runs(text: list[str]) -> list[Counter[tuple[str, ...]]]:
    """Runs of 1 to 4 words, with how often each occurs."""
    return [
        Counter(zip(*(text[shift:] for shift in range(order)), strict=False))
        for order in range(1, _ORDERS + 1)
    ]


def _bleu(
    candidate: int,
    reference: int,
    own: Sequence[Mapping[tuple[str, ...], int]],
    other: Sequence[Mapping[tuple[str, ...], int]],
) -> float:
    logs = []
    for order in range(min(_ORDERS, candidate)):
        matched = sum(min(count, other[order].get(run, 0)) for run, count in own[order].items())
        if not matched and order == 0:
            return 0.0
        logs.append(log((matched or _SMOOTHING) / (candidate - order)))
    return exp(sum(logs) / len(logs) + min(0.0, 1 - reference / candidate))
