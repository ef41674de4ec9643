"""Designs and what they cost: the cheapest that decides, and the most precise within the limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor
from pathlib import Path

from audit.audited import build_targets, prices_of
from audit.collection.budget import find_price
from audit.estimates.contrasts import MINIMUM_TEMPLATES
from audit.estimates.measures import amount
from audit.pilot import reply_tokens
from audit.plan import POWER, Plan
from audit.plan_questions import Question
from audit.planned_run import Run
from audit.spec import Spec
from audit.statistics.design_search import (
    Decision,
    chance_equivalent,
    chance_found,
    cheapest_design,
    most_repeats,
)
from audit.statistics.power import difference_variance, smallest_detectable
from probes.records import Record

__all__ = ["Costs", "DesignCost", "Price", "allowed_outputs", "price_of"]

ASSUMED_COMPLETION_TOKENS = 50
"""Tokens of a reply where no pilot says how long they are."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one output costs."""

    prompt_tokens: float
    completion_tokens: float
    usd: float | None
    """None where no price is known."""


def price_of(spec: Spec, plan: Plan, spec_path: Path, run: Run | None) -> Price:
    """What one output of a plan costs, on average over its targets.

    Args:
        spec: The spec.
        plan: Its plan.
        spec_path: The spec file, from which paths are relative.
        run: The pilot whose replies tell how long they are; None to assume it.
    """
    prompt_tokens = plan.prompt_tokens / max(1, plan.requests)
    completion = float(ASSUMED_COMPLETION_TOKENS)
    if run is not None:
        completion = reply_tokens(run) or completion
    usd: float | None = 0.0
    targets = build_targets(spec, spec_path.parent, str(spec_path), {})
    given = prices_of(spec)
    for role, target in targets.items():
        price = find_price(target.info, given[role])
        if price is None or usd is None:
            usd = None
        else:
            usd += float(price.usd(ceil(prompt_tokens), ceil(completion))) / len(targets)
    return Price(prompt_tokens=prompt_tokens, completion_tokens=completion, usd=usd)


def allowed_outputs(spec: Spec, plan: Plan, price: Price) -> Mapping[str, int] | None:
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


def _percent(chance: float) -> str:
    """A chance that is not rounded up to the power that it misses."""
    return f"{floor(1000 * chance) / 10:g} %"


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Designs for one question, with what they cost."""

    question: Question
    decision: Decision
    price: Price
    targets: int

    def cheapest(self, power: float) -> DesignCost | None:
        """The design that decides at the margin with the fewest outputs; None if none does."""
        found = self._design(power, self.question.available)
        return None if found is None else self.cost(*found)

    def _design(self, power: float, available: int | None) -> tuple[int, int] | None:
        """Templates and repeats that decide; never so few templates that nothing would be stated."""
        if available is not None and available < MINIMUM_TEMPLATES:
            return None
        pairs = self.question.pairs
        found = cheapest_design(self.decision, power=power, pairs_a_repeat=pairs, most_clusters=available)
        if found is None or found[0] >= MINIMUM_TEMPLATES:
            return found
        return MINIMUM_TEMPLATES, next(
            repeats
            for repeats in range(1, found[1] + 1)
            if repeats == found[1] or self._decides(power, repeats * pairs)
        )

    def _decides(self, power: float, pairs: int) -> bool:
        """Whether the fewest templates that are stated reach both answers with so many pairs a template."""
        seen = chance_found(self.decision, self.decision.margin, n_clusters=MINIMUM_TEMPLATES, pairs=pairs)
        equal = chance_equivalent(self.decision, n_clusters=MINIMUM_TEMPLATES, pairs=pairs)
        return min(seen, equal) >= power

    def most_precise(self, outputs: int) -> DesignCost | None:
        """The design with the smallest error that asks for no more outputs; None if none is stated."""
        a_template = self.question.prompts_a_template * self.targets
        best: tuple[float, int, int] | None = None
        repeats = 1
        least = MINIMUM_TEMPLATES
        while (templates := min(self.question.available, int(outputs / (a_template * repeats)))) >= least:
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
        here, unit = self.question.available, self.question.measure.unit
        margin = amount(self.decision.margin, unit, exactly=True)
        repeats = most_repeats(self.question.pairs)
        said = f"{here} templates do not decide at {margin} with up to {repeats} repeats"
        if here < MINIMUM_TEMPLATES:
            said = f"{here} templates do not decide at {margin}, nor anything else"
        else:
            pairs = repeats * self.question.pairs
            found = chance_found(self.decision, self.decision.margin, n_clusters=here, pairs=pairs)
            equal = chance_equivalent(self.decision, n_clusters=here, pairs=pairs)
            said += (
                f": templates differ by {amount(self.decision.slope_sd, unit)} in how they react, so that "
                f"with {repeats} repeats a disparity of that size is found in {_percent(found)} and a "
                f"true 0 called equivalent in {_percent(equal)} of runs, where {100 * POWER:.0f} % of both "
                "are asked for"
            )
        free = self._design(POWER, None)
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
