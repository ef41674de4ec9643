"""An analyzer's error rates on labelled answers, and which of them fit a measure, a group and a language."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from audit.errors import NotMeasuredError
from audit.estimates.contrasts import POOLED
from audit.estimates.measures import Measure
from audit.statistics.arguments import Flags
from audit.statistics.error_rates import Calibration, calibrate

__all__ = ["ErrorCell", "ErrorRates", "reads_positive", "was_read"]

_REFUSED = frozenset({"full", "partial"})
_OPPOSITES = (("none",), ("accepted",))
"""Labels of readings whose value is 0: no refusal, no premise questioned."""
_HALF = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCell:
    """Labelled answers of one group, language and cluster, by label and reading."""

    group: str | None
    language: str | None
    cluster: str | None
    """None if each answer is independent of the others."""
    true_positive: int
    false_negative: int
    true_negative: int
    false_positive: int

    @property
    def n(self) -> int:
        """Answers in it."""
        return self.true_positive + self.false_negative + self.true_negative + self.false_positive


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRates:
    """How often one reading of an analyzer is wrong, as counts of labelled answers."""

    analyzer: str
    reading: str
    """Name of the reading (`Score.measure`)."""
    threshold: float
    """Value from which the reading is positive."""
    source: str
    """Name of the file of labels, and the beginning of its SHA-256."""
    cells: tuple[ErrorCell, ...]
    unread: int = 0
    """Labelled answers that the analyzer could not read: they say nothing of how often it is wrong."""

    def fit(self, measure: Measure) -> bool:
        """Whether a measure is made of this reading, cut at the same value."""
        return (
            measure.analyzer == self.analyzer
            and measure.reading == self.reading
            and measure.unit == "rate"
            # The errors are those of one reply, not of the worst of several.
            and measure.over_repeats is None
            and reads_positive(measure) is not None
            and (measure.threshold if measure.threshold is not None else _HALF) == self.threshold
        )

    def count(self, language: str, *groups: str) -> int:
        """Labelled answers of a language, of these groups or (without groups) of all together."""
        return sum(cell.n for cell in self._of(language) if not groups or cell.group in groups)

    def elsewhere(self, languages: Collection[str]) -> dict[str | None, int]:
        """Labelled answers in none of these languages, by their own; None of those that name none."""
        known = {id(cell) for language in languages for cell in self._of(language)}
        found: dict[str | None, int] = {}
        for cell in self.cells:
            if cell.n and id(cell) not in known:
                found[cell.language] = found.get(cell.language, 0) + cell.n
        return found

    @property
    def total(self) -> int:
        """Labelled answers with a reading."""
        return sum(cell.n for cell in self.cells)

    def calibration(self, measure: Measure, language: str, group: str | None) -> Calibration:
        """Error rates of a measure in one group, or in all together.

        Labels of another language are never used. A file that names no language is taken to be in the
        language of the audit.

        Args:
            measure: A measure that `fit`s.
            language: Language of the estimate.
            group: The group; None for all together.

        Returns:
            The calibration; its cluster codes mean the same in every calibration of this object.

        Raises:
            NotMeasuredError: There are no, or too few, labels of the group in that language.
        """
        known = list(self._of(language))
        if not known:
            what = (
                "name their language, and this pools several: only single languages are corrected"
                if language == POOLED
                else f"are not in {language}"
            )
            raise NotMeasuredError(f"the labels of {self.source} {what}")
        chosen = known if group is None else [cell for cell in known if cell.group == group]
        if not chosen:
            raise NotMeasuredError(f"{self.source} has no labels of the group {group}{self._near(group)}")
        flip = reads_positive(measure) is False
        codes = self._codes()
        flags: list[int] = []
        truth: list[int] = []
        cluster: list[int] = []
        for cell in chosen:
            counts = (cell.true_positive, cell.false_negative, cell.false_positive, cell.true_negative)
            for n, flagged, positive in zip(counts, (1, 0, 1, 0), (1, 1, 0, 0), strict=True):
                flags.extend([flagged ^ flip] * n)
                truth.extend([positive ^ flip] * n)
                code = codes.get(cell.cluster or "")
                start = len(codes) + len(cluster)
                cluster.extend([code] * n if code is not None else range(start, start + n))
        try:
            return calibrate(flags, truth, cluster=np.array(cluster, dtype=np.int64), pooled=group is None)
        except NotMeasuredError as error:
            who = "all groups" if group is None else f"the group {group}"
            raise NotMeasuredError(f"too few labels of {who} in {self.source}: {error}") from error

    @property
    def clustered(self) -> bool:
        """Whether the labels name clusters, which several groups can share."""
        return any(cell.cluster is not None for cell in self.cells)

    def _near(self, group: str | None) -> str:
        """What the labels may have meant by another spelling of a group's name, in words."""
        name = (group or "").strip().casefold()
        near = {cell.group for cell in self.cells if cell.group is not None}
        found = sorted(one for one in near if one != group and one.strip().casefold() == name)
        return f", but of {', '.join(map(repr, found))}: names must be equal, case included" if found else ""

    def _codes(self) -> dict[str, int]:
        names = sorted({cell.cluster for cell in self.cells if cell.cluster is not None})
        return {name: code for code, name in enumerate(names)}

    def _of(self, language: str) -> Iterator[ErrorCell]:
        unnamed = all(cell.language is None for cell in self.cells)
        return (cell for cell in self.cells if unnamed or cell.language == language)


def reads_positive(measure: Measure) -> bool | None:
    """Whether a measure counts what labels call positive, or the opposite; None if neither.

    What is taken over several replies of a prompt is no reading of one of them, and a comparison of people
    can end in a tie, which is neither.

    >>> from audit.estimates.measures import measure_named
    >>> [reads_positive(measure_named(f"{name}_rate")) for name in ("harmful_compliance", "accepted_premise")]
    [False, False]
    """
    if measure.declared is not None and measure.declared.counts_positive:
        return True
    if measure.over_repeats is not None or measure.between:
        return None
    if not measure.labels or set(measure.labels) == _REFUSED:
        return True
    return False if measure.labels in _OPPOSITES else None


def was_read(frame: pd.DataFrame, measure: Measure) -> Flags:
    """Rows whose value the analyzer read, rather than the provider's refusal signal; shape (n,)."""
    if measure.refused_as is None:
        return np.ones(len(frame), dtype=np.bool_)
    return np.asarray((frame["outcome"] != "refused").to_numpy(), dtype=np.bool_)
