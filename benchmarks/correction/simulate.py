"""Audits whose truth is known, read by an analyzer that errs more in one group than in the other."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit

from audit.estimates.error_rates import ErrorCell, ErrorRates
from audit.estimates.measures import Measure, measure_named
from audit.estimates.review_labels import Reviewed, ReviewLabels

__all__ = ["GROUPS", "MEASURE", "Audit", "Scene", "simulate"]

MEASURE = measure_named("toxicity_rate")
GROUPS = ("a", "b")
"""The group, and the reference group."""
_QUADRATURE = 64

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is simulated: one contrast of two groups, over one domain."""

    templates: int = 60
    repeats: int = 8
    base: float = -1.4
    """Mean of the templates' logits; the rate is about 22 % with the spread below."""
    template_sd: float = 0.8
    slope_sd: float = 0.4
    """Spread of the templates' own difference between the groups, on the logit."""
    gap: float = 0.0
    """True rate of the group less that of the reference."""
    sensitivity: tuple[float, float] = (0.9, 0.8)
    """Of the analyzer, in the group and in the reference."""
    false_positive: tuple[float, float] = (0.06, 0.02)
    labelled: int = 150
    """Labelled texts of each group in the calibration file, half of them positive."""
    reviewed: int = 0
    """Outputs of the run that people labelled, drawn alike from each group and reading."""

    @property
    def shift(self) -> float:
        """Difference on the logit that makes the true gap, over the spread of templates."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(_QUADRATURE)
        weights = weights / weights.sum()
        spread = (self.template_sd**2 + self.slope_sd**2 / 4) ** 0.5

        def off(shift: float) -> float:
            logits = self.base + spread * nodes
            rates = weights @ (expit(logits + shift / 2) - expit(logits - shift / 2))
            return float(rates) - self.gap

        return float(brentq(off, -6, 6))


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """One simulated audit: its rows, their truth, and the labels that came with it."""

    frame: pd.DataFrame
    """Rows of the measure as read; `value` is the reading."""
    truth: Vector
    """What people would say of each row, shape (n,)."""
    rates: ErrorRates
    """The calibration file."""
    reviews: ReviewLabels
    """What people said of a sample of the rows."""

    def source(self, values: Vector | None = None) -> Callable[[Measure], pd.DataFrame]:
        """What gives the estimates their rows; with `values` as the readings, if given."""
        rows = self.frame if values is None else self.frame.assign(value=values)
        return lambda measure: rows if measure == MEASURE else rows.iloc[:0]


def simulate(scene: Scene, rng: np.random.Generator) -> Audit:
    """One audit.

    Args:
        scene: What is simulated.
        rng: Where the draws come from.
    """
    template = np.repeat(np.arange(scene.templates), 2 * scene.repeats)
    side = np.tile(np.repeat([0, 1], scene.repeats), scene.templates)
    logit = scene.base + scene.template_sd * rng.standard_normal(scene.templates)
    slope = scene.shift + scene.slope_sd * rng.standard_normal(scene.templates)
    chance = expit(logit[template] + np.where(side == 0, 0.5, -0.5) * slope[template])
    truth = (rng.random(template.size) < chance).astype(float)
    flags = _read(truth, side, scene, rng)
    return Audit(
        frame=_frame(template, side, flags, scene.repeats),
        truth=truth,
        rates=_calibration(scene, rng),
        reviews=_reviews(truth, flags, side, scene, rng),
    )


def _read(truth: Vector, side: npt.NDArray[np.int64], scene: Scene, rng: np.random.Generator) -> Vector:
    found, alarmed = np.array(scene.sensitivity)[side], np.array(scene.false_positive)[side]
    return np.asarray((rng.random(truth.size) < np.where(truth == 1, found, alarmed)).astype(float))


def _reviews(
    truth: Vector, flags: Vector, side: npt.NDArray[np.int64], scene: Scene, rng: np.random.Generator
) -> ReviewLabels:
    outputs: dict[int, Reviewed] = {}
    for stratum in range(4):
        rows = np.flatnonzero(2 * side + flags == stratum)
        n = min(scene.reviewed // 4, rows.size)
        for row in rng.choice(rows, n, replace=False):
            outputs[int(row) + 1] = Reviewed(
                positive=float(truth[row]), stratum=str(stratum), probability=n / rows.size
            )
    return ReviewLabels(
        analyzer="toxicity", reading="toxic", threshold=0.5, source="simulated reviews", outputs=outputs
    )


def _calibration(scene: Scene, rng: np.random.Generator) -> ErrorRates:
    cells = []
    for side, group in enumerate(GROUPS):
        positives = scene.labelled // 2
        negatives = scene.labelled - positives
        hits = int(rng.binomial(positives, scene.sensitivity[side]))
        alarms = int(rng.binomial(negatives, scene.false_positive[side]))
        cells.append(
            ErrorCell(
                group=group,
                language=None,
                cluster=None,
                true_positive=hits,
                false_negative=positives - hits,
                true_negative=negatives - alarms,
                false_positive=alarms,
            )
        )
    return ErrorRates(
        analyzer="toxicity", reading="toxic", threshold=0.5, source="simulated labels", cells=tuple(cells)
    )


def _frame(
    template: npt.NDArray[np.int64], side: npt.NDArray[np.int64], flags: Vector, repeats: int
) -> pd.DataFrame:
    n = template.size
    names = pd.Index([f"t{number:04d}" for number in range(int(template.max()) + 1)], dtype=object)
    same = {
        "probe": "simulated",
        "domain": "one",
        "language": "en",
        "arm": "counterfactual",
        "placebo": None,
        "attribute": "attribute",
        "reference": GROUPS[1],
        "signal": "explicit",
        "norm": "must_not_differ",
        "name": None,
        "expects": "open",
        "outcome": "answered",
        "technique": None,
    }
    columns: dict[str, object] = {
        name: pd.Categorical.from_codes(
            np.full(n, -1 if value is None else 0, dtype=np.int8),
            categories=pd.Index([] if value is None else [value], dtype=object),
        )
        for name, value in same.items()
    }
    columns["template"] = pd.Categorical.from_codes(template, categories=names)
    columns["set_id"] = pd.Categorical.from_codes(template, categories=names)
    columns["prompt_id"] = [f"p{a}-{b}" for a, b in zip(template, side, strict=True)]
    columns["grp"] = pd.Categorical.from_codes(side, categories=pd.Index(GROUPS, dtype=object))
    columns["output"] = np.arange(1, n + 1)
    columns["repeat"] = np.tile(np.arange(repeats, dtype=np.int32), n // repeats)
    columns["value"] = flags
    return pd.DataFrame(columns)
