"""`evenhand loop`: audit, repair, audit again, for some rounds."""

import os
from collections.abc import Mapping
from pathlib import Path

import click

from audit.cli.console import data, say
from audit.cli.ending import FAILED, INCONCLUSIVE
from audit.cli.options import json_option, out_option
from audit.cli.training import base_option, train_option, training, yes_option
from audit.retraining.records import RetrainingOptions
from audit.rounds import LOOP, LoopResult, Rounds, repair_in_rounds
from audit.spec import load_spec

__all__ = ["loop"]


@click.command()
@click.argument("spec", type=click.Path(path_type=Path))
@out_option
@click.option("--train", "trainer", required=True, help="Name of a trainer, such as transformers.")
@train_option
@base_option
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1, 20), help="Most rounds.")
@click.option(
    "--max-examples",
    default=500,
    show_default=True,
    type=click.IntRange(min=10, max=1_000_000),
    help="Upper bound of the examples of a round.",
)
@click.option(
    "--split-wordings",
    "split",
    is_flag=True,
    help="Give the sealed prompts wordings that no round asks: each gets half of the templates.",
)
@yes_option
@json_option
def loop(
    spec: Path,
    out: Path,
    trainer: str,
    train_options: Mapping[str, object],
    base: Path | None,
    rounds: int,
    max_examples: int,
    split: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Audit, write files, train and audit again, until the gate is met or nothing helps.

    Every round asks new prompts. A sealed set is asked of the first model and of the last one only.
    Given again, the command goes on where it was stopped.
    """
    result = repair_in_rounds(
        Rounds(
            spec=load_spec(spec),
            root=spec.parent,
            out=out,
            rounds=rounds,
            training=training(trainer, train_options, base, agreed=yes),
            retraining=RetrainingOptions(max_examples=max_examples),
            split=split,
            secrets=os.environ,
            say=say,
        )
    )
    if as_json:
        data(result.model_dump(mode="json"))
    _show(result, out)
    if result.gate is None:
        return 0
    return {"met": 0, "failed": FAILED, "inconclusive": INCONCLUSIVE}[result.gate]


def _show(result: LoopResult, out: Path) -> None:
    say(f"ended after {len(result.rounds)} rounds: {result.end}")
    for one in result.rounds:
        for what in one.worse:
            say(f"round {one.number} made worse: {what}; its model was not kept")
        for what in one.unsure:
            kept = "kept all the same" if one.kept else "not kept"
            say(f"round {one.number}, not shown to be no worse: {what}; its model was {kept}")
    if result.model is None:
        say(f"no model was kept; the first one has {result.left} findings on the sealed prompts")
    else:
        say(f"last good model: {out / result.model}")
        say(f"on the sealed prompts: {result.fixed} findings fixed, {result.left} left")
        for words, found in (("made worse", result.worse), ("not shown to be no worse", result.unsure)):
            say(f"on the sealed prompts, {words}: {'; '.join(found) or 'nothing'}")
        page = f"--html {out / 'comparison.html'}"
        say(f"next: evenhand compare {out / 'sealed' / 'before'} {out / 'sealed' / 'after'} {page}")
    if result.gate is None:
        say("the spec has no gate, so the exit code says only that the loop came to its end")
    else:
        say(f"gate on the sealed prompts: {result.gate}")
    say(f"all of it: {out / LOOP}")
