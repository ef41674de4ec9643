"""Audits with placebo sets whose truth is known, read by an analyzer that errs, with what people labelled."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from audit.estimates.correction import Corrections
from audit.estimates.error_rates import ErrorCell, ErrorRates
from audit.estimates.review_labels import Reviewed, ReviewLabels
from benchmarks.correction.simulate import GROUPS, Scene

__all__ = ["KINDS", "PlaceboAudit", "PlaceboScene", "design", "simulate_placebos"]

KINDS = ("mention", "paraphrase", "resample")
_ARMS = ("groups", *KINDS)

Vector = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceboScene:
    """One attribute of two groups that are alike, and three placebos, all over the same templates."""

    groups: Scene = field(default=Scene(reviewed=300))
    """The groups, and the design of every arm; `reviewed` are drawn alike from each group and reading,
    where all placebos are one group."""
    sensitivity: tuple[float, float] = (0.9, 0.9)
    """Of the analyzer, in the placebo members `b` and `a`."""
    false_positive: tuple[float, float] = (0.06, 0.06)
    effect: float = 0.0
    """Shift of `b` against `a` in every placebo, on the logit."""

    @property
    def shifts(self) -> tuple[float, ...]:
        """Mean shift of each arm, on the logit."""
        return (self.groups.shift, *[self.effect] * len(KINDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceboAudit:
    """One simulated audit, by row of its `design`."""

    flags: Vector
    truth: Vector
    rates: ErrorRates
    reviews: ReviewLabels

    def by(self, method: str) -> tuple[Corrections, Vector]:
        """The labels that a method has, and the values it starts from."""
        if method == "oracle":
            return Corrections(), self.truth
        rates = (self.rates,) if method == "by calibration" else ()
        reviews = (self.reviews,) if method == "by review" else ()
        return Corrections(rates=rates, reviews=reviews), self.flags


def design(scene: PlaceboScene) -> pd.DataFrame:
    """Rows of an audit without their values: arm by template by member by repeat."""
    templates, repeats = scene.groups.templates, scene.groups.repeats
    each = templates * 2 * repeats
    template = np.repeat(np.arange(templates), 2 * repeats)
    side = np.tile(np.repeat([0, 1], repeats), templates)
    parts = []
    for arm in _ARMS:
        placebo = arm in KINDS
        names = np.array(["b", "a"] if placebo else list(GROUPS), dtype=object)
        parts.append(
            pd.DataFrame(
                {
                    "arm": "placebo" if placebo else "counterfactual",
                    "placebo": arm if placebo else None,
                    "attribute": None if placebo else "attribute",
                    "reference": None if placebo else GROUPS[1],
                    "grp": names[side],
                    "template": np.array([f"t{one:04d}" for one in template], dtype=object),
                    "set_id": np.array([f"{arm}-{one:04d}" for one in template], dtype=object),
                    "repeat": np.tile(np.arange(repeats), 2 * templates),
                }
            )
        )
    same = {"probe": "one", "domain": "one", "language": "en", "signal": "explicit", "name": None}
    same |= {"norm": "must_not_differ", "expects": "open", "outcome": "answered", "technique": None}
    rows = pd.concat(parts, ignore_index=True).assign(**same, output=np.arange(1, len(_ARMS) * each + 1))
    words = [name for name in rows.columns if rows[name].dtype == object]
    return rows.astype(dict.fromkeys(words, "category"))


def simulate_placebos(
    scene: PlaceboScene, shifts: tuple[float, ...], rng: np.random.Generator
) -> PlaceboAudit:
    """One audit.

    Args:
        scene: What is simulated.
        shifts: Its `shifts`, which take a search to find.
        rng: Where the draws come from.
    """
    of, arms = scene.groups, len(_ARMS)
    logit = of.base + of.template_sd * rng.standard_normal(of.templates)
    slope = np.array(shifts)[:, None] + of.slope_sd * rng.standard_normal((arms, of.templates))
    sign = np.array([0.5, -0.5])
    chance = expit(logit[None, :, None] + sign * slope[:, :, None])
    truth = rng.random((arms, of.templates, 2, of.repeats)) < chance[..., None]
    placebo = np.arange(arms)[:, None] > 0
    found = np.where(placebo, scene.sensitivity, of.sensitivity)[:, None, :, None]
    alarmed = np.where(placebo, scene.false_positive, of.false_positive)[:, None, :, None]
    flags = rng.random(truth.shape) < np.where(truth, found, alarmed)
    side = np.where(placebo, len(GROUPS), [0, 1])[:, None, :, None]
    strata = (2 * np.broadcast_to(side, truth.shape) + flags).ravel()
    said = _reviewed(truth.ravel().astype(np.float64), strata, of.reviewed, rng)
    return PlaceboAudit(
        flags=flags.ravel().astype(np.float64),
        truth=truth.ravel().astype(np.float64),
        rates=_calibration(of, rng),
        reviews=ReviewLabels(
            analyzer="toxicity", reading="toxic", threshold=0.5, source="simulated reviews", outputs=said
        ),
    )


def _calibration(scene: Scene, rng: np.random.Generator) -> ErrorRates:
    positives = scene.labelled // 2
    negatives = scene.labelled - positives
    cells = []
    for place, group in enumerate(GROUPS):
        hits = int(rng.binomial(positives, scene.sensitivity[place]))
        alarms = int(rng.binomial(negatives, scene.false_positive[place]))
        cells.append(
            ErrorCell(
                group=group,
                language="en",
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


def _reviewed(truth: Vector, strata: Codes, asked: int, rng: np.random.Generator) -> Mapping[int, Reviewed]:
    codes = np.unique(strata)
    found: dict[int, Reviewed] = {}
    for code in codes:
        rows = np.flatnonzero(strata == code)
        n = min(asked // codes.size, rows.size)
        for row in rng.choice(rows, n, replace=False):
            found[int(row) + 1] = Reviewed(
                positive=float(truth[row]), stratum=str(code), probability=n / rows.size
            )
    return found
