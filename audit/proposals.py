"""Proposing a design before money is spent: what a plan decides, the cheapest that would, its costs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

from audit.audited import TARGET, build_targets
from audit.design_costs import Costs, DesignCost, Price, allowed_outputs, price_of
from audit.estimates.contrasts import MINIMUM_TEMPLATES, OF_ITS_DOMAIN, POOLED
from audit.pilot import Variances, Varied, pilot_variances
from audit.plan import ASSUMED_RATE, ASSUMED_SLOPE_SD, POWER, Plan
from audit.plan_questions import Question, plan_questions
from audit.planned_run import Run, open_run
from audit.planning import variance_is_assumed
from audit.runs import analyzer_context, build_analyzers, measures_of, preview_plan
from audit.spec import Spec, load_spec
from audit.statistics.design_search import (
    Decision,
    chance_equivalent,
    chance_found,
)
from audit.statistics.power import smallest_detectable
from probes.records import Record

__all__ = ["DesignCost", "Proposal", "Proposals", "propose"]

_HIGH_POWER = 0.90


class Proposal(Record):
    """What the plan decides about one attribute in one measure, and what would decide."""

    probe: str
    attribute: str
    signal: str
    measure: str
    unit: str
    """Of the margin, of the variances and of what can be detected."""
    domain: str
    """A domain, or `all` for what is pooled over several."""
    language: str | None
    """Language that `judgement.primary` names; None for all together. The plan counts all templates."""
    contrasts: int
    """Groups compared with the reference that are primary."""
    margin: float | None
    """As for the verdicts; None where the measure has none."""
    variances: Variances
    unknown: tuple[str, ...]
    """What is missing for the figures below that are None, and how to give it."""
    templates: int
    """Planned, over all domains."""
    templates_available: int
    """That the probe has with these options, were none left out."""
    pairs_a_repeat: int
    """Pairs that one repeat of a template gives."""
    repeats: int
    smallest_detectable: float | None
    """Seen in 4 of 5 runs if it were the only question; None without variances, or below 12 templates."""
    smallest_detectable_in_family: float | None
    """Seen in 4 of 5 runs as one of all primary contrasts, were it the only true one; others see less."""
    chance_found_at_margin: float | None
    """Chance that a true disparity as large as the margin is told from 0, within the family; 0 below 12
    templates, where nothing is stated."""
    chance_equivalent: float | None
    """Chance that a true disparity of 0 is called equivalent; 0 below 12 templates."""
    cheapest: DesignCost | None
    """Decides at the margin with power 0.8: finds a disparity as large as it, and calls 0 equivalent."""
    cheapest_sure: DesignCost | None
    """The same with power 0.9."""
    affordable: DesignCost | None
    """The most precise that the limits of the spec allow; None without such limits, margin or variances."""
    impossible: str | None
    """Why the templates there are cannot decide, and what would; None if they can, or it is not known."""


class Proposals(Record):
    """One proposal for every primary question of a plan: an attribute by a signal in a measure."""

    primary_contrasts: int
    """Those of `judgement.primary`, else of the main measures, else of all; they share the rate."""
    family_level: float
    """1 - alpha of the two-sided test of one primary contrast, were it the only true one."""
    proposals: tuple[Proposal, ...]
    beside: tuple[str, ...] = ()
    """What else is compared, in words: it shares the rest of the rate, and nothing is proposed for it."""
    pilot_differs: tuple[str, ...] = ()
    """In what the pilot is of something else than the spec, in words; its variances need not hold then."""


def propose(spec_path: Path, pilot: Path | None = None) -> tuple[Plan, Proposals]:
    """The plan of a spec, and what it can decide.

    Args:
        spec_path: The spec file.
        pilot: Folder of an earlier run that gives the variances; None to assume those of rates.

    Raises:
        SpecError: The spec is malformed.
        InputError: The pilot has no scored answers of what the spec asks.
    """
    spec, plan = load_spec(spec_path), preview_plan(spec_path)
    run = None if pilot is None else open_run(pilot)
    context = analyzer_context(spec, spec_path.parent)
    measures = measures_of(build_analyzers(spec, context, str(spec_path)))
    questions, beside = plan_questions(spec, plan, measures, spec_path.parent)
    known = {} if run is None else pilot_variances(run, {one.measure.name for one in questions})
    primary, price = sum(one.contrasts for one in questions), price_of(spec, plan, spec_path, run)
    # All but a few plans also state other contrasts, which share the rest of the rate.
    alpha = spec.judgement.false_discovery_rate * spec.judgement.primary_share / max(1, primary)
    planning = _Planning(
        spec=spec, family_level=1 - alpha, allowed=allowed_outputs(spec, plan, price), price=price
    )
    return plan, Proposals(
        primary_contrasts=primary,
        family_level=1 - alpha,
        proposals=tuple(planning.proposal(one, _variances(one, known, run)) for one in questions),
        beside=tuple(_beside(beside)),
        pilot_differs=() if run is None else tuple(_differences(run, spec, plan, spec_path)),
    )


def _beside(questions: Sequence[Question]) -> Iterator[str]:
    """The questions that are not primary: one line for all measures of an attribute and signal."""
    measures: dict[tuple[str, str, str], list[str]] = {}
    for one in questions:
        names = measures.setdefault((one.probe, one.attribute, one.signal), [])
        if one.measure.name not in names:
            names.append(one.measure.name)
    for (probe, attribute, signal), names in measures.items():
        yield f"{attribute} ({signal}) of {probe} in {', '.join(names)}"


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


def _variances(question: Question, known: Mapping[Varied, Variances | str], run: Run | None) -> Variances:
    """Those of the pilot; else those assumed of rates; in other units nothing is assumed."""
    measure = question.measure
    domain = question.domain if measure.unit in OF_ITS_DOMAIN else POOLED
    about = (question.attribute, question.signal, measure.name)
    found = known.get(Varied(question.probe, domain, *about))
    if isinstance(found, Variances):
        return found
    why = "has no answers about it" if found is None else found
    without = "" if run is None else f", since the pilot {why}"
    if not variance_is_assumed(measure):
        source = f"not known{without}" if run is not None else "not known without a pilot"
        return Variances(source=source, unit=measure.unit, slope_sd=None, noise_sd=None)
    noise = sqrt(2 * ASSUMED_RATE * (1 - ASSUMED_RATE))
    return Variances(source=f"assumed{without}", slope_sd=ASSUMED_SLOPE_SD, noise_sd=noise)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planning:
    """What all proposals of a plan share."""

    spec: Spec
    family_level: float
    allowed: Mapping[str, int] | None
    price: Price

    def proposal(self, question: Question, variances: Variances) -> Proposal:
        """What the plan decides about one question."""
        judgement = self.spec.judgement
        margin = question.measure.margin_by(judgement)
        known = {
            "probe": question.probe,
            "attribute": question.attribute,
            "signal": question.signal,
            "measure": question.measure.name,
            "unit": question.measure.unit,
            "domain": question.domain,
            "language": question.language,
            "contrasts": question.contrasts,
            "margin": margin,
            "variances": variances,
            "unknown": tuple(_unknown(question, variances, margin)),
            "templates": question.templates,
            "templates_available": question.available,
            "pairs_a_repeat": question.pairs,
            "repeats": self.spec.repeats,
        }
        return Proposal.model_validate(
            {
                **dict.fromkeys(Proposal.model_fields),
                **known,
                **self._seen(question, variances),
                **self._decided(question, variances, margin),
            }
        )

    def _seen(self, question: Question, variances: Variances) -> dict[str, float]:
        """The smallest disparities seen; nothing without variances, or where too few templates are asked."""
        if variances.slope_sd is None or variances.noise_sd is None:
            return {}
        if question.templates < MINIMUM_TEMPLATES:
            return {}
        levels = {
            "smallest_detectable": self.spec.judgement.level,
            "smallest_detectable_in_family": self.family_level,
        }
        return {
            name: smallest_detectable(
                question.templates,
                slope_sd=variances.slope_sd,
                noise_sd=variances.noise_sd,
                repeats=question.pairs * self.spec.repeats,
                level=level,
                power=POWER,
            )
            for name, level in levels.items()
        }

    def _decided(
        self, question: Question, variances: Variances, margin: float | None
    ) -> dict[str, float | DesignCost | str | None]:
        """What is decided at the margin, and by which designs; nothing without margin or variances."""
        if variances.slope_sd is None or variances.noise_sd is None or margin is None:
            return {}
        decision = Decision(
            margin=margin,
            slope_sd=variances.slope_sd,
            noise_sd=variances.noise_sd,
            family_level=self.family_level,
            level=self.spec.judgement.level,
        )
        targets = 2 if self.spec.baseline else 1
        costs = Costs(question=question, decision=decision, price=self.price, targets=targets)
        planned, pairs = question.templates, question.pairs * self.spec.repeats
        stated = planned >= MINIMUM_TEMPLATES
        cheapest, allowed = costs.cheapest(POWER), self.allowed
        return {
            "chance_found_at_margin": chance_found(decision, margin, n_clusters=planned, pairs=pairs)
            if stated
            else 0.0,
            "chance_equivalent": chance_equivalent(decision, n_clusters=planned, pairs=pairs)
            if stated
            else 0.0,
            "cheapest": cheapest,
            "cheapest_sure": costs.cheapest(_HIGH_POWER),
            "affordable": None if allowed is None else costs.most_precise(allowed.get(question.probe, 0)),
            "impossible": None if cheapest is not None else costs.why_not(),
        }


def _unknown(question: Question, variances: Variances, margin: float | None) -> Iterator[str]:
    """What is missing to plan for a question, and how to give it."""
    name, unit = question.measure.name, question.measure.unit
    if question.measure.over_repeats is not None:
        yield f"all repeats of a prompt make one value of {name}: how such values vary no plan knows"
    elif variances.slope_sd is None:
        yield (
            f"how {name} varies is not known: --pilot RUN takes it from an earlier run that asks the same "
            "of 12 templates or more"
        )
    if margin is None:
        yield (
            f"{name} has no margin of concern: give one in {unit if unit != 'number' else 'its own unit'} "
            f"in the spec, as in: judgement: {{margins: {{{name}: 2}}}}"
        )
