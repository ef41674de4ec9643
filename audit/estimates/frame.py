"""From the rows of a run's store to the rows of one measure."""

import json

import numpy as np
import numpy.typing as npt
import pandas as pd

from audit.estimates.measures import Measure
from audit.estimates.over_repeats import by_prompt
from audit.estimates.scales import scaled

__all__ = ["Readings", "absent", "tag_values"]


class Readings:
    """The outputs of one target with their readings, ready to be cut into measures.

    A measure's frame has one row a finished output in the measure's scope, with the prompt's facts
    (`probe`, `template`, `domain`, `language`, `set_id`, `arm`, `placebo`, `attribute`, `grp`,
    `reference`, `signal`, `norm`, `name`, `technique`, `prompt_id`, `repeat`, `output`) and
    `value`: a float, nan where nothing could be read. Missing is never 0. Where a measure says nothing of
    some replies (`Measure.outside`), the column `outside` is True for them, and they are not missing.
    """

    def __init__(self, rows: pd.DataFrame) -> None:
        """Keep the rows.

        Args:
            rows: One row an output and reading, as `Store.frame` gives them.
        """
        first = ~rows["output"].duplicated()
        self._outputs = rows[first].drop(columns=["analyzer", "version", "measure", "value", "label"])
        techniques = tag_values(self._outputs["tags"], "technique")
        self._outputs = self._outputs.assign(technique=techniques).set_index("output", drop=False)
        self._outputs.index.name = None
        self._readings = rows[["output", "analyzer", "measure", "value", "label"]]
        self._read = frozenset(
            rows[["analyzer", "measure"]].drop_duplicates().dropna().itertuples(index=False, name=None)
        )
        self._versions = rows[["analyzer", "version"]].drop_duplicates().dropna()

    @property
    def outputs(self) -> pd.DataFrame:
        """One row a finished output, without readings."""
        return self._outputs

    @property
    def versions(self) -> dict[str, str]:
        """Version of each analyzer whose readings these are; several are joined by `, `."""
        found = self._versions.astype(str).groupby("analyzer", sort=True)["version"]
        return {str(name): ", ".join(sorted(set(versions))) for name, versions in found}

    def measure(self, measure: Measure) -> pd.DataFrame:
        """The rows of one measure.

        Args:
            measure: What to read.

        Returns:
            A data frame as described above; without rows if the measure's analyzer did not run.
        """
        unread = measure.analyzer is not None and (measure.analyzer, measure.reading) not in self._read
        if unread and measure.refused_as is None:
            return self._outputs.iloc[:0].assign(value=pd.Series(dtype=float))
        scope = self._outputs[self._outputs["expects"].isin(measure.expects)]
        if measure.qualified is not None:
            scope = scope[scope["qualified"] == int(measure.qualified)]
        if measure.ordered:
            scope = scope[scope["ordered"] == 1]
        if measure.analyzer is None:
            failed = scope[measure.reading].isin(measure.labels)
            return scope.assign(value=failed.astype(float))
        readings = self._readings
        wanted = readings[
            (readings["analyzer"] == measure.analyzer) & (readings["measure"] == measure.reading)
        ]
        signalled = scope["outcome"].isin(["refused"]) if measure.refused_as is not None else None
        if wanted.empty and (signalled is None or not signalled.any()):
            return scope.iloc[:0].assign(value=pd.Series(dtype=float))
        if measure.outside:
            scope = scope.assign(outside=scope.index.isin(self._outside(wanted, measure)))
        values = self._numbers(wanted.set_index("output"), measure).reindex(scope.index)
        if signalled is not None:
            values = values.where(~signalled, measure.refused_as)
        rows = scaled(scope.assign(value=values.to_numpy(dtype=float)), measure.scale)
        return rows if measure.over_repeats is None else by_prompt(rows, measure.over_repeats)

    @staticmethod
    def _outside(wanted: pd.DataFrame, measure: Measure) -> "pd.Series[int]":
        return wanted.loc[wanted["label"].isin(measure.outside), "output"]

    def partly(self, measure: Measure) -> frozenset[int]:
        """Rows of the outputs of which a measure's analyzer read only a part."""
        readings = self._readings
        cut = readings[
            (readings["analyzer"] == measure.analyzer)
            & (readings["measure"] == measure.partly)
            & (readings["value"].astype(float) == 1.0)
        ]
        return frozenset(int(output) for output in cut["output"])

    @staticmethod
    def _numbers(wanted: pd.DataFrame, measure: Measure) -> "pd.Series[float]":
        values = wanted["value"].astype(float)
        if measure.threshold is not None:
            return (values >= measure.threshold).astype(float).where(values.notna(), np.nan)
        if measure.labels:
            flagged = wanted["label"].isin(measure.labels).astype(float)
            # A reading without a value is missing, unless its label is itself what is counted.
            return flagged.where(values.notna() | (flagged == 1.0), np.nan)
        return values


def absent(rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Which rows of a measure are missing: those without a value, but for those outside of it.

    Args:
        rows: Rows of a measure, as `Readings.measure` gives them.

    Returns:
        Shape (n_rows,).
    """
    found = rows["value"].isna().to_numpy(dtype=np.bool_)
    return found & ~rows["outside"].to_numpy(dtype=np.bool_) if "outside" in rows else found


def tag_values(tags: "pd.Series[str]", name: str) -> "pd.Series[str]":
    """One tag of each row's prompt, None where it has none; each spelling is read once only.

    Args:
        tags: The column `tags` of a frame: JSON texts, categorical.
        name: Name of the tag.
    """
    known = {raw: json.loads(raw).get(name) for raw in tags.cat.categories}
    return tags.map(known).astype("object")
