"""Negative controls: the same estimator on placebo sets, where the truth is 0."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

from audit.errors import NotMeasuredError
from audit.estimates.contrasts import MINIMUM_TEMPLATES, Contrast, flattened, interval, seed_names
from audit.estimates.families import could_show
from audit.estimates.measures import Measure
from audit.records import Control
from audit.statistics.intervals import ClusterEstimate
from audit.statistics.multiplicity import holm
from audit.statistics.noise import noise_floor
from audit.statistics.signflip import sign_flip_test
from probes.records import Placebo
from probes.seeds import rng

__all__ = ["PlaceboControl", "controls_of", "floor_of", "placebo_controls"]

FLIPS = 9_999
"""Sign flips of a control's test: enough to reach 1e-4, well below what Holm asks of a few dozen controls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceboControl:
    """A control and the placebo contrast it came from."""

    contrast: Contrast
    control: Control
    floor_unlabelled: float
    """The noise floor without what a sample of labels adds to it; that of the control if there is none."""

    def floor_of(self, contrast: Contrast) -> float:
        """The floor at the level of a contrast: of as many templates, and as many labels, as it has.

        Over T templates noise is sqrt(T / n) of what it is over n; the part of it that is of labels, in
        squares what the floor has above that of the readings, goes with their number in the same way.
        """
        corrected, unlabelled = self.control.noise_floor**2, self.floor_unlabelled**2
        ratio = _reviewed(self.contrast) / _reviewed(contrast) if _reviewed(contrast) else 0.0
        floor = sqrt(unlabelled + max(corrected - unlabelled, 0.0) * ratio)
        return floor * sqrt(self.control.n_clusters / contrast.n_clusters)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    contrast: Contrast
    placebo: Placebo
    estimate: ClusterEstimate
    p_value: float
    floor: float
    floor_unlabelled: float


def placebo_controls(
    placebos: Iterable[Contrast],
    *,
    level: float,
    seed: int,
    labelled: Callable[[Measure], bool] = lambda _: False,
) -> list[PlaceboControl]:
    """The controls of a run, judged as one family (Holm at 1 - level).

    One false alarm here would void a result that is sound, so the family is strict; a placebo with
    too few templates is no control and is left out. A control of what no reply showed, or every one, cannot
    fail: it holds, and does not count in the family, since each one that did would make it harder for
    the others to fail.

    Args:
        placebos: Placebo contrasts, `b` against `a`.
        level: Nominal coverage, a fraction in (0, 1).
        seed: Root seed; sign flips and resampling draw from it by name.
        labelled: Whether labels are attached that may correct a measure's disparities; a placebo that is
            not corrected then says so.
    """
    measured = [_measured(contrast, level=level, seed=seed) for contrast in placebos]
    kept = [one for one in measured if one is not None]
    if not kept:
        return []
    able = iter(holm([one.p_value for one in kept if could_show(one.contrast)]).tolist())
    adjusted = [next(able) if could_show(one.contrast) else 1.0 for one in kept]
    return [
        PlaceboControl(
            contrast=one.contrast,
            floor_unlabelled=one.floor_unlabelled,
            control=Control(
                placebo=one.placebo,
                point=one.estimate.point,
                ci_low=one.estimate.interval.low,
                ci_high=one.estimate.interval.high,
                noise_floor=one.floor,
                n_clusters=one.estimate.n_clusters,
                holds=bool(p > 1 - level),
                as_read=one.contrast.correction is None and labelled(one.contrast.cell.measure),
            ),
        )
        for one, p in zip(kept, adjusted, strict=True)
    ]


def controls_of(contrast: Contrast, controls: Sequence[PlaceboControl]) -> list[PlaceboControl]:
    """The controls that measure the noise of a contrast: same question, and its signal or none."""
    question = _question(contrast)
    return [
        one
        for one in controls
        if _question(one.contrast) == question and one.contrast.cell.signal in {None, contrast.cell.signal}
    ]


def floor_of(contrast: Contrast, controls: Sequence[PlaceboControl]) -> float | None:
    """The noise floor of a contrast: the largest of its controls, each at its level; None without any."""
    return max((one.floor_of(contrast) for one in controls), default=None)


def _reviewed(contrast: Contrast) -> int:
    """Labels of this run's own answers that a contrast rests on."""
    done = contrast.correction
    return 0 if done is None or done.source != "review" else done.n_labels


def _question(contrast: Contrast) -> tuple[str, str, str, str]:
    cell = contrast.cell
    return (cell.measure.name, cell.probe, cell.domain, cell.language)


def _measured(contrast: Contrast, *, level: float, seed: int) -> _Measured | None:
    placebo = contrast.cell.placebo
    if placebo is None or contrast.n_clusters < MINIMUM_TEMPLATES:
        return None
    try:
        estimate = interval(contrast, level=level)
    except NotMeasuredError:
        # Nothing moved at all, in a unit without bounds such as words: there is no noise to see.
        return None
    differences, weights = flattened(contrast)
    p_value = estimate.p_value
    if not estimate.degenerate and estimate.unseen is None:
        draw = rng(seed, "sign-flip", *seed_names(contrast))
        flipped = sign_flip_test(differences, flips=FLIPS, rng=draw, weights=weights).p_value
        # Sign flips do not see what a sample of labels leaves open; the t interval does.
        by_people = contrast.correction is not None and contrast.correction.source == "review"
        p_value = max(p_value, flipped) if by_people else flipped
    floor = _floor(contrast, seed)
    return _Measured(
        contrast=contrast,
        placebo=placebo,
        estimate=estimate,
        p_value=p_value,
        floor=floor,
        floor_unlabelled=_floor(contrast.correction.raw, seed)
        if contrast.correction is not None and _reviewed(contrast)
        else floor,
    )


def _floor(contrast: Contrast, seed: int) -> float:
    differences, weights = flattened(contrast)
    # Scaled so that the plain mean of the scaled differences is the pooled estimate.
    scaled = differences * weights * differences.size
    return noise_floor(scaled, rng=rng(seed, "noise-floor", *seed_names(contrast)))
