"""`evenhand demo`: the whole loop, offline, in under a minute."""

from pathlib import Path

import click

from audit.cli.change_table import show_changes
from audit.cli.comparison_tables import show_legend
from audit.cli.console import data, say
from audit.cli.options import json_option, out_option
from audit.cli.tables import show_run
from audit.demo.loop import DemoResult, run_demo
from audit.demo.small_model.material import make_material
from audit.records import Change
from probes.records import Signal

__all__ = ["demo"]

SEED = 7


@click.command()
@out_option
@click.option(
    "--seed", default=SEED, show_default=True, type=click.IntRange(min=0), help="Root seed of everything."
)
@click.option(
    "--language-model",
    is_flag=True,
    help="Only train the small language model of the tutorial, into OUT/model, and OUT/ordinary.jsonl.",
)
@json_option
def demo(out: Path, seed: int, language_model: bool, as_json: bool) -> None:
    """Run the whole loop on a small learned lender, offline.

    Leaves the two audits in OUT/before and OUT/after and the retraining files in OUT/retraining. It
    shows the plumbing; evidence that a repair works on language models comes from language models.
    """
    if language_model:
        model, ordinary = make_material(out, seed=seed, say=say)
        if as_json:
            data({"model": str(model), "ordinary": str(ordinary)})
        say(f"model: {model}")
        say(f"ordinary dialogues: {ordinary}")
        return
    result = run_demo(out, seed=seed, say=say)
    if as_json:
        data(
            {
                "before": str(out / "before"),
                "after": str(out / "after"),
                "retraining": str(out / "retraining"),
                "changes": [change.model_dump(mode="json") for change in result.comparison.changes],
            }
        )
    _show(result, out)


def _show(result: DemoResult, out: Path) -> None:
    say()
    say("The lender before:")
    show_run(result.before)
    say()
    say("The specimen beside it:")
    show_run(result.specimen)
    say()
    examples = sum(result.files.manifest.kinds.values())
    say(f"Before and after retraining on {examples} examples, paired by prompt:")
    shown = [change for change in result.comparison.changes if _headline(change)]
    show_changes(shown)
    show_legend(shown)
    command = f"evenhand compare {out / 'before'} {out / 'after'} --all"
    say(f"(all {len(result.comparison.changes)} changes: {command})")
    say()
    say(f"report before:    {result.reports[0]}")
    say(f"report after:     {result.reports[1]}")
    say(f"report specimen:  {result.specimen_report}")
    say(f"retraining files: {result.files.folder}")


def _headline(change: Change) -> bool:
    decided = (
        change.measure == "favourable_rate" and change.signal is Signal.EXPLICIT and change.domain != "all"
    )
    return decided or (change.measure == "correct_rate" and change.domain != "all")
