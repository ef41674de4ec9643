"""Negative controls: the same estimator on placebo sets, where the truth is 0."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

from audit.errors import NotMeasuredError
from audit.estimates.contrasts import MINIMUM_TEMPLATES, Contrast, flattened, interval, seed_names
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    contrast: Contrast
    placebo: Placebo
    estimate: ClusterEstimate
    p_value: float
    floor: float


def placebo_controls(
    placebos: Iterable[Contrast],
    *,
    level: float,
    seed: int,
    labelled: Callable[[Measure], bool] = lambda _: False,
) -> list[PlaceboControl]:
    """The controls of a run, judged as one family (Holm at 1 - level).

    One false alarm here would void a result that is sound, so the family is strict; a placebo with
    too few templates is no control and is left out.

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
    adjusted = holm([one.p_value for one in kept])
    return [
        PlaceboControl(
            contrast=one.contrast,
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


def controls_of(contrast: Contrast, controls: Sequence[PlaceboControl]) -> tuple[Control, ...]:
    """The controls that measure the noise of a contrast: same question, and its signal or none."""
    cell = contrast.cell
    question = (cell.measure.name, cell.probe, cell.domain, cell.language)
    return tuple(
        one.control
        for one in controls
        if _question(one.contrast) == question and one.contrast.cell.signal in {None, cell.signal}
    )


def floor_of(controls: Sequence[Control], n_clusters: int) -> float | None:
    """The noise floor of an estimate over so many templates: the largest of its controls; None without any.

    A control over T templates has noise of its own level; over n templates it is sqrt(T / n) of that.
    """
    return max(
        (control.noise_floor * sqrt(control.n_clusters / n_clusters) for control in controls), default=None
    )


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
    # Scaled so that the plain mean of the scaled differences is the pooled estimate.
    scaled = differences * weights * differences.size
    floor = noise_floor(scaled, rng=rng(seed, "noise-floor", *seed_names(contrast)))
    return _Measured(contrast=contrast, placebo=placebo, estimate=estimate, p_value=p_value, floor=floor)
