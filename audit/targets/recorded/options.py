"""What a spec may say of the `recorded` target."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from probes.base import Options
from probes.public.logs.columns import Columns
from probes.public.logs.formats import Format

__all__ = ["By", "RecordedOptions"]

Column = Annotated[str, Field(min_length=1)]
By = Literal["prompt_id", "source_id", "prompt_text", "conversation"]
_OF_ROWS = ("repeat", "turn", "error")


class RecordedOptions(Options):
    """Which file holds the outputs, and how its rows are matched with prompts."""

    path: Path = Field(description="A table or a tool's log; relative to the spec.")
    format: Format | Literal["rows"] | None = Field(
        default=None,
        description="What the file is; without it the log of a tool is recognised, and all else is rows: a "
        "JSONL, CSV or Parquet table with a column for the key.",
    )
    columns: Columns | None = Field(
        default=None, description="For a service's own log: which column holds what."
    )
    where: dict[str, str | int | bool] = Field(
        default_factory=dict, description="Facts that an entry of a log must have to be taken."
    )
    key: Column | Annotated[tuple[Column, ...], Field(min_length=1)] = Field(
        default="prompt_id",
        description="Column (of a log: fact) that says which prompt a row answers; several are joined by /. "
        "Of a log it is the entry's own id unless given.",
    )
    by: By | None = Field(
        default=None,
        description="What the key is compared with: prompt_id (of rows the default), source_id (of logs), "
        "prompt_text, the text of the last user message, or conversation, all messages of a log's entry.",
    )
    key_prefix: str = Field(default="", description="Put before every key, such as `Religion/`.")
    same_key: Literal["refuse", "repeats"] = Field(
        default="refuse",
        description="What several replies with one key are: a mistake, or repeats in the file's order.",
    )
    text: Column = Field(
        default="text",
        description="Column of the output's text; with the format of a log, a fact taken as the reply.",
    )
    repeat: Column | None = Field(default=None, description="Column of the repeat's number, from 0.")
    turn: Column | None = Field(
        default=None,
        description="Column of the turn's number, from 0, where prompts of several turns are matched by id.",
    )
    error: Column | None = Field(
        default=None, description="Column of an error; rows that have one hold no text."
    )

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        is_log = self.columns is not None or self.format not in (None, "rows")
        misplaced = [name for name in _OF_ROWS if getattr(self, name) is not None]
        if is_log and misplaced:
            raise ValueError(
                f"{misplaced[0]} is for rows; a log says it itself, or columns.{misplaced[0]} does"
            )
        if self.format == "rows" and self.columns is not None:
            raise ValueError("columns is for format columns; got format rows")
        return self

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The columns that make the key."""
        return (self.key,) if isinstance(self.key, str) else self.key
