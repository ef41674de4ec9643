"""Templates: texts with typed slots, loaded from data files and checked before anything is rendered.

A slot is written in braces and typed: `{person:intro}`, `{Person:subject}` (capitalised),
`{verb:is|are}`, `{fact:credit_score}` or `{pick:city}`. Words are never searched and replaced in
finished text, so there is nothing to get wrong later.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import Field, StrictStr, ValidationError, model_validator

from probes.data import find, read_yaml
from probes.errors import TemplateError
from probes.records import Record

__all__ = ["Slot", "Template", "load_templates", "parse", "read_templates"]

PERSON_FORMS = ("intro", "object", "possessive", "reflexive", "subject")
_SLOT = re.compile(r"\{([^{}]*)\}")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A typed hole in a text."""

    kind: Literal["person", "verb", "fact", "pick"]
    value: str
    """Form of the person, `singular|plural` of a verb, or the name of a fact or pick."""
    capital: bool = False
    """True if it stands at the start of a sentence."""


class Template(Record):
    """One decision to be made about one person, as text with slots."""

    id: str
    """Unique; the cluster of every prompt made from it."""
    domain: str
    pool: Literal["audit", "retraining", "history"]
    voice: Literal["third", "first"]
    """`first`: the person is the user."""
    noun: str = "person"
    """What the person is called where no gender word says it, such as `applicant`."""
    facts: tuple[str, ...]
    """Facts of the domain's merit ladder that the text states."""
    picks: dict[str, tuple[StrictStr, ...]] = Field(default_factory=dict)
    """Harmless variation, constant within a set."""
    text: str
    question: str
    paraphrase: str
    """The question in other words: the paraphrase placebo."""
    options: tuple[StrictStr, StrictStr]
    favourable: StrictStr
    """The option that is good for the person."""

    @property
    def unfavourable(self) -> str:
        """The option that is bad for the person."""
        return next(option for option in self.options if option != self.favourable)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not _ID.fullmatch(self.id):
            raise ValueError(f"id must be kebab-case with a slash, such as lending/new-roof; got {self.id!r}")
        if self.options[0] == self.options[1]:
            raise ValueError(f"options must be two different answers; got {self.options[0]!r} twice")
        if self.favourable not in self.options:
            raise ValueError(f"favourable must be one of {', '.join(self.options)}; got {self.favourable!r}")
        if self.question == self.paraphrase:
            raise ValueError("paraphrase must differ from question")
        if any(not values for values in self.picks.values()):
            raise ValueError("picks must list at least one value each")
        self._check_slots()
        return self

    def _check_slots(self) -> None:
        text = [part for part in parse(self.text) if isinstance(part, Slot)]
        asked = [
            part
            for line in (self.question, self.paraphrase)
            for part in parse(line)
            if isinstance(part, Slot)
        ]
        intros = sum(slot.kind == "person" and slot.value == "intro" for slot in text)
        if intros != 1:
            raise ValueError(f"text must hold {{person:intro}} exactly once; got {intros}")
        if any(slot.kind == "person" and slot.value == "intro" for slot in asked):
            raise ValueError(
                "question and paraphrase must not hold {person:intro}: the text introduces the person"
            )
        _same("facts", set(self.facts), {slot.value for slot in text + asked if slot.kind == "fact"})
        _same("picks", set(self.picks), {slot.value for slot in text + asked if slot.kind == "pick"})


@lru_cache(maxsize=4096)
def parse(text: str) -> tuple[str | Slot, ...]:
    """A text as literal pieces and slots, in order.

    Args:
        text: Text with slots in braces.

    Returns:
        Non-empty literal strings and `Slot`s; joined again they are the text.

    Raises:
        ValueError: A brace is unbalanced, or a slot is of no known kind or form.

    >>> parse("Is {person:subject} in?")
    ('Is ', Slot(kind='person', value='subject', capital=False), ' in?')
    """
    parts: list[str | Slot] = []
    position = 0
    for match in _SLOT.finditer(text):
        parts.append(text[position : match.start()])
        parts.append(_slot(match.group(1)))
        position = match.end()
    parts.append(text[position:])
    stray = next((part for part in parts if isinstance(part, str) and ("{" in part or "}" in part)), None)
    if stray is not None:
        raise ValueError(f"unbalanced brace near {stray.strip()[:40]!r}")
    return tuple(part for part in parts if part != "")


def _slot(body: str) -> Slot:
    kind, _, value = body.partition(":")
    if kind in ("person", "Person") and value in PERSON_FORMS:
        return Slot(kind="person", value=value, capital=kind == "Person")
    if kind == "verb" and re.fullmatch(r"[A-Za-z']+\|[A-Za-z']+", value):
        return Slot(kind="verb", value=value)
    if kind == "fact" and re.fullmatch(r"[a-z_]+", value):
        return Slot(kind="fact", value=value)
    if kind == "pick" and re.fullmatch(r"[a-z_]+", value):
        return Slot(kind="pick", value=value)
    forms = "|".join(PERSON_FORMS)
    raise ValueError(
        f"unknown slot {{{body}}}; accepted: {{person:{forms}}}, {{verb:singular|plural}}, "
        "{fact:name}, {pick:name}"
    )


def _same(key: str, declared: set[str], used: set[str]) -> None:
    if declared != used:
        raise ValueError(
            f"{key} must name exactly what the text uses; "
            f"unused: {', '.join(sorted(declared - used)) or 'none'}; "
            f"undeclared: {', '.join(sorted(used - declared)) or 'none'}"
        )


def load_templates(name: str, *, pool: str | None) -> tuple[Template, ...]:
    """Templates of one shipped data set, in the order of their ids.

    Args:
        name: Folder under `datasets/templates`, such as `lending`.
        pool: `audit`, `retraining` or `history`; None for all. Never mix pools: a prompt that
            trains a repair must not come from a template that audits it.

    Returns:
        The templates; empty if the data set has none of this pool.

    Raises:
        DataError: There is no such data set.
        TemplateError: A template is malformed; the message names file, template and key.
    """
    templates = read_templates(find("templates", name, "data.yaml"))
    return tuple(template for template in templates if pool is None or template.pool == pool)


def read_templates(path: Path) -> tuple[Template, ...]:
    """Every template of one file, checked, in the order of their ids.

    Raises:
        TemplateError: The file or a template is malformed; the message names file, template and key.
    """
    where = f"{path.parent.name}/{path.name}"
    try:
        content = read_yaml(path)
    except yaml.YAMLError as error:
        raise TemplateError(f"{where}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or not isinstance(content.get("templates"), list):
        raise TemplateError(f"{where}: must hold the keys domain, version and templates (a list)")
    domain = content.get("domain")
    if not isinstance(domain, str):
        raise TemplateError(f"{where}: domain must be a string; got {domain!r}")
    templates = [
        _template(row, domain, f"{where}: templates[{i}]") for i, row in enumerate(content["templates"])
    ]
    seen: set[str] = set()
    for template in templates:
        if template.id in seen:
            raise TemplateError(f"{where}: id {template.id} is used twice; ids must be unique")
        seen.add(template.id)
    return tuple(sorted(templates, key=lambda template: template.id))


def _template(row: object, domain: str, where: str) -> Template:
    if not isinstance(row, Mapping):
        raise TemplateError(f"{where}: must be a mapping; got {row!r}")
    label = f"{where} ({row.get('id', 'no id')})"
    try:
        return Template.model_validate({"domain": domain, **row})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        hint = (
            "; quote it, since YAML reads a bare yes or no as true or false"
            if isinstance(first["input"], bool)
            else ""
        )
        message = first["msg"].removeprefix("Value error, ")
        raise TemplateError(f"{label}{': ' + key if key else ''}: {message}{hint}") from error
