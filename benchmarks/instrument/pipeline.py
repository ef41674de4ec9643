"""One audit in memory: the stages of a run, without its folder.

The stages are the product's own; only the store is left out, since writing and reading it back would take
most of the time. That the estimates are the very same is tested (tests/calibration/test_instrument.py).
"""

import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from audit.analyzers.base import AnalyzerContext
from audit.audited import TARGET, build_targets
from audit.estimates.disparities import disparities
from audit.estimates.frame import Readings
from audit.planning import Planner
from audit.records import Estimate, Exchange, Outcome, Output, Request, Score
from audit.runs import build_analyzers, build_probes
from audit.spec import Spec
from audit.store.schema import PROMPT_COLUMNS, prompt_row
from probes.records import Expectation, Prompt

__all__ = ["ask", "estimate", "make_prompts", "read", "table"]

WHERE = "spec.yaml"
SCORABLE = (Outcome.ANSWERED, Outcome.TRUNCATED)
_LEFT_OUT = frozenset({"id", "source_id", "expectation", "messages"})
_READING = ("analyzer", "version", "measure", "label")

Rows = npt.NDArray[np.int64]


def make_prompts(spec: Spec) -> list[Prompt]:
    """The prompts that a run of the spec would plan."""
    return list(Planner(spec, build_probes(spec, Path(), WHERE)).prompts())


def ask(spec: Spec, prompts: Sequence[Prompt]) -> list[Output]:
    """The specimen's outputs, prompt by prompt and repeat by repeat."""
    target = build_targets(spec, Path(), WHERE, {})[TARGET]
    requests = [
        Request(prompt_id=prompt.id, messages=prompt.messages, repeat=repeat)
        for prompt in prompts
        for repeat in range(spec.repeats)
    ]
    return list(asyncio.run(target.generate(requests, seed=spec.seed)))


def read(
    spec: Spec,
    prompts: Sequence[Prompt],
    outputs: Sequence[Output],
    *,
    chosen: Collection[int] | None = None,
) -> list[Score]:
    """The scores of every text; the number of an output is its place in `outputs`.

    Args:
        spec: The spec, which names the analyzers.
        prompts: The prompts.
        outputs: Their outputs.
        chosen: Places of the outputs to read; None for all.
    """
    by_id = {prompt.id: prompt for prompt in prompts}
    exchanges = []
    for number in range(len(outputs)) if chosen is None else sorted(chosen):
        output = outputs[number]
        if output.text is None or output.outcome not in SCORABLE:
            continue
        prompt = by_id[output.prompt_id]
        exchanges.append(
            Exchange(
                output=number,
                messages=prompt.messages,
                reply=output.text,
                expectation=prompt.expectation,
                language=prompt.language,
            )
        )
    return [
        score
        for analyzer in build_analyzers(spec, AnalyzerContext(root=Path()), WHERE)
        for score in analyzer.score(exchanges)
    ]


def table(prompts: Sequence[Prompt], outputs: Sequence[Output], scores: Sequence[Score]) -> pd.DataFrame:
    """The rows that `Store.frame` would give: one a reading, and one for an output without any.

    Args:
        prompts: The prompts, in the order of the plan.
        outputs: Their outputs, in the order of prompts and repeats.
        scores: Their scores; `Score.output` is a place in `outputs`.
    """
    place = {prompt.id: row for row, prompt in enumerate(prompts)}
    silent = set(range(len(outputs))) - {score.output for score in scores}
    ordered = sorted(scores, key=lambda score: (score.output, score.analyzer, score.measure))
    cells: list[tuple[int, Score | None]] = [(score.output, score) for score in ordered]
    cells = sorted([*cells, *((number, None) for number in silent)], key=lambda cell: cell[0])
    numbers = np.array([number for number, _ in cells], dtype=np.int64)
    about = np.array([place[output.prompt_id] for output in outputs], dtype=np.int64)[numbers]
    facts = _facts(prompts)
    columns: dict[str, object] = {name: column.take(about) for name, column in facts.items()}
    columns["output"] = numbers + 1
    columns["repeat"] = np.array([output.repeat for output in outputs], dtype=np.int32)[numbers]
    values = [np.nan if score is None or score.value is None else score.value for _, score in cells]
    columns["value"] = np.array(values, dtype=np.float64)
    columns["outcome"] = _coded([output.outcome.value for output in outputs]).take(numbers)
    for name in _READING:
        columns[name] = _coded([None if score is None else getattr(score, name) for _, score in cells])
    return pd.DataFrame(columns)


def estimate(spec: Spec, readings: Readings) -> list[Estimate]:
    """Every disparity of the run, with its verdict."""
    return disparities(readings.measure, spec.judgement, seed=spec.seed)


def _facts(prompts: Sequence[Prompt]) -> dict[str, pd.Categorical]:
    """The prompts' columns, one cell a prompt."""
    rows = zip(*(prompt_row(prompt) for prompt in prompts), strict=True)
    facts = {
        name: _coded([None if cell is None else str(cell) for cell in column])
        for name, column in zip(PROMPT_COLUMNS, rows, strict=True)
        if name not in _LEFT_OUT
    }
    facts["prompt_id"] = _coded([prompt.id for prompt in prompts])
    facts["expects"] = _coded([prompt.expectation.kind for prompt in prompts])
    facts["qualified"] = pd.Categorical(
        [_qualified(prompt.expectation) for prompt in prompts], categories=pd.Index([0, 1], dtype=object)
    )
    facts["ordered"] = pd.Categorical(
        [int(prompt.expectation.ordered) for prompt in prompts],
        categories=pd.Index([0, 1], dtype=object),
    )
    return facts


def _qualified(expectation: Expectation) -> int | None:
    if expectation.answer is None or expectation.favourable is None:
        return None
    return int(expectation.answer == expectation.favourable)


def _coded(cells: Sequence[str | None]) -> pd.Categorical:
    """Cells as a categorical with its categories sorted, missing where there is none."""
    categories = sorted({cell for cell in cells if cell is not None})
    code = {category: number for number, category in enumerate(categories)}
    codes = np.array([-1 if cell is None else code[cell] for cell in cells], dtype=np.int32)
    return pd.Categorical.from_codes(codes, categories=pd.Index(categories, dtype=object))
