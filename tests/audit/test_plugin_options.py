"""Options of plug-ins are told in words that a spec's author understands."""

from typing import Annotated, Literal

from pydantic import Field

from audit.plugin_options import shown_options
from audit.targets.plain_http.options import HttpOptions
from probes.base import Options


class _Inner(Options):
    low: float = 0.0


class _Many(Options):
    name: str = Field(description="What it is called.")
    count: Annotated[int, Field(ge=1, lt=9)] = 3
    kind: Literal["a", "b"] | None = None
    inner: _Inner = _Inner()
    parts: tuple[str, ...] = ()


def test_every_option_says_what_it_takes() -> None:
    """Values, bounds, defaults and what must be given are told for each kind of option."""
    told = {one.name: one for one in shown_options(_Many)}
    assert {name: one.accepts for name, one in told.items()} == {
        "name": "text",
        "count": "whole number, at least 1, below 9",
        "kind": "a | b",
        "inner": "mapping of low",
        "parts": "list of text",
    }
    assert [name for name, one in told.items() if one.required] == ["name"]
    assert (told["count"].default, told["kind"].default) == (3, None)
    assert told["name"].description == "What it is called."


def test_a_path_may_be_a_text() -> None:
    """What is written as a text and kept as a list is told as both."""
    told = {one.name: one.accepts for one in shown_options(HttpOptions)}
    assert told["answer"] == "text or list of whole number or text"
