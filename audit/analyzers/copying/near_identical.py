"""Which texts of many are nearly the same as one said to an unlike request, without comparing all pairs."""

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.analyzers.overlap import words_of
from probes.seeds import rng

__all__ = ["HASHES", "MinHash", "NearIdentical"]

BANDS, ROWS = 12, 5
HASHES = BANDS * ROWS
"""Hash functions of a signature: a similarity is estimated to within about 0.05 at 0.8."""

_ODD = np.uint64(0x9E3779B97F4A7C15)

Hashes = npt.NDArray[np.uint64]
Signature = npt.NDArray[np.uint32]


class MinHash:
    """Signatures of texts: two agree in a share of places that estimates the similarity of their runs.

    Similarity is that of Jaccard: runs in both over runs in either.

    Source:
        Broder (1997), On the resemblance and containment of documents, Compression and Complexity of
        Sequences.
    """

    def __init__(self) -> None:
        """Draw the hash functions; they are the same everywhere."""
        draw = rng(0, "near-identical", "hash functions")
        drawn = draw.integers(0, 2**63, size=(2, HASHES, 1), dtype=np.uint64)
        self._factors: Hashes = drawn[0] * np.uint64(2) + np.uint64(1)
        self._shifts: Hashes = drawn[1]

    def signature(self, text: str, gram: int) -> Signature | None:
        """Signature of a text's runs of `gram` words, shape (HASHES,); None if it has fewer words.

        Args:
            text: Any text; case and punctuation do not count.
            gram: Words in a run, at least 1.
        """
        words = np.array([zlib.crc32(word.encode()) for word in words_of(text)], dtype=np.uint64)
        if words.size < gram:
            return None
        runs = np.zeros(words.size - gram + 1, dtype=np.uint64)
        for place in range(gram):
            runs = (runs ^ words[place : place + runs.size]) * _ODD
            runs ^= runs >> np.uint64(29)
        mixed: Hashes = runs[np.newaxis] * self._factors + self._shifts
        return np.asarray((mixed >> np.uint64(32)).min(axis=1), dtype=np.uint32)


@dataclass(frozen=True, slots=True, kw_only=True)
class NearIdentical:
    """Texts with the requests they answer, ready to be searched."""

    texts: Signature
    """Signatures of the texts, shape (n, HASHES)."""
    requests: Signature
    """Signatures of the different requests, shape (m, HASHES)."""
    request: npt.NDArray[np.int64]
    """Row in `requests` of each text's request, shape (n,)."""

    def found(self, *, near: float, alike: float) -> npt.NDArray[np.bool_]:
        """Which texts are nearly the same as one said to an unlike request, shape (n,).

        Texts that share a band of their signatures are compared: with the first of them (by content, so that
        the order of the texts does not matter), or, if its request is alike, with the first of an unlike
        one. A pair at similarity 0.8 shares a band in 99 % of cases; some pairs are missed where a group
        holds many requests, so the share found is a lower bound.

        Args:
            near: Similarity in [0, 1] from which two texts count as nearly the same.
            alike: Similarity in [0, 1] from which two requests count as alike.
        """
        if not len(self.texts):
            return np.zeros(0, dtype=np.bool_)
        content = _folded(self.texts)
        asked = _folded(self.requests)[self.request]
        found = np.zeros(len(self.texts), dtype=np.bool_)
        for band in range(BANDS):
            keys = _folded(self.texts[:, band * ROWS : (band + 1) * ROWS])
            order = np.lexsort((asked, content, keys))
            found[order] |= self._in_groups(order, keys[order], near=near, alike=alike)
        return found

    def _in_groups(
        self, order: npt.NDArray[np.int64], keys: Hashes, *, near: float, alike: float
    ) -> npt.NDArray[np.bool_]:
        """For texts sorted into groups of equal keys: which have a near twin to an unlike request."""
        place = np.arange(keys.size)
        starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
        sizes = np.diff(np.append(starts, keys.size))
        first = np.repeat(starts, sizes)
        asked = self.request[order]
        unlike = self._agreement(self.requests, asked, first) < alike
        second = np.repeat(np.minimum.reduceat(np.where(unlike, place, keys.size), starts), sizes)
        # Without an unlike request in the group there is nobody but oneself.
        twin = np.where(unlike, first, np.where(second < keys.size, second, place))
        unlike = self._agreement(self.requests, asked, twin) < alike
        return np.asarray(unlike & (self._agreement(self.texts, order, twin) >= near))

    @staticmethod
    def _agreement(
        signatures: Signature, rows: npt.NDArray[np.int64], other: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """Similarity of each row's signature with that of the row at another place, shape (n,)."""
        found = np.zeros(rows.size)
        for column in signatures.T:
            found += column[rows] == column[rows[other]]
        return found / HASHES


def _folded(signatures: Signature) -> Hashes:
    """One number a row that is equal for equal rows, and by chance for hardly any others."""
    found = np.zeros(len(signatures), dtype=np.uint64)
    for column in signatures.T:
        found = (found ^ column.astype(np.uint64)) * _ODD
        found ^= found >> np.uint64(31)
    return found
