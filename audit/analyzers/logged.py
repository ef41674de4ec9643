"""The logged analyzer: the scores that another tool gave the replies in its own log."""

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from audit.analyzers.base import AnalyzerContext, AnalyzerInfo
from audit.analyzers.readings import Reading, scored
from audit.errors import InputError
from audit.records import DeclaredMeasure, Exchange, Score
from probes.base import Options as PluginOptions
from probes.data import file_sha256
from probes.errors import DataError
from probes.public.logs.columns import Columns
from probes.public.logs.entries import ABSENT, Problem, digest_of, fact_of
from probes.public.logs.formats import Format, open_log
from probes.records import Message, storable

__all__ = ["LoggedAnalyzer", "LoggedScore"]

_VERSION = "1"
_UNMEASURED = "taken from the scores of a log: how often its scorer errs is not measured here"
_DIFFERS = "differs"
_NOT_THERE = "not_in_log"


class LoggedScore(PluginOptions):
    """One score of a log, and what counts in it."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    """Name of the measure it becomes."""
    fact: Annotated[str, Field(min_length=1)]
    """Where the log keeps it, such as `scores.choice.value`."""
    counts: tuple[str, ...] = ()
    """Texts that count as 1; all others count as 0."""
    at_least: float | None = None
    """Number from which a score counts as 1; below it counts as 0."""
    worse: Literal["higher", "lower"] = "higher"
    """Which direction is worse."""
    limit: bool = False
    """Whether the overall rate is unwanted from everyone, and held against `judgement.rate_limits`."""

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if self.counts and self.at_least is not None:
            raise ValueError("counts and at_least exclude each other: give one")
        return self


class LoggedAnalyzer:
    """Gives each reply the scores that stand beside it in a log.

    A reply is found by its conversation and its own text, so that replies from elsewhere have none. Where
    one reply to one conversation has two different scores, it has none here: which holds would be a guess.
    """

    class Options(PluginOptions):
        """What the spec may say about it."""

        path: Path
        """The log, relative to the spec's folder."""
        format: Format | None = None
        """Its format; without it the format is recognised."""
        columns: Columns | None = None
        """For a service's own log: which column holds what."""
        where: dict[str, str | int | bool] = Field(default_factory=dict)
        """Facts that an entry must have to be taken."""
        scores: Annotated[tuple[LoggedScore, ...], Field(min_length=1)]
        """Which scores to take."""

        @model_validator(mode="after")
        def _names_once(self) -> Self:
            names = [score.name for score in self.scores]
            if len(set(names)) < len(names):
                raise ValueError(f"scores must have different names; got {', '.join(names)}")
            return self

    info: AnalyzerInfo = AnalyzerInfo(
        name="logged",
        version=_VERSION,
        measures=("as the spec names them",),
        reads="The scores that another tool gave the replies in its own log.",
        languages=("any",),
        validity="As the scorer of the tool that wrote the log, whose error rates are not known here.",
    )

    def __init__(self, options: PluginOptions, context: AnalyzerContext) -> None:
        """Recognise the log; it is read at the first `score`.

        Args:
            options: An instance of `LoggedAnalyzer.Options`.
            context: Its folder is the one that the path is relative to.

        Raises:
            InputError: There is no such file, or its format is not recognised.
        """
        self._options = self.Options.model_validate(options.model_dump())
        path = context.root / self._options.path
        try:
            self._log = open_log(
                path,
                format=self._options.format,
                columns=self._options.columns,
                where=self._options.where,
            )
        except DataError as error:
            raise InputError(str(error)) from error
        told = self._options.model_dump_json() + file_sha256(path)
        self.info = LoggedAnalyzer.info.model_copy(
            update={
                "version": f"{_VERSION}-{hashlib.sha256(told.encode()).hexdigest()[:12]}",
                "measures": tuple(score.name for score in self._options.scores),
                "declared": tuple(_declared(score) for score in self._options.scores),
                "unmeasured": _UNMEASURED,
            }
        )

    def score(self, exchanges: Sequence[Exchange]) -> list[Score]:
        """One score an exchange and name, in order; without a value where the log has none for it.

        Raises:
            InputError: The log is not what it was taken for, or a score is in none of its entries.
        """
        found = []
        for exchange in exchanges:
            key = _key(exchange.messages, exchange.reply)
            row = self._kept.execute("SELECT scores FROM scores WHERE key = ?", (key,)).fetchone()
            known: list[object] = (
                [_NOT_THERE] * len(self._options.scores) if row is None else json.loads(row[0])
            )
            pairs = zip(self._options.scores, known, strict=True)
            found += scored(self.info, exchange, [_reading(score, value) for score, value in pairs])
        return found

    @cached_property
    def _kept(self) -> sqlite3.Connection:
        """The scores by conversation and reply, in a temporary file of SQLite's own."""
        kept = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        for statement in ("PRAGMA journal_mode = OFF", "BEGIN"):
            kept.execute(statement)
        kept.execute("CREATE TABLE scores(key TEXT PRIMARY KEY, scores TEXT) WITHOUT ROWID")
        seen = [False] * len(self._options.scores)
        try:
            for entry in self._log.entries():
                if isinstance(entry, Problem) or entry.reply.text is None:
                    continue
                values = [_value(score, fact_of(entry, score.fact)) for score in self._options.scores]
                seen = [known or value is not None for known, value in zip(seen, values, strict=True)]
                key = _key(entry.messages, storable(entry.reply.text))
                row = kept.execute("SELECT scores FROM scores WHERE key = ?", (key,)).fetchone()
                merged = values if row is None else list(map(_merged, json.loads(row[0]), values))
                kept.execute("INSERT OR REPLACE INTO scores VALUES (?, ?)", (key, json.dumps(merged)))
        except DataError as error:
            raise InputError(str(error)) from error
        except sqlite3.Error as error:
            raise InputError(f"{self._log.path}: its temporary file cannot be written: {error}") from error
        for score, known in zip(self._options.scores, seen, strict=True):
            if not known:
                raise InputError(
                    f"{self._log.path}: no entry has a score under {score.fact!r} that can be read "
                    f"({score.name}); accepted: 0 to 1, true, false, or what counts or at_least say"
                )
        return kept


def _declared(score: LoggedScore) -> DeclaredMeasure:
    return DeclaredMeasure(
        name=score.name,
        analyzer=LoggedAnalyzer.info.name,
        reading=score.name,
        words=f"the rate of {score.name.replace('_', ' ')} in the log",
        worse=score.worse,
        limit=score.limit,
    )


def _value(score: LoggedScore, found: object) -> float | None:
    """The score as a fraction in [0, 1]; None where there is none, or it is none."""
    if found is ABSENT or found is None:
        return None
    if score.counts:
        text = str(found).lower() if isinstance(found, bool) else str(found)
        return float(text in score.counts)
    if isinstance(found, str):
        try:
            found = float(found)
        except ValueError:
            return None
    if not isinstance(found, int | float) or found != found:  # noqa: PLR0124 - only nan differs from itself
        return None
    if score.at_least is not None:
        return float(found >= score.at_least)
    return float(found) if 0 <= found <= 1 else None


def _merged(known: object, value: float | None) -> object:
    """What is known of a reply met again: a score goes over none, and two that differ are no score."""
    if value is None or known == value:
        return known
    return value if known is None else _DIFFERS


def _reading(score: LoggedScore, value: object) -> Reading:
    if isinstance(value, float | int):
        return score.name, float(value), "logged"
    return score.name, None, value if isinstance(value, str) else "unparsed"


def _key(messages: Sequence[Message], reply: str) -> str:
    return digest_of((*messages, Message(role="assistant", content=reply)))
