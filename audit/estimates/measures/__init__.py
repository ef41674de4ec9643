"""The measures a run can state, the built-in ones and those that its analyzers declare."""

from collections.abc import Iterable

from audit.estimates.measures.amounts import amount, beyond_any
from audit.estimates.measures.built_in import MEASURES
from audit.estimates.measures.measure import Measure
from audit.estimates.measures.primary import first_measures, fits
from audit.records import Change, DeclaredMeasure, Estimate

__all__ = [
    "MEASURES",
    "Measure",
    "amount",
    "beyond_any",
    "first_measures",
    "fits",
    "known_measures",
    "measure_named",
    "measure_of",
]


def measure_named(name: str) -> Measure:
    """The measure of a name.

    Raises:
        KeyError: There is no such measure.
    """
    for measure in MEASURES:
        if measure.name == name:
            return measure
    raise KeyError(f"no measure {name!r}; there are {', '.join(m.name for m in MEASURES)}")


def known_measures(declared: Iterable[DeclaredMeasure]) -> tuple[Measure, ...]:
    """The built-in measures, and after them those that analyzers declare."""
    return (*MEASURES, *(_measure(one) for one in declared))


def measure_of(stated: Estimate | Change) -> Measure | None:
    """The measure that an estimate or a change is about; None for a benchmark's own score."""
    if stated.declared is not None:
        return _measure(stated.declared)
    return next((measure for measure in MEASURES if measure.name == stated.measure), None)


def _measure(declared: DeclaredMeasure) -> Measure:
    return Measure(
        name=declared.name,
        analyzer=declared.analyzer,
        reading=declared.reading,
        words=declared.words,
        unit=declared.unit,
        expects=declared.expects,
        labels=declared.labels,
        outside=declared.outside,
        compare_groups=declared.compare_groups,
        limit=declared.limit,
        worse=declared.worse,
        partly=declared.partly,
        margin=declared.margin,
        declared=declared,
    )
