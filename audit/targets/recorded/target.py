"""The `recorded` target: outputs that were had before, read from a file instead of asked for.

For models that cannot be reached from here, for published predictions, for what other tools have run, and
for re-scoring without a call. A request without a row is an errored output, never dropped and never empty.
"""

import logging
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import ClassVar, NamedTuple

from audit.errors import InputError
from audit.records import Output, Request, Usage
from audit.targets.base import TargetContext, TargetInfo
from audit.targets.recorded.index import ReplyIndex
from audit.targets.recorded.options import RecordedOptions
from audit.targets.recorded.reading import key_at, read_log, read_table
from probes.base import Options as PluginOptions
from probes.data import absence, file_sha256
from probes.errors import DataError
from probes.public.logs.entries import Reply, Tally, digest_of
from probes.public.logs.formats import Log, open_log, recognised

__all__ = ["RecordedOptions", "RecordedTarget"]

_LOG = logging.getLogger(__name__)

_OF_TABLES = frozenset({"text", "repeat", "turn", "error"})


class _Read(NamedTuple):
    replies: ReplyIndex
    tally: Tally
    sha256: str


class RecordedTarget:
    """Gives back recorded outputs.

    Where a file has one output a prompt, repeats above 0 are errors, since giving the same text again would
    count one observation several times. Memory does not grow with the file: replies wait in a temporary one.
    """

    Options: ClassVar[type[PluginOptions]] = RecordedOptions

    def __init__(self, options: RecordedOptions, context: TargetContext) -> None:
        """Check that the file is there; it is read when its facts or its outputs are first wanted.

        Raises:
            InputError: There is no such file, or its format does not fit.
        """
        self._options = options
        self._name = context.name
        self._path = context.root / options.path
        if not self._path.is_file():
            raise InputError(f"{self._path}: {absence(self._path)} (path)")
        self._log = self._opened()
        self._by = options.by or ("prompt_id" if self._log is None else "source_id")
        self._asked = 0
        self._answered = 0
        self.info = TargetInfo(
            name=context.name,
            deterministic=True,
            batch_size=256,
            max_in_flight=1,
            facts=_Facts(self),
        )

    @classmethod
    def secret_names(cls, options: PluginOptions) -> tuple[str, ...]:  # noqa: ARG003 - the seam asks for it
        """None."""
        return ()

    async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:  # noqa: ARG002 - as above
        """The recorded output of each request, in order; without one an output with an error.

        Raises:
            InputError: The file is malformed, lacks a column, or holds two texts for one key.
        """
        return [self._output(request) for request in requests]

    async def aclose(self) -> None:
        """Give the temporary file back, and say what had no counterpart."""
        if "_read" not in self.__dict__:
            return
        total, unused = self._read.replies.counts()
        self._read.replies.close()
        if self._asked and (unused or self._answered < self._asked):
            _LOG.warning(
                "%s: %d of the %d outputs asked for now had no recorded reply; %d of the %d recorded replies "
                "fitted no prompt that was asked for now",
                self._path.name,
                self._asked - self._answered,
                self._asked,
                unused,
                total,
            )

    def facts(self) -> Mapping[str, str]:
        """Rows and SHA-256 of the file, and how it is matched; reads the file if that was not done before.

        Raises:
            InputError: As for `generate`.
        """
        key = "/".join(self._options.key_columns) if self._has_key else "id"
        return {
            "type": "recorded",
            "file": self._options.path.name,
            "format": "rows" if self._log is None else self._log.named,
            "rows": str(self._read.tally.entries),
            "unreadable": str(self._read.tally.problems),
            "sha256": self._read.sha256,
            "matched": f"{key} = {self._by}",
        }

    def held(self) -> Mapping[str, str]:
        """What the file is, as `targets check` shows it.

        Raises:
            InputError: As for `generate`.
        """
        return {name: value for name, value in self.facts().items() if name != "type"}

    @property
    def _has_key(self) -> bool:
        return self._log is None or "key" in self._options.model_fields_set

    def _opened(self) -> Log | None:
        """The file as a tool's or a service's log; None if it is a table with a column for the key.

        What names a column that only tables have is one, whatever it looks like.
        """
        options = self._options
        unsaid = options.format is None and options.columns is None
        if options.format == "rows" or (unsaid and _OF_TABLES & options.model_fields_set):
            self._check_rows()
            return None
        try:
            if unsaid and recognised(self._path) is None:
                self._check_rows()
                return None
            return open_log(self._path, format=options.format, columns=options.columns, where=options.where)
        except DataError as error:
            raise InputError(str(error)) from error

    def _check_rows(self) -> None:
        """Refuse what only a log can be asked, since rows have no conversation and no facts.

        Raises:
            InputError: `by: conversation` or `where` is given.
        """
        for name, given in (
            ("by: conversation", self._options.by == "conversation"),
            ("where", self._options.where),
        ):
            if given:
                raise InputError(
                    f"{self._path}: {name} is for logs, and this is read as rows; give format or columns"
                )

    @cached_property
    def _read(self) -> _Read:
        index, tally = ReplyIndex(str(self._path), self._options.same_key), Tally()
        try:
            if self._log is None:
                self._say_doubtful(read_table(self._path, self._options, index, tally))
            else:
                read_log(self._log, self._options, index, tally)
        except DataError as error:
            raise InputError(str(error)) from error
        except sqlite3.Error as error:
            raise InputError(f"{self._path}: its temporary file cannot be written: {error}") from error
        for line in tally.lines(self._path.name):
            _LOG.warning("%s", line)
        return _Read(index, tally, file_sha256(self._path))

    def _say_doubtful(self, replies: int) -> None:
        if replies:
            _LOG.warning(
                "%s: %d replies say nan, NA or the like, as programs write a missing cell; they are read as "
                "replies: leave the cells empty if nothing was said",
                self._path.name,
                replies,
            )

    def _output(self, request: Request) -> Output:
        found = self._find(request)
        self._asked += 1
        counted = found.prompt_tokens is not None or found.completion_tokens is not None
        return Output(
            target=self._name,
            prompt_id=request.prompt_id,
            turn=request.turn,
            repeat=request.repeat,
            attempt=request.attempt,
            text=found.text,
            error=found.error,
            finish_reason=found.finish_reason,
            refusal=found.refusal,
            usage=Usage(prompt_tokens=found.prompt_tokens, completion_tokens=found.completion_tokens)
            if counted
            else None,
            latency_s=found.latency_s,
            request_id=found.request_id,
            model=found.model,
            cached=True,
        )

    def _find(self, request: Request) -> Reply:
        key = self._wanted(request)
        if key is None:
            return Reply(error="no recorded output: the prompt has no source_id; set by: prompt_text")
        found = self._read.replies.find(key, request.repeat)
        if found is not None:
            self._answered += 1
            return found
        if request.turn and self._by in {"prompt_id", "source_id"} and self._options.turn is None:
            return Reply(error="no recorded output: the prompt has several turns; name the column turn")
        had = self._read.replies.holds(key) if request.repeat > 0 else 0
        if had == 1:
            return Reply(error="no recorded output: the file has one a prompt; set repeats: 1")
        if had:
            return Reply(error=f"no recorded output: the file has {had} of this prompt")
        return Reply(error="no recorded output")

    def _wanted(self, request: Request) -> str | None:
        if self._by in {"prompt_id", "source_id"}:
            own = request.prompt_id if self._by == "prompt_id" else request.source_id
            return None if own is None else key_at(own, request.turn)
        if self._by == "conversation":
            return digest_of(request.messages)
        said = [message.content for message in request.messages if message.role == "user"]
        return said[-1] if said else request.messages[-1].content


class _Facts(Mapping[str, str]):
    """The target's facts, had when first looked at: `info` alone reads no file."""

    def __init__(self, target: RecordedTarget) -> None:
        self._target = target

    def __getitem__(self, key: str) -> str:
        return self._target.facts()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._target.facts())

    def __len__(self) -> int:
        return len(self._target.facts())
