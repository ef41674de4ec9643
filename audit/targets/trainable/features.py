"""What the trainable model sees of a text: words, pairs of words, and numbers with what they count.

A number means nothing to a model of words: 655 and 660 would be strangers. So each number is
joined to the words around it, once as a coarse bin (`score#2d6` style) and once as a standardised
value, so that "a credit score of 655" says something about 660 too.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction import FeatureHasher

__all__ = ["WIDTH", "Reading", "Scales", "fit_scales", "matrix", "read"]

WIDTH = 2**16
"""Number of columns that words, pairs and bins are hashed into."""

Scales = Mapping[str, tuple[float, float]]
"""Mean and standard deviation of the numbers seen beside a word."""

Reading = tuple[list[str], list[tuple[str, float]]]
"""Words, pairs and bins of a text; and (word, number) for each number and each word beside it.

Dollars and percentages are told apart from plain numbers: `income$` and `income%` are two words."""

_TOKEN = re.compile(r"\$?\d+(?:,\d{3})*(?:\.\d+)?%?|[a-z]+(?:'[a-z]+)?|[,.;:!?\n]")
_DIGITS = frozenset("$0123456789")
_BREAKS = frozenset({",", ".", ";", ":", "!", "?", "\n"})
# A number's words end where the next thing begins: "a score of 655 and an annual income of …".
_STOPS = _BREAKS | {"and", "but", "while", "with", "plus", "against", "beside", "alongside"}
# Words that say nothing of what a number counts.
_ARTICLES = ("a", "an", "the", "this", "that", "which", "it", "its", "as")
_VERBS = ("is", "are", "was", "were", "has", "have", "had")
_PREPOSITIONS = ("of", "in", "on", "at", "to", "for", "by", "from", "or", "about", "over", "under", "than")
_PEOPLE = ("i", "he", "she", "they", "we", "you", "my", "his", "her", "their", "our", "your")
_EMPTY = frozenset([*_ARTICLES, *_VERBS, *_PREPOSITIONS, *_PEOPLE, "just", "only", "now", "so", "far"])
_BEFORE = 4
_AFTER = 3
_CLIP = 2.5
_LOG_SPREAD = 1.2
_LEAST_SEEN = 40


def read(text: str) -> Reading:
    """Words and numbers of one text; blind to letter case.

    Args:
        text: Any text; only letters of the English alphabet and digits are read.

    Returns:
        Words in the order of the text; numbers with the nearest words first.

    >>> words, numbers = read("A credit score of 655.")
    >>> words[:3], numbers
    (['a', 'credit', 'score'], [('score', 655.0), ('credit', 655.0)])
    """
    tokens = _TOKEN.findall(text.lower())
    numbers: list[tuple[str, float]] = []
    bins: list[str] = []
    for position, token in enumerate(tokens):
        if token[0] in _DIGITS:
            value = float(token.strip("$%").replace(",", ""))
            size = _size(value)
            kind = "$" if token[0] == "$" else "%" if token[-1] == "%" else ""
            for near in _beside(tokens, position):
                word = near + kind
                numbers.append((word, value))
                bins.append(word + size)
    kept = ["#" if token[0] in _DIGITS else token for token in tokens if token not in _BREAKS]
    pairs = [f"{left} {right}" for left, right in pairwise(kept)]
    return kept + pairs + bins, numbers


def fit_scales(readings: Iterable[Reading]) -> dict[str, tuple[float, float]]:
    """Scales of the words that stand beside numbers of one kind.

    A word is left out if it was seen beside fewer than 40 numbers, or if its numbers spread over
    more than one kind of quantity (standard deviation of log(1 + number) above 1.2).

    Args:
        readings: Readings of the training texts.

    Returns:
        Mean and standard deviation by word, words sorted.
    """
    seen: dict[str, list[float]] = defaultdict(list)
    for _, numbers in readings:
        for word, value in numbers:
            seen[word].append(value)
    scales = {}
    for word in sorted(seen):
        values = np.array(seen[word])
        spread = float(values.std())
        if values.size >= _LEAST_SEEN and spread > 0 and float(np.log1p(values).std()) <= _LOG_SPREAD:
            scales[word] = (float(values.mean()), spread)
    return scales


def matrix(readings: Sequence[Reading], scales: Scales) -> sp.csr_matrix:
    """The model's input.

    Args:
        readings: One a text.
        scales: What the model knows about numbers.

    Returns:
        Sparse matrix of shape (n_texts, WIDTH + number of scales), float64: presence of hashed
        words, pairs and bins; then standardised numbers, clipped to [-2.5, 2.5].
    """
    hasher = FeatureHasher(n_features=WIDTH, input_type="string", alternate_sign=False)
    hashed = hasher.transform([words or ["#"] for words, _ in readings])
    hashed.data[:] = np.minimum(hashed.data, 1.0)
    place = {word: column for column, word in enumerate(scales)}
    rows, columns, values = [], [], []
    for row, (_, numbers) in enumerate(readings):
        for word, value in numbers:
            if word in place:
                mean, spread = scales[word]
                rows.append(row)
                columns.append(place[word])
                values.append(max(-_CLIP, min(_CLIP, (value - mean) / spread)))
    shape = (len(readings), len(scales))
    dense = sp.coo_matrix((np.array(values, dtype=np.float64), (rows, columns)), shape=shape)
    return sp.csr_matrix(sp.hstack([hashed, dense.tocsr()], format="csr"))


def _size(value: float) -> str:
    """Magnitude and leading digit: 63 is `#2d6`, 48000 is `#5d4`."""
    if value < 1:
        return "#0d0"
    magnitude = int(math.log10(value))
    return f"#{magnitude + 1}d{int(value / 10**magnitude)}"


def _beside(tokens: Sequence[str], position: int) -> list[str]:
    """Content words near a number, without crossing a sentence mark or another number."""
    found = []
    for step, reach in ((-1, _BEFORE), (1, _AFTER)):
        for offset in range(1, reach + 1):
            at = position + step * offset
            if not 0 <= at < len(tokens) or tokens[at] in _STOPS or tokens[at][0] in _DIGITS:
                break
            if tokens[at] not in _EMPTY:
                found.append(tokens[at])
    return found
