"""What scores texts with a toxicity classifier, whatever runs it: tokens, length buckets and heads.

numpy only; torch and ONNX Runtime stand behind the `Engine` seam.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from audit.errors import InputError
from probes.records import Record

__all__ = ["FACTS_FILE", "Encoded", "Engine", "Facts", "Ids", "Reading", "read_texts"]

FACTS_FILE = "evenhand.json"
"""File of a converted folder that says what its classifier is."""
Ids: TypeAlias = npt.NDArray[np.int64]

_CHARACTERS_A_TOKEN = 16
_PADDING_SHARE = 0.125
_PADDING_FREE = 32
_DECIMALS = 6
_TOXICITY = "toxicity"
_STANDARD = (("toxic", _TOXICITY), ("identity_hate", "identity_attack"), ("severe_toxic", "severe_toxicity"))


class Facts(Record):
    """What a classifier is, apart from its weights and its tokenizer."""

    heads: tuple[str, ...]
    """Names of the model's first outputs, in order; exactly one is `toxicity`."""
    languages: tuple[str, ...]
    """Codes of the languages it was trained on."""
    most_tokens: int
    """Most tokens of a text that it can read."""
    padding: int
    """Token that fills a row up."""
    source_sha256: str | None = None
    """Checksum of the checkpoint it was converted from."""

    def checked(self, where: str) -> "Facts":
        """These facts with heads named as Detoxify names them, the same for all its models.

        Args:
            where: File or folder, for the error.

        Raises:
            InputError: Not exactly one head is the toxicity, or a name stands twice.
        """
        names = dict(_STANDARD)
        heads = tuple(names.get(head, head) for head in self.heads)
        if heads.count(_TOXICITY) != 1 or len(set(heads)) != len(heads):
            raise InputError(
                f"{where}: heads must be named apart, and one of them toxicity; got {', '.join(self.heads)}"
            )
        return self.model_copy(update={"heads": heads})


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text as the model reads it."""

    ids: Sequence[int]
    cut: bool
    """True if the text is longer than the model reads."""


class Engine(Protocol):
    """Runs one classifier."""

    @property
    def facts(self) -> Facts:
        """What the classifier is."""
        ...

    def encode(self, texts: Sequence[str], limit: int) -> list[Encoded]:
        """Tokens of each text, special ones included, at most `limit` of them."""
        ...

    def logits(self, ids: Ids, mask: Ids) -> npt.NDArray[np.float32]:
        """Outputs of the model, one row a text.

        Args:
            ids: Tokens, shape (n, length), filled up with `facts.padding`.
            mask: 1 for a token, 0 for padding, shape (n, length).
        """
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in one text."""

    heads: tuple[float, ...] | None
    """Values of the heads, fractions in [0, 1]; None for a text without a word."""
    cut: bool


def read_texts(engine: Engine, texts: Sequence[str], *, limit: int, rows: int) -> list[Reading]:
    """Heads of every text; equal texts are read once, and batches hold texts of nearly one length.

    Padding is work thrown away: a batch in the order of arrival is as long as its longest text. Texts
    are sorted by length, and a batch ends before an eighth of it would be padding.

    Args:
        engine: The classifier.
        texts: Any texts; one without a word has no value.
        limit: Most tokens read of a text.
        rows: Most texts in a batch.

    Returns:
        One reading a text, in the order of the texts, rounded to six decimals.
    """
    distinct = list(dict.fromkeys(text for text in texts if text.strip()))
    # A token is rarely longer: what lies beyond cannot be read, and is not worth tokenizing.
    shortened = [text[: limit * _CHARACTERS_A_TOKEN] for text in distinct]
    encoded = engine.encode(shortened, limit)
    found: dict[str, Reading] = {}
    for places in _buckets([len(one.ids) for one in encoded], rows):
        values = _values(engine, [encoded[place].ids for place in places])
        for place, row in zip(places, values, strict=True):
            cut = encoded[place].cut or len(shortened[place]) < len(distinct[place])
            heads = tuple(round(float(value), _DECIMALS) for value in row)
            found[distinct[place]] = Reading(heads, cut)
    nothing = Reading(None, cut=False)
    return [found.get(text, nothing) for text in texts]


def _values(engine: Engine, rows: Sequence[Sequence[int]]) -> npt.NDArray[np.float64]:
    width = max(len(row) for row in rows)
    ids = np.full((len(rows), width), engine.facts.padding, dtype=np.int64)
    mask = np.zeros((len(rows), width), dtype=np.int64)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
        mask[place, : len(row)] = 1
    logits = engine.logits(ids, mask)[:, : len(engine.facts.heads)].astype(np.float64)
    # Beyond 60 a sigmoid is 0 or 1 to the last digit, and its exponential would overflow.
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -60.0, 60.0))), dtype=np.float64)


def _buckets(lengths: Sequence[int], rows: int) -> Iterator[list[int]]:
    """Places of the texts of each batch, shortest first."""
    batch: list[int] = []
    tokens = 0
    for place in sorted(range(len(lengths)), key=lambda place: (lengths[place], place)):
        longest, size = lengths[place], len(batch) + 1
        padding = longest * size - tokens - longest
        if batch and (size > rows or padding > max(_PADDING_FREE, _PADDING_SHARE * longest * size)):
            yield batch
            batch, tokens = [], 0
        batch.append(place)
        tokens += longest
    if batch:
        yield batch
