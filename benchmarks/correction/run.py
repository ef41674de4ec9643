"""Is a corrected estimate right where the analyzer errs unequally? Simulated audits whose truth is known.

    python -m benchmarks.correction.run [--runs 2000] [--out docs/explanation/correction-figures.md]

Run it from the project's root: about a quarter of an hour of one core for 2,000 runs, no network. It prints
the page and writes it. Contrasts, corrections and intervals are those that `audit.estimates.disparities`
states, from rows as a run has them.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import numpy as np

from audit.errors import NotMeasuredError
from audit.estimates.contrasts import Contrast, contrasts, interval
from audit.estimates.correction import Corrections
from audit.estimates.correction_reviews import contrasts_by_reviews
from benchmarks.correction.simulate import MEASURE, Audits, Scene, simulate
from benchmarks.correction.told import Told, command, in_batches, page_of, share
from benchmarks.processes import WORKERS
from probes.seeds import rng

__all__ = ["METHODS", "SCENES", "measured", "page"]

AT_ONCE = 50
"""Audits that are stated by one call."""
LEVEL = 0.95
ROOT_SEED = 20_262
GAP = 0.10
METHODS = ("as read", "by calibration", "by review", "oracle")
SCENES: Mapping[str, Scene] = MappingProxyType(
    {
        "unequal error (sensitivity 90 and 80 %, false alarms 6 and 2 %)": Scene(reviewed=300),
        "the same, 40 labels a group, 120 reviewed": Scene(labelled=40, reviewed=120),
        "the same, 30 templates": Scene(templates=30, reviewed=300),
        "the same, 120 templates": Scene(templates=120, reviewed=300),
        "equal error (sensitivity 90 %, false alarms 4 %)": Scene(
            sensitivity=(0.9, 0.9), false_positive=(0.04, 0.04), reviewed=300
        ),
        "a good analyzer (sensitivity 99 %, false alarms 1 %)": Scene(
            sensitivity=(0.99, 0.99), false_positive=(0.01, 0.01), reviewed=300
        ),
        "a rarer behaviour (about 8 %), unequal error": Scene(base=-2.8, reviewed=300),
    }
)

_ABOUT = """\
One contrast over 60 templates and 8 repeats unless said otherwise.
Templates and their slopes differ (standard deviations 0.8 and 0.4 on the logit); the rate is about 22 %.
150 labels a group in the calibration, 300 reviewed answers drawn alike from each group and reading.
False alarms: how often the 95 % interval excludes 0 where there is no gap.
Coverage, gap found and width are at a true gap of 10 points.
The oracle sees the truth of every answer.
Numbers after ± are Monte-Carlo standard errors.""".splitlines()
_SAYS = """\
As read, a gap is made of nothing, and more templates make it only more certain.
Both corrections keep their nominal error and pay for it in width; with few labels both are too wide.
A review is somewhat too wide where the analyzer is hardly ever wrong or the behaviour is rare.
Labels that find no disagreement are there not taken for proof that there is none.""".splitlines()


def main() -> None:
    """Simulate every scene, print the page and write it."""
    command(__doc__, "correction-figures.md", _text)


def _text(runs: int) -> str:
    return page(
        {name: (measured(scene, runs), _with_gap(scene, runs)) for name, scene in SCENES.items()}, runs
    )


def measured(scene: Scene, runs: int, *, workers: int = WORKERS) -> Told:
    """What each method says in so many audits, shape (runs, methods, 3).

    Of each: whether 0 is excluded, whether the truth is covered, and the width.
    """
    return in_batches(partial(_told, scene, scene.shift), runs, AT_ONCE, workers=workers)


def page(found: Mapping[str, tuple[Told, Told]], runs: int) -> str:
    """The page with one table a scene."""
    head = ["| method | false alarms | coverage | gap found | mean width | not measured |"]
    head += ["| --- | --- | --- | --- | --- | --- |"]
    tables = {
        name: head + [_row(method, null[:, place], gap[:, place]) for place, method in enumerate(METHODS)]
        for name, (null, gap) in found.items()
    }
    made = f"{runs:,} simulated audits a cell; `python -m benchmarks.correction.run` makes this page."
    return page_of("Corrected estimates: how often they are wrong", made, _ABOUT, tables, _SAYS)


def _with_gap(scene: Scene, runs: int) -> Told:
    return measured(replace(scene, gap=GAP), runs)


def _told(scene: Scene, shift: float, numbers: range) -> Told:
    """What each method says in the audits of these numbers."""
    audits = Audits(
        scene=scene,
        audits=[simulate(scene, shift, rng(ROOT_SEED, "correction", str(number))) for number in numbers],
    )
    rated = Corrections(rates=(audits.rates,)).contrasts(audits.frame(), MEASURE, level=LEVEL)
    read = [one if one.correction is None else one.correction.raw for one in rated]
    reviewed = []
    for place, raw in enumerate(read):
        frame, reviews = audits.alone(place)
        reviewed.extend(contrasts_by_reviews([_alone(raw)], frame, MEASURE, reviews))
    columns = [
        [_said(one, scene.gap) for one in read],
        [_said(one, scene.gap, corrected=True) for one in rated],
        [_said(one, scene.gap, corrected=True) for one in reviewed],
        [_said(one, scene.gap) for one in contrasts(audits.frame(audits.truth), MEASURE)],
    ]
    return np.array(columns).transpose(1, 0, 2)


def _alone(raw: Contrast) -> Contrast:
    """The contrast of one audit of several, named as in a frame of its own."""
    return replace(raw, cell=replace(raw.cell, probe="0000", language="0000"))


def _said(contrast: Contrast | str, gap: float, *, corrected: bool = False) -> list[float]:
    if isinstance(contrast, str) or (corrected and contrast.correction is None):
        return [float("nan")] * 3
    try:
        found = interval(contrast, level=LEVEL).interval
    except NotMeasuredError:
        return [float("nan")] * 3
    return [
        float(found.low > 0 or found.high < 0),
        float(found.low <= gap <= found.high),
        found.high - found.low,
    ]


def _row(method: str, null: Told, gap: Told) -> str:
    missing = float(np.isnan(gap[:, 0]).mean())
    null, gap = null[~np.isnan(null[:, 0])], gap[~np.isnan(gap[:, 0])]
    cells = [share(null[:, 0]), share(gap[:, 1]), share(gap[:, 0])]
    width = f"{100 * gap[:, 2].mean():.1f} points" if len(gap) else "-"
    return f"| {method} | {' | '.join(cells)} | {width} | {100 * missing:.1f} % |"


if __name__ == "__main__":
    main()
