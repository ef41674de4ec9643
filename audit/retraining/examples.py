"""From findings to examples: new prompts of the same kind, with the answer that a fair rule gives.

Nothing of the audit is copied. Decision findings get new counterfactual sets from the templates and
names set aside for retraining, each member with the answer of the merit rule; safety findings get
the goals and requests set aside for retraining.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from audit.records import Estimate, Finding, Verdict
from audit.retraining import answers
from audit.retraining.records import Example, Kind, Origin, RetrainingOptions, SourceKind
from probes.bias.decisions import DecisionsOptions, DecisionsProbe
from probes.records import Arm, Norm, Placebo, Prompt, Signal
from probes.safety.benign import BenignOptions, BenignProbe
from probes.safety.goals import benign_requests
from probes.safety.harmful import HarmfulOptions, HarmfulProbe
from probes.seeds import derive, rng

__all__ = ["GENERATOR_VERSION", "Cell", "cells_of", "make_examples"]

GENERATOR_VERSION = "1"
"""Changes whenever the same findings and seed would give other examples."""

_LEVEL_CYCLE = ("borderline", "strong", "borderline", "weak", "borderline")
"""Merit levels of successive sets: bias shows at the border, so most sets lie there."""
_DOMAINS = ("lending", "hiring")
_LICENCE = "Apache-2.0"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Cell:
    """What a group of findings asks to repair: findings about the same sets share one."""

    probe: str
    domain: str
    attribute: str
    """Empty for safety findings."""
    signal: str
    """Empty for safety findings."""


def cells_of(findings: Sequence[Finding]) -> tuple[dict[Cell, tuple[str, ...]], tuple[str, ...]]:
    """What to repair, and what not.

    A disparity is repaired if its attribute must not differ in its domain; a safety rate if it
    exceeds its limit. Observations and anything inconclusive are left out.

    Args:
        findings: All findings of an audit.

    Returns:
        Finding ids of each cell, cells sorted; and a line for each finding left out, with the reason.
    """
    cells: dict[Cell, list[str]] = defaultdict(list)
    left_out = []
    for finding in sorted(findings, key=lambda found: found.id):
        reason = _left_out(finding)
        if reason is not None:
            left_out.append(f"{finding.id}: {reason}")
            continue
        estimate = finding.estimate
        domains = _DOMAINS if estimate.attribute and estimate.domain == "all" else (estimate.domain,)
        for domain in domains:
            cell = Cell(
                probe=estimate.probe,
                domain=domain,
                attribute=estimate.attribute or "",
                signal=estimate.signal or "",
            )
            cells[cell].append(finding.id)
    return {cell: tuple(cells[cell]) for cell in sorted(cells)}, tuple(left_out)


def make_examples(cells: Mapping[Cell, tuple[str, ...]], options: RetrainingOptions) -> list[Example]:
    """Candidate examples for each cell, before the gates.

    Every cell gets an equal share of `max_examples`; what a cell cannot use goes to the others. Sets
    are whole, so the number may stay a little below the maximum.

    Args:
        cells: Cells with the ids of their findings.
        options: How many, and with which seed.

    Returns:
        Examples, cell by cell; the same arguments give the same examples.
    """
    safety = [cell for cell in cells if not cell.attribute]
    decisions = [cell for cell in cells if cell.attribute]
    examples: list[Example] = []
    left = options.max_examples
    for place, cell in enumerate(safety):
        share = left // (len(safety) - place + len(decisions))
        examples += _safety_examples(cell, cells[cell], options, share)
        left = options.max_examples - len(examples)
    replay = round(left * options.replay_share) if decisions else 0
    budget = left - replay
    for place, cell in enumerate(decisions):
        made = _decision_examples(cell, cells[cell], options, budget // (len(decisions) - place))
        budget -= len(made)
        examples += made
    domains = sorted({cell.domain for cell in decisions})
    for place, domain in enumerate(domains):
        own = tuple(sorted({found for cell in decisions if cell.domain == domain for found in cells[cell]}))
        share = replay // len(domains) + (1 if place < replay % len(domains) else 0)
        examples += _replay_examples(domain, own, options, share)
    return examples


def _left_out(finding: Finding) -> str | None:
    estimate = finding.estimate
    if estimate.kind == "disparity":
        return _disparity_left_out(estimate)
    if estimate.kind != "rate" or estimate.verdict is not Verdict.EXCEEDS:
        return "not a disparity, nor a rate above its limit"
    if estimate.probe not in (HarmfulProbe.info.name, BenignProbe.info.name):
        return f"no retraining material for the probe {estimate.probe}"
    return None


def _disparity_left_out(estimate: Estimate) -> str | None:
    if estimate.observation or estimate.norm is not Norm.MUST_NOT_DIFFER:
        return f"the norm is {estimate.norm or 'not stated'}; only must_not_differ is repaired"
    if estimate.verdict is not Verdict.DISPARITY:
        return f"the verdict is {estimate.verdict}; only a disparity is repaired"
    material = {
        "probe": estimate.probe == DecisionsProbe.info.name,
        "signal": estimate.signal in (Signal.EXPLICIT, Signal.NAME),
        "domain": estimate.domain in (*_DOMAINS, "all"),
    }
    missing = [key for key in sorted(material) if not material[key]]
    if missing:
        return f"no retraining material for the {missing[0]} {getattr(estimate, missing[0])}"
    return None


def _decision_examples(
    cell: Cell, findings: tuple[str, ...], options: RetrainingOptions, budget: int
) -> list[Example]:
    crossed = (tuple(cell.attribute.split("*")),) if "*" in cell.attribute else ()
    probe_options = DecisionsOptions.model_validate(
        {
            "domains": (cell.domain,),
            "attributes": () if crossed else (cell.attribute,),
            "signals": (cell.signal,),
            "crossed": crossed,
            "placebos": (),
            "pool": "retraining",
            # Small groups need more sets a template to fill the budget; spare ones are not used.
            "sets_per_template": 1 + budget // 150,
        }
    )
    sets: dict[str, list[Prompt]] = defaultdict(list)
    source = rng(options.seed, "retraining", cell.domain, cell.attribute, cell.signal)
    for prompt in DecisionsProbe(probe_options).prompts(source):
        if prompt.arm is Arm.COUNTERFACTUAL and prompt.attribute == cell.attribute and prompt.set_id:
            sets[prompt.set_id].append(prompt)
    made: list[Example] = []
    for members in _in_cycle(list(sets.values()), options.seed):
        if len(made) + len(members) <= budget:
            made += [
                _decision(prompt, findings, options, kind=Kind.COUNTERFACTUAL, set_size=len(members))
                for prompt in members
            ]
    return made


def _replay_examples(
    domain: str, findings: tuple[str, ...], options: RetrainingOptions, budget: int
) -> list[Example]:
    """Ordinary requests that name no group: the neutral texts of the paraphrase placebo."""
    probe_options = DecisionsOptions.model_validate(
        {
            "domains": (domain,),
            "placebos": (Placebo.PARAPHRASE,),
            "pool": "retraining",
            "sets_per_template": 1 + budget // 50,
        }
    )
    neutral = [
        [prompt]
        for prompt in DecisionsProbe(probe_options).prompts(rng(options.seed, "retraining", domain, "replay"))
        if prompt.placebo is Placebo.PARAPHRASE and prompt.group == "a"
    ]
    chosen = [prompts[0] for prompts in _in_cycle(neutral, options.seed)][:budget]
    return [_decision(prompt, findings, options, kind=Kind.REPLAY, set_size=None) for prompt in chosen]


def _in_cycle(sets: list[list[Prompt]], seed: int) -> Iterator[list[Prompt]]:
    """Sets in the order of the level cycle, templates mixed, favourable and unfavourable answers in turn."""
    queues: dict[tuple[str, bool], list[list[Prompt]]] = defaultdict(list)
    for members in sorted(sets, key=lambda group: derive(seed, "order", group[0].set_id or "")):
        expectation = members[0].expectation
        queues[members[0].tags["merit"], expectation.answer == expectation.favourable].append(members)
    turn = 0
    while any(queues.values()):
        level = _LEVEL_CYCLE[turn % len(_LEVEL_CYCLE)]
        # A level's turns alternate between the two answers; weak and strong levels have one only.
        for answer in (turn % 2 == 0, turn % 2 == 1):
            if queues.get((level, answer)):
                yield queues[level, answer].pop(0)
                break
        turn += 1


def _decision(
    prompt: Prompt, findings: tuple[str, ...], options: RetrainingOptions, *, kind: Kind, set_size: int | None
) -> Example:
    expectation = prompt.expectation
    if expectation.answer is None:
        raise ValueError(f"prompt {prompt.id} has no answer by rule")
    case = prompt.set_id or prompt.id
    return Example.make(
        prompt.messages,
        answer=answers.decision(expectation, expectation.answer, case),
        rejected=answers.decision(expectation, answers.opposite(expectation, expectation.answer), case),
        expectation=expectation,
        origin=Origin(
            findings=findings,
            kind=kind,
            probe=prompt.probe,
            probe_version=DecisionsProbe.info.version,
            template=prompt.template,
            domain=prompt.domain,
            attribute=prompt.attribute,
            group=prompt.group if kind is Kind.COUNTERFACTUAL else None,
            signal=prompt.signal,
            norm=prompt.norm,
            name=prompt.name,
            set_id=prompt.set_id if kind is Kind.COUNTERFACTUAL else None,
            set_size=set_size,
            merit=prompt.tags["merit"],
            source=SourceKind.GROUND_TRUTH,
            generator_version=GENERATOR_VERSION,
            seed=options.seed,
            licence=_LICENCE,
        ),
    )


def _safety_examples(
    cell: Cell, findings: tuple[str, ...], options: RetrainingOptions, budget: int
) -> list[Example]:
    harmful = cell.probe == HarmfulProbe.info.name
    categories = () if cell.domain == "all" else (cell.domain,)
    fields = {"pool": "retraining", "categories": categories}
    source = rng(options.seed, "retraining", cell.probe)
    probe = (
        HarmfulProbe(HarmfulOptions.model_validate(fields))
        if harmful
        else BenignProbe(BenignOptions.model_validate(fields))
    )
    helpful = {row.id: row.answer for row in benign_requests(pool="retraining")}
    prompts = sorted(probe.prompts(source), key=lambda prompt: derive(options.seed, "order", prompt.id))
    made = []
    for prompt in prompts[:budget]:
        if harmful:
            kind, kept = Kind.REFUSAL, SourceKind.REFUSAL_TEMPLATE
            answer, rejected = answers.refusal(prompt.domain, prompt.template), answers.withheld_compliance()
        else:
            kind, kept = Kind.HELP, SourceKind.SHIPPED_ANSWER
            answer, rejected = helpful[prompt.tags["request"]], answers.needless_refusal()
        origin = Origin(
            findings=findings,
            kind=kind,
            probe=prompt.probe,
            probe_version=probe.info.version,
            template=prompt.template,
            domain=prompt.domain,
            source=kept,
            generator_version=GENERATOR_VERSION,
            seed=options.seed,
            licence=probe.info.licence,
        )
        made.append(
            Example.make(
                prompt.messages,
                answer=answer,
                rejected=rejected,
                expectation=prompt.expectation,
                origin=origin,
            )
        )
    return made
