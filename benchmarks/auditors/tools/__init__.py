"""Every tool that is audited, in one table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from benchmarks.auditors.sealed import Behaviour
from benchmarks.auditors.told import Reading
from benchmarks.auditors.tools import evenhand, garak, inspect, langfair, promptfoo

__all__ = ["TOOLS", "Tool"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool: how it is asked, and how its report is read."""

    name: str
    version: Callable[[Path], str]
    """From the folder of the rivals."""
    ask: Callable[[str, Path, Path], object]
    """From the server's address, a working folder and the folder of the rivals to the tool's own report."""
    read: Callable[[object], Reading]
    compares: frozenset[Behaviour]
    """Behaviours whose difference between groups it measures, as it is run here."""
    silent: str
    """What the tool's report cannot state."""


class _Module(Protocol):
    """A module of this folder: one tool."""

    COMPARES: frozenset[Behaviour]

    @property
    def version(self) -> Callable[[Path], str]: ...
    @property
    def ask(self) -> Callable[[str, Path, Path], object]: ...
    @property
    def read(self) -> Callable[[object], Reading]: ...


def _tool(name: str, module: _Module, silent: str) -> Tool:
    return Tool(
        name=name,
        version=module.version,
        ask=module.ask,
        read=module.read,
        compares=module.COMPARES,
        silent=silent,
    )


_TOOLS = (
    _tool("evenhand", evenhand, "anything outside hiring decisions: the only replies it reads for tone, too"),
    _tool(
        "garak",
        garak,
        "any difference between groups: it counts harmful replies, and here by word lists only",
    ),
    _tool(
        "inspect",
        inspect,
        "a paired difference, a correction for many arms, toxicity and tone without a judge",
    ),
    _tool(
        "langfair", langfair, "whether a difference is more than noise: no interval, no threshold; refusals"
    ),
    _tool(
        "promptfoo",
        promptfoo,
        "whether a difference is more than noise: no interval; toxicity and tone offline",
    ),
)

TOOLS: Mapping[str, Tool] = MappingProxyType({tool.name: tool for tool in _TOOLS})
"""By name."""
