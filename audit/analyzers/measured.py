"""Stating a measured error rate from its counts, and which labelled items were held out."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from audit.analyzers.base import ErrorRate
from audit.statistics.rates import wilson_interval

__all__ = ["Counts", "held_out", "measured", "measured_by_group"]

Counts: TypeAlias = tuple[int, int]
"""Items read as labelled, and items labelled."""


def measured(
    name: str,
    right: int,
    of: int,
    measured_on: str,
    *,
    measure: str | None = None,
    group: str | None = None,
) -> ErrorRate:
    """A rate with its 95 % Wilson interval.

    Args:
        name: `sensitivity`, `specificity` or `accuracy`.
        right: Items read as labelled.
        of: Items labelled, at least 1.
        measured_on: Data set, language and style.
        measure: Which of the analyzer's measures it is about, if it has several.
        group: Group of people that the texts are about; None for all together.

    Returns:
        The rate, rounded to four decimals so that it reads the same everywhere.

    Source:
        Wilson (1927), JASA 22:209-212.
    """
    interval = wilson_interval(right, of)
    return ErrorRate(
        name=name,
        value=round(right / of, 4),
        ci_low=round(interval.low, 4),
        ci_high=round(interval.high, 4),
        n=of,
        measured_on=measured_on,
        measure=measure,
        group=group,
    )


def measured_by_group(
    measure: str, counts: Mapping[str, Mapping[str | None, tuple[Counts | None, Counts | None]]]
) -> Iterator[ErrorRate]:
    """Sensitivity and specificity of a measure, all texts together before those by group.

    Args:
        measure: Which of the analyzer's measures.
        counts: By data set, then by the group that the texts are about (None for all together): the items
            with the label and those without it; None where there are none, or too few to state a rate.
    """
    for by_group in (False, True):
        for texts, of_groups in counts.items():
            for group, both in of_groups.items():
                if (group is not None) is not by_group:
                    continue
                for name, found in zip(("sensitivity", "specificity"), both, strict=True):
                    if found is not None:
                        yield measured(name, *found, texts, measure=measure, group=group)


def held_out(text: str, *, one_in: int) -> bool:
    """Whether a labelled text was kept aside while the analyzers were tuned: about one in `one_in` are.

    It depends on the text alone, so equal texts fall on the same side, and anyone can recompute it.

    >>> held_out("Yes", one_in=1)
    True
    """
    return int(hashlib.sha256(text.encode("utf-8")).hexdigest()[:8], 16) % one_in == 0
