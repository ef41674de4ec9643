"""Whether labels fit the answers of both groups of a contrast, and what of these the analyzer read."""

import numpy as np
import pandas as pd

from audit.errors import NotMeasuredError
from audit.estimates.contrasts import Contrast, contrasts
from audit.estimates.measures import Measure
from audit.statistics.arguments import Flags, Vector
from audit.statistics.error_rates import Calibration
from audit.statistics.label_fit import check_fit, read_rate_of_strata

__all__ = ["ReadAnswers", "misfit"]


class ReadAnswers:
    """What the analyzer read of each contrast, where the provider refused some answers by itself."""

    def __init__(self, frame: pd.DataFrame, measure: Measure, read: Flags, corrected: Vector) -> None:
        """Keep the contrasts of what was read, if not everything was.

        Args:
            frame: Rows of the measure, as read.
            measure: What the values are.
            read: Rows that the analyzer read, shape (n,).
            corrected: Each row's corrected value, shape (n,).
        """
        self._kept: tuple[list[Contrast], list[Contrast], list[Contrast]] | None = None
        values = frame["value"].to_numpy(dtype=np.float64)
        present = ~np.isnan(values)
        if (present & ~read).any():
            # An answer that was not read counts 0 here; one without a value stays without.
            columns = [np.where(read, one, 0.0 * values) for one in (values, corrected)]
            columns.append(np.where(present, read, np.nan))
            flagged, mean, share = (
                list(contrasts(frame.assign(value=column), measure)) for column in columns
            )
            self._kept = flagged, mean, share

    def means(self, place: int, contrast: Contrast) -> tuple[tuple[float, float], tuple[float, float]]:
        """Group's and reference's corrected mean of what was read, each with its share of the weight.

        Args:
            place: Place of the contrast among those of the measure.
            contrast: The corrected contrast.
        """
        if self._kept is None:
            return (contrast.group_mean, 1.0), (contrast.reference_mean, 1.0)
        _, mean, share = (each[place] for each in self._kept)
        return (mean.group_mean, share.group_mean), (mean.reference_mean, share.reference_mean)

    def parts(self, place: int) -> tuple[Contrast, Contrast] | None:
        """The contrast of what was flagged of the answers read, and that of which were read."""
        return None if self._kept is None else (self._kept[0][place], self._kept[2][place])


def misfit(
    raw: Contrast,
    labelled: tuple[Calibration, Calibration],
    parts: tuple[Contrast, Contrast] | None,
    level: float,
) -> str | None:
    """Why the labels cannot be of answers like those of the two groups; None if they can.

    Args:
        raw: The contrast as read.
        labelled: Error rates of the group and of the reference.
        parts: What was flagged, and which answers were read; None if all were.
        level: Level of the check in each group, a fraction in (0, 1).
    """
    flagged, read = (raw, None) if parts is None else parts
    for calibration, name, side in (
        (labelled[0], raw.cell.group, "group_means"),
        (labelled[1], raw.cell.reference, "reference_means"),
    ):
        values = _means(flagged, side)
        weights = [np.ones_like(one) for one in values] if read is None else _means(read, side)
        if not any(one.sum() > 0 for one in weights):
            continue
        try:
            check_fit(read_rate_of_strata(values, weights), calibration, level=level, of=name)
        except NotMeasuredError as error:
            return str(error)
    return None


def _means(contrast: Contrast, side: str) -> list[Vector]:
    """Template means of one side, a vector a stratum."""
    return [np.asarray(getattr(stratum.paired, side), dtype=np.float64) for stratum in contrast.strata]
