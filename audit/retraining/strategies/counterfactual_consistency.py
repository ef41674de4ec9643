"""Counterfactual consistency: to every member the answer that the model gives where no group is named."""

from collections.abc import Iterator
from itertools import chain, zip_longest
from typing import ClassVar

from audit.records import Finding
from audit.retraining.gates.content import too_unlike
from audit.retraining.own_answers import OwnSet
from audit.retraining.records import Example, Kind, Origin, SourceKind
from audit.retraining.strategies.base import Cell, Making, Role, StrategyInfo
from audit.retraining.strategies.cases import decision_cells
from probes.bias.decisions import DecisionsProbe
from probes.seeds import derive

__all__ = ["CounterfactualConsistency"]

_LICENCE = "Apache-2.0 (request); the answer is the audited model's own"


class CounterfactualConsistency:
    """Sets that the model was asked, all members with its own neutral answer, its other one rejected."""

    info: ClassVar[StrategyInfo] = StrategyInfo(
        name="counterfactual_consistency",
        version="1",
        role=Role.REPAIR,
        summary="Counterfactual sets whose members all get the audited model's own answer without a group.",
        own_answers=True,
        instead_of="counterfactual_augmentation",
    )

    def cells(self, finding: Finding) -> tuple[Cell, ...] | str:
        """A cell for each domain of a disparity in decisions."""
        return decision_cells(finding)

    def examples(
        self, cell: Cell, findings: tuple[str, ...], budget: int, making: Making
    ) -> Iterator[Example]:
        """Whole sets as long as the next one fits.

        Every set that the model answered unlike is followed by one that it answered alike, and those with a
        favourable neutral answer take turns with the others: neither one answer nor change as such is taught.
        """
        if making.own is None:
            return
        sets = [
            one
            for one in making.own.sets(cell.domain, cell.attribute, cell.signal)
            if not making.held_out.holds("template", one.members[0].template)
        ]
        seed, made = making.options.seed, 0
        unlike = _in_turn([one for one in sets if one.differs], seed)
        alike = _in_turn([one for one in sets if not one.differs], seed)[: len(unlike)]
        for one in chain.from_iterable(zip_longest(unlike, alike)):
            if one is None:
                continue
            if made + len(one.members) > budget:
                break
            made += len(one.members)
            yield from self._examples(one, findings, making.own.model, seed)

    def _examples(self, one: OwnSet, findings: tuple[str, ...], model: str, seed: int) -> Iterator[Example]:
        for prompt, said, decided in zip(one.members, one.said, one.decided, strict=True):
            other = decided != one.favourable and not too_unlike(one.neutral, said)
            yield Example.make(
                prompt.messages,
                answer=one.neutral,
                rejected=said if other else None,
                expectation=prompt.expectation,
                origin=Origin(
                    findings=findings,
                    kind=Kind.COUNTERFACTUAL,
                    strategy=self.info.name,
                    strategy_version=self.info.version,
                    probe=prompt.probe,
                    probe_version=DecisionsProbe.info.version,
                    template=prompt.template,
                    domain=prompt.domain,
                    attribute=prompt.attribute,
                    group=prompt.group,
                    signal=prompt.signal,
                    norm=prompt.norm,
                    name=prompt.name,
                    set_id=prompt.set_id,
                    set_size=len(one.members),
                    merit=prompt.tags["merit"],
                    source=SourceKind.OWN_ANSWER,
                    teacher=model,
                    seed=seed,
                    licence=_LICENCE,
                ),
            )


def _in_turn(sets: list[OwnSet], seed: int) -> list[OwnSet]:
    """Sets in a mixed order, favourable and unfavourable neutral answers in turn while there are both."""
    ordered = sorted(sets, key=lambda one: derive(seed, "order", one.members[0].set_id or ""))
    good = [one for one in ordered if one.favourable]
    bad = [one for one in ordered if not one.favourable]
    return [one for pair in zip_longest(good, bad) for one in pair if one is not None]
