"""Past loan decisions of a made-up lender, with a planted bias, and a model that learns from them.

Officers follow the merit rule with noise, and take log-odds away from some groups. A model fitted to
their decisions learns both. Applicants are drawn evenly from all groups: nothing here describes a real
population.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit

from audit.targets.decision_model import fit, save
from probes.attributes import Attribute, load_attributes
from probes.merit import Ladder, load_ladder
from probes.names import NameLists, load_names
from probes.rendering import Person, render
from probes.seeds import rng
from probes.templates import Template, load_templates

__all__ = ["PENALTIES", "Application", "lending_history", "train_lender"]

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
_NAMED_SHARE = 0.4
_SAID_SHARE = 0.75
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
    template: str
    groups: Mapping[str, str]
    """The applicant's group by attribute, whether the text says it or not."""


def lending_history(n: int, seed: int, *, penalties: Mapping[str, float] | None = None) -> list[Application]:
    """Past applications with the decisions of biased officers.

    Args:
        n: Number of applications, above 0.
        seed: Root seed; the same seed gives the same applications, and other penalties change
            decisions only.
        penalties: Log-odds added for each group named, such as `{"female": -1.6}`; groups left out
            are treated by merit. None: `PENALTIES`.

    Returns:
        The applications, in order.

    Raises:
        ValueError: `n` is below 1, or a group is unknown.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1; got {n}")
    taken = PENALTIES if penalties is None else penalties
    attributes = load_attributes()
    known = {group.name for attribute in attributes for group in attribute.groups}
    if unknown := sorted(set(taken) - known):
        raise ValueError(
            f"penalties name unknown groups: {', '.join(unknown)}; accepted: {', '.join(sorted(known))}"
        )
    draw = _Draw(
        rng=rng(seed, "demo", "history"),
        attributes=attributes,
        templates=load_templates("lending_history", pool="history"),
        ladder=load_ladder("lending"),
        names=load_names(),
    )
    return [draw.application(taken) for _ in range(n)]


def train_lender(
    folder: Path, *, seed: int, n: int = _APPLICATIONS, penalties: Mapping[str, float] | None = None
) -> dict[str, object]:
    """A lender that learned from biased decisions, saved in a folder.

    Args:
        folder: Where `model.json` and `weights.npz` go.
        seed: Root seed of the history.
        n: Number of past applications to learn from.
        penalties: As in `lending_history`.

    Returns:
        The target as a spec names it; its `path` is the folder as given.
    """
    history = lending_history(n, seed, penalties=penalties)
    model = fit([past.text for past in history], [past.approved for past in history])
    save(model, folder)
    return {"type": "trainable", "path": str(folder)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draw:
    """What applications are drawn from."""

    rng: np.random.Generator
    attributes: Sequence[Attribute]
    templates: Sequence[Template]
    ladder: Ladder
    names: NameLists

    def application(self, penalties: Mapping[str, float]) -> Application:
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
        text = render(template, person, merit.phrases, picks)
        # Officers were biased by what they read: a group the text does not convey cannot count.
        penalty = sum(penalties.get(groups[attribute], 0.0) for attribute in conveyed)
        chance = float(expit(_RULE_STRENGTH * merit.index + penalty))
        return Application(
            text=text,
            approved=bool(self.rng.random() < chance),
            deserved=merit.favourable,
            template=template.id,
            groups=groups,
        )

    def _person(self, groups: Mapping[str, str]) -> tuple[Person, tuple[str, ...]]:
        """The applicant as the text introduces them, and the attributes that it conveys."""
        named, *said = (self.rng.random(4) < (_NAMED_SHARE, *[_SAID_SHARE] * 3)).tolist()
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
