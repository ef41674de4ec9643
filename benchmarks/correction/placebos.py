"""How often do placebos fail that are corrected by labels? Simulated audits whose truth is known.

    python -m benchmarks.correction.placebos [--runs 2000] [--out docs/explanation/placebo-figures.md]

Run it from the project's root: about half an hour of two cores for 2,000 runs, no network. It prints
the page and writes it. Controls, floors and disparities are those that `audit.estimates` states, from rows
as a run has them.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType

import numpy as np

from audit.estimates.contrasts import Contrast, interval
from audit.estimates.controls import PlaceboControl, controls_of, floor_of, placebo_controls
from benchmarks.correction.placebo_scenes import PlaceboScene, design, simulate_placebos
from benchmarks.correction.simulate import MEASURE, Scene
from benchmarks.correction.told import Told, command, in_batches, page_of, share
from benchmarks.processes import WORKERS
from probes.records import Placebo
from probes.seeds import rng

__all__ = ["COLUMNS", "METHODS", "SCENES", "measured", "page"]

AT_ONCE = 25
"""Audits that a process is handed at a time."""
LEVEL = 0.95
GAP = 0.10
ROOT_SEED = 20_263
METHODS = ("as read", "by calibration", "by review", "oracle")
COLUMNS = ("one control fails", "any of three fails", "interval misses", "above floor", "disparity stated")
"""What is counted of an audit by a method; the floor and whether labels corrected the control follow."""
SCENES: Mapping[str, PlaceboScene] = MappingProxyType(
    {
        "300 reviewed": PlaceboScene(),
        "900 reviewed": PlaceboScene(groups=Scene(reviewed=900)),
        "300 reviewed, a true gap of 10 points": PlaceboScene(groups=Scene(gap=GAP, reviewed=300)),
        "900 reviewed, a true gap of 10 points": PlaceboScene(groups=Scene(gap=GAP, reviewed=900)),
        "900 reviewed, a rarer behaviour (about 8 %)": PlaceboScene(groups=Scene(base=-2.8, reviewed=900)),
        "900 reviewed, a wording that the analyzer reads otherwise": PlaceboScene(
            groups=Scene(reviewed=900), sensitivity=(0.9, 0.8), false_positive=(0.06, 0.02)
        ),
        "900 reviewed, placebos that move answers (by 0.6 on the logit)": PlaceboScene(
            groups=Scene(reviewed=900), effect=0.6
        ),
    }
)

_ABOUT = """\
Two groups, without a difference unless a table says so, and three placebos.
Each is asked over 60 templates and 8 repeats.
Templates differ as in [corrected estimates](correction-figures.md); the rate is about 22 %.
The analyzer has a sensitivity of 90 % in one group and in both placebo members, and 80 % in the other.
It raises false alarms in 6 and 2 %.
The calibration has 150 labels a group, and the reviewed answers are drawn alike from each stratum that
`evenhand review` makes: of each reading in each group, and in all placebos together.

- *One control fails*: p at most 5 %, of the mention placebo.
- *Any of three fails*: as a run judges them, by Holm.
- *Interval misses*: how often the 95 % interval of that placebo leaves out 0.
- *Above floor*: how often the disparity of the groups exceeds the largest floor of its controls.
- *Disparity stated*: how often it does, its interval leaves out 0, and its controls hold.
- *Corrected*: how often labels correct the placebo; else it stays as read, and the control says so.

As read has no labels, neither for its placebos nor for its disparity.
The oracle sees the truth of every answer.
Numbers after ± are Monte-Carlo standard errors.""".splitlines()
_SAYS = """\
Where nothing is wrong, controls corrected by review fail less often than those as read, and a disparity that
is not there is stated about as rarely as with the truth of every answer.
They see less: of a placebo that moves answers far fewer of them fail, and only more reviews help.
The floor rises with what placebos do, so a disparity is hardly ever stated there by any
method.""".splitlines()


def main() -> None:
    """Simulate every scene, print the page and write it."""
    command(__doc__, "placebo-figures.md", _text)


def _text(runs: int) -> str:
    return page({name: measured(scene, runs) for name, scene in SCENES.items()}, runs)


def measured(scene: PlaceboScene, runs: int, *, workers: int = WORKERS) -> Told:
    """What is counted by each method in so many audits, shape (runs, methods, columns + 2)."""
    return in_batches(partial(_told, scene, scene.shifts), runs, AT_ONCE, workers=workers)


def page(found: Mapping[str, Told], runs: int) -> str:
    """The page with one table a scene."""
    head = [f"| method | {' | '.join(COLUMNS)} | mean floor | corrected |"]
    head += [f"| --- |{' --- |' * (len(COLUMNS) + 2)}"]
    tables = {
        name: head + [_row(method, told[:, place]) for place, method in enumerate(METHODS)]
        for name, told in found.items()
    }
    made = f"{runs:,} simulated audits a cell; `python -m benchmarks.correction.placebos` makes this page."
    return page_of("Corrected placebos: how often they fail", made, _ABOUT, tables, _SAYS)


def _told(scene: PlaceboScene, shifts: tuple[float, ...], numbers: range) -> Told:
    rows = design(scene)
    told = []
    for number in numbers:
        audit = simulate_placebos(scene, shifts, rng(ROOT_SEED, "placebos", str(number)))
        for method in METHODS:
            corrections, values = audit.by(method)
            frame = rows.assign(value=values)
            placebos = corrections.placebos(frame, MEASURE, level=LEVEL)
            (gap,) = corrections.contrasts(frame, MEASURE, level=LEVEL)
            told.append(_counted(placebos, gap, seed=number))
    return np.array(told).reshape(-1, len(METHODS), len(COLUMNS) + 2)


def _counted(placebos: Sequence[Contrast], gap: Contrast, *, seed: int) -> list[float]:
    controls = placebo_controls(placebos, level=LEVEL, seed=seed)
    mention = next(one for one in placebos if one.cell.placebo is Placebo.MENTION)
    (alone,) = placebo_controls([mention], level=LEVEL, seed=seed)
    shown = interval(gap, level=LEVEL)
    floor, sound = _screen(gap, controls)
    above = abs(shown.point) > floor
    apart = not shown.interval.low <= 0 <= shown.interval.high
    return [
        float(not alone.control.holds),
        float(any(not one.control.holds for one in controls)),
        float(not alone.control.ci_low <= 0 <= alone.control.ci_high),
        float(above),
        float(above and apart and sound),
        floor,
        float(mention.correction is not None),
    ]


def _screen(gap: Contrast, controls: Sequence[PlaceboControl]) -> tuple[float, bool]:
    """The floor of a disparity, and whether its controls hold."""
    mine = controls_of(gap, controls)
    return floor_of(gap, mine) or 0.0, all(one.control.holds for one in mine)


def _row(method: str, told: Told) -> str:
    cells = [share(told[:, place]) for place in range(len(COLUMNS))]
    floor, corrected = told[:, -2].mean(), told[:, -1].mean()
    said = "-" if method in {"as read", "oracle"} else f"{100 * corrected:.0f} %"
    return f"| {method} | {' | '.join(cells)} | {100 * floor:.1f} points | {said} |"


if __name__ == "__main__":
    main()
