"""What a plan asks about groups: each attribute by signal and measure, and which of them are primary."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from audit.estimates.contrasts import OF_ITS_DOMAIN, POOLED
from audit.estimates.measures import Measure
from audit.plan import Cell, Plan
from audit.plugins import build_probe
from audit.spec import PrimaryRule, Spec
from probes.records import Arm
from probes.seeds import rng

__all__ = ["Question", "plan_questions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One attribute by one signal in one measure, over the domains of a probe or in one of them."""

    probe: str
    attribute: str
    signal: str
    measure: Measure
    domain: str
    """A domain, or `all` for what is pooled over several."""
    language: str | None
    """Language that a rule of the spec names; None for all of them together."""
    groups: frozenset[str]
    """The reference group among them."""
    compared: frozenset[str]
    """Those of which contrasts are primary; the reference group may be among them."""
    templates: int
    pairs: int
    """Pairs that one repeat of a template gives."""
    prompts_a_template: float
    available: int
    domains: tuple[str, ...]

    @property
    def name(self) -> tuple[str, ...]:
        """What tells it from the others."""
        about = (self.probe, self.attribute, self.signal)
        return (*about, self.measure.name, self.domain, self.language or "")

    @property
    def contrasts(self) -> int:
        """Groups compared with the reference that are primary, at least 1."""
        return max(1, min(len(self.compared), len(self.groups) - 1))


def plan_questions(
    spec: Spec, plan: Plan, measures: Sequence[Measure], root: Path
) -> tuple[list[Question], list[Question]]:
    """The primary questions of a plan, and those that stand beside them.

    Primary are those that `judgement.primary` names; without it those in a main measure, or all where no
    measure is main, as in `audit.estimates.families`.

    Args:
        spec: The spec.
        plan: Its plan.
        measures: Those of a run of the spec.
        root: Folder that the spec's relative paths are relative to.

    Returns:
        Both in a fixed order.
    """
    known = {measure.name: measure for measure in measures}
    asked = _Asked(plan=plan, available=_available(spec, root))
    every = [
        one
        for cells in asked.alike()
        for name in cells[0].measures
        for one in asked.questions(cells, known[name])
    ]
    if not spec.judgement.primary:
        some_main = any(one.measure.main for one in every)
        chosen = [one.measure.main or not some_main for one in every]
        return (
            [one for one, first in zip(every, chosen, strict=True) if first],
            [one for one, first in zip(every, chosen, strict=True) if not first],
        )
    named: dict[tuple[str, ...], Question] = {}
    for rule in spec.judgement.primary:
        for one in asked.named(rule, known[rule.measure]):
            before = named.get(one.name)
            also = frozenset[str]() if before is None else before.compared
            named[one.name] = replace(one, compared=one.compared | also)
    return [named[name] for name in sorted(named)], [one for one in every if one.name not in named]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a plan asks about groups."""

    plan: Plan
    available: dict[str, frozenset[tuple[str, str]]]
    """Domain and template of all that each probe has, where the spec leaves some out."""

    def alike(self) -> list[list[Cell]]:
        """Cells of counterfactual sets by what is asked: the groups and domains of one question."""
        found: dict[tuple[str, str, str, str, tuple[str, ...]], list[Cell]] = {}
        for cell in self.plan.cells:
            if cell.arm == Arm.COUNTERFACTUAL and cell.attribute and cell.signal:
                key = (cell.probe, cell.attribute, cell.signal, cell.expects, cell.measures)
                found.setdefault(key, []).append(cell)
        return [found[key] for key in sorted(found)]

    def named(self, rule: PrimaryRule, measure: Measure) -> Iterator[Question]:
        """The questions that a rule of the spec names, with the groups that it names."""
        for cells in self.alike():
            about = cells[0]
            facts = {"probe": about.probe, "attribute": about.attribute, "signal": about.signal}
            if about.expects not in measure.expects or any(
                getattr(rule, key) not in {None, value} for key, value in facts.items()
            ):
                continue
            inside = [cell for cell in cells if rule.domain in {None, POOLED, cell.domain}]
            for one in self.questions(inside, measure):
                wanted = one.groups if rule.group is None else one.groups & {rule.group}
                if wanted:
                    yield replace(one, compared=wanted, language=rule.language)

    def questions(self, cells: Sequence[Cell], measure: Measure) -> Iterator[Question]:
        """One question over the domains of the cells; one for each where the unit is of its domain."""
        domains = sorted({cell.domain for cell in cells})
        apart = [[domain] for domain in domains] if measure.unit in OF_ITS_DOMAIN else [domains]
        for inside in (one for one in apart if one):
            found = [cell for cell in cells if cell.domain in inside]
            probe, groups = found[0].probe, frozenset(str(cell.group) for cell in found)
            fewest = sum(min(cell.templates for cell in found if cell.domain == domain) for domain in inside)
            there = sum(domain in inside for domain, _ in self.available.get(probe, ()))
            yield Question(
                probe=probe,
                attribute=str(found[0].attribute),
                signal=str(found[0].signal),
                measure=measure,
                domain=inside[0] if len(inside) == 1 else POOLED,
                language=None,
                groups=groups,
                compared=groups,
                templates=fewest,
                pairs=max(1, round(sum(c.prompts for c in found) / sum(c.templates for c in found))),
                prompts_a_template=self._prompts_a_template(probe),
                available=max(fewest, there),
                domains=tuple(inside),
            )

    def _prompts_a_template(self, probe: str) -> float:
        cells = [cell for cell in self.plan.cells if cell.probe == probe]
        templates: dict[str, int] = {}
        for cell in cells:
            templates[cell.domain] = max(templates.get(cell.domain, 0), cell.templates)
        return sum(cell.prompts for cell in cells) / max(1, sum(templates.values()))


def _available(spec: Spec, root: Path) -> dict[str, frozenset[tuple[str, str]]]:
    """Domain and template of what each probe asks when its option `templates` leaves none out."""
    found: dict[str, frozenset[tuple[str, str]]] = {}
    for index, entry in enumerate(spec.probes):
        if entry.options().get("templates") is None:
            continue
        options = {key: value for key, value in entry.options().items() if key != "templates"}
        built = build_probe({"use": entry.use, **options}, root=root, where=f"probes[{index}]")
        here = frozenset(
            (prompt.domain, prompt.template)
            for prompt in built.prompts(rng(spec.seed, "probe", entry.use, index))
            if prompt.arm is Arm.COUNTERFACTUAL and (spec.part is None or spec.part.holds(prompt))
        )
        found[entry.use] = found.get(entry.use, frozenset()) | here
    return found
