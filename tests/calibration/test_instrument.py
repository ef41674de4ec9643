"""The whole instrument against a specimen whose truth is known, on a reduced design.

The full table is made by `python -m benchmarks.instrument.run`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from statistics import NormalDist, fmean

import pytest

from audit import api
from audit.estimates.contrasts import POOLED
from audit.estimates.frame import Readings
from audit.records import Verdict
from audit.runs import create_run
from benchmarks.instrument.design import PLANTED, Design, spec_of
from benchmarks.instrument.pipeline import ask, estimate, make_prompts, read, table
from benchmarks.instrument.sections import planted_contrasts, unplanted_contrasts
from benchmarks.instrument.shares import share_of
from benchmarks.instrument.told import Contrast, Told, tell_all
from probes.records import Placebo, Signal

pytestmark = pytest.mark.slow

RUNS = 36
GAP = 0.2
STEEP = Design(
    attributes=("gender",),
    signals=(Signal.EXPLICIT,),
    placebos=(),
    merit=("borderline",),
    templates=12,
    repeats=12,
    faults={"favourable_rate": 0.6, "slope_sd": 0.23, "unparsed_rate": 0.03},
)
"""Wordings react so differently to a group that the variance is twice that of independent rows."""
FAULTS = {
    "favourable_rate": 0.6,
    "template_sd": 0.06,
    "slope_sd": 0.07,
    "unparsed_rate": 0.03,
    "empty_rate": 0.02,
}
SMALL = Design(merit=("borderline",), templates=12, faults=FAULTS)
"""All that a run can hold: both signals, every placebo, wordings, unreadable and empty replies."""
PLACEBO = Design(
    domains=("hiring",),
    attributes=("gender",),
    signals=(Signal.EXPLICIT,),
    placebos=("resample",),
    faults={"favourable_rate": 0.6},
)


@cache
def steep_runs() -> tuple[tuple[Told, ...], tuple[Told, ...]]:
    """The same runs without and with a gap; every run draws its wordings and answers anew."""
    prompts = make_prompts(spec_of(STEEP, gap=0.0, run=0))
    found = [tell_all(STEEP, run, gaps=(0.0, GAP), prompts=prompts) for run in range(RUNS)]
    nothing, planted = zip(*found, strict=True)
    return tuple(nothing), tuple(planted)


def planted(told: Told, *, pooled: bool) -> list[Contrast]:
    """The contrasts that the gap was planted in."""
    return planted_contrasts(told, Signal.EXPLICIT, pooled=pooled)


def variance(low: float | None, high: float | None) -> float:
    """What a 95 % interval takes the variance of its estimate to be, by the normal quantile."""
    assert low is not None
    assert high is not None
    return ((high - low) / 2 / NormalDist().inv_cdf(0.975)) ** 2


def covered(contrasts: Sequence[Contrast]) -> list[bool]:
    """Whether each interval holds what was planted."""
    assert all(one.low is not None and one.high is not None for one in contrasts)
    return [(one.low or 0.0) <= one.truth <= (one.high or 0.0) for one in contrasts]


def test_in_memory_estimates_are_those_of_a_run_folder(tmp_path: Path) -> None:
    """What the benchmark measures is the product: a run on disk states the very same disparities."""
    spec = spec_of(SMALL, gap=GAP, run=3)
    run = create_run(spec, tmp_path / "run", root=tmp_path, where="spec.yaml")
    asyncio.run(api.collect(run, secrets={}))
    api.score(run)
    stated = [one for one in api.find(run).estimates if one.kind == "disparity"]
    prompts = make_prompts(spec)
    outputs = ask(spec, prompts)
    frame = table(prompts, outputs, read(spec, prompts, outputs))
    assert estimate(spec, Readings(frame)) == stated
    assert {placebo for one in stated for placebo in (c.placebo for c in one.controls)} == set(Placebo)


@pytest.mark.parametrize("pooled", [True, False])
def test_intervals_hold_what_was_planted(pooled: bool) -> None:  # noqa: FBT001 - a parametrised value
    """Nominal 95 % intervals of the planted contrast hold it at that rate, within Monte-Carlo error."""
    share = share_of([covered(planted(run, pooled=pooled)) for run in steep_runs()[1]])
    assert share.high is not None
    assert share.high >= 0.95


def test_stated_errors_are_the_errors_made() -> None:
    """Pooled intervals are as wide as estimates scatter around the truth; those over rows are too short."""
    runs = [run for runs in steep_runs() for run in runs]
    about = [
        one for run in runs for one in run.contrasts if (one.measure, one.domain) == (PLANTED[0], POOLED)
    ]
    made = fmean(((one.point or 0.0) - one.truth) ** 2 for one in about)
    stated = fmean(variance(one.low, one.high) for one in about)
    rows = fmean(variance(one.naive_low, one.naive_high) for one in about)
    assert 0.65 < made / stated < 1.4
    assert stated / rows > 1.5


def test_nothing_planted_nothing_found() -> None:
    """Without a gap a claim is made in at most 5 % of runs; the test over rows claims far more often."""
    runs = steep_runs()[0]
    claimed = [any(one.verdict is Verdict.DISPARITY for one in unplanted_contrasts(run)) for run in runs]
    naive = [[one.naive_p for one in unplanted_contrasts(run) if one.naive_p is not None] for run in runs]
    ours = share_of([[claim] for claim in claimed])
    beside = share_of([[p <= 0.05 for p in run] for run in naive])
    assert ours.low is not None
    assert ours.low <= 0.05
    assert beside.low is not None
    assert beside.low > 0.05


def test_what_is_planted_is_found_in_its_direction() -> None:
    """A gap of 20 points is often called a disparity, and never the wrong way round."""
    claimed = [
        one
        for run in steep_runs()[1]
        for one in planted(run, pooled=True)
        if one.verdict is Verdict.DISPARITY
    ]
    assert len(claimed) > RUNS / 3
    assert all(one.point is not None and one.point < 0 for one in claimed)


def test_a_failing_placebo_voids_every_claim() -> None:
    """An instrument that moves the placebo measures nothing: the planted gap may then not be claimed."""
    spec = spec_of(PLACEBO, gap=GAP, run=1)
    prompts = make_prompts(spec)
    outputs = ask(spec, prompts)
    second = {p.id: p for p in prompts if p.placebo is Placebo.RESAMPLE and p.group == "b"}
    moved = [
        output.model_copy(update={"text": f"{second[output.prompt_id].expectation.favourable}."})
        if output.prompt_id in second
        else output
        for output in outputs
    ]
    sound, void = (
        [
            one
            for one in estimate(spec, Readings(table(prompts, given, read(spec, prompts, given))))
            if one.measure == PLANTED[0]
        ]
        for given in (outputs, moved)
    )
    assert Verdict.DISPARITY in {one.verdict for one in sound}
    assert {one.verdict for one in void} == {Verdict.NOT_MEASURED}
    assert all("resample placebo" in one.reasons[0] for one in void)


def test_same_run_same_numbers() -> None:
    """A run is decided by its number alone."""
    design = replace(STEEP, repeats=1)
    once, again, other = (tell_all(design, run, gaps=(0.1,)) for run in (5, 5, 6))
    assert once == again
    assert once != other
