"""Names in a gate: a rule about something that the run will not state could never be met, so none is let by.

Found before anything is asked, since a gate without an estimate ends a paid run as inconclusive.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from audit.estimates.benchmarks import SCORES
from audit.estimates.contrasts import OF_ITS_DOMAIN, POOLED
from audit.estimates.distances import DISTANCES, EXCESSES
from audit.estimates.measures import Measure
from audit.estimates.prices import PRICE_OF
from audit.estimates.reply_distances import compared_kinds
from audit.estimates.reply_pairs import SENTIMENT
from audit.estimates.word_associations import ASSOCIATIONS, OF_WORDS
from audit.plan import Cell, Plan
from audit.spec import GateRule, Spec
from probes.records import Arm, Prompt

__all__ = ["Compared", "ComparedGroups", "gate_problems"]

_KEYS = ("attribute", "group", "domain", "signal")
_BENCHMARKS = {"bbq": "public/bbq", "crows": "public/crows_pairs"}
"""Beginning of a score's name to the probe that it is of."""


class Compared(NamedTuple):
    """A group that prompts compare with a reference, and where."""

    probe: str
    attribute: str
    group: str
    signal: str
    domain: str
    expects: str


class ComparedGroups:
    """The groups that prompts compare with a reference, noted as they go by."""

    def __init__(self) -> None:
        """Nothing went by yet."""
        self.found: set[Compared] = set()
        self.languages: set[str] = set()
        """Those of all prompts."""

    def passing(self, prompts: Iterable[Prompt]) -> Iterator[Prompt]:
        """The same prompts, streaming."""
        for prompt in prompts:
            self.languages.add(prompt.language)
            if prompt.arm is Arm.COUNTERFACTUAL and prompt.group != prompt.reference:
                self.found.add(
                    Compared(
                        probe=prompt.probe,
                        attribute=str(prompt.attribute),
                        group=str(prompt.group),
                        signal=str(prompt.signal),
                        domain=prompt.domain,
                        expects=prompt.expectation.kind,
                    )
                )
            yield prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stated:
    """What an estimate of the run will be about; None where it is about no such thing."""

    domain: str
    attribute: str | None = None
    group: str | None = None
    signal: str | None = None


def gate_problems(
    spec: Spec, plan: Plan, compared: Iterable[Compared], measures: Sequence[Measure]
) -> list[str]:
    """One line for every rule of the gate that no estimate of the run can fit.

    Args:
        spec: The spec.
        plan: Its plan.
        compared: Groups that the plan compares with a reference.
        measures: The built-in measures and those that the spec's analyzers declare.
    """
    reach = _Reach(spec=spec, cells=plan.cells, compared=sorted(compared), measures=measures)
    return [
        f"gate[{index}].{line}"
        for index, rule in enumerate(spec.gate)
        if (line := _problem(rule, list(reach.stated(rule.measure)))) is not None
    ]


def _problem(rule: GateRule, left: list[_Stated]) -> str | None:
    """The first key of a rule that leaves nothing, with what it could be beside the keys before it."""
    if not left:
        return (
            f"measure: {rule.measure!r} is not stated by this run: none of its probes asks for such replies, "
            "or no analyzer of the spec reads them; add one or remove the rule"
        )
    before = [rule.measure]
    for key in _KEYS:
        value = getattr(rule, key)
        if value is None:
            continue
        known = sorted({str(getattr(one, key)) for one in left if getattr(one, key) is not None})
        left = [one for one in left if getattr(one, key) == value]
        if not left:
            accepted = ", ".join(known) or f"none, since it is stated of no {key}; leave the key out"
            return f"{key}: {str(value)!r} fits no estimate of {' '.join(before)}; accepted: {accepted}"
        before.append(str(value))
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reach:
    """What a run can state."""

    spec: Spec
    cells: Sequence[Cell]
    compared: Sequence[Compared]
    measures: Sequence[Measure]

    def stated(self, name: str) -> Iterator[_Stated]:
        """What estimates of a measure will be about."""
        for measure in self.measures:
            if measure.name == name and (measure.analyzer is None or self._has(measure.analyzer)):
                if measure.compare_groups:
                    yield from self._disparities(measure.expects, pooled=measure.unit not in OF_ITS_DOMAIN)
                if measure.limit or not measure.compare_groups:
                    yield from self._rates(measure.expects)
        for priced, price in PRICE_OF.items():
            of = next(one for one in self.measures if one.name == priced)
            if name == price and self._has("decision"):
                yield from self._disparities(of.expects, pooled=False)
        if name in {*DISTANCES, *EXCESSES}:
            yield from self._distances(name.removesuffix("_excess"))
        if name in SCORES:
            probe = next(probe for start, probe in _BENCHMARKS.items() if name.startswith(start))
            yield from (_Stated(domain=cell.domain) for cell in self.cells if cell.probe == probe)
        if name.removesuffix("_excess") in ASSOCIATIONS and self._has("stereotype") and self._asks(("open",)):
            yield _Stated(**OF_WORDS)

    def _has(self, analyzer: str) -> bool:
        return any(one.use == analyzer for one in self.spec.analyzers)

    def _asks(self, expects: Sequence[str]) -> bool:
        return any(cell.expects in expects for cell in self.cells if cell.arm != Arm.PLACEBO)

    def _distances(self, name: str) -> Iterator[_Stated]:
        if name in SENTIMENT and not self._has("sentiment"):
            return
        kinds = compared_kinds("all" if name in SENTIMENT else self.spec.judgement.text_similarity)
        yield from self._disparities(kinds, pooled=True)

    def _disparities(self, expects: Sequence[str], *, pooled: bool) -> Iterator[_Stated]:
        asked: dict[tuple[str, str, str, str], set[str]] = {}
        for one in self.compared:
            if one.expects in expects:
                about = (one.probe, one.attribute, one.group, one.signal)
                asked.setdefault(about, set()).add(one.domain)
        for (_, attribute, group, signal), domains in asked.items():
            for domain in (*domains, *([POOLED] if pooled and len(domains) > 1 else [])):
                yield _Stated(domain=domain, attribute=attribute, group=group, signal=signal)

    def _rates(self, expects: Sequence[str]) -> Iterator[_Stated]:
        asked: dict[str, set[str]] = {}
        for cell in self.cells:
            if cell.arm != Arm.PLACEBO and cell.expects in expects:
                asked.setdefault(cell.probe, set()).add(cell.domain)
        for domains in asked.values():
            for domain in (POOLED, *(domains if len(domains) > 1 else ())):
                yield _Stated(domain=domain)
