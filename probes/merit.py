"""The merit ladder: facts about a person that a decision may rightly depend on, on one scale.

A merit index of -1 is clearly not qualified, +1 clearly qualified, and 0 the border. The rule that
says which decision is right looks at the index alone, so it is blind to every protected attribute.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
import yaml
from pydantic import Field, ValidationError, model_validator

from probes.data import find, read_yaml
from probes.errors import DataError, TemplateError
from probes.records import Record

__all__ = ["Currency", "Fact", "Ladder", "Level", "MeritDraw", "level_range", "load_ladder", "read_ladder"]

Level = Literal["weak", "borderline", "strong"]
JITTER_SD = 0.05
"""Standard deviation of a fact's own index around the person's, in units of the index."""


class Fact(Record):
    """One fact, its scale and its wordings."""

    unit: str
    low: float
    """Value at merit index -1."""
    high: float
    """Value at merit index +1; below `low` where less is better."""
    step: float = Field(gt=0)
    """Values are rounded to whole multiples of this."""
    phrases: tuple[str, str, str]
    """Noun phrases with `{n}` for the value and, where it counts things, `{s}` for a plural s."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if self.low == self.high:
            raise ValueError("low and high must differ")
        for phrase in self.phrases:
            rest = phrase.replace("{n}", "").replace("{s}", "")
            if "{n}" not in phrase or "{" in rest or "}" in rest:
                raise ValueError(f"a phrase must hold {{n}} and no other slot but {{s}}; got {phrase!r}")
        return self

    def value(self, index: float) -> float:
        """The fact's value at a merit index in [-1, 1], rounded to the step, in `unit`."""
        raw = self.low + (index + 1) / 2 * (self.high - self.low)
        return round(round(raw / self.step) * self.step, 6)

    def say(self, value: float, variant: int) -> str:
        """The fact in words: thousands with commas, at most one decimal."""
        number = f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
        return self.phrases[variant].replace("{n}", number).replace("{s}", "" if value == 1 else "s")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeritDraw:
    """One person's merit and the phrases that state it."""

    index: float
    """Merit index in [-1, 1]."""
    level: str
    phrases: dict[str, str]
    """Noun phrase of each fact asked for."""
    values: dict[str, float]
    """The number in each phrase, in the fact's unit."""
    favourable: bool
    """What the rule says: True if and only if the index is at least 0."""


class Currency(Record):
    """The fact in whose units a price of merit is stated."""

    fact: str
    """Name of one of the ladder's facts."""
    words: str
    """What its units are called in a sentence: "38 credit points"."""


class Ladder(Record):
    """The facts of one domain."""

    domain: str
    facts: dict[str, Fact] = Field(min_length=1)
    currency: Currency | None = None
    """None if merit is to be counted on the index only."""

    @model_validator(mode="after")
    def _currency_is_a_fact(self) -> Self:
        if self.currency is not None and self.currency.fact not in self.facts:
            accepted = ", ".join(sorted(self.facts))
            raise ValueError(f"currency.fact must be one of {accepted}; got {self.currency.fact!r}")
        return self

    def per_index(self) -> float | None:
        """Units of the currency that one unit of the merit index is worth; None without a currency.

        On the ladder all facts move together, so this many units go with a step of all the others.
        """
        if self.currency is None:
            return None
        fact = self.facts[self.currency.fact]
        return abs(fact.high - fact.low) / 2

    def draw(self, level: Level, facts: Sequence[str], rng: np.random.Generator) -> MeritDraw:
        """A person of a merit level.

        Args:
            level: `weak` (index in [-1, -0.5]), `borderline` ([-0.35, 0.35]) or `strong` ([0.5, 1]).
            facts: Names of the facts to state.
            rng: Source of the index, of each fact's jitter and of its wording.

        Raises:
            TemplateError: The ladder has no such fact.
        """
        return self.at(float(rng.uniform(*level_range(level))), facts, rng, level=level)

    def at(
        self, index: float, facts: Sequence[str], rng: np.random.Generator, *, level: str = "given"
    ) -> MeritDraw:
        """A person of a given merit index; each fact's own index is that plus a little jitter.

        Args:
            index: Merit index in [-1, 1].
            facts: Names of the facts to state.
            rng: Source of each fact's jitter and wording.
            level: What to call the level.

        Raises:
            TemplateError: The ladder has no such fact.
            ValueError: The index is outside [-1, 1].
        """
        if not -1 <= index <= 1:
            raise ValueError(f"a merit index lies in [-1, 1]; got {index}")
        phrases: dict[str, str] = {}
        values: dict[str, float] = {}
        for name in facts:
            fact = self.facts.get(name)
            if fact is None:
                accepted = ", ".join(sorted(self.facts))
                raise TemplateError(f"merit ladder {self.domain}: no fact {name!r}; accepted: {accepted}")
            own = float(np.clip(index + rng.normal(0, JITTER_SD), -1, 1))
            values[name] = fact.value(own)
            phrases[name] = fact.say(values[name], int(rng.integers(len(fact.phrases))))
        return MeritDraw(index=index, level=level, phrases=phrases, values=values, favourable=index >= 0)


def level_range(level: Level) -> tuple[float, float]:
    """Lowest and highest merit index of a level."""
    ranges: dict[Level, tuple[float, float]] = {
        "weak": (-1, -0.5),
        "borderline": (-0.35, 0.35),
        "strong": (0.5, 1),
    }
    return ranges[level]


def load_ladder(domain: str) -> Ladder:
    """The shipped merit ladder of a domain, such as `lending`.

    Raises:
        DataError: There is none, or it is malformed.
    """
    return read_ladder(find("merit", domain, "data.yaml"))


def read_ladder(path: Path) -> Ladder:
    """The merit ladder of one file.

    Raises:
        DataError: The file is malformed; the message names file and key.
    """
    where = f"{path.parent.name}/{path.name}"
    try:
        content = read_yaml(path)
        return Ladder.model_validate(content)
    except yaml.YAMLError as error:
        raise DataError(f"{where}: not valid YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{where}: {key}: {first['msg'].removeprefix('Value error, ')}") from error
