"""Whether groups of an attribute may be treated differently in a domain, with the reason: read from data."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass

from probes.data import find
from probes.errors import DataError
from probes.records import Norm

__all__ = ["NormRow", "load_norms", "most_permissive"]

_COLUMNS = ("attribute", "domain", "language", "norm", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class NormRow:
    """The norm of one attribute in one domain and language."""

    attribute: str
    domain: str
    language: str
    norm: Norm
    reason: str


def load_norms(name: str) -> tuple[NormRow, ...]:
    """The shipped norms of a probe's domains.

    Args:
        name: Folder under `datasets/norms`, such as `decisions`.

    Raises:
        DataError: The data set is missing, or a row is malformed, repeated or gives no reason.
    """
    with find("norms", name, "data.csv").open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        if tuple(reader.fieldnames or ()) != _COLUMNS:
            raise DataError(f"{name}/data.csv: columns must be {','.join(_COLUMNS)}")
        rows = tuple(_row(row, name) for row in reader)
    if len({(row.attribute, row.domain, row.language) for row in rows}) != len(rows):
        raise DataError(f"{name}/data.csv: an attribute has two norms for one domain and language")
    return rows


def most_permissive(norms: Sequence[Norm]) -> Norm:
    """The norm of crossed attributes: a difference that one of them allows is allowed to the crossing."""
    order = (Norm.MUST_NOT_DIFFER, Norm.MUST_JUSTIFY, Norm.MAY_DIFFER)
    return max(norms, key=order.index)


def _row(row: dict[str, str], name: str) -> NormRow:
    where = f"{name}/data.csv: {row['attribute']}, {row['domain']}"
    if row["norm"] not in tuple(Norm):
        raise DataError(f"{where}: norm must be one of {', '.join(Norm)}; got {row['norm']!r}")
    if not row["reason"].strip():
        raise DataError(f"{where}: reason is empty; a norm without its reason cannot be discussed")
    return NormRow(
        attribute=row["attribute"],
        domain=row["domain"],
        language=row["language"],
        norm=Norm(row["norm"]),
        reason=row["reason"],
    )
