"""What is in a log itself: the conversations that another tool or a service has had become prompts."""

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field

from probes.base import Options
from probes.data import file_sha256
from probes.errors import DataError
from probes.public.files import Row
from probes.public.logs.columns import Columns
from probes.public.logs.entries import ABSENT, LogEntry, Problem, Tally, cut, digest_of, fact_of
from probes.public.logs.formats import ATTACK_FORMATS, Format, Log, open_log
from probes.public.marking import Marks, check_same_set, columns_of, marked
from probes.records import Message, ProbeInfo, Prompt, storable

__all__ = ["LogOptions", "LogProbe"]

_LOG = logging.getLogger(__name__)

_TABLE = """CREATE TABLE prompts(seq INTEGER PRIMARY KEY, id TEXT UNIQUE, row INTEGER, digest TEXT,
    set_id TEXT, grp TEXT, prompt TEXT)"""
_INDEX = "CREATE INDEX by_set ON prompts(set_id, grp)"
_IN_ORDER = (
    "SELECT p.prompt FROM prompts p LEFT JOIN (SELECT set_id AS own, min(seq) AS first FROM prompts"
    " WHERE set_id IS NOT NULL GROUP BY set_id) ON own = p.set_id ORDER BY coalesce(first, p.seq), p.seq"
)


class LogOptions(Marks):
    """What the spec may say of `public/log`: which file, and which fact of its entries says what.

    Wherever `public/table` takes a column, a fact of the log stands here, such as `metadata.category`.
    """

    path: Path
    """The log."""
    format: Format | None = None
    """Its format; without it the format is recognised."""
    columns: Columns | None = None
    """For a service's own log: which column holds what."""
    where: dict[str, str | int | bool] = Field(default_factory=dict)
    """Facts that an entry must have to be taken, such as `provider: openai:chat:x`."""
    own_replies: bool = False
    """Whether the user's turns of a conversation are asked one after the other, with the replies of the model
    that is audited in between; otherwise the logged replies stand there, and the last turn is asked."""


class LogProbe:
    """One prompt for each conversation of a log, in its order, members of a set together.

    Several replies to one conversation are repeats of its prompt. The `recorded` target gives them back: name
    the same file there. Without `template` conversations of the same words are a cluster.
    """

    Options: ClassVar[type[Options]] = LogOptions
    info: ClassVar[ProbeInfo] = ProbeInfo(
        name="public/log",
        version="1",
        measures="Whatever the conversations of a log ask.",
        harms=("as the log",),
        languages=("as the log",),
        source="A file of the user, loaded by reference.",
        licence="As the user's file; stated in the spec.",
        cannot_show="What was never asked: a log holds what a tool or its users chose to ask, and a rate of "
        "it speaks of no other traffic. Nor a noise floor, since a log has no placebo sets; nor whether the "
        "members of a set differ in the attribute only.",
    )

    def __init__(self, options: LogOptions) -> None:
        """Recognise the file and take its checksum.

        Args:
            options: The validated options.

        Raises:
            DataError: There is no such file, or its format is not recognised.
        """
        self._options = options
        self._log: Log = open_log(
            options.path, format=options.format, columns=options.columns, where=options.where
        )
        self.attack = options.kind == "refuse" or self._log.format in ATTACK_FORMATS
        """Whether the log asks for harm, as the options or the tool that wrote it say."""
        self.provenance: dict[str, str] = {
            "file": options.path.name,
            "sha256": file_sha256(options.path),
            "source": "user file",
            "licence": options.licence,
            "format": self._log.named,
        }

    def prompts(self, rng: np.random.Generator) -> Iterator[Prompt]:
        """The log's conversations.

        They are sorted in a temporary file, so that memory does not grow with the log. What could not be read
        is counted in `provenance`, and told in the log of warnings.

        Args:
            rng: Not drawn from: nothing here is random.

        Yields:
            Prompts whose `source_id` is the id that the log gives the conversation.

        Raises:
            DataError: No entry can be used, an id stands for two conversations, or a set is ambiguous.
        """
        del rng
        tally = Tally()
        with closing(
            sqlite3.connect("")
        ) as kept:  # A name that is empty is a temporary file of SQLite's own.
            kept.execute(_TABLE)
            kept.execute(_INDEX)
            for entry in self._log.entries():
                if isinstance(entry, Problem):
                    tally.add(entry)
                else:
                    self._take(kept, entry, tally)
            self._tell(kept, tally)
            for (prompt,) in kept.execute(_IN_ORDER):
                yield Prompt.model_validate_json(prompt)

    def _take(self, kept: sqlite3.Connection, entry: LogEntry, tally: Tally) -> None:
        digest = digest_of(entry.messages)
        known = kept.execute("SELECT row, digest FROM prompts WHERE id = ?", (storable(entry.id),)).fetchone()
        if known is not None:
            tally.entries += 1
            if known[1] != digest:
                raise DataError(
                    f"{self._options.path}: row {entry.row}: id {cut(entry.id)} stands for another "
                    f"conversation in row {known[0]}; with columns name an id that is unique"
                )
            return
        try:
            prompt = self._prompt(entry, digest)
        except DataError as error:
            what = str(error).removeprefix(f"{self._options.path}: row {entry.row}: ")
            tally.add(Problem(row=entry.row, what=what.removeprefix(f"{self._options.path}: ")))
            return
        tally.entries += 1
        self._check_set(kept, prompt, entry)
        place = (prompt.source_id, entry.row, digest, prompt.set_id, prompt.group, prompt.model_dump_json())
        kept.execute(
            "INSERT INTO prompts(id, row, digest, set_id, grp, prompt) VALUES (?, ?, ?, ?, ?, ?)", place
        )

    def _check_set(self, kept: sqlite3.Connection, prompt: Prompt, entry: LogEntry) -> None:
        """Refuse a set that says of one group two things: which pair is meant would be a guess."""
        if prompt.set_id is None:
            return
        twice = kept.execute(
            "SELECT row FROM prompts WHERE set_id = ? AND grp = ?", (prompt.set_id, prompt.group)
        ).fetchone()
        if twice is not None:
            raise DataError(
                f"{self._options.path}: row {entry.row}: set {cut(prompt.set_id)} has group "
                f"{cut(prompt.group)} twice, also in row {twice[0]}; a set holds one of each group"
            )
        first = kept.execute("SELECT row, prompt FROM prompts WHERE set_id = ?", (prompt.set_id,)).fetchone()
        if first is None:
            return
        known = (first[0], Prompt.model_validate_json(first[1]))
        check_same_set(self._options.path, known, (entry.row, prompt))

    def _prompt(self, entry: LogEntry, digest: str) -> Prompt:
        if not entry.messages:
            raise DataError("holds a reply and no prompt: it can answer the prompts of a plan, by its id")
        cells = {name: _cell(entry, name) for name in columns_of(self._options)}
        row = Row(entry.row, {name: value for name, value in cells.items() if value is not ABSENT})
        fields = marked(
            self._options, self._options.path, row, template=digest[:20], domain=entry.task or "general"
        )
        said, further = _script(entry.messages) if self._options.own_replies else (entry.messages, ())
        return Prompt.make(
            messages=said, further=further, probe=self.info.name, source_id=storable(entry.id), **fields
        )

    def _tell(self, kept: sqlite3.Connection, tally: Tally) -> None:
        """Count what was read and what was not, in the plan and for whoever runs it.

        Raises:
            DataError: Nothing at all could be used.
        """
        path = self._options.path
        lines = tally.lines(path.name)
        if not tally.entries:
            first = f": {lines[1].removeprefix(f'{path.name}: ')}" if lines else ""
            raise DataError(f"{path}: {self._log.named}: holds no entry that can be used{first}")
        (alone,) = kept.execute(
            "SELECT count(*) FROM (SELECT 1 FROM prompts WHERE set_id IS NOT NULL GROUP BY set_id"
            " HAVING count(*) < 2 OR sum(grp = json_extract(prompt, '$.reference')) = 0)"
        ).fetchone()
        if alone:
            lines.append(
                f"{path.name}: {alone} sets lack the reference group or any other, and compare nothing"
            )
        for line in lines:
            _LOG.warning("%s", line)
        self.provenance |= {
            "entries": str(tally.entries),
            "unreadable": str(tally.problems),
            "incomplete_sets": str(alone),
            **{f"unreadable_{number}": line for number, line in enumerate(tally.shown, start=1)},
        }


def _script(messages: Sequence[Message]) -> tuple[Sequence[Message], tuple[str, ...]]:
    """A conversation without its replies: what is sent first, and what the user says after each reply."""
    roles = [message.role for message in messages]
    first = roles.index("assistant") if "assistant" in roles else len(messages)
    later = messages[first:]
    turned = [message.role for message in later] == ["assistant", "user"] * (len(later) // 2)
    if not first or messages[first - 1].role != "user" or not turned:
        raise DataError("its user and assistant do not take turns, so it cannot be asked turn by turn")
    return messages[:first], tuple(message.content for message in later[1::2])


def _cell(entry: LogEntry, name: str) -> object:
    value = fact_of(entry, name)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return [storable(one) if isinstance(one, str) else one for one in value]
    return storable(value) if isinstance(value, str) else value
