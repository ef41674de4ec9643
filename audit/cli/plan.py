"""`evenhand plan`: what a spec will ask and what it can show, before anything is sent."""

from pathlib import Path

import click

from audit import api
from audit.cli.console import data, say, table
from audit.cli.options import json_option
from audit.plan import Plan

__all__ = ["plan"]


@click.command()
@click.argument("spec", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Also keep the plan as a run, for `resume`.",
)
@json_option
def plan(spec: Path, out: Path | None, as_json: bool) -> None:
    """Count prompts, requests, tokens and what they can show, before any is sent."""
    if out is None:
        made = api.preview_plan(spec)
    else:
        made = api.create_run(api.load_spec(spec), out, root=spec.parent, where=str(spec)).plan
    if as_json:
        data(made)
    else:
        _show(made)
    target = f"evenhand run {spec} --out DIR" if out is None else f"evenhand resume {out}"
    say(f"next: {target}")


def _show(made: Plan) -> None:
    say(f"{made.name}: {made.prompts} prompts x {made.repeats} repeats x {made.targets} targets")
    say(f"{made.requests} requests, about {made.prompt_tokens} prompt tokens (estimated from characters)")
    for rater in made.raters:
        say(
            f"{rater.analyzer}: at most {rater.calls} calls to {rater.model}, about {rater.prompt_tokens} "
            f"prompt tokens (with replies of {rater.assumed_reply_tokens} tokens)"
        )
    table(
        ["probe", "domain", "attribute", "signal", "arm", "group", "technique", "prompts", "templates"],
        [
            [
                cell.probe,
                cell.domain,
                cell.attribute or "-",
                cell.signal or "-",
                cell.arm or "-",
                cell.group or "-",
                cell.technique or "-",
                str(cell.prompts),
                str(cell.templates),
            ]
            for cell in made.cells
        ],
    )
    for entry in made.detectable:
        say(
            f"{entry.domain} {entry.attribute} ({entry.signal}): sees differences of "
            f"{100 * entry.smallest_detectable:.1f} points or more in 4 of 5 runs "
            f"({entry.templates} templates whose effects spread by {100 * entry.assumed_slope_sd:.0f} points)"
        )
