"""Is a corrected estimate right where the analyzer errs unequally? Simulated audits whose truth is known.

    python -m benchmarks.correction.run [--runs 2000] [--out docs/explanation/correction-figures.md]

Run it from the project's root: about an hour of two cores for 2,000 runs, no network. It prints the page and
writes it. Estimates are those of `audit.estimates.disparities`, from rows as a run has them.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from audit.estimates.correction import Corrections
from audit.estimates.disparities import disparities
from audit.spec import Judgement
from benchmarks.correction.simulate import MEASURE, Audit, Scene, simulate
from benchmarks.processes import WORKERS, in_processes
from probes.seeds import rng

__all__ = ["METHODS", "SCENES", "measured", "page"]

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

Told = npt.NDArray[np.float64]
"""Per run and method: whether 0 is excluded, whether the truth is covered, the width; nan if not measured."""


def main() -> None:
    """Simulate every scene, print the page and write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=2000)
    root = Path(__file__).resolve().parents[2]
    parser.add_argument("--out", type=Path, default=root / "docs" / "explanation" / "correction-figures.md")
    chosen = parser.parse_args()
    if chosen.runs < 2:
        parser.error(f"--runs must be at least 2; got {chosen.runs}")
    found = {
        name: (measured(scene, chosen.runs), _with_gap(scene, chosen.runs)) for name, scene in SCENES.items()
    }
    text = page(found, chosen.runs)
    print(text)
    chosen.out.write_text(text, encoding="utf-8")


def measured(scene: Scene, runs: int, *, workers: int = WORKERS) -> Told:
    """What each method says in so many audits, shape (runs, methods, 3)."""
    if workers == 1:
        return np.array([_told(scene, number) for number in range(runs)])
    made = in_processes(partial(_told, scene), range(runs), workers=workers, chunksize=10)
    return np.array(list(made))


def page(found: Mapping[str, tuple[Told, Told]], runs: int) -> str:
    """The page with one table a scene."""
    lines = [
        "# Corrected estimates: how often they are wrong",
        "",
        f"{runs:,} simulated audits a cell; `python -m benchmarks.correction.run` makes this page.",
        *_ABOUT,
    ]
    for name, (null, gap) in found.items():
        lines += ["", f"## {name[0].upper()}{name[1:]}", ""]
        lines += ["| method | false alarms | coverage | gap found | mean width | not measured |"]
        lines += ["| --- | --- | --- | --- | --- | --- |"]
        for place, method in enumerate(METHODS):
            lines.append(_row(method, null[:, place], gap[:, place]))
    lines += ["", *_SAYS]
    return "\n".join(lines) + "\n"


def _with_gap(scene: Scene, runs: int) -> Told:
    return measured(replace(scene, gap=GAP), runs)


def _told(scene: Scene, number: int) -> list[list[float]]:
    audit = simulate(scene, rng(ROOT_SEED, "correction", str(number)))
    asked: Sequence[tuple[Corrections, Told | None]] = (
        (Corrections(), None),
        (Corrections(rates=(audit.rates,)), None),
        (Corrections(reviews=(audit.reviews,)), None),
        (Corrections(), audit.truth),
    )
    return [_one(audit, scene.gap, number, *one) for one in asked]


def _one(audit: Audit, gap: float, number: int, corrections: Corrections, values: Told | None) -> list[float]:
    source = audit.source(values)
    found = disparities(source, Judgement(), seed=number, measures=[MEASURE], corrections=corrections)[0]
    wanted = bool(corrections.rates or corrections.reviews)
    if found.ci_low is None or found.ci_high is None or (wanted and found.correction is None):
        return [float("nan")] * 3
    low, high = found.ci_low, found.ci_high
    return [float(low > 0 or high < 0), float(low <= gap <= high), high - low]


def _row(method: str, null: Told, gap: Told) -> str:
    missing = float(np.isnan(gap[:, 0]).mean())
    null, gap = null[~np.isnan(null[:, 0])], gap[~np.isnan(gap[:, 0])]
    cells = [_share(null[:, 0]), _share(gap[:, 1]), _share(gap[:, 0])]
    width = f"{100 * gap[:, 2].mean():.1f} points" if len(gap) else "-"
    return f"| {method} | {' | '.join(cells)} | {width} | {100 * missing:.1f} % |"


def _share(hits: npt.NDArray[np.float64]) -> str:
    if hits.size == 0:
        return "-"
    share = float(hits.mean())
    return f"{100 * share:.1f} ± {100 * (share * (1 - share) / hits.size) ** 0.5:.1f} %"


if __name__ == "__main__":
    main()
