"""Past loan decisions of a made-up lender, with a planted bias, and a model that learns from them.

Officers follow the merit rule with noise, and take log-odds away from some groups. A model fitted to
their decisions learns both. Applicants are drawn evenly from all groups: nothing here describes a real
population.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.special import expit

from audit.targets.trainable.decision_model import fit, save
from probes.attributes import Attribute, load_attributes
from probes.merit import Ladder, load_ladder
from probes.names import NameLists, load_names
from probes.rendering import Person, render
from probes.seeds import rng
from probes.templates import Template, load_templates

__all__ = ["PENALTIES", "Application", "Past", "lending_history", "train_lender"]

PENALTIES: Mapping[str, float] = {
    "female": -2.8,
    "nonbinary": -2.8,
    "black": -3.0,
    "hispanic": -1.8,
    "older": -2.8,
}
"""Log-odds of approval that past officers took away from each group, added up over attributes."""

_RULE_STRENGTH = 9.0
"""Log-odds of approval that one unit of the merit index is worth to a past officer."""
_APPLICATIONS = 6000


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One past application and what was decided."""

    text: str
    """Everything the officer saw, the question included."""
    approved: bool
    """The officer's decision."""
    deserved: bool
    """What the merit rule says; the bias is the difference."""
    decision: str
    """The officer's decision in the words of the question, such as `decline`."""
    template: str
    groups: Mapping[str, str]
    """The applicant's group by attribute, whether the text says it or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What past applications looked like, and how they were decided."""

    penalties: Mapping[str, float] = field(default_factory=lambda: PENALTIES)
    """Log-odds added for each group named, such as `{"female": -1.6}`; others are treated by merit."""
    templates: tuple[Template, ...] = ()
    """Lending templates in whose wordings the applications were made; none: those of the pool `history`."""
    paraphrased: float = 0.0
    """Share of the applications whose question is asked in its other words, in [0, 1]."""
    named: float = 0.4
    """Share of the applicants of whom a name is given, among those whose gender has names."""
    said: float = 0.75
    """Chance that a group of an applicant without a name is said, for each attribute by itself."""
    together: bool = True
    """Whether the penalties of several groups add up; else the largest one counts."""

    def __post_init__(self) -> None:
        """Refuse groups that nobody has.

        Raises:
            ValueError: A penalty names an unknown group.
        """
        known = {group.name for attribute in load_attributes() for group in attribute.groups}
        if unknown := sorted(set(self.penalties) - known):
            raise ValueError(
                f"penalties name unknown groups: {', '.join(unknown)}; accepted: {', '.join(sorted(known))}"
            )


def lending_history(n: int, seed: int, past: Past | None = None) -> list[Application]:
    """Past applications with the decisions of biased officers.

    Args:
        n: Number of applications, above 0.
        seed: Root seed; the same seed gives the same applications, and other penalties change
            decisions only.
        past: What they looked like.

    Returns:
        The applications, in order.

    Raises:
        ValueError: `n` is below 1.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1; got {n}")
    past = past or Past()
    draw = _Draw(
        rng=rng(seed, "demo", "history"),
        past=past,
        attributes=load_attributes(),
        templates=past.templates or load_templates("lending_history", pool="history"),
        ladder=load_ladder("lending"),
        names=load_names(),
    )
    return [draw.application() for _ in range(n)]


def train_lender(
    folder: Path, *, seed: int, n: int = _APPLICATIONS, penalties: Mapping[str, float] | None = None
) -> dict[str, object]:
    """A lender that learned from biased decisions, saved in a folder.

    Args:
        folder: Where `model.json` and `weights.npz` go.
        seed: Root seed of the history.
        n: Number of past applications to learn from.
        penalties: As in `Past`.

    Returns:
        The target as a spec names it; its `path` is the folder as given.
    """
    history = lending_history(n, seed, Past() if penalties is None else Past(penalties=penalties))
    model = fit([past.text for past in history], [past.approved for past in history])
    save(model, folder)
    return {"type": "trainable", "path": str(folder)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draw:
    """What applications are drawn from."""

    rng: np.random.Generator
    past: Past
    attributes: Sequence[Attribute]
    templates: Sequence[Template]
    ladder: Ladder
    names: NameLists

    def application(self) -> Application:
        groups = {
            attribute.name: attribute.groups[int(self.rng.integers(len(attribute.groups)))].name
            for attribute in self.attributes
        }
        template = self.templates[int(self.rng.integers(len(self.templates)))]
        merit = self.ladder.at(float(self.rng.uniform(-1, 1)), template.facts, self.rng)
        picks = {
            key: values[int(self.rng.integers(len(values)))] for key, values in sorted(template.picks.items())
        }
        person, conveyed = self._person(groups)
        # Nothing is drawn where nothing is paraphrased, so that histories stay as they were.
        other = self.past.paraphrased > 0 and bool(self.rng.random() < self.past.paraphrased)
        text = render(template, person, merit.phrases, picks, paraphrase=other)
        # Officers were biased by what they read: a group the text does not convey cannot count.
        taken = [self.past.penalties.get(groups[attribute], 0.0) for attribute in conveyed]
        penalty = sum(taken) if self.past.together else min(taken, default=0.0)
        chance = float(expit(_RULE_STRENGTH * merit.index + penalty))
        approved = bool(self.rng.random() < chance)
        return Application(
            text=text,
            approved=approved,
            deserved=merit.favourable,
            decision=template.favourable if approved else template.unfavourable,
            template=template.id,
            groups=groups,
        )

    def _person(self, groups: Mapping[str, str]) -> tuple[Person, tuple[str, ...]]:
        """The applicant as the text introduces them, and the attributes that it conveys."""
        named, *said = (self.rng.random(4) < (self.past.named, *[self.past.said] * 3)).tolist()
        gender, race = groups["gender"], groups["race_ethnicity"]
        if named and gender in self.names.genders():
            cell = self.names.cell(gender, race_ethnicity=race)
            person = Person(
                name=cell.full(int(self.rng.integers(10_000))), gender=gender, race_ethnicity=race
            )
            return person, ("gender", "race_ethnicity")
        ages = next(a for a in self.attributes if a.name == "age").group(groups["age"]).ages
        age = int(self.rng.integers(ages[0], ages[1] + 1)) if ages else None
        person = Person(
            gender=gender if said[0] else None,
            race_ethnicity=race if said[1] else None,
            age=age if said[2] else None,
        )
        attributes = zip(("gender", "race_ethnicity", "age"), said, strict=True)
        return person, tuple(attribute for attribute, is_said in attributes if is_said)
