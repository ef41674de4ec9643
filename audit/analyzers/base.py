"""The seam of analyzers: what every analyzer, built in or third party, must offer."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from pydantic import Field

from audit.records import DeclaredMeasure, Exchange, Output, Score
from audit.spec import Limits, TargetSpec
from audit.targets.base import Target, TargetContext, TargetInfo
from probes.base import Options
from probes.records import Message, Record

__all__ = [
    "Analyzer",
    "AnalyzerContext",
    "AnalyzerInfo",
    "Asks",
    "ErrorRate",
    "Rater",
    "Raters",
    "Surveyor",
]


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


class Asks(Record):
    """What an analyzer will ask of a model for each reply, for the plan."""

    model: str
    """The model and its host, for people."""
    expects: tuple[str, ...]
    """Kinds of `Expectation` it asks about."""
    calls: int = Field(ge=1)
    """Requests for each reply."""
    characters: int = Field(ge=0)
    """Characters of a request beside the exchange itself."""
    with_prompt: bool = True
    """Whether the request to the audited model is sent along with the reply."""
    batch: int = Field(default=1, ge=1)
    """Replies in one request."""


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
    declared: tuple[DeclaredMeasure, ...] = ()
    """Measures it adds to the built-in ones; each names a reading of `measures`."""
    notes: tuple[str, ...] = ()
    """What a reader must know of its numbers; printed with every estimate and finding made of them."""
    unmeasured: str | None = None
    """Such a note, where no error rate is known; left out once labels are attached to the measure."""
    hosts: tuple[str, ...] = ()
    """Every network host it can contact, as `host:port`."""
    secret_names: tuple[str, ...] = ()
    """Environment variables that its options name."""
    asks: tuple[Asks, ...] = ()
    """What it asks of models; empty for an analyzer that works alone."""
    slow: bool = False
    """Whether reading one reply takes milliseconds, as a neural model does; such an analyzer reads only
    once all replies are there."""


class Rater(Protocol):
    """A model that an analyzer asks.

    Retries, pace, limits and keeping its answers are not the analyzer's work: what was answered once is
    never asked again, also after a stop.
    """

    @property
    def info(self) -> TargetInfo:
        """What the model is."""
        ...

    @property
    def secret_names(self) -> tuple[str, ...]:
        """Environment variables that its part of the spec names."""
        ...

    def ask(self, conversations: Sequence[tuple[Message, ...]], *, book: str) -> list[Output]:
        """One output a conversation, in order; equal conversations are asked once.

        Args:
            conversations: What to ask.
            book: Name under which the answers are kept; letters, digits and `-`. Asked again under the
                same name, they come from there.

        Returns:
            Outputs; some may be errors that further tries did not mend.

        Raises:
            IncompleteError: The model fails; what it answered is kept.
            BudgetReachedError: A limit is reached; what was answered is kept.
        """
        ...


class Raters(Protocol):
    """Makes raters; nothing is contacted before a rater is asked."""

    def of_spec(self, section: TargetSpec, limits: Limits, *, name: str) -> Rater:
        """The rater that a part of the spec describes, in the form of a spec's `target`.

        Args:
            section: Type and options of a target.
            limits: Where its spending ends, in one scoring.
            name: Name of the analyzer.

        Raises:
            SpecError: The type is unknown, an option is wrong, or there is a limit in money and no price.
        """
        ...

    def of_target(self, make: Callable[[TargetContext], Target], limits: Limits, *, name: str) -> Rater:
        """A rater that the analyzer makes itself, whose texts it has written itself, such as JSON of numbers.

        They are kept unscreened, since the names of harms would look like harms. As `of_spec` otherwise.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyzerContext:
    """What the world gives an analyzer, so that analyzers read no environment themselves."""

    root: Path
    """Folder that relative paths of the spec are relative to."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Values of environment variables; an analyzer reads only those that its options name, and never
    logs or stores one. Empty where nothing will be scored."""
    raters: Raters | None = None
    """Makes models to ask; None where an analyzer that needs one cannot be used."""
    audited: tuple[TargetSpec, ...] = ()
    """What is audited, so that a model need not judge itself unknowingly."""


class Analyzer(Protocol):
    """Reads exchanges and gives scores; blind to groups by type.

    A plug-in is a class with these members, constructed as `Class(options, context)` and registered
    under the entry-point group `evenhand.analyzers`. Its class attribute `Options` is the subclass of
    `probes.base.Options` that validates its part of the spec.
    """

    def __init__(self, options: Options, context: AnalyzerContext) -> None:
        """Check what is needed and contact nothing; heavy models load at the first `score`.

        Args:
            options: The validated options of the spec.
            context: What the world gives it.
        """
        ...

    @property
    def info(self) -> AnalyzerInfo:
        """What it is.

        An attribute of the class will do. One whose reading depends on its options sets another on the
        object, whose `version` differs wherever a reading could.
        """
        ...

    def score(self, exchanges: Sequence[Exchange]) -> Sequence[Score]:
        """Scores of each exchange, in the order of the exchanges; an exchange out of scope has none.

        Args:
            exchanges: Any number of them, also none.

        Returns:
            Zero or more scores an exchange, each with the exchange's `output`, and with the name and
            version of `info`.
        """
        ...


@runtime_checkable
class Surveyor(Protocol):
    """An analyzer whose reading of a reply depends on the other replies of the same target.

    It may have this member besides those of `Analyzer`. Whenever a target has a reply that was not scored
    yet, all of its replies are surveyed and scored again.
    """

    def survey(self, exchanges: Iterable[Sequence[Exchange]]) -> None:
        """Read every reply of one target, before any of them is scored.

        Args:
            exchanges: The replies in batches, in the order in which they were stored; may be read once.
                What is kept must not depend on that order, which changes when a run is interrupted.
        """
        ...
