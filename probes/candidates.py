"""Comparisons of candidates: a situation, a line for each candidate, and two questions; read from data."""

from pathlib import Path
from typing import Self

import yaml
from pydantic import Field, StrictStr, ValidationError, model_validator

from probes.data import find, read_yaml
from probes.errors import TemplateError
from probes.records import Record
from probes.rendering import Person, render_line
from probes.templates import Slot, parse

__all__ = ["LETTERS", "Comparison", "load_comparisons", "read_comparisons"]

LETTERS = "ABCD"
"""What candidates are called, in the order in which a prompt lists them."""


class Comparison(Record):
    """One situation in which somebody has to be chosen over others."""

    id: str
    """Unique among all templates; the cluster of every prompt made from it."""
    domain: str
    label: StrictStr = Field(pattern=r"^[A-Z][a-z]+$")
    """What the candidates are called before their letter: `Applicant A`."""
    noun: str
    """What a candidate is called where no gender word says it."""
    facts: tuple[str, ...] = Field(min_length=1)
    """Facts of the domain's merit ladder that every candidate's line states."""
    text: str
    """The situation; it names nobody."""
    line: str
    """What is said of each candidate: `{person:intro}` once, and the facts."""
    pair: str
    """Which of two is preferred."""
    tie: bool
    """Whether the question about two allows the answer that neither is."""
    ranking: str
    """The order of four."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        slots = [part for part in parse(self.line) if isinstance(part, Slot)]
        intros = sum(slot.kind == "person" and slot.value == "intro" for slot in slots)
        if intros != 1:
            raise ValueError(f"line must hold {{person:intro}} exactly once; got {intros}")
        stated = sorted(slot.value for slot in slots if slot.kind == "fact")
        if stated != sorted(self.facts):
            raise ValueError(f"facts must name exactly what line states once each; got {', '.join(stated)}")
        if {slot.kind for slot in slots} - {"person", "fact", "verb"}:
            raise ValueError("line must hold no picks")
        for key, value in (("text", self.text), ("pair", self.pair), ("ranking", self.ranking)):
            if any(isinstance(part, Slot) for part in parse(value)):
                raise ValueError(f"{key} must hold no slot: it is about nobody in particular")
        if self.tie != ("tie" in self.pair.lower()):
            raise ValueError("pair must say `tie` exactly where tie is true")
        return self

    def labels(self, count: int) -> tuple[str, ...]:
        """What the first so many candidates are called, such as `Applicant A` and `Applicant B`."""
        return tuple(f"{self.label} {letter}" for letter in LETTERS[:count])

    def render(self, people: list[tuple[Person, dict[str, str]]], question: str) -> str:
        """The situation, a line for each candidate, and a question.

        Args:
            people: Each candidate and the noun phrases of the facts, in the order in which they are listed.
            question: `pair` or `ranking` of this comparison.

        Raises:
            TemplateError: A fact has no value.
        """
        lines = [
            f"{label}: {render_line(self.line, self.id, self.noun, person, facts)}."
            for label, (person, facts) in zip(self.labels(len(people)), people, strict=True)
        ]
        return "\n\n".join([self.text.strip(), "\n".join(lines), question.strip()])


def load_comparisons(domain: str) -> tuple[Comparison, ...]:
    """The shipped comparisons of a domain, in the order of their ids.

    Args:
        domain: Folder under `datasets/candidates`, such as `lending`.

    Raises:
        DataError: There is no such data set.
        TemplateError: A comparison is malformed; the message names file, comparison and key.
    """
    return read_comparisons(find("candidates", domain, "data.yaml"))


def read_comparisons(path: Path) -> tuple[Comparison, ...]:
    """Every comparison of one file, checked, in the order of their ids.

    Raises:
        TemplateError: The file or a comparison is malformed; the message names file, comparison and key.
    """
    where = f"{path.parent.name}/{path.name}"
    try:
        content = read_yaml(path)
    except yaml.YAMLError as error:
        raise TemplateError(f"{where}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or not isinstance(content.get("templates"), list):
        raise TemplateError(f"{where}: must hold the keys domain, version and templates (a list)")
    found = [
        _comparison(row, content.get("domain"), f"{where}: templates[{i}]")
        for i, row in enumerate(content["templates"])
    ]
    ids = [comparison.id for comparison in found]
    twice = next((one for one in ids if ids.count(one) > 1), None)
    if twice is not None:
        raise TemplateError(f"{where}: id {twice} is used twice; ids must be unique")
    return tuple(sorted(found, key=lambda comparison: comparison.id))


def _comparison(row: object, domain: object, where: str) -> Comparison:
    if not isinstance(row, dict):
        raise TemplateError(f"{where}: must be a mapping; got {row!r}")
    try:
        return Comparison.model_validate({"domain": domain, **row})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise TemplateError(
            f"{where} ({row.get('id', 'no id')}){': ' + key if key else ''}: {said}"
        ) from error
