"""Proposing a design before money is spent: what a plan decides, the cheapest that would, its costs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil, floor, sqrt
from pathlib import Path

from audit.collection.budget import find_price
from audit.pilot import Variances, pilot_variances, reply_tokens
from audit.plan import ASSUMED_RATE, ASSUMED_SLOPE_SD, POWER, Cell, Plan
from audit.plugins import build_probe
from audit.runs import (
    TARGET,
    Run,
    build_targets,
    open_run,
    preview_plan,
)
from audit.spec import Spec, load_spec
from audit.statistics.design_search import (
    Decision,
    chance_equivalent,
    chance_found,
    cheapest_design,
    most_repeats,
)
from audit.statistics.power import difference_variance, smallest_detectable
from probes.records import Arm, Record
from probes.seeds import rng

__all__ = ["DesignCost", "Proposal", "Proposals", "propose"]

ASSUMED_COMPLETION_TOKENS = 50
"""Tokens of a reply where no pilot says how long they are."""
_HIGH_POWER = 0.90


class DesignCost(Record):
    """A design and what it costs."""

    templates: int
    """Over all domains of the probe."""
    repeats: int
    outputs: int
    """Of this probe, over all targets."""
    prompt_tokens: int
    """Estimate, from the characters of this plan's prompts."""
    usd: float | None
    """Estimate; None where no price is known."""
    smallest_detectable: float
    """Within the family."""
    chance_equivalent: float
    """At a true disparity of 0."""


class Proposal(Record):
    """What the plan decides about one attribute, and what would decide."""

    probe: str
    attribute: str
    signal: str
    contrasts: int
    """Groups compared with the reference."""
    margin: float
    variances: Variances
    templates: int
    """Planned, over all domains."""
    templates_available: int
    """That the probe has with these options, were none left out."""
    pairs_a_repeat: int
    """Pairs that one repeat of a template gives."""
    repeats: int
    smallest_detectable: float
    """Seen in 4 of 5 runs if it were the only question."""
    smallest_detectable_in_family: float
    """Seen in 4 of 5 runs as one of all primary contrasts, were it the only true one; others see less."""
    chance_found_at_margin: float
    """Chance that a true disparity as large as the margin is told from 0, within the family."""
    chance_equivalent: float
    """Chance that a true disparity of 0 is called equivalent."""
    cheapest: DesignCost | None
    """Decides at the margin with power 0.8: finds a disparity as large as it, and calls 0 equivalent."""
    cheapest_sure: DesignCost | None
    """The same with power 0.9."""
    affordable: DesignCost | None
    """The most precise that the limits of the spec allow; None without such limits."""
    impossible: str | None
    """Why the templates there are cannot decide, and what would; None if they can."""


class Proposals(Record):
    """One proposal for every attribute and signal of a plan."""

    primary_contrasts: int
    """Those of `judgement.primary`, else of one measure; they share the rate."""
    family_level: float
    """1 - alpha of the two-sided test of one primary contrast, were it the only true one."""
    proposals: tuple[Proposal, ...]
    pilot_differs: tuple[str, ...] = ()
    """In what the pilot is of something else than the spec, in words; its variances need not hold then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Price:
    """What one output costs."""

    prompt_tokens: float
    completion_tokens: float
    usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """One attribute by one signal, over the domains of a probe."""

    probe: str
    attribute: str
    signal: str
    groups: frozenset[str]
    contrasts: int
    templates: int
    pairs: int
    prompts_a_template: float
    available: int
    domains: tuple[str, ...]


def propose(spec_path: Path, pilot: Path | None = None) -> tuple[Plan, Proposals]:
    """The plan of a spec, and what it can decide.

    Args:
        spec_path: The spec file.
        pilot: Folder of an earlier run that gives the variances; None to assume them.

    Raises:
        SpecError: The spec is malformed.
        InputError: The pilot has no scored answers of what the spec asks.
    """
    spec, plan = load_spec(spec_path), preview_plan(spec_path)
    run = None if pilot is None else open_run(pilot)
    known = {} if run is None else pilot_variances(run)
    questions = list(_questions(spec, plan, spec_path.parent))
    primary, price = _primary_contrasts(spec, questions), _price(spec, plan, spec_path, run)
    # All but a few plans also state other contrasts, which share the rest of the rate.
    alpha = spec.judgement.false_discovery_rate * spec.judgement.primary_share / max(1, primary)
    proposals = tuple(
        _proposal(question, variances, spec, 1 - alpha, _allowed(spec, plan, price), price)
        for question in questions
        for variances in [known.get((question.probe, question.attribute, question.signal), _assumed(run))]
    )
    return plan, Proposals(
        primary_contrasts=primary,
        family_level=1 - alpha,
        proposals=proposals,
        pilot_differs=() if run is None else tuple(_differences(run, spec, plan, spec_path)),
    )


def _primary_contrasts(spec: Spec, questions: Sequence[_Question]) -> int:
    """Contrasts that share the primary part of the rate, each measure of each once."""
    if not spec.judgement.primary:
        return sum(question.contrasts for question in questions)
    named: dict[tuple[object, ...], int] = {}
    for question, rule in product(questions, spec.judgement.primary):
        asked = {"probe": question.probe, "attribute": question.attribute, "signal": question.signal}
        key = (*asked.values(), rule.measure, rule.domain, rule.language)
        if all(getattr(rule, name) in {None, value} for name, value in asked.items()):
            more = question.groups if rule.group is None else question.groups & {rule.group}
            named[key] = min(question.contrasts, named.get(key, 0) + len(more))
    return sum(named.values())


def _differences(run: Run, spec: Spec, plan: Plan, spec_path: Path) -> Iterator[str]:
    """In what a pilot is of something else than the spec."""
    with run.store(read_only=True) as store:
        asked = json.loads(store.get_meta(f"target.{TARGET}") or "{}")
    here = dict(build_targets(spec, spec_path.parent, str(spec_path), {})[TARGET].info.facts)
    other = sorted(key for key in {*asked, *here} if asked.get(key) != here.get(key))
    if other:
        key = "model" if "model" in other else other[0]
        yield f"of another target ({key}: {asked.get(key, 'none')}; here {here.get(key, 'none')})"
    asked_about, wanted = (
        {(c.probe, c.domain) for c in one.cells if c.attribute} for one in (run.plan, plan)
    )
    missing = sorted({domain for _, domain in wanted - asked_about})
    if missing:
        yield f"without the domains {', '.join(missing)}"


def _assumed(run: Run | None) -> Variances:
    noise = sqrt(2 * ASSUMED_RATE * (1 - ASSUMED_RATE))
    source = "assumed" if run is None else "assumed, since the pilot has no answers about it"
    return Variances(source=source, slope_sd=ASSUMED_SLOPE_SD, noise_sd=noise)


def _questions(spec: Spec, plan: Plan, root: Path) -> Iterator[_Question]:
    cells: dict[tuple[str, str, str], list[Cell]] = {}
    prompts: dict[str, int] = {}
    templates: dict[tuple[str, str], int] = {}
    for cell in plan.cells:
        prompts[cell.probe] = prompts.get(cell.probe, 0) + cell.prompts
        place = (cell.probe, cell.domain)
        templates[place] = max(templates.get(place, 0), cell.templates)
        if cell.arm == Arm.COUNTERFACTUAL and cell.attribute and cell.signal:
            cells.setdefault((cell.probe, cell.attribute, cell.signal), []).append(cell)
    for (probe, attribute, signal), found in sorted(cells.items()):
        domains = {cell.domain for cell in found}
        fewest = sum(min(c.templates for c in found if c.domain == domain) for domain in domains)
        all_here = sum(count for (name, _), count in templates.items() if name == probe)
        yield _Question(
            probe=probe,
            attribute=attribute,
            signal=signal,
            groups=frozenset(str(cell.group) for cell in found),
            contrasts=max(1, len({cell.group for cell in found}) - 1),
            templates=fewest,
            pairs=max(1, round(sum(c.prompts for c in found) / sum(c.templates for c in found))),
            prompts_a_template=prompts[probe] / max(1, all_here),
            available=max(fewest, _available(spec, probe, root, domains)),
            domains=tuple(sorted(domains)),
        )


def _available(spec: Spec, probe: str, root: Path, domains: set[str]) -> int:
    """Templates that a probe has when its option `templates` leaves none out."""
    known: set[tuple[str, str]] = set()
    for index, entry in enumerate(spec.probes):
        if entry.use != probe or entry.options().get("templates") is None:
            continue
        options = {key: value for key, value in entry.options().items() if key != "templates"}
        built = build_probe({"use": entry.use, **options}, root=root, where=f"probes[{index}]")
        for prompt in built.prompts(rng(spec.seed, "probe", entry.use, index)):
            if prompt.arm is Arm.COUNTERFACTUAL and prompt.domain in domains:
                known.add((prompt.domain, prompt.template))
    return len(known)


def _price(spec: Spec, plan: Plan, spec_path: Path, run: Run | None) -> _Price:
    prompt_tokens = plan.prompt_tokens / max(1, plan.requests)
    completion = float(ASSUMED_COMPLETION_TOKENS)
    if run is not None:
        completion = reply_tokens(run) or completion
    usd: float | None = 0.0
    targets = build_targets(spec, spec_path.parent, str(spec_path), {})
    for target in targets.values():
        price = find_price(target.info)
        if price is None or usd is None:
            usd = None
        else:
            usd += float(price.usd(ceil(prompt_tokens), ceil(completion))) / len(targets)
    return _Price(prompt_tokens=prompt_tokens, completion_tokens=completion, usd=usd)


def _allowed(spec: Spec, plan: Plan, price: _Price) -> Mapping[str, int] | None:
    """Outputs that the limits allow each probe, in the proportions of the plan; None without limits."""
    limits = spec.limits
    caps: list[float] = []
    if limits.requests is not None:
        caps.append(limits.requests)
    if limits.tokens is not None:
        caps.append(limits.tokens / (price.prompt_tokens + price.completion_tokens))
    if limits.usd is not None and price.usd:
        caps.append(limits.usd / price.usd)
    if not caps:
        return None
    prompts: dict[str, int] = {}
    for cell in plan.cells:
        prompts[cell.probe] = prompts.get(cell.probe, 0) + cell.prompts
    return {probe: int(min(caps) * count / plan.prompts) for probe, count in prompts.items()}


def _proposal(
    question: _Question,
    variances: Variances,
    spec: Spec,
    family_level: float,
    allowed: Mapping[str, int] | None,
    price: _Price,
) -> Proposal:
    judgement = spec.judgement
    decision = Decision(
        margin=judgement.smallest_disparity_of_concern,
        slope_sd=variances.slope_sd,
        noise_sd=variances.noise_sd,
        family_level=family_level,
        level=judgement.level,
    )
    costs = _Costs(question=question, decision=decision, price=price, targets=2 if spec.baseline else 1)
    planned, pairs = max(2, question.templates), question.pairs * spec.repeats
    known = {"slope_sd": variances.slope_sd, "noise_sd": variances.noise_sd, "power": POWER}
    cheapest = costs.cheapest(POWER)
    return Proposal(
        probe=question.probe,
        attribute=question.attribute,
        signal=question.signal,
        contrasts=question.contrasts,
        margin=decision.margin,
        variances=variances,
        templates=question.templates,
        templates_available=question.available,
        pairs_a_repeat=question.pairs,
        repeats=spec.repeats,
        smallest_detectable=smallest_detectable(planned, repeats=pairs, level=judgement.level, **known),
        smallest_detectable_in_family=smallest_detectable(
            planned, repeats=pairs, level=family_level, **known
        ),
        chance_found_at_margin=chance_found(decision, decision.margin, n_clusters=planned, pairs=pairs),
        chance_equivalent=chance_equivalent(decision, n_clusters=planned, pairs=pairs),
        cheapest=cheapest,
        cheapest_sure=costs.cheapest(_HIGH_POWER),
        affordable=None if allowed is None else costs.most_precise(allowed.get(question.probe, 0)),
        impossible=None if cheapest is not None else costs.why_not(),
    )


def _percent(chance: float) -> str:
    """A chance that is not rounded up to the power that it misses."""
    return f"{floor(1000 * chance) / 10:g} %"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Costs:
    """Designs for one question, with what they cost."""

    question: _Question
    decision: Decision
    price: _Price
    targets: int

    def cheapest(self, power: float) -> DesignCost | None:
        found = cheapest_design(
            self.decision,
            power=power,
            pairs_a_repeat=self.question.pairs,
            most_clusters=self.question.available,
        )
        return None if found is None else self.cost(*found)

    def most_precise(self, outputs: int) -> DesignCost | None:
        """The design with the smallest error that asks for no more outputs."""
        a_template = self.question.prompts_a_template * self.targets
        best: tuple[float, int, int] | None = None
        repeats = 1
        while (templates := min(self.question.available, int(outputs / (a_template * repeats)))) > 1:
            pairs = repeats * self.question.pairs
            variance = difference_variance(
                slope_sd=self.decision.slope_sd, noise_sd=self.decision.noise_sd, repeats=pairs
            )
            error = variance / templates
            if best is None or error < best[0]:
                best = (error, templates, repeats)
            repeats += 1
        return None if best is None else self.cost(best[1], best[2])

    def why_not(self) -> str:
        """Why no number of repeats does, and what would."""
        here, margin = self.question.available, 100 * self.decision.margin
        repeats = most_repeats(self.question.pairs)
        said = f"{here} templates do not decide at {margin:g} points with up to {repeats} repeats"
        if here > 1:
            pairs = repeats * self.question.pairs
            found = chance_found(self.decision, self.decision.margin, n_clusters=here, pairs=pairs)
            equal = chance_equivalent(self.decision, n_clusters=here, pairs=pairs)
            said += (
                f": templates differ by {100 * self.decision.slope_sd:.1f} points in how they react, so that "
                f"with {repeats} repeats a disparity of that size is found in {_percent(found)} and a "
                f"true 0 called equivalent in {_percent(equal)} of runs, where {100 * POWER:.0f} % of both "
                "are asked for"
            )
        free = cheapest_design(self.decision, power=POWER, pairs_a_repeat=self.question.pairs)
        if free is None:
            return said
        places = ", ".join(self.question.domains)
        return (
            f"{said}; {free[0]} templates x {free[1]} repeats would decide: {self.question.probe} has {here} "
            f"in {places}, and more come from other domains or from a probe of your own"
        )

    def cost(self, templates: int, repeats: int) -> DesignCost:
        """A design with its costs."""
        outputs = ceil(templates * self.question.prompts_a_template * repeats * self.targets)
        pairs = repeats * self.question.pairs
        return DesignCost(
            templates=templates,
            repeats=repeats,
            outputs=outputs,
            prompt_tokens=round(outputs * self.price.prompt_tokens),
            usd=None if self.price.usd is None else round(outputs * self.price.usd, 4),
            smallest_detectable=smallest_detectable(
                templates,
                slope_sd=self.decision.slope_sd,
                noise_sd=self.decision.noise_sd,
                repeats=pairs,
                level=self.decision.family_level,
                power=POWER,
            ),
            chance_equivalent=chance_equivalent(self.decision, n_clusters=templates, pairs=pairs),
        )
