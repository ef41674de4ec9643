"""Every tool that is audited, in one table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

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
    silent: str
    """What the tool's report cannot state."""


TOOLS: Mapping[str, Tool] = MappingProxyType(
    {
        "evenhand": Tool(
            name="evenhand",
            version=evenhand.version,
            ask=evenhand.ask,
            read=evenhand.read,
            silent="anything outside hiring decisions: the only replies it reads for tone, too",
        ),
        "garak": Tool(
            name="garak",
            version=garak.version,
            ask=garak.ask,
            read=garak.read,
            silent="any difference between groups: it counts harmful replies, and here by word lists only",
        ),
        "inspect": Tool(
            name="inspect",
            version=inspect.version,
            ask=inspect.ask,
            read=inspect.read,
            silent="a paired difference, a correction for many arms, toxicity and tone without a judge",
        ),
        "langfair": Tool(
            name="langfair",
            version=langfair.version,
            ask=langfair.ask,
            read=langfair.read,
            silent="whether a difference is more than noise: no interval, no threshold; refusals",
        ),
        "promptfoo": Tool(
            name="promptfoo",
            version=promptfoo.version,
            ask=promptfoo.ask,
            read=promptfoo.read,
            silent="whether a difference is more than noise: no interval; toxicity and tone offline",
        ),
    }
)
"""By name."""
