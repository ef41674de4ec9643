"""Counterfactual augmentation: whole sets of people who differ in one attribute only, one answer for all."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import ClassVar

from audit.records import Finding
from audit.retraining.records import Example
from audit.retraining.strategies.base import Cell, Making, Role, StrategyInfo
from audit.retraining.strategies.cases import blocks, decided, decision_cells, in_cycle
from probes.bias.decisions import DecisionsOptions, DecisionsProbe
from probes.records import Arm, Prompt
from probes.seeds import rng

__all__ = ["CounterfactualAugmentation"]


class CounterfactualAugmentation:
    """New sets from the templates and names set aside for retraining, with the answer of the merit rule."""

    info: ClassVar[StrategyInfo] = StrategyInfo(
        name="counterfactual_augmentation",
        version="2",
        role=Role.REPAIR,
        summary="Counterfactual sets whose members all get the answer of a rule that is blind to the group.",
    )

    def cells(self, finding: Finding) -> tuple[Cell, ...] | str:
        """A cell for each domain of a disparity in decisions."""
        return decision_cells(finding)

    def examples(
        self, cell: Cell, findings: tuple[str, ...], budget: int, making: Making
    ) -> Iterator[Example]:
        """Whole sets as long as the next one fits."""
        made = 0
        for size, number in blocks(budget):
            for members in in_cycle(self._sets(cell, size, number, making), making.options.seed):
                if made + len(members) > budget:
                    break
                made += len(members)
                for prompt in members:
                    yield decided(prompt, findings, making.options, self.info, len(members))

    def _sets(self, cell: Cell, size: int, number: tuple[int, ...], making: Making) -> Iterable[list[Prompt]]:
        """Enough sets for as many examples, new ones for every block."""
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
                "sets_per_template": 1 + size // 150,
            }
        )
        sets: dict[str, list[Prompt]] = defaultdict(list)
        source = rng(making.options.seed, "retraining", cell.domain, cell.attribute, cell.signal, *number)
        for prompt in DecisionsProbe(probe_options).prompts(source):
            wanted = prompt.arm is Arm.COUNTERFACTUAL and prompt.attribute == cell.attribute
            if wanted and prompt.set_id and not making.held_out.holds("template", prompt.template):
                sets[prompt.set_id].append(prompt)
        return sets.values()
