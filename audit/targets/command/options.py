"""Options of the `command` target: which program is asked, and how it is spoken to."""

from typing import Annotated, Literal

from pydantic import Field

from probes.base import Options

__all__ = ["CommandOptions"]


class CommandOptions(Options):
    """One program of this machine."""

    argv: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)] = Field(
        description="Program and arguments, as a list; no shell reads them. A program with a / in it is "
        "looked up beside the spec."
    )
    protocol: Literal["text", "json", "lines"] = Field(
        default="text",
        description="`text`: prompt on its input, answer on its output. `json`: one JSON object each. "
        "`lines`: a process that stays, with a JSON object a line.",
    )
    system: str | None = Field(
        default=None, description="System prompt put before every conversation; not with protocol text."
    )
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 120.0
    max_in_flight: Annotated[int, Field(ge=1, le=64)] = Field(
        default=2, description="Processes at the same time."
    )
    deterministic: bool = Field(
        default=False, description="Set true if the same request gives the same text."
    )
