"""The `recorded` target: outputs that were had before, read from a file instead of asked for.

For models that cannot be reached from here, for published predictions, and for re-scoring without a call.
A request without a row is an errored output, never dropped and never empty.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field

from audit.errors import InputError
from audit.records import Output, Request
from audit.table_files import Row, read_rows
from audit.targets.base import TargetContext, TargetInfo
from probes.base import Options as PluginOptions
from probes.data import file_sha256

__all__ = ["RecordedOptions", "RecordedTarget"]

_SHOWN_CHARACTERS = 60
Column = Annotated[str, Field(min_length=1)]


class RecordedOptions(PluginOptions):
    """Which file holds the outputs, and how its rows are matched with prompts."""

    path: Path = Field(description="JSONL, CSV or Parquet; relative to the spec.")
    key: Column | Annotated[tuple[Column, ...], Field(min_length=1)] = Field(
        default="prompt_id",
        description="Column that says which prompt a row answers; several are joined by /.",
    )
    by: Literal["prompt_id", "source_id", "prompt_text"] = Field(
        default="prompt_id",
        description="What the key is compared with; prompt_text is the text of the last user message.",
    )
    key_prefix: str = Field(default="", description="Put before every key, such as `Religion/`.")
    text: Column = Field(default="text", description="Column of the output's text.")
    repeat: Column | None = Field(default=None, description="Column of the repeat's number, from 0.")
    error: Column | None = Field(
        default=None, description="Column of an error; rows that have one hold no text."
    )

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The columns that make the key."""
        return (self.key,) if isinstance(self.key, str) else self.key


class _Recorded(NamedTuple):
    text: str | None
    error: str | None


class _Table(NamedTuple):
    outputs: dict[tuple[str, int], _Recorded]
    rows: int
    sha256: str


class RecordedTarget:
    """Gives back recorded outputs; see `RecordedOptions`.

    Without a `repeat` column a file holds one output a prompt: repeats above 0 are errors, since giving the
    same text again would count one observation several times. Memory: all keys and texts of the file.
    """

    Options: ClassVar[type[PluginOptions]] = RecordedOptions

    def __init__(self, options: RecordedOptions, context: TargetContext) -> None:
        """Check that the file is there; it is read when its facts or its outputs are first wanted.

        Raises:
            InputError: There is no such file.
        """
        self._options = options
        self._name = context.name
        self._path = context.root / options.path
        if not self._path.is_file():
            raise InputError(f"{self._path}: no such file (path)")
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
        """Nothing is held open."""

    def facts(self) -> Mapping[str, str]:
        """Rows and SHA-256 of the file, and how it is matched; reads the file if that was not done before.

        Raises:
            InputError: As for `generate`.
        """
        return {
            "type": "recorded",
            "file": self._options.path.name,
            "rows": str(self._table.rows),
            "sha256": self._table.sha256,
            "matched": f"{'/'.join(self._options.key_columns)} = {self._options.by}",
        }

    @cached_property
    def _table(self) -> _Table:
        return _read(self._path, self._options)

    def _output(self, request: Request) -> Output:
        found = self._find(request)
        return Output(
            target=self._name,
            prompt_id=request.prompt_id,
            turn=request.turn,
            repeat=request.repeat,
            attempt=request.attempt,
            text=found.text,
            error=found.error,
            cached=True,
        )

    def _find(self, request: Request) -> _Recorded:
        key = self._wanted(request)
        if key is None:
            return _Recorded(None, "no recorded output: the prompt has no source_id; set by: prompt_text")
        found = self._table.outputs.get((key, request.repeat))
        if found is not None:
            return found
        if self._options.repeat is None and request.repeat > 0:
            return _Recorded(None, "no recorded output: the file has one a prompt; set repeats: 1")
        return _Recorded(None, "no recorded output")

    def _wanted(self, request: Request) -> str | None:
        if self._options.by == "prompt_id":
            return request.prompt_id
        if self._options.by == "source_id":
            return request.source_id
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


def _read(path: Path, options: RecordedOptions) -> _Table:
    columns = {*options.key_columns, options.text, options.repeat, options.error} - {None}
    outputs: dict[tuple[str, int], _Recorded] = {}
    rows = 0
    for line, row in read_rows(path, frozenset(str(column) for column in columns)):
        rows += 1
        key = (_key(row, options, path, line), _repeat(row, options, path, line))
        given = _recorded(row, options, path, line)
        if outputs.setdefault(key, given) != given:
            hint = (
                "" if options.repeat else "; name a repeat column if the file holds several outputs a prompt"
            )
            raise InputError(
                f"{path}: line {line}: key {_shown(key[0])} was given before with another text{hint}"
            )
    return _Table(outputs, rows, file_sha256(path))


def _key(row: Row, options: RecordedOptions, path: Path, line: int) -> str:
    parts = []
    for column in options.key_columns:
        value = row[column]
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # a column of whole numbers with gaps comes as floats
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise InputError(f"{path}: line {line}: {column} must be a text or whole number; got {value!r}")
        parts.append(str(value))
    return options.key_prefix + "/".join(parts)


def _repeat(row: Row, options: RecordedOptions, path: Path, line: int) -> int:
    if options.repeat is None:
        return 0
    value = str(row[options.repeat])
    if not (value.isascii() and value.isdecimal()):
        raise InputError(
            f"{path}: line {line}: {options.repeat} must be a whole number from 0; got {value!r}"
        )
    return int(value)


def _recorded(row: Row, options: RecordedOptions, path: Path, line: int) -> _Recorded:
    error = row[options.error] if options.error else None
    if error is not None and error != "":
        return _Recorded(None, " ".join(str(error).split()))
    text = row[options.text]
    if text is not None and not isinstance(text, str):
        raise InputError(f"{path}: line {line}: {options.text} must be a text; got {_shown(text)}")
    return _Recorded(text, None)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
