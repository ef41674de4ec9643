"""What one run told, small enough to keep: one line of JSON a run."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import TypeAdapter

from audit.estimates.frame import Readings
from audit.estimates.measures import measure_named
from audit.records import Estimate, Output, Score, Verdict
from audit.spec import Spec
from benchmarks.instrument.design import GAPS, PLANTED, Design, spec_of, truth_of
from benchmarks.instrument.naive import naive_p_values
from benchmarks.instrument.pipeline import ask, estimate, make_prompts, read, table
from probes.records import Prompt, Record, Signal

__all__ = ["Contrast", "Told", "load", "save", "tell", "tell_all"]


class Contrast(Record):
    """One contrast of one run, and its truth."""

    measure: str
    domain: str
    attribute: str
    group: str
    signal: Signal
    truth: float
    point: float | None
    low: float | None
    high: float | None
    selected: bool
    """True if the adjusted p-value is at or below the declared rate."""
    verdict: Verdict
    naive_low: float | None
    naive_high: float | None
    naive_p: float | None
    """Of the z-test over rows; None for measures other than the planted one."""


class Told(Record):
    """One run: every contrast, and whether its negative controls held."""

    run: int
    gap: float
    contrasts: tuple[Contrast, ...]
    failed_controls: tuple[str, ...]
    """Domain and placebo of the controls that did not hold; the placebos' truth is 0 by construction."""


_TOLD = TypeAdapter(Told)


def tell_all(
    design: Design, run: int, *, gaps: Sequence[float] = GAPS, prompts: Sequence[Prompt] | None = None
) -> list[Told]:
    """The runs of one number, one a gap; they share their prompts and the luck of the answers.

    Args:
        design: The audit.
        run: Number of the run.
        gaps: Points planted, as fractions.
        prompts: What is asked; None for what this run's own seed gives.
    """
    prompts = make_prompts(spec_of(design, gap=gaps[0], run=run)) if prompts is None else prompts
    outputs: list[Output] = []
    scores: list[Score] = []
    told = []
    for gap in gaps:
        spec = spec_of(design, gap=gap, run=run)
        before, outputs = outputs, ask(spec, prompts)
        # A gap changes few replies; an analyzer reads the others as it did before.
        same = {place for place, pair in enumerate(zip(before, outputs, strict=False)) if pair[0] == pair[1]}
        kept = [score for score in scores if score.output in same]
        changed = [place for place in range(len(outputs)) if place not in same]
        scores = [*kept, *read(spec, prompts, outputs, chosen=changed)]
        told.append(tell(spec, Readings(table(prompts, outputs, scores)), run=run, gap=gap))
    return told


def tell(spec: Spec, readings: Readings, *, run: int, gap: float) -> Told:
    """What one run of the instrument states.

    Args:
        spec: The spec.
        readings: Its outputs with their readings.
        run: Number of the run.
        gap: What was planted, a fraction.
    """
    estimates = estimate(spec, readings)
    naive = naive_p_values(readings.measure(measure_named(PLANTED[0])))
    failed = {
        f"{one.measure} {one.domain} {control.placebo}"
        for one in estimates
        for control in one.controls
        if not control.holds
    }
    contrasts = tuple(
        _contrast(one, gap, rate=spec.judgement.false_discovery_rate, naive=naive) for one in estimates
    )
    return Told(run=run, gap=gap, contrasts=contrasts, failed_controls=tuple(sorted(failed)))


def save(told: Iterable[Told], path: Path) -> None:
    """Add runs to a file, one a line."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(one.model_dump_json() + "\n" for one in told)


def load(path: Path) -> list[Told]:
    """The runs of a file; none if there is no such file."""
    if not path.exists():
        return []
    return [_TOLD.validate_json(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _contrast(
    one: Estimate, gap: float, *, rate: float, naive: dict[tuple[str, str, str, str], float]
) -> Contrast:
    signal = one.signal or Signal.EXPLICIT
    about = (one.domain, str(one.attribute), signal.value, str(one.group))
    return Contrast(
        measure=one.measure,
        domain=one.domain,
        attribute=str(one.attribute),
        group=str(one.group),
        signal=signal,
        truth=truth_of(one, gap),
        point=one.point,
        low=one.ci_low,
        high=one.ci_high,
        selected=one.p_adjusted is not None and one.p_adjusted <= rate,
        verdict=one.verdict,
        naive_low=one.naive_ci_low,
        naive_high=one.naive_ci_high,
        naive_p=naive.get(about) if one.measure == PLANTED[0] else None,
    )
