"""Protected attributes and their groups, and the words that convey them: read from data.

A new row in `datasets/attributes/<name>/data.csv` is a new group; nothing here needs to change.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from probes.data import find
from probes.errors import DataError

__all__ = ["Attribute", "Group", "load_attributes", "load_mentions", "read_attributes"]

_COLUMNS = ("attribute", "group", "reference", "adjective", "noun", "pronoun", "low", "high")
_PRONOUNS = ("she", "he", "they")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One value of an attribute and how a text says it."""

    name: str
    adjective: str = ""
    """Word before the noun, such as `Black`; empty if the noun or a number says it."""
    noun: str = ""
    """Word for such a person, such as `woman`; empty if the group has none of its own."""
    pronoun: str = ""
    """`she`, `he` or `they`; empty if the group says nothing about pronouns."""
    ages: tuple[int, int] | None = None
    """Youngest and oldest age in years, both included, of an age group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A protected attribute with its groups, in the order of the data file."""

    name: str
    groups: tuple[Group, ...]
    reference: str
    """Name of the group the others are compared with."""

    def group(self, name: str) -> Group:
        """The group of this name.

        Raises:
            DataError: The attribute has no such group.
        """
        for group in self.groups:
            if group.name == name:
                return group
        accepted = ", ".join(group.name for group in self.groups)
        raise DataError(f"attribute {self.name} has no group {name!r}; accepted: {accepted}")

    def among(self, names: Sequence[str] | None) -> "Attribute":
        """The attribute with these of its groups only, in the order of the data file; None keeps all.

        Args:
            names: Names of groups, the reference group among them.
        """
        if names is None:
            return self
        return replace(self, groups=tuple(group for group in self.groups if group.name in names))


@cache
def load_attributes(name: str = "en_us") -> tuple[Attribute, ...]:
    """Every shipped attribute, by name, with its groups.

    Args:
        name: Folder under `datasets/attributes`: a language and the society whose groups these
            are. Groups do not travel to another society by translation.

    Raises:
        DataError: The data set is missing or malformed.
    """
    return read_attributes(find("attributes", name, "data.csv"))


def read_attributes(path: Path) -> tuple[Attribute, ...]:
    """The attributes of one file, sorted by name.

    Raises:
        DataError: A column is missing, a group is repeated, a value is not accepted, or an attribute
            has not exactly one reference group and at least two groups.
    """
    where = f"{path.parent.name}/{path.name}"
    with path.open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        if tuple(reader.fieldnames or ()) != _COLUMNS:
            raise DataError(
                f"{where}: columns must be {','.join(_COLUMNS)}; got {','.join(reader.fieldnames or ())}"
            )
        rows = list(reader)
    attributes = [_attribute(name, rows, where) for name in sorted({row["attribute"] for row in rows})]
    return tuple(attributes)


def _attribute(name: str, rows: list[dict[str, str]], where: str) -> Attribute:
    own = [row for row in rows if row["attribute"] == name]
    groups = tuple(_group(row, f"{where}: {name}.{row['group']}") for row in own)
    if len({group.name for group in groups}) != len(groups) or len(groups) < 2:  # noqa: PLR2004 - a comparison needs two
        raise DataError(f"{where}: {name} must have at least two groups, each once")
    references = [row["group"] for row in own if row["reference"] == "yes"]
    if len(references) != 1:
        raise DataError(
            f"{where}: {name} must have exactly one group with reference yes; got {len(references)}"
        )
    return Attribute(name=name, groups=groups, reference=references[0])


def _group(row: dict[str, str], where: str) -> Group:
    if row["reference"] not in ("yes", "no"):
        raise DataError(f"{where}: reference must be yes or no; got {row['reference']!r}")
    if row["pronoun"] not in ("", *_PRONOUNS):
        raise DataError(
            f"{where}: pronoun must be empty or one of {', '.join(_PRONOUNS)}; got {row['pronoun']!r}"
        )
    ages = None
    if row["low"] or row["high"]:
        if not (row["low"].isdigit() and row["high"].isdigit() and int(row["low"]) <= int(row["high"])):
            raise DataError(
                f"{where}: low and high must be years with low <= high; got {row['low']!r}, {row['high']!r}"
            )
        ages = (int(row["low"]), int(row["high"]))
    return Group(
        name=row["group"], adjective=row["adjective"], noun=row["noun"], pronoun=row["pronoun"], ages=ages
    )


@cache
def load_mentions(name: str = "en_us") -> tuple[tuple[str, str], ...]:
    """Pairs of irrelevant descriptions for the mention placebo, such as left-handed and right-handed.

    Args:
        name: Folder under `datasets/attributes`.

    Raises:
        DataError: The file is missing, empty or a description is empty.
    """
    path = find("attributes", name, "mentions.csv")
    with path.open(encoding="utf-8", newline="") as handle:
        pairs = tuple((row.get("a") or "", row.get("b") or "") for row in csv.DictReader(handle))
    if not pairs or any(not a or not b or a == b for a, b in pairs):
        raise DataError(
            f"{name}/mentions.csv: every row must hold two different descriptions in columns a and b"
        )
    return pairs
