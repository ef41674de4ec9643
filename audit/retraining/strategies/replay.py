"""Replay: ordinary requests of the same domain that name no group, so that what worked is kept."""

from collections.abc import Iterator
from typing import ClassVar

from audit.records import Finding
from audit.retraining.records import Example
from audit.retraining.strategies.base import Cell, Making, Role, StrategyInfo
from audit.retraining.strategies.cases import blocks, decided, domains_to_repair, in_cycle
from probes.bias.decisions import DecisionsOptions, DecisionsProbe
from probes.records import Placebo, Prompt, Signal
from probes.seeds import rng

__all__ = ["Replay"]


class Replay:
    """The neutral texts of the paraphrase placebo, from the retraining pool, decided by the merit rule."""

    info: ClassVar[StrategyInfo] = StrategyInfo(
        name="replay",
        version="2",
        role=Role.REPLAY,
        summary="Ordinary requests of the domain that name no group, with the answer of the rule.",
    )

    def cells(self, finding: Finding) -> tuple[Cell, ...] | str:
        """A cell for each domain of a disparity in decisions, whatever the attribute."""
        domains = domains_to_repair(finding.estimate)
        if isinstance(domains, str):
            return domains
        return tuple(Cell(probe=finding.estimate.probe, domain=domain) for domain in domains)

    def examples(
        self, cell: Cell, findings: tuple[str, ...], budget: int, making: Making
    ) -> Iterator[Example]:
        """Cases at all levels of merit."""
        for size, number in blocks(budget):
            for made, prompts in enumerate(
                in_cycle(_neutral(cell, size, number, making), making.options.seed)
            ):
                if made == size:
                    break
                yield decided(prompts[0], findings, making.options, self.info, None)


def _neutral(cell: Cell, size: int, number: tuple[int, ...], making: Making) -> list[list[Prompt]]:
    """Enough cases that name no group, new ones for every block."""
    probe_options = DecisionsOptions.model_validate(
        {
            "domains": (cell.domain,),
            # One set a case has to be asked for; of many, none would be used.
            "attributes": ("gender",),
            "signals": (Signal.EXPLICIT,),
            "placebos": (Placebo.PARAPHRASE,),
            "pool": "retraining",
            "sets_per_template": 1 + size // 50,
        }
    )
    source = rng(making.options.seed, "retraining", cell.domain, "replay", *number)
    return [
        [prompt]
        for prompt in DecisionsProbe(probe_options).prompts(source)
        if prompt.placebo is Placebo.PARAPHRASE
        and prompt.group == "a"
        and not making.held_out.holds("template", prompt.template)
    ]
