"""Planned looks of a sequential run: the rule, and which prompt belongs to which look.

The rule is fixed when the run is planned and kept in `plan.json`; the order of templates depends on
the seed and on names only, never on an answer, so the same spec and seed look at the same things.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal

from pydantic import Field

from audit.records import Verdict
from probes.records import Arm, Prompt, Record, Signal
from probes.seeds import derive

__all__ = ["Comparison", "Place", "SequentialReport", "SequentialRule", "places"]

Decide = Literal["primary", "every"]
_TENTHS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


class SequentialRule(Record):
    """When a sequential run looks at its answers, and what keeps it asking."""

    looks: tuple[float, ...] = _TENTHS
    """Share of the templates of each probe and domain that each look has; the last is 1."""
    shape: float = -4.0
    """How the error rate is spent over the looks (`audit.statistics.spent_share`)."""
    decide: Decide = "primary"
    """Which comparisons keep the run asking: the primary ones of the family, or every one."""


class Comparison(Record):
    """One comparison of a sequential run, and what became of it."""

    measure: str
    probe: str
    domain: str
    language: str
    attribute: str | None
    group: str | None
    signal: Signal | None
    leading: bool
    """Whether the run went on asking for its sake."""
    verdict: Verdict
    decided: bool
    """Whether it was decided either way: a disparity, or equivalent."""
    look: int
    """Number of the look it is stated at."""
    templates: int
    planned_templates: int


class SequentialReport(Record):
    """How a sequential run went: what it saved, and what looking early cost."""

    rule: SequentialRule
    looks_made: int
    """Looks whose answers are all in."""
    planned: int
    """Outputs planned, over all targets."""
    asked: int
    """Outputs asked for, over all targets."""
    saved: int
    """Outputs never asked for, because the comparisons that need them were decided."""
    rate_look: int | None
    """Look whose level the rates and changes of `stopped_probes` have; None if nothing was left out."""
    stopped_probes: tuple[str, ...] = ()
    """Probes from which something was left out; of all others there is one analysis, at the plain level."""
    lost: int | None = Field(default=None, ge=0)
    """Comparisons that it went on asking for and left open with all templates asked, which one analysis at
    the end would have decided; None while some are still to be asked."""
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a prompt stands: what it is compared in, and the look it belongs to."""

    prompt_id: str
    probe: str
    template: str
    domain: str
    language: str
    arm: Arm | None
    attribute: str | None
    group: str | None
    signal: Signal | None
    look: int
    """Number of the first look that needs its answers, from 1."""
    turns: int = 1
    """Replies that one conversation of it has."""


def places(prompts: Iterable[Prompt], rule: SequentialRule, seed: int) -> list[Place]:
    """The look of every prompt: whole templates, in a random order that depends on the seed alone.

    Within each probe, domain and language, look k has the first ceil(share k x templates) templates, with
    all their arms, groups, placebos and repeats. A set that spans templates goes with its first one.

    Args:
        prompts: The prompts of the plan.
        rule: The looks.
        seed: Root seed of the run.
    """
    facts = [_fact(prompt) for prompt in prompts]
    template_of: dict[tuple[str, str], str] = {}
    for place, unit in facts:
        key = (place.probe, unit)
        template_of[key] = min(template_of.get(key, place.template), place.template)
    strata: dict[tuple[str, str, str], set[str]] = {}
    for place, unit in facts:
        strata.setdefault(_stratum(place), set()).add(template_of[place.probe, unit])
    look_of = {
        (stratum, template): look
        for stratum, templates in strata.items()
        for template, look in _looks(stratum, templates, rule, seed)
    }
    return [
        replace(place, look=look_of[_stratum(place), template_of[place.probe, unit]]) for place, unit in facts
    ]


def _fact(prompt: Prompt) -> tuple[Place, str]:
    """A prompt's place (look not yet known), and what must stay together with it."""
    place = Place(
        prompt_id=prompt.id,
        probe=prompt.probe,
        template=prompt.template,
        domain=prompt.domain,
        language=prompt.language,
        arm=prompt.arm,
        attribute=prompt.attribute,
        group=prompt.group,
        signal=prompt.signal,
        look=0,
        turns=prompt.turns,
    )
    return place, prompt.set_id or prompt.id


def _stratum(place: Place) -> tuple[str, str, str]:
    return (place.probe, place.domain, place.language)


def _looks(
    stratum: tuple[str, str, str], templates: set[str], rule: SequentialRule, seed: int
) -> Iterable[tuple[str, int]]:
    ordered = sorted(templates, key=lambda template: (derive(seed, "looks", *stratum, template), template))
    # The tolerance keeps 0.7 x 10 at 7 templates.
    ends = [ceil(share * len(ordered) - 1e-9) for share in rule.looks]
    for rank, template in enumerate(ordered):
        yield template, next(number for number, end in enumerate(ends, start=1) if rank < end)
