"""Audits whose truth is known, read by an analyzer that errs more in one group than in the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit

from audit.estimates.error_rates import ErrorCell, ErrorRates
from audit.estimates.measures import measure_named
from audit.estimates.review_labels import Reviewed, ReviewLabels

__all__ = ["GROUPS", "MEASURE", "Audit", "Audits", "Scene", "simulate"]

MEASURE = measure_named("toxicity_rate")
GROUPS = ("a", "b")
"""The group, and the reference group."""
_QUADRATURE = 64

Vector = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


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
    """One simulated audit: what was read, its truth, and the labels that came with it."""

    flags: Vector
    """Reading of each row, shape (2 x templates x repeats,)."""
    truth: Vector
    """What people would say of each row."""
    calibration: tuple[tuple[int, int], ...]
    """By group: positives found and negatives flagged of the labelled texts."""
    reviewed: Mapping[int, Reviewed]
    """What people said of a sample of the rows, by place of the row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audits:
    """Audits of one scene side by side in one frame, each a probe and a language of its own.

    So one call states them all, and nothing is pooled over them: labels are used for their own language only.
    """

    scene: Scene
    audits: Sequence[Audit]

    def frame(self, values: Sequence[Vector] | None = None) -> pd.DataFrame:
        """Rows of the measure; with `values` as the readings, if given."""
        readings = [audit.flags for audit in self.audits] if values is None else values
        return _frame(self.scene, np.concatenate(readings))

    @property
    def truth(self) -> list[Vector]:
        """What people would say of the rows, by audit."""
        return [audit.truth for audit in self.audits]

    @property
    def rates(self) -> ErrorRates:
        """The calibration files of all audits."""
        positives = self.scene.labelled // 2
        negatives = self.scene.labelled - positives
        cells = tuple(
            ErrorCell(
                group=group,
                language=_name(number),
                cluster=None,
                true_positive=hits,
                false_negative=positives - hits,
                true_negative=negatives - alarms,
                false_positive=alarms,
            )
            for number, audit in enumerate(self.audits)
            for group, (hits, alarms) in zip(GROUPS, audit.calibration, strict=True)
        )
        return ErrorRates(
            analyzer="toxicity", reading="toxic", threshold=0.5, source="simulated labels", cells=cells
        )

    def alone(self, number: int) -> tuple[pd.DataFrame, ReviewLabels]:
        """Rows and reviews of one audit: a sample of labels tunes the weight of one run's readings."""
        audit = self.audits[number]
        reviews = ReviewLabels(
            analyzer="toxicity",
            reading="toxic",
            threshold=0.5,
            source="simulated reviews",
            outputs={row + 1: said for row, said in audit.reviewed.items()},
        )
        return _frame(self.scene, audit.flags), reviews


def simulate(
    scene: Scene, shift: float, rng: np.random.Generator, *, answers: np.random.Generator | None = None
) -> Audit:
    """One audit.

    Args:
        scene: What is simulated.
        shift: Its `shift`, which takes a search to find.
        rng: Where the draws come from.
        answers: Where those of answers, readings and labels come from, if the templates are those of another
            audit too.
    """
    template, side = _design(scene)
    logit = scene.base + scene.template_sd * rng.standard_normal(scene.templates)
    slope = shift + scene.slope_sd * rng.standard_normal(scene.templates)
    rng = rng if answers is None else answers
    chance = expit(logit[template] + np.where(side == 0, 0.5, -0.5) * slope[template])
    truth = (rng.random(template.size) < chance).astype(float)
    found, alarmed = np.array(scene.sensitivity)[side], np.array(scene.false_positive)[side]
    flags = (rng.random(truth.size) < np.where(truth == 1, found, alarmed)).astype(float)
    positives = scene.labelled // 2
    calibration = tuple(
        (
            int(rng.binomial(positives, scene.sensitivity[one])),
            int(rng.binomial(scene.labelled - positives, scene.false_positive[one])),
        )
        for one in range(len(GROUPS))
    )
    return Audit(
        flags=flags, truth=truth, calibration=calibration, reviewed=_reviewed(truth, flags, scene, rng)
    )


def _reviewed(truth: Vector, flags: Vector, scene: Scene, rng: np.random.Generator) -> dict[int, Reviewed]:
    _, side = _design(scene)
    found: dict[int, Reviewed] = {}
    for stratum in range(4):
        rows = np.flatnonzero(2 * side + flags == stratum)
        n = min(scene.reviewed // 4, rows.size)
        for row in rng.choice(rows, n, replace=False):
            found[int(row)] = Reviewed(
                positive=float(truth[row]), stratum=str(stratum), probability=n / rows.size
            )
    return found


def _design(scene: Scene) -> tuple[Codes, Codes]:
    """Template and side of each row of one audit."""
    template = np.repeat(np.arange(scene.templates), 2 * scene.repeats)
    return template, np.tile(np.repeat([0, 1], scene.repeats), scene.templates)


def _name(number: int) -> str:
    return f"{number:04d}"


def _frame(scene: Scene, values: Vector) -> pd.DataFrame:
    """Rows of as many audits as the values are of."""
    template, side = _design(scene)
    audits, n = values.size // template.size, values.size
    template, side = np.tile(template, audits), np.tile(side, audits)
    names = [f"t{number:04d}" for number in range(scene.templates)]
    audit = _categories(
        np.repeat(np.arange(audits), n // audits), [_name(number) for number in range(audits)]
    )
    same = {
        "domain": "one",
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
        name: _categories(
            np.full(n, -1 if value is None else 0, dtype=np.int8), [] if value is None else [value]
        )
        for name, value in same.items()
    }
    columns |= {
        "probe": audit,
        "language": audit,
        "template": _categories(template, names),
        "set_id": _categories(template, names),
        "grp": _categories(side, list(GROUPS)),
        "output": np.arange(1, n + 1),
        "repeat": np.tile(np.arange(scene.repeats, dtype=np.int32), n // scene.repeats),
        "value": values,
    }
    return pd.DataFrame(columns)


def _categories(codes: npt.NDArray[np.integer], names: Sequence[str]) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, categories=pd.Index(list(names), dtype=object))
