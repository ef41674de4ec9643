"""Is the change between two runs right where both are corrected by reviews? Simulated pairs of audits.

    python -m benchmarks.correction.changes [--runs 2000] [--out docs/explanation/change-figures.md]

Run it from the project's root: about ten minutes of two cores for 2,000 pairs, no network. It prints the
page and writes it. Changes are those that `evenhand compare` states of a disparity, from rows as runs have
them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

import numpy as np
import pandas as pd

from audit.errors import NotMeasuredError
from audit.estimates.contrasts import Contrast, contrasts, interval
from audit.estimates.correction_reviews import reviewed_changes
from audit.estimates.paired_prompts import paired
from audit.estimates.review_labels import ReviewLabels
from benchmarks.correction.simulate import MEASURE, Audits, Scene, simulate
from benchmarks.correction.told import Told, command, in_batches, page_of, share
from benchmarks.processes import WORKERS
from probes.seeds import rng

__all__ = ["METHODS", "SCENES", "Pair", "measured", "page"]

AT_ONCE = 50
"""Pairs that a process is handed at a time."""
LEVEL = 0.95
ROOT_SEED = 20_264
METHODS = ("as read", "by review", "oracle")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two runs of one plan: before and after a model was retrained."""

    before: Scene
    after: Scene

    @property
    def change(self) -> float:
        """True change of the gap."""
        return self.after.gap - self.before.gap


_GAP = Scene(gap=0.10, reviewed=300)
_TURNED = Scene(sensitivity=(0.8, 0.9), false_positive=(0.02, 0.06), reviewed=300)
"""The analyzer errs on the retrained model's answers the other way round."""
SCENES: Mapping[str, Pair] = MappingProxyType(
    {
        "nothing changed": Pair(before=_GAP, after=_GAP),
        "nothing changed but how the analyzer errs": Pair(before=_GAP, after=replace(_TURNED, gap=0.10)),
        "the gap is repaired": Pair(before=_GAP, after=replace(_GAP, gap=0.0)),
        "the gap is repaired, and the analyzer errs otherwise": Pair(before=_GAP, after=_TURNED),
        "the same, 120 reviewed in each run": Pair(
            before=replace(_GAP, reviewed=120), after=replace(_TURNED, reviewed=120)
        ),
        "the same, 30 templates": Pair(
            before=replace(_GAP, templates=30), after=replace(_TURNED, templates=30)
        ),
        "the same, a rarer behaviour (about 8 %)": Pair(
            before=replace(_GAP, base=-2.8), after=replace(_TURNED, base=-2.8)
        ),
    }
)

_ABOUT = """\
One contrast over 60 templates and 8 repeats in both runs unless said otherwise, asked the same prompts.
Templates differ as in [corrected estimates](correction-figures.md), alike in both runs; the gap is 10 points
before.
The analyzer has a sensitivity of 90 % in the group and 80 % in its reference, and false alarms of 6 and 2 %;
where it errs otherwise, these are 80 and 90 %, and 2 and 6 %, after.
In each run 300 answers were reviewed, drawn alike from each group and reading.

- *Missed*: how often the 95 % interval of the change leaves out the true one.
- *Change found*: how often it leaves out 0.

The oracle sees the truth of every answer.
Numbers after ± are Monte-Carlo standard errors.""".splitlines()
_SAYS = """\
As read, a change of the analyzer's errors passes for a change of the model.
By review it does not; with few labels its intervals are wide, and wider than they need to be.""".splitlines()


def main() -> None:
    """Simulate every scene, print the page and write it."""
    command(__doc__, "change-figures.md", _text)


def _text(runs: int) -> str:
    return page({name: measured(pair, runs) for name, pair in SCENES.items()}, runs)


def measured(pair: Pair, runs: int, *, workers: int = WORKERS) -> Told:
    """What each method says of so many pairs, shape (runs, methods, 3).

    Of each: whether the change is missed, whether 0 is, and the width.
    """
    shifts = pair.before.shift, pair.after.shift
    return in_batches(partial(_told, pair, shifts), runs, AT_ONCE, workers=workers)


def page(found: Mapping[str, Told], runs: int) -> str:
    """The page with one table a scene."""
    head = [
        "| method | missed | change found | mean width | not measured |",
        "| --- | --- | --- | --- | --- |",
    ]
    tables = {
        name: head + [_row(method, told[:, place]) for place, method in enumerate(METHODS)]
        for name, told in found.items()
    }
    made = f"{runs:,} simulated pairs a cell; `python -m benchmarks.correction.changes` makes this page."
    return page_of("The change between two reviewed runs: how often it is wrong", made, _ABOUT, tables, _SAYS)


def _told(pair: Pair, shifts: tuple[float, float], numbers: range) -> Told:
    told = []
    for number in numbers:
        before = _Side.of(pair.before, shifts[0], number, "before")
        after = _Side.of(pair.after, shifts[1], number, "after")
        reviewed = reviewed_changes(
            (before.read, before.reviews), (after.read, after.reviews), MEASURE, paired
        )
        told.append(
            [
                _said(contrasts(paired(before.read, after.read), MEASURE), pair.change),
                _said(reviewed, pair.change),
                _said(contrasts(paired(before.true, after.true), MEASURE), pair.change),
            ]
        )
    return np.array(told)


@dataclass(frozen=True, slots=True)
class _Side:
    """One run: its rows as read and as they truly are, and what people said of some."""

    read: pd.DataFrame
    true: pd.DataFrame
    reviews: ReviewLabels

    @classmethod
    def of(cls, scene: Scene, shift: float, number: int, name: str) -> "_Side":
        audit = simulate(
            scene,
            shift,
            rng(ROOT_SEED, "templates", str(number)),
            answers=rng(ROOT_SEED, name, str(number)),
        )
        audits = Audits(scene=scene, audits=[audit])
        frame, reviews = audits.alone(0)
        return cls(_prompts(frame), _prompts(audits.frame(audits.truth)), reviews)


def _prompts(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with the prompt that each answers."""
    return frame.assign(prompt_id=frame["template"].astype(str) + " " + frame["grp"].astype(str))


def _said(found: Iterable[Contrast], change: float) -> list[float]:
    contrast = next(iter(found), None)
    if contrast is None:
        return [float("nan")] * 3
    try:
        stated = interval(contrast, level=LEVEL, bounds=(-2.0, 2.0)).interval
    except NotMeasuredError:
        return [float("nan")] * 3
    return [
        float(not stated.low <= change <= stated.high),
        float(stated.low > 0 or stated.high < 0),
        stated.high - stated.low,
    ]


def _row(method: str, told: Told) -> str:
    missing = float(np.isnan(told[:, 0]).mean())
    told = told[~np.isnan(told[:, 0])]
    width = f"{100 * told[:, 2].mean():.1f} points" if len(told) else "-"
    return f"| {method} | {share(told[:, 0])} | {share(told[:, 1])} | {width} | {100 * missing:.1f} % |"


if __name__ == "__main__":
    main()
