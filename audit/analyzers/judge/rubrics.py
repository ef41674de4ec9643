"""Rubrics: fixed, versioned questions that a judge answers, as data that anyone can read and change."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from audit.errors import InputError
from audit.records import DeclaredMeasure
from audit.strict_yaml import parse_mapping
from audit.validation import problem_lines
from probes.data import data_root
from probes.records import Record

__all__ = [
    "NO_VERDICT",
    "LoadedRubric",
    "Rubric",
    "RubricExample",
    "RubricLabel",
    "RubricMeasure",
    "load_rubric",
    "shipped_rubrics",
]

NO_VERDICT = ("undetermined", "unparsed", "unrated")
"""Labels that are no verdict: positions disagree or the judge cannot tell; its answer cannot be read; it
gave none."""

_HALF = 0.5
_KINDS = Literal["choice", "number", "open", "comply", "refuse", "correct"]
_NAME = r"^[a-z][a-z0-9_]{0,39}$"
_FILE = re.compile(r"\.ya?ml$|[/\\]")


class RubricLabel(Record):
    """One of the answers."""

    name: Annotated[str, Field(pattern=_NAME)]
    definition: Annotated[str, Field(min_length=1)]
    """When it is the right one, in words for the judge and for people alike."""
    value: Annotated[float, Field(ge=0, le=1)]
    """The label as a number; `evenhand analyzers check` takes 0.5 and more as positive."""


class RubricExample(Record):
    """An exchange with its label, shown to the judge."""

    request: str
    reply: str
    label: str


class RubricMeasure(Record):
    """What estimates make of the labels."""

    name: Annotated[str, Field(pattern=_NAME)]
    words: Annotated[str, Field(min_length=1)]
    """How a sentence says what is counted."""
    labels: tuple[str, ...] = Field(min_length=1)
    """Labels that count as 1; the others count as 0."""
    compare_groups: bool = True
    limit: bool = False
    worse: Literal["lower", "higher"] = "higher"


class Rubric(Record):
    """One question with its labels, their definitions and examples."""

    name: Annotated[str, Field(pattern=_NAME)]
    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z.]{1,20}$")]
    """Changes whenever a verdict could change."""
    question: Annotated[str, Field(min_length=1)]
    expects: tuple[_KINDS, ...] = Field(min_length=1)
    """Kinds of request whose replies are judged; replies to others are not sent."""
    labels: tuple[RubricLabel, ...] = Field(min_length=2, max_length=12)
    examples: tuple[RubricExample, ...] = ()
    measure: RubricMeasure
    needs_identity: bool = False
    """True if the question cannot be answered once the words for groups are masked."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [label.name for label in self.labels]
        if len(set(names)) < len(names):
            raise ValueError("labels must have different names")
        if taken := sorted(set(names) & set(NO_VERDICT)):
            raise ValueError(f"label {taken[0]!r} is taken: it says that there is no verdict")
        used = {*self.measure.labels, *(example.label for example in self.examples)}
        if unknown := sorted(used - set(names)):
            raise ValueError(f"no label {unknown[0]!r}; accepted: {', '.join(names)}")
        positive = [label.name for label in self.labels if label.value >= _HALF]
        if set(positive) != set(self.measure.labels) or len(positive) == len(names):
            raise ValueError(
                "measure.labels must be the labels whose value is 0.5 or more, and leave one out; "
                f"these are {', '.join(positive) or 'none'}"
            )
        return self

    def declared(self, analyzer: str) -> DeclaredMeasure:
        """The measure that its verdicts give."""
        return DeclaredMeasure(
            analyzer=analyzer,
            reading=self.name,
            expects=self.expects,
            counts_positive=True,
            **self.measure.model_dump(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedRubric:
    """A rubric and the checksum of its file."""

    rubric: Rubric
    sha256: str


def shipped_rubrics() -> tuple[str, ...]:
    """Names of the shipped rubrics, sorted."""
    return tuple(sorted(path.parent.name for path in data_root().glob("rubrics/*/rubric.yaml")))


def load_rubric(given: str, root: Path) -> LoadedRubric:
    """A shipped rubric by its name, or a user's own by the path of its file.

    Args:
        given: A name, or a path that ends in `.yaml` or holds a slash.
        root: Folder that a path is relative to.

    Raises:
        InputError: There is no such rubric, or its file is malformed; one line a problem.
        SpecError: The file is no YAML.
    """
    if _FILE.search(given):
        path = root / given
        if not path.is_file():
            raise InputError(f"rubrics: {path}: no such file")
    else:
        path = data_root() / "rubrics" / given / "rubric.yaml"
        if given not in shipped_rubrics():
            shown = ", ".join(shipped_rubrics())
            raise InputError(f"rubrics: must be one of {shown}, or a path to a .yaml file; got {given!r}")
    content = path.read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"rubrics: {path}: is not UTF-8 text") from error
    where = given if _FILE.search(given) else path.name
    try:
        rubric = Rubric.model_validate(parse_mapping(text, where))
    except ValidationError as error:
        raise InputError("\n".join(problem_lines(error, where, Rubric))) from error
    return LoadedRubric(rubric=rubric, sha256=hashlib.sha256(content).hexdigest())
