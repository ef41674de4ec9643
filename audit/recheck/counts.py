"""Released outputs as counts: what every statistic needs of a row, and which rows belong together."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from audit.analyzers.base import AnalyzerContext
from audit.analyzers.decision.analyzer import DecisionAnalyzer
from audit.errors import InputError
from audit.estimates.benchmarks import bbq_scores
from audit.recheck.claim import Claim
from audit.records import Exchange
from audit.statistics.arguments import Vector
from audit.table_files import WRITTEN_FOR_NOTHING, check_columns, read_rows
from probes.public.bbq import BBQOptions, BBQProbe
from probes.seeds import rng

__all__ = ["Counted", "count_rows"]

_SHOWN = 8
"""Outcomes at most that a message shows beside the positive ones."""

_READ = ("outcome", "label")
"""Columns whose cells may say that there is no value."""
_WHOLE_WITH_POINT = re.compile(r"-?(?:0|[1-9]\d*)\.0")
"""A whole number as pandas writes it in a column that has missing cells."""

Row = tuple[list[float], str]
"""Counts of one row (or set), and its cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Counts of a file's rows under one claim."""

    counts: Vector
    """Shape (n, K)."""
    clusters: list[str] | None
    """Cluster of each row, (n,); None if the rows are taken as independent."""
    statistic: Callable[[Vector], Vector]
    """From sums of counts, (B, K), to the statistic, (B,), unscaled; nan where there is no value."""
    read: int
    """Rows of the file that the claim is about."""
    left_out: int
    """Of those, rows without an outcome (or label, or a readable answer): in no count."""
    unit: str
    """What one row of `counts` is: `row` or `set`."""
    bounds: tuple[float, float] | None
    """Smallest and largest value the statistic can have; None if it has none."""


def count_rows(path: Path, claim: Claim) -> Counted:
    """Read a file of released outputs as a claim says.

    Args:
        path: CSV, JSONL or Parquet.
        claim: What is read, and how.

    Returns:
        At least one row.

    Raises:
        InputError: The file is missing or malformed, lacks a column, has a cell that is not accepted, or has
            no row that the claim is about; one line with file, line and column.
        DataError: As above, of a file in BBQ's format.
    """
    if claim.is_bbq:
        return _bbq(path, claim)
    reader = {
        "rate": _rate,
        "mean": _rate,
        "accuracy": _accuracy,
        "kappa": _kappa,
        "difference": _by_group,
        "ratio": _by_group,
        "flip_rate": _flips,
    }[claim.statistic]
    table = _Table(path, claim)
    rows = list(reader(table, claim))
    if not rows:
        raise InputError(f"{path}: no row is left to count: {table.read} of the claim, all without a value")
    table.check_positive()
    return Counted(
        counts=np.array([counts for counts, _ in rows], dtype=np.float64),
        clusters=None if claim.columns.cluster is None else [cluster for _, cluster in rows],
        statistic=_STATISTICS[claim.statistic],
        read=table.read,
        left_out=table.left_out,
        unit="set" if claim.statistic == "flip_rate" else "row",
        bounds=_bounds(claim),
    )


def _bounds(claim: Claim) -> tuple[float, float] | None:
    binary = bool(claim.positive) or claim.statistic in {"accuracy", "flip_rate"}
    if claim.statistic == "difference":
        return (-1.0, 1.0) if binary else None
    return (0.0, 1.0) if binary and claim.statistic not in {"ratio", "kappa"} else None


class _Table:
    """The rows that a claim is about, with the two counts that are kept of the others."""

    def __init__(self, path: Path, claim: Claim) -> None:
        self.path = path
        self._claim = claim
        self._positive = frozenset(map(_text, claim.positive))
        self._where = {column: frozenset(map(_text, values)) for column, values in claim.where.items()}
        named = claim.columns.model_dump(exclude_none=True).values()
        self._needed = frozenset(map(str, named)) | frozenset(self._where)
        self._met: set[str] = set()
        self._there: dict[str, set[str]] = {column: set() for column in self._where}
        """Some values of the columns of `where`, for whoever misspelt them."""
        self.read = 0
        self.left_out = 0

    def rows(self, *wanted: str) -> Iterator[tuple[dict[str, str], int]]:
        """Cells of the wanted columns as texts, with the line; rows in which one is empty are left out."""
        columns = {role: str(getattr(self._claim.columns, role)) for role in wanted}
        cluster = self._claim.columns.cluster
        for line, row in read_rows(self.path, self._needed):
            check_columns(self.path, frozenset(row), self._needed, line)
            if any(_text(row[column]) not in values for column, values in self._where.items()):
                self._note_values(row)
                continue
            self.read += 1
            cells = {role: _text(row[column]) for role, column in columns.items()}
            if any(self._is_missing(role, cell) for role, cell in cells.items()):
                self.left_out += 1
                continue
            cells["cluster"] = "" if cluster is None else _text(row[cluster])
            if cluster is not None and not cells["cluster"]:
                raise InputError(f"{self.path}: line {line}: column {cluster!r} (cluster) is empty")
            yield cells, line
        if self.read == 0:
            raise InputError(f"{self.path}: no row is one the claim is about{self._values_there()}")

    def _is_missing(self, role: str, cell: str) -> bool:
        if role not in _READ or cell in self._positive:
            return not cell
        return not cell or cell.casefold() in WRITTEN_FOR_NOTHING

    def _note_values(self, row: Mapping[str, object]) -> None:
        if self.read:
            return
        for column, there in self._there.items():
            if len(there) < _SHOWN:
                there.add(_text(row[column]))

    def _values_there(self) -> str:
        """What stands in the columns of `where` instead of what was asked for."""
        told = [
            f"; where.{column}: got {', '.join(map(repr, sorted(values)))}, rows have "
            f"{', '.join(map(repr, sorted(self._there[column])))}"
            for column, values in self._where.items()
        ]
        return "".join(told)

    def check_positive(self) -> None:
        """Refuse a claim other than 0 none of whose positive outcomes occurs: they are misspelt.

        YAML reads yes, no, on and off without quotes as true and false, which a column of words never holds.

        Raises:
            InputError: No row has one of them; the message names them and some that occur.
        """
        if not self._positive or self._met & self._positive or float(self._claim.published) == 0:
            return
        raise InputError(
            f"{self.path}: positive: no row has {', '.join(sorted(self._positive))}; outcomes present: "
            f"{', '.join(sorted(self._met))}; words such as yes and no need quotes"
        )

    def value(self, cell: str, line: int) -> float:
        """1 or 0 if the claim says what is positive, else the cell as a number."""
        if self._positive:
            if cell in self._positive or len(self._met) < _SHOWN:
                self._met.add(cell)
            return float(cell in self._positive)
        try:
            number = float(cell)
        except ValueError:
            number = np.nan
        if not np.isfinite(number):
            column = self._claim.columns.outcome
            raise InputError(
                f"{self.path}: line {line}: column {column!r} must be a number, since the claim has no "
                f"positive; got {cell!r}"
            )
        return number


def _text(value: object) -> str:
    """A cell as it is compared: 1, 1.0, "1" and "1.0" are the same, and so are true, "true" and "True"."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        # Every digit: two ids that differ in the seventh are two.
        return "" if np.isnan(value) else str(int(value)) if value.is_integer() else repr(value)
    text = str(value).strip()
    if _WHOLE_WITH_POINT.fullmatch(text):
        # Digit for digit: as a number, an id of twenty digits would become another.
        return "0" if text == "-0.0" else text.removesuffix(".0")
    return text.lower() if text.lower() in {"true", "false"} else text


def _rate(table: _Table, claim: Claim) -> Iterator[Row]:
    del claim
    for cells, line in table.rows("outcome"):
        yield [table.value(cells["outcome"], line), 1.0], cells["cluster"]


def _accuracy(table: _Table, claim: Claim) -> Iterator[Row]:
    del claim
    for cells, _ in table.rows("outcome", "label"):
        yield [float(cells["outcome"] == cells["label"]), 1.0], cells["cluster"]


def _kappa(table: _Table, claim: Claim) -> Iterator[Row]:
    del claim
    for cells, line in table.rows("outcome", "label"):
        one, other = (table.value(cells[role], line) for role in ("outcome", "label"))
        yield [one * other, one, other, 1.0], cells["cluster"]


def _by_group(table: _Table, claim: Claim) -> Iterator[Row]:
    first, second = (_text(group) for group in claim.groups or ("", ""))
    seen: set[str] = set()
    for cells, line in table.rows("outcome", "group"):
        seen.add(cells["group"])
        if cells["group"] not in {first, second}:
            continue
        value = table.value(cells["outcome"], line)
        own = cells["group"] == first
        yield [value * own, float(own), value * (not own), float(not own)], cells["cluster"]
    absent = [group for group in (first, second) if group not in seen]
    if absent:
        shown = ", ".join(sorted(seen)[:8]) or "none"
        raise InputError(f"{table.path}: groups: no row of {', '.join(absent)}; groups present: {shown}")


def _flips(table: _Table, claim: Claim) -> Iterator[Row]:
    answers: defaultdict[str, set[str]] = defaultdict(set)
    members: defaultdict[str, int] = defaultdict(int)
    clusters: dict[str, str] = {}
    for cells, line in table.rows("outcome", "set"):
        answers[cells["set"]].add(cells["outcome"])
        members[cells["set"]] += 1
        if clusters.setdefault(cells["set"], cells["cluster"]) != cells["cluster"]:
            column = claim.columns.cluster
            raise InputError(
                f"{table.path}: line {line}: set {cells['set']!r} lies in two clusters of column {column!r}"
            )
    for name, given in answers.items():
        # A set of which one row is left compares nothing.
        if members[name] > 1:
            yield [float(len(given) > 1), 1.0], clusters[name]
        else:
            table.left_out += 1


def _share(sums: Vector) -> Vector:
    return _divided(sums[:, 0], sums[:, 1])


def _difference(sums: Vector) -> Vector:
    return _share(sums[:, :2]) - _share(sums[:, 2:])


def _ratio(sums: Vector) -> Vector:
    return _divided(_share(sums[:, :2]), _share(sums[:, 2:]))


def _agreement(sums: Vector) -> Vector:
    """Cohen's kappa of two binary columns, from the counts both, one, other, rows.

    Source:
        Cohen (1960), Educational and Psychological Measurement 20:37-46.
    """
    both, one, other, rows = sums.T
    observed = _divided(rows - one - other + 2 * both, rows)
    expected = _divided(one * other + (rows - one) * (rows - other), rows**2)
    return _divided(observed - expected, 1 - expected)


def _divided(numerator: Vector, denominator: Vector) -> Vector:
    # Without anything in the denominator there is no value; 0 would claim one.
    out: Vector = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return out


_STATISTICS: dict[str, Callable[[Vector], Vector]] = {
    "rate": _share,
    "mean": _share,
    "accuracy": _share,
    "flip_rate": _share,
    "difference": _difference,
    "ratio": _ratio,
    "kappa": _agreement,
}


def _bbq(path: Path, claim: Claim) -> Counted:
    """BBQ: the probe says what is asked and right, the decision analyzer what was chosen."""
    column = str(claim.columns.outcome)
    prompts = list(BBQProbe(BBQOptions(path=path)).prompts(rng(claim.seed, "recheck")))
    said = [str(row[column] or "") for _, row in read_rows(path, frozenset({column}))]
    analyzer = DecisionAnalyzer(DecisionAnalyzer.Options(), AnalyzerContext(root=path.parent))
    scores = analyzer.score(
        [
            Exchange(output=number, messages=prompt.messages, reply=reply, expectation=prompt.expectation)
            for number, (prompt, reply) in enumerate(zip(prompts, said, strict=True))
        ]
    )
    chosen = {one.output: one.value for one in scores if one.measure == "choice" and one.value is not None}
    condition = "ambig" if claim.statistic.endswith("_ambiguous") else "disambig"
    asked = [number for number, prompt in enumerate(prompts) if prompt.tags["condition"] == condition]
    read = [number for number in asked if number in chosen]
    if not read:
        raise InputError(f"{path}: column {column!r}: no answer to a question of {condition} could be read")
    facts = pd.DataFrame([dict(prompts[number].tags) for number in read], dtype=object)
    facts = facts.assign(
        chosen=[chosen[number] for number in read], template=[prompts[number].template for number in read]
    )
    score = next(one for one in bbq_scores(facts) if one.measure == claim.statistic)
    return Counted(
        counts=score.counts,
        clusters=[str(template) for template in score.rows["template"]],
        statistic=score.statistic,
        read=len(asked),
        left_out=len(asked) - len(read),
        unit="row",
        bounds=score.bounds,
    )
