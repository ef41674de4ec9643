"""Which column of a user's rows, or fact of a log, says what a prompt is about; and the fields made of it."""

import json
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from probes.base import Options
from probes.errors import DataError
from probes.public.files import Row, text_of
from probes.public.logs.entries import cut
from probes.records import Arm, Expectation, Norm, Prompt, Signal

__all__ = ["Fixed", "Marks", "check_same_set", "columns_of", "marked"]

_SETS = ("attribute", "group", "reference", "set")
_TEXTS = ("attribute", "domain", "reference", "language", "favourable", "answer")


class Fixed(Options):
    """Facts that hold for every row, given in the spec instead of in a column."""

    attribute: str | None = None
    """Protected attribute that varies within a set."""
    reference: str | None = None
    """Group the others of a set are compared with."""
    domain: str | None = None
    language: str | None = None
    """BCP 47 tag."""
    options: tuple[str, ...] = ()
    """Accepted answers; quote `"yes"` and `"no"` in YAML."""
    favourable: str | None = None
    """The option that is good for the person concerned."""
    answer: str | None = None
    """The option that a rule blind to the attribute gives."""
    signal: Signal | None = None
    """How the prompts convey the group."""
    norm: Norm | None = None
    """Whether a difference between groups is allowed."""

    @field_validator("options", mode="before")
    @classmethod
    def _no_booleans(cls, value: object) -> object:
        if isinstance(value, list | tuple) and any(isinstance(item, bool) for item in value):
            raise ValueError('YAML reads yes and no without quotes as true and false: write "yes" and "no"')
        return value

    @field_validator("options")
    @classmethod
    def _a_choice(cls, options: tuple[str, ...]) -> tuple[str, ...]:
        stripped = tuple(option.strip() for option in options)
        if options and not _differ(stripped):
            # One answer that can be read would make every reply that is read the same.
            raise ValueError("must be two or more texts that differ in more than case or spaces")
        return stripped


def _differ(options: tuple[str, ...]) -> bool:
    """Whether these are answers between which a reply can decide: two or more, none empty or there twice."""
    return len(options) > 1 and all(options) and len({one.casefold() for one in options}) == len(options)


class Marks(Options):
    """Options that a probe of a user's rows has: which column holds what, and what holds for all rows."""

    template: str | None = None
    """Column of the cluster: rows worded alike."""
    set: str | None = None
    """Column of the counterfactual set."""
    group: str | None = None
    """Column of the row's group."""
    attribute: str | None = None
    """Column of the protected attribute."""
    reference: str | None = None
    """Column of the reference group."""
    domain: str | None = None
    """Column of the domain."""
    language: str | None = None
    """Column of the BCP 47 tag; without it, and without `fixed.language`, it is `en`."""
    options: str | None = None
    """Column of the accepted answers: a list, a JSON list, or texts joined by `|`."""
    favourable: str | None = None
    """Column of the favourable option."""
    answer: str | None = None
    """Column of the right option; where a cell is empty there is none."""
    ordered: bool = False
    """Whether the options stand in order, the least first."""
    fixed: Fixed = Field(default_factory=Fixed)
    """Facts that hold for every row."""
    kind: Literal["choice", "open", "refuse", "comply", "correct"] | None = None
    """What is expected of a reply; without it `choice` if there are options, else `open`."""
    licence: str = "not stated"
    """Licence of the file, for the record."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        twice = [name for name in (*_TEXTS, "options") if getattr(self, name) and getattr(self.fixed, name)]
        if twice:
            raise ValueError(f"{twice[0]} is given as a column and under fixed: give one of them")
        has = {name: bool(getattr(self, name) or getattr(self.fixed, name, None)) for name in _SETS}
        if any(has.values()) and not all(has.values()):
            missing = ", ".join(name for name in _SETS if not has[name])
            raise ValueError(f"attribute, group, reference and set go together; missing: {missing}")
        if all(has.values()) and self.fixed.signal is None:
            # Signals are never pooled: sets without one would be compared with nothing.
            accepted = ", ".join(signal.value for signal in Signal)
            raise ValueError(f"sets need fixed.signal, how the prompts convey the group: {accepted}")
        if self.kind == "choice" and not (self.options or self.fixed.options):
            raise ValueError("kind choice needs options, as a column or under fixed")
        return self


def columns_of(marks: Marks) -> list[str]:
    """The columns that these options name."""
    m = marks
    named = (m.template, m.set, m.group, m.attribute, m.reference, m.domain, m.language)
    return [name for name in (*named, m.options, m.favourable, m.answer) if name is not None]


def marked(
    marks: Marks, path: Path, row: Row, *, template: str, domain: str = "general"
) -> dict[str, object]:
    """Fields of a prompt that its row decides.

    Args:
        marks: What the spec says.
        path: The file, for errors.
        row: The row.
        template: The cluster of a row without one and without a set.
        domain: The domain of a row without one.

    Returns:
        Template, domain, language, expectation; and the labels of the set, if there are sets.

    Raises:
        DataError: A column is missing, or a cell is empty or not what it must be.
    """

    def text(column: str | None) -> str | None:
        return None if column is None else text_of(path, row, column)

    set_id = text(marks.set)
    fields: dict[str, object] = {
        "template": text(marks.template) or set_id or template,
        "domain": text(marks.domain) or marks.fixed.domain or domain,
        "language": text(marks.language) or marks.fixed.language or "en",
        "expectation": _expectation(marks, path, row),
    }
    if set_id is not None:
        fields |= {
            "set_id": set_id,
            "arm": Arm.COUNTERFACTUAL,
            "attribute": text(marks.attribute) or marks.fixed.attribute,
            "group": text(marks.group),
            "reference": text(marks.reference) or marks.fixed.reference,
            "signal": marks.fixed.signal,
            "norm": marks.fixed.norm,
        }
    return fields


def check_same_set(path: Path, first: tuple[int, Prompt], other: tuple[int, Prompt]) -> None:
    """Refuse a set whose members differ in what a set has once: two clusters, domains or references.

    Args:
        path: The file, for errors.
        first: Row number and prompt of the set's first member.
        other: The same of another one.

    Raises:
        DataError: They differ; the message names both rows.
    """
    before, (row, prompt) = first[1], other
    for name in ("template", "domain", "language", "attribute", "reference"):
        known, found = getattr(before, name), getattr(prompt, name)
        if known != found:
            raise DataError(
                f"{path}: row {row}: set {prompt.set_id!r} has the {name} {found!r}, and {known!r} in row "
                f"{first[0]}; a set has one"
            )


def _expectation(marks: Marks, path: Path, row: Row) -> Expectation:
    options = marks.fixed.options if marks.options is None else _choices(path, row, marks.options)
    favourable = marks.fixed.favourable if marks.favourable is None else text_of(path, row, marks.favourable)
    answer = marks.fixed.answer
    if marks.answer is not None and row.cells[marks.answer] not in (None, ""):
        answer = text_of(path, row, marks.answer)
    for name, value in (("favourable", favourable), ("answer", answer)):
        if value is not None and options and value not in options:
            raise DataError(
                f"{path}: row {row.number}: {name} must be one of {', '.join(options)}; got {value!r}"
            )
    kind = marks.kind or ("choice" if options else "open")
    return Expectation(
        kind=kind, options=options, ordered=marks.ordered, favourable=favourable, answer=answer
    )


def _choices(path: Path, row: Row, column: str) -> tuple[str, ...]:
    """The accepted answers of one row."""
    value: object = row.cells[column]
    if isinstance(value, str):
        value = _split(path, row, column, value)
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise DataError(f"{path}: row {row.number}: {column} must be a list of texts; got {value!r}")
    options = tuple(item.strip() for item in value)
    if not _differ(options):
        raise DataError(
            f"{path}: row {row.number}: {column} needs two or more different texts; got {value!r}"
        )
    return options


def _split(path: Path, row: Row, column: str, text: str) -> object:
    if not text.lstrip().startswith("["):
        return text.split("|")
    try:
        value: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path}: row {row.number}: {column} is no JSON list: {error.msg}; got {cut(text)}"
        ) from error
    except (RecursionError, ValueError) as error:
        raise DataError(
            f"{path}: row {row.number}: {column} is no JSON list: too deep, or a number of too many digits"
        ) from error
    return value
