"""The seam of strategies: what every one, built in or third party, must offer."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol

from audit.records import Finding
from audit.retraining.held_out import HeldOut
from audit.retraining.own_answers import OwnAnswers
from audit.retraining.records import Example, RetrainingOptions

__all__ = ["Cell", "Making", "Role", "Strategy", "StrategyInfo"]


class Role(StrEnum):
    """What a strategy's examples are there for."""

    REPAIR = "repair"
    """They teach what the finding misses."""
    CONTRAST = "contrast"
    """They look like what is repaired and are to be treated otherwise: they price the repair."""
    REPLAY = "replay"
    """Ordinary requests: they keep what worked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyInfo:
    """What a strategy is."""

    name: str
    version: str
    """Changes whenever the same findings and seed would give other examples."""
    role: Role
    summary: str
    """What its examples are, in one sentence."""
    own_answers: bool = False
    """Whether it works with the audited model's own answers: without any it is not asked."""
    instead_of: str = ""
    """Name of a strategy that is not asked where this one is, unless somebody names it."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Cell:
    """What a group of findings asks for: findings about the same material share one."""

    probe: str
    domain: str
    attribute: str = ""
    """Empty for findings about no group."""
    signal: str = ""
    """As `attribute`."""
    technique: str = ""
    """Empty for findings about groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What examples are made with."""

    options: RetrainingOptions
    held_out: HeldOut
    own: OwnAnswers | None = None
    """What the audited model answered to fresh cases; None: it was not asked any."""


class Strategy(Protocol):
    """Answers findings of some kinds with examples.

    A plug-in is a class with these members, constructed without arguments and registered under the
    entry-point group `evenhand.strategies`.
    """

    info: ClassVar[StrategyInfo]

    def cells(self, finding: Finding) -> tuple[Cell, ...] | str:
        """The cells in which this strategy would answer a finding; or why it answers none, in a few words."""
        ...

    def examples(
        self, cell: Cell, findings: tuple[str, ...], budget: int, making: Making
    ) -> Iterator[Example]:
        """Candidates for a cell, before the gates.

        Args:
            cell: One of the cells that `cells` gave.
            findings: Ids of the findings that share it.
            budget: How many examples at most; sets stay whole, so fewer may be made.
            making: Options, and what must not be touched.

        Yields:
            Examples, the members of a set next to each other; the same arguments give the same examples.
        """
        ...
