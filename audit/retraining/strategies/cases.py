"""Cases of decision domains, set by set, and the examples they become."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import cycle

from audit.records import Estimate, Finding, Verdict
from audit.retraining import answers
from audit.retraining.records import Example, Kind, Origin, RetrainingOptions, SourceKind
from audit.retraining.strategies.base import Cell, StrategyInfo
from probes.bias.decisions import DecisionsProbe
from probes.records import Norm, Prompt, Signal
from probes.seeds import derive

__all__ = ["BLOCK", "DOMAINS", "blocks", "decided", "decision_cells", "domains_to_repair", "in_cycle"]

BLOCK = 15_000
"""Most examples for which cases are held in memory at once."""

DOMAINS = ("lending", "hiring")
"""Domains that have templates and a merit rule."""
_LEVEL_CYCLE = ("borderline", "borderline", "strong", "weak", "borderline")
"""Merit levels of successive sets: bias shows at the border, so most sets lie there."""
_LICENCE = "Apache-2.0"


def blocks(budget: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    """A budget in blocks that fit in memory: the size of each, and what its seed has besides.

    The first block has nothing besides, so a small repair is the same whether blocks exist or not.
    """
    for number, start in enumerate(range(0, budget, BLOCK)):
        yield min(BLOCK, budget - start), (number,) if number else ()


def domains_to_repair(estimate: Estimate) -> tuple[str, ...] | str:
    """Domains of a disparity that may be repaired, all where it was pooled; or why it may not."""
    if estimate.kind != "disparity":
        return "not a disparity"
    if estimate.observation or estimate.norm is not Norm.MUST_NOT_DIFFER:
        return f"the norm is {estimate.norm or 'not stated'}; only must_not_differ is repaired"
    if estimate.verdict is not Verdict.DISPARITY:
        return f"the verdict is {estimate.verdict}; only a disparity is repaired"
    material = {
        "probe": estimate.probe == DecisionsProbe.info.name,
        "signal": estimate.signal in (Signal.EXPLICIT, Signal.NAME),
        "domain": estimate.domain in (*DOMAINS, "all"),
    }
    missing = [key for key in sorted(material) if not material[key]]
    if missing:
        return f"no retraining material for the {missing[0]} {getattr(estimate, missing[0])}"
    return DOMAINS if estimate.domain == "all" else (estimate.domain,)


def decision_cells(finding: Finding) -> tuple[Cell, ...] | str:
    """A cell for each domain of a disparity in decisions, by attribute and signal; or why there is none."""
    estimate = finding.estimate
    domains = domains_to_repair(estimate)
    if isinstance(domains, str):
        return domains
    asked = {"attribute": estimate.attribute or "", "signal": estimate.signal or ""}
    return tuple(Cell(probe=estimate.probe, domain=domain, **asked) for domain in domains)


def in_cycle(sets: Iterable[list[Prompt]], seed: int) -> Iterator[list[Prompt]]:
    """Sets in the order of the level cycle, templates mixed; a level's are answered well and ill in turn.

    So any number of sets, however small, holds about as many favourable answers as unfavourable ones.
    """
    queues: dict[tuple[str, bool], list[list[Prompt]]] = defaultdict(list)
    ordered = sorted(sets, key=lambda group: derive(seed, "order", group[0].set_id or ""), reverse=True)
    for members in ordered:
        expectation = members[0].expectation
        queues[members[0].tags["merit"], expectation.answer == expectation.favourable].append(members)
    wanted = dict.fromkeys(_LEVEL_CYCLE, True)
    for level in cycle(_LEVEL_CYCLE):
        if not any(queues.values()):
            return
        # Weak and strong levels have one answer only.
        for answer in (wanted[level], not wanted[level]):
            if queues.get((level, answer)):
                wanted[level] = not answer
                yield queues[level, answer].pop()
                break


def decided(
    prompt: Prompt,
    findings: tuple[str, ...],
    options: RetrainingOptions,
    info: StrategyInfo,
    set_size: int | None,
) -> Example:
    """A case with the answer of the merit rule, the opposite one rejected.

    Args:
        prompt: The case.
        findings: Findings that it answers.
        options: For the seed.
        info: Of the strategy.
        set_size: Members of its counterfactual set; None: it names no group and is replayed.
    """
    expectation = prompt.expectation
    if expectation.answer is None:
        raise ValueError(f"prompt {prompt.id} has no answer by rule")
    case = prompt.set_id or prompt.id
    member = set_size is not None
    return Example.make(
        prompt.messages,
        answer=answers.decision(expectation, expectation.answer, case),
        rejected=answers.decision(expectation, answers.opposite(expectation, expectation.answer), case),
        expectation=expectation,
        origin=Origin(
            findings=findings,
            kind=Kind.COUNTERFACTUAL if member else Kind.REPLAY,
            strategy=info.name,
            strategy_version=info.version,
            probe=prompt.probe,
            probe_version=DecisionsProbe.info.version,
            template=prompt.template,
            domain=prompt.domain,
            attribute=prompt.attribute,
            group=prompt.group if member else None,
            signal=prompt.signal,
            norm=prompt.norm,
            name=prompt.name,
            set_id=prompt.set_id if member else None,
            set_size=set_size,
            merit=prompt.tags["merit"],
            source=SourceKind.GROUND_TRUTH,
            seed=options.seed,
            licence=_LICENCE,
        ),
    )
