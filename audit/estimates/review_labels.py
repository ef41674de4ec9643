"""People's labels of a random sample of this run's own answers, for one reading of an analyzer."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from audit.estimates.error_rates import reads_positive
from audit.estimates.measures import Measure
from audit.statistics.arguments import Vector

__all__ = ["ReviewLabels", "Reviewed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """What people said of one output, and how it came to be asked about."""

    positive: float
    """Share of the reviewers who say that the behaviour is there, or the adjudicated label; in [0, 1]."""
    stratum: str
    """What the sample was drawn within."""
    probability: float
    """Probability of having been labelled, in (0, 1]: labelled of the stratum's outputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewLabels:
    """Labels by output."""

    analyzer: str
    reading: str
    threshold: float
    source: str
    """Which labels, in words."""
    outputs: Mapping[int, Reviewed]

    def fit(self, measure: Measure) -> bool:
        """Whether a measure is made of this reading, cut at the same value."""
        return (
            measure.analyzer == self.analyzer
            and measure.reading == self.reading
            and measure.unit == "rate"
            and reads_positive(measure) is not None
            and (measure.threshold if measure.threshold is not None else 0.5) == self.threshold
        )

    def of(self, frame: pd.DataFrame, measure: Measure) -> tuple[Vector, Vector, list[str]]:
        """Labels on the measure's scale (nan where none), probabilities and strata of the frame's rows."""
        found = [self.outputs.get(int(output)) for output in frame["output"]]
        flip = reads_positive(measure) is False
        labels = [np.nan if one is None else (1 - one.positive if flip else one.positive) for one in found]
        chance = [1.0 if one is None else one.probability for one in found]
        strata = ["" if one is None else one.stratum for one in found]
        return np.array(labels), np.array(chance), strata
