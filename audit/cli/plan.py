"""`evenhand plan`: what a spec will ask, what it can decide and what would, before anything is sent."""

from pathlib import Path

import click

from audit import api
from audit.cli.console import clean, data, say, table
from audit.cli.options import json_option
from audit.plan import Plan
from audit.proposals import DesignCost, Proposal, Proposals

__all__ = ["plan"]


@click.command()
@click.argument("spec", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Also keep the plan as a run, for `resume`.",
)
@click.option(
    "--pilot",
    type=click.Path(path_type=Path, file_okay=False),
    help="Take variances from this earlier run instead of assuming them.",
)
@json_option
def plan(spec: Path, out: Path | None, pilot: Path | None, as_json: bool) -> None:
    """Count prompts, requests, tokens and what they can decide, before any is sent."""
    made, proposals = api.propose(spec, pilot)
    if out is not None:
        made = api.create_run(api.load_spec(spec), out, root=spec.parent, where=str(spec)).plan
    if as_json:
        data({**made.model_dump(mode="json"), "proposals": proposals.model_dump(mode="json")})
    else:
        _show(made)
        _show_proposals(proposals)
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


def _show_proposals(proposals: Proposals) -> None:
    for one in proposals.proposals:
        say()
        _show_proposal(one, proposals)


def _show_proposal(one: Proposal, proposals: Proposals) -> None:
    said = one.variances
    say(
        clean(
            f"{one.attribute} ({one.signal}), pooled: {one.templates} templates x {one.repeats} repeats, "
            f"{one.contrasts} of {proposals.primary_contrasts} primary contrasts"
        )
    )
    say(
        f"  variances {said.source}: templates react apart by {100 * said.slope_sd:.1f} points, "
        f"one pair of answers by {100 * said.noise_sd:.1f}"
    )
    say(
        f"  sees {100 * one.smallest_detectable:.1f} points in 4 of 5 runs if asked alone, "
        f"{100 * one.smallest_detectable_in_family:.1f} among all primary contrasts"
    )
    margin = f"{100 * one.margin:g} points"
    say(
        f"  finds a disparity of {margin} in {100 * one.chance_found_at_margin:.0f} % of runs, "
        f"and calls a true 0 equivalent within {margin} in {100 * one.chance_equivalent:.0f} %"
    )
    if one.impossible is not None:
        say(f"  {one.impossible}")
    for power, design in ((80, one.cheapest), (90, one.cheapest_sure)):
        if design is not None:
            say(f"  decides at {margin} in {power} % of runs: {_cost(design)}")
    if one.affordable is not None:
        say(
            f"  most precise within the limits: {_cost(one.affordable)}; sees "
            f"{100 * one.affordable.smallest_detectable:.1f} points, calls a true 0 equivalent in "
            f"{100 * one.affordable.chance_equivalent:.0f} %"
        )


def _cost(design: DesignCost) -> str:
    price = "price not known" if design.usd is None else f"about ${design.usd:.2f}"
    return (
        f"{design.templates} templates x {design.repeats} repeats, {design.outputs} outputs, "
        f"about {design.prompt_tokens} prompt tokens, {price}"
    )
