"""The seam of analyzers: what every analyzer, built in or third party, must offer."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Protocol

from audit.records import Exchange, Score
from probes.base import Options
from probes.records import Record

__all__ = ["Analyzer", "AnalyzerInfo", "ErrorRate"]


class ErrorRate(Record):
    """A measured error rate of an analyzer, with its interval and where it was measured."""

    name: str
    """`sensitivity`, `specificity` or `accuracy`."""
    value: float
    ci_low: float
    ci_high: float
    n: int
    measured_on: str
    """Data set, language and style the figure is about; it does not travel to another."""
    measure: str | None = None
    """Which of the analyzer's measures it is about; None if it has one only, or says it in the name."""
    group: str | None = None
    """Group of people that the texts are about; None if they are of all groups together."""
    language: str | None = None
    """Language of the texts, as a code such as `en`; None if `measured_on` alone says it."""


class AnalyzerInfo(Record):
    """What an analyzer reads, and how far it can be believed."""

    name: str
    version: str
    """Changes whenever a reading could change."""
    measures: tuple[str, ...]
    """Names of the measures it gives."""
    reads: str
    """What it reads, in one sentence."""
    languages: tuple[str, ...]
    validity: str
    """What it misses and what it wrongly flags."""
    error_rates: tuple[ErrorRate, ...] = ()
    """Measured error rates, overall ones before those by group; empty means unmeasured, which the
    report says. Rates with a `group` are what corrects a gap between groups, or tells that it cannot be."""


class Analyzer(Protocol):
    """Reads exchanges and gives scores; blind to groups by type.

    A plug-in is a class with these members, constructed as `Class(options, root=folder)` and
    registered under the entry-point group `evenhand.analyzers`. Its class attribute `Options` is the
    subclass of `probes.base.Options` that validates its part of the spec.
    """

    info: ClassVar[AnalyzerInfo]

    def __init__(self, options: Options, *, root: Path) -> None:
        """Check what is needed; heavy models load at the first `score`.

        Args:
            options: The validated options of the spec.
            root: Folder that relative paths of the spec are relative to.
        """
        ...

    def score(self, exchanges: Sequence[Exchange]) -> Sequence[Score]:
        """Scores of each exchange, in the order of the exchanges; an exchange out of scope has none.

        Args:
            exchanges: Any number of them, also none.

        Returns:
            Zero or more scores an exchange, each with the exchange's `output`.
        """
        ...
