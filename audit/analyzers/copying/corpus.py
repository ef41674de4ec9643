"""A training file as texts and their n-grams, for comparing replies with it."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from audit.analyzers.overlap import words_of
from audit.errors import InputError
from audit.table_files import read_rows

__all__ = ["KINDS", "Corpus", "check_corpus", "corpus_of", "read_corpus"]

KINDS = (".csv", ".jsonl", ".ndjson", ".txt")
"""Kinds of training files that can be read."""
Gram = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Corpus:
    """The n-grams of a file, each with the texts it stands in."""

    size: int
    """Words of an n-gram."""
    starts: Sequence[int]
    """Place of the first word of each text, where all words of the file are numbered in order."""
    places: Mapping[Gram, Sequence[int]]
    """Places of the first words of each n-gram, in order."""

    def nearest(self, said: set[Gram]) -> float | None:
        """Largest share of the n-grams that one text holds; None if there are no n-grams."""
        if not said:
            return None
        shared: Counter[int] = Counter()
        for gram in said:
            shared.update({bisect_right(self.starts, place) for place in self.places.get(gram, ())})
        return max(shared.values(), default=0) / len(said)

    def longest_run(self, words: Sequence[str], asked: set[Gram]) -> int:
        """Words in a row that stand so in one text of the file, and not in what was asked.

        0 below an n-gram. No run goes from one text on to the next, whose first n-gram stands further on.
        """
        best = 0
        runs: dict[int, int] = {}
        for start in range(len(words) - self.size + 1):
            gram = tuple(words[start : start + self.size])
            places = () if gram in asked else self.places.get(gram, ())
            runs = {place: runs.get(place - 1, 0) + 1 for place in places}
            best = max(best, *runs.values(), 0)
        return best + self.size - 1 if best else 0


def check_corpus(path: Path, columns: Sequence[str]) -> None:
    """Check that a training file is there, of a known kind and with the columns, as far as its first row.

    Raises:
        InputError: It is not.
    """
    if not path.is_file():
        raise InputError(f"path: {path}: no such file")
    if path.suffix.lower() not in KINDS:
        raise InputError(f"path: {path}: unknown kind of file {path.suffix!r}; accepted: {', '.join(KINDS)}")
    if path.suffix.lower() != ".txt":
        next(iter(read_rows(path, frozenset(columns))), None)
    elif columns:
        raise InputError(
            f"columns: a .txt file such as {path} has none; leave the key out; got {list(columns)}"
        )


def read_corpus(path: Path, columns: Sequence[str], size: int) -> Corpus:
    """The texts of a training file, as n-grams; memory is several times the file's size.

    Args:
        path: Text file whose paragraphs are texts, or CSV or JSONL whose rows are.
        columns: Columns with text; none for every text in a row.
        size: Words of an n-gram.

    Raises:
        InputError: The file is malformed, lacks a column or holds no text.
    """
    check_corpus(path, columns)
    found = corpus_of((words_of(text) for text in _texts(path, frozenset(columns))), size)
    if not found.starts:
        raise InputError(f"path: {path}: holds no text")
    return found


def corpus_of(texts: Iterable[Sequence[str]], size: int) -> Corpus:
    """The n-grams of texts.

    Args:
        texts: The words of each.
        size: Words of an n-gram, at least 2.
    """
    places: dict[Gram, list[int]] = {}
    starts: list[int] = []
    first = 0
    for words in texts:
        starts.append(first)
        for place in range(len(words) - size + 1):
            places.setdefault(tuple(words[place : place + size]), []).append(first + place)
        first += len(words) + 1  # So that an empty text has a place of its own.
    return Corpus(size, starts, places)


def _texts(path: Path, columns: frozenset[str]) -> Iterator[str]:
    if path.suffix.lower() == ".txt":
        try:
            content = path.read_text("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"path: {path}: is not UTF-8 text: {error.reason} at byte {error.start}"
            ) from error
        yield from (part for part in content.split("\n\n") if part.strip())
        return
    for _, row in read_rows(path, columns):
        text = "\n".join(found for key in sorted(columns or row) for found in _strings(row[key]))
        if text.strip():
            yield text


def _strings(value: object) -> Iterator[str]:
    """Every text in a value, such as the contents of a list of chat messages."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        if "content" in value and "role" in value:
            yield from _strings(value["content"])
        else:
            for key in sorted(value, key=str):
                yield from _strings(value[key])
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)
