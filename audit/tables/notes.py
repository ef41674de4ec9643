"""What a reader of an audited table must know before its numbers, in sentences."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from audit.tables.bases import Basis
from audit.tables.local_law_144 import NOTE
from audit.tables.options import TableOptions, decides_nothing
from audit.tables.rates import MINIMUM_UNITS
from audit.tables.reading import ABSENT, Cells, is_one_of

__all__ = ["spelt_alike", "table_notes"]

_VALUES_TOLD, _PAIR = 5, 2


def spelt_alike(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Names that are one but for case, spaces or how their characters are composed, sorted.

    >>> spelt_alike(["male", "Male", "female"])
    [('Male', 'male')]
    """
    found: dict[str, set[str]] = {}
    for name in names:
        key = "".join(unicodedata.normalize("NFKC", name).casefold().split())
        found.setdefault(key, set()).add(name)
    return [tuple(sorted(alike)) for _, alike in sorted(found.items()) if len(alike) > 1]


def _split_groups(basis: Basis) -> Iterator[str]:
    """Groups of one column that somebody has probably spelt in several ways."""
    if len(basis.columns) > 1:
        return
    for alike in spelt_alike(basis.labels):
        yield (
            f"{basis.name}: {_listed(alike)} differ in case, spaces or the like only, and are counted as "
            f"{len(alike)} groups; if they are one, give them one name in the file first."
        )


def _row_notes(cells: Cells, options: TableOptions) -> Iterator[str]:
    """What the rows are taken for, and which of them are in no rate."""
    others = {
        text: rows
        for text, rows in cells.outcome_values
        if not decides_nothing(text) and not is_one_of(text, options.favourable)
    }
    most = sorted(others, key=lambda text: (-others[text], text))[:_VALUES_TOLD]
    told = ", ".join(f"{text!r} ({others[text]:,} rows)" for text in most)
    further = f" and {len(others) - len(most)} more" if len(others) > len(most) else ""
    yield (
        f"Of {options.outcome!r} {_listed(options.favourable)} is favourable, and nothing else: "
        f"{told or 'no other value occurs'}{further}."
    )
    undecided = int(cells.counts[cells.outcome == ABSENT].sum())
    if undecided:
        yield f"{undecided:,} of {cells.rows:,} rows have no decision: they are counted, and in no rate."
    unlabelled = 0 if options.label is None else int(cells.counts[cells.label == ABSENT].sum())
    if unlabelled:
        yield f"{unlabelled:,} of {cells.rows:,} rows have no label: they are counted, and in no error rate."
    for text, rows in others.items():
        if any(spelt_alike([text, value.strip()]) for value in options.favourable):
            yield (
                f"{text!r} ({rows:,} rows) counts as unfavourable, though only case or spaces differ from a "
                "favourable value: name it with --favourable too if it is one."
            )
    met = {name for names in cells.names for name in names}
    for text in options.unknown:
        if text.strip() not in met:
            yield f"No row has the value {text!r} that was said to be unknown."


def _picked(basis: Basis) -> str:
    if len(basis.labels) == _PAIR:
        return "of two groups the picking moves neither p-values nor intervals of differences"
    return "p-values are corrected for the picking, intervals are not"


def table_notes(cells: Cells, bases: Sequence[Basis], options: TableOptions) -> Iterator[str]:
    """What a reader must know before the numbers, one sentence or two each.

    Args:
        cells: The counted file.
        bases: Its tables.
        options: What was asked.
    """
    yield from _row_notes(cells, options)
    for basis in bases:
        yield from _split_groups(basis)
        if basis.unknown_rows:
            yield f"{basis.name}: the category of {basis.unknown_rows:,} rows is not known."
        if len(basis.labels) == 1:
            yield f"{basis.name}: {basis.labels[0]!r} is the only group, so there is nothing to compare."
        elif basis.reference is not None and not basis.declared:
            yield (
                f"{basis.name}: the reference {basis.labels[basis.reference]!r} is the highest rate seen, so "
                f"impact ratios lean below 1 by chance alone; {_picked(basis)}. "
                "Name a --reference beforehand where you can."
            )
        yield from _small_reference(basis)
        left_out = [label for label, kept in zip(basis.labels, basis.included, strict=True) if not kept]
        if left_out:
            yield (
                f"{basis.name}: {_listed(left_out)} in no impact ratio. Reason given: {options.justification}"
            )
    if options.cluster is None:
        yield (
            "Rows are taken as independent. If some belong together, --cluster names the column that says so."
        )
    elif cells.rows_without_cluster:
        yield f"{cells.rows_without_cluster:,} rows have no cluster; each counts as one of its own."
    yield NOTE


def _small_reference(basis: Basis) -> Iterator[str]:
    if basis.reference is None or basis.decided[basis.reference].units >= MINIMUM_UNITS:
        return
    against = basis.decided[basis.reference]
    if against.clustered:
        has = f"{against.trials:,} decisions in {against.units} clusters, of which {MINIMUM_UNITS} are needed"
        what = (
            "With so few no group can be told apart: name a --cluster of more values, if it is the right one."
        )
    else:
        has = f"fewer than {MINIMUM_UNITS} decisions"
        what = "Name a larger --reference, or see --exclude-below."
    yield (
        f"{basis.name}: the reference {basis.labels[basis.reference]!r} has {has}, so no verdict rests on "
        f"it. {what}"
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
