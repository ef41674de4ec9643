"""`evenhand plan`: what a spec will ask, what it can decide and what would, before anything is sent."""

from collections.abc import Sequence
from pathlib import Path

import click

from audit import api
from audit.cli.console import clean, data, say, table, warn
from audit.cli.options import json_option
from audit.design_costs import DesignCost
from audit.drift import few_rounds
from audit.estimates.contrasts import MINIMUM_TEMPLATES, POOLED
from audit.estimates.measures import amount, beyond_any
from audit.limits import Limits
from audit.plan import ASSUMED_SLOPE_SD, Plan
from audit.planned_costs import PlannedCost
from audit.proposals import Proposal, Proposals

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
    loaded = api.load_spec(spec)
    costs = api.planned_costs(loaded, made, spec, pilot)
    if out is not None:
        made = api.create_run(loaded, out, root=spec.parent, where=str(spec)).plan
    if as_json:
        data(
            {
                **made.model_dump(mode="json"),
                "costs": [one.model_dump(mode="json") for one in costs],
                "proposals": proposals.model_dump(mode="json"),
            }
        )
    else:
        _show(made, piloted=pilot is not None)
        _show_costs(costs, loaded.limits, piloted=pilot is not None)
        _show_proposals(proposals)
    if few := few_rounds(loaded.canaries, loaded.target.options()):
        warn(few)
    if proposals.pilot_differs:
        warn(f"the pilot is {' and '.join(proposals.pilot_differs)}: its variances need not hold here")
    target = f"evenhand run {spec} --out DIR" if out is None else f"evenhand resume {out}"
    say(f"next: {target}")


def _show_costs(costs: Sequence[PlannedCost], limits: Limits, *, piloted: bool) -> None:
    for one in costs:
        price = "price not known"
        if one.usd_low is not None:
            price = f"${one.usd_low:.4g} to ${one.usd_high:.4g} by {one.price_source}, retries not counted"
        canaries = f" and {one.canaries} canary requests" if one.canaries else ""
        say(
            f"{one.role}: {one.outputs} outputs{canaries}, {one.prompt_tokens_low} to "
            f"{one.prompt_tokens_high} prompt tokens ({one.prompts}), {one.reply_tokens_low} to "
            f"{one.reply_tokens_high} reply tokens ({one.replies}), {price}; "
            f"{_time(one, piloted=piloted)}; {_energy(one)}"
        )
    tokens = sum(one.prompt_tokens_high + one.reply_tokens_high for one in costs)
    needed: dict[str, float] = {
        "requests": sum(one.outputs + one.canaries for one in costs),
        "tokens": tokens,
    }
    needed["usd"] = sum(one.usd_high or 0.0 for one in costs)
    longest = [one.minutes_high for one in costs if one.minutes_high is not None]
    needed["minutes"] = sum(longest)
    needed["kwh"] = sum(one.kwh_high or 0.0 for one in costs)
    for name, most in needed.items():
        limit = limits.given.get(name)
        if limit is not None and most > limit:
            warn(f"limits.{name}: {limit:g} may stop the run, which may need {most:.6g}")


def _time(one: PlannedCost, *, piloted: bool) -> str:
    if one.minutes_low is None or one.minutes_high is None:
        return f"time not known {'since the pilot recorded none' if piloted else 'without a pilot'}"
    minutes = f"{one.minutes_low:.2g} to {one.minutes_high:.2g} minutes"
    return f"{minutes} if {one.in_flight} calls wait at once, as long as the pilot's did"


def _energy(one: PlannedCost) -> str:
    if one.kwh_low is None or one.kwh_high is None:
        return "energy not known"
    return f"{one.kwh_low:.2g} to {one.kwh_high:.2g} kWh by {one.energy_source}"


def _show(made: Plan, *, piloted: bool) -> None:
    say(f"{made.name}: {made.prompts} prompts x {made.repeats} repeats x {made.targets} targets")
    say(f"{made.requests} requests, about {made.prompt_tokens} prompt tokens (estimated from characters)")
    if made.calls_by_turn:
        turns = ", ".join(f"{calls} of turn {turn}" for turn, calls in enumerate(made.calls_by_turn, start=1))
        say(f"conversations: {turns}; the model's own replies come in between")
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
        below=["technique", "templates", "probe"],
    )
    if not piloted:  # A pilot knows better than these lines assume; its figures follow.
        _show_detectable(made)


def _show_detectable(made: Plan) -> None:
    alike: dict[tuple[float | None, int, str, int | None], list[str]] = {}
    for entry in made.detectable:
        key = (entry.smallest_detectable, entry.templates, entry.measure, entry.templates_needed)
        alike.setdefault(key, []).append(f"{entry.domain} {entry.attribute} ({entry.signal})")
    for (size, templates, measure, needed), names in alike.items():
        seen = "what it sees is not known without a pilot"
        if needed is not None:
            seen = (
                f"cannot see any disparity of this measure with {templates} templates in 4 of 5 runs; "
                f"one of the margin of concern needs {needed} templates asked alike"
            )
        elif templates < MINIMUM_TEMPLATES:
            seen = f"not measured by itself: {templates} templates; at least {MINIMUM_TEMPLATES} are needed"
        elif size is not None:
            seen = (
                f"sees differences of {100 * size:.1f} points or more in 4 of 5 runs ({templates} templates "
                f"whose effects spread by {100 * ASSUMED_SLOPE_SD:.0f} points)"
            )
        say(clean(f"{', '.join(dict.fromkeys(names))}, {measure}: {seen}"))


def _show_proposals(proposals: Proposals) -> None:
    alike: dict[str, list[Proposal]] = {}
    for one in proposals.proposals:
        same = one.model_dump_json(exclude={"probe", "attribute", "signal", "contrasts"})
        alike.setdefault(same, []).append(one)
    for group in alike.values():
        say()
        _show_alike(group, proposals)
    if proposals.beside:
        say()
        say("beside these, sharing the rest of the rate; name one under judgement.primary to plan for it:")
    for line in proposals.beside:
        say(clean(f"  {line}"))


def _show_alike(group: Sequence[Proposal], proposals: Proposals) -> None:
    """What holds for one attribute and signal, or for several alike."""
    one = group[0]
    counts = sorted({same.contrasts for same in group})
    each = "" if len(group) == 1 else " each"
    contrasts = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    names = ", ".join(f"{same.attribute} ({same.signal})" for same in group)
    where = "pooled" if one.domain == POOLED else f"in {one.domain}"
    language = "" if one.language is None else f", language {one.language}"
    say(
        clean(
            f"{names}, {one.measure}, {where}{language}: {one.templates} templates x {one.repeats} repeats, "
            f"{contrasts} of {proposals.primary_contrasts} primary contrasts{each}"
        )
    )
    _show_seen(one)
    for line in one.unknown:
        say(clean(f"  {line}"))
    _show_decided(one)


def _show_seen(one: Proposal) -> None:
    """The variances, and what they let the plan see; with too few templates no verdict is reached at all."""
    if one.templates < MINIMUM_TEMPLATES:
        few = f"{one.templates} templates; at least {MINIMUM_TEMPLATES} are needed to state anything"
        say(f"  not measured: {few}")
        return
    known = one.variances
    if known.slope_sd is None or known.noise_sd is None:
        say(clean(f"  variances {known.source}"))
        return
    within = ""
    if known.slope_low is not None and known.slope_high is not None:
        within = f" ({amount(known.slope_low, one.unit)} to {amount(known.slope_high, one.unit)}, 95 %)"
    say(
        clean(
            f"  variances {known.source}: templates react apart by {amount(known.slope_sd, one.unit)}"
            f"{within}, one pair of answers by {amount(known.noise_sd, one.unit)}"
        )
    )
    say(clean(f"  {_sees(one)}"))


def _sees(one: Proposal) -> str:
    """What is seen alone and among all; no more than there can be."""
    alone, among = one.smallest_detectable, one.smallest_detectable_in_family
    if alone is not None and beyond_any(alone, one.unit):
        needed = "; what would be needed follows" if one.cheapest or one.impossible else ""
        return f"cannot see any disparity of this measure in 4 of 5 runs{needed}"
    hidden = among is not None and beyond_any(among, one.unit)
    told = "none" if hidden else amount(among, one.unit)
    return f"sees {amount(alone, one.unit)} in 4 of 5 runs if asked alone, {told} among all primary contrasts"


def _show_decided(one: Proposal) -> None:
    """What is decided at the margin, and by which designs; nothing where that is not known."""
    found, equal = one.chance_found_at_margin, one.chance_equivalent
    if found is None or equal is None:
        return
    margin = amount(one.margin, one.unit, exactly=True)
    if one.templates >= MINIMUM_TEMPLATES:
        say(
            clean(
                f"  finds a disparity of {margin} in {100 * found:.0f} % of runs, "
                f"and calls a true 0 equivalent within {margin} in {100 * equal:.0f} %"
            )
        )
    if one.impossible is not None:
        say(clean(f"  {one.impossible}"))
    for power, design in ((80, one.cheapest), (90, one.cheapest_sure)):
        if design is not None:
            say(clean(f"  decides at {margin} in {power} % of runs: {_cost(design)}"))
        elif one.cheapest is not None:
            few = f"not with the {one.templates_available} templates there are"
            say(clean(f"  decides at {margin} in {power} % of runs: {few}"))
    if one.affordable is not None:
        size = one.affordable.smallest_detectable
        seen = "no disparity" if beyond_any(size, one.unit) else amount(size, one.unit)
        say(
            clean(
                f"  most precise within the limits: {_cost(one.affordable)}; sees {seen}, calls a true 0 "
                f"equivalent in {100 * one.affordable.chance_equivalent:.0f} %"
            )
        )


def _cost(design: DesignCost) -> str:
    price = "price not known" if design.usd is None else f"about ${design.usd:.2f}"
    return (
        f"{design.templates} templates x {design.repeats} repeats, {design.outputs} outputs, "
        f"about {design.prompt_tokens} prompt tokens, {price}"
    )
