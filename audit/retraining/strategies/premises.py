"""Fabrication: to say of what does not exist that it does not, and to go on answering about what does."""

from collections.abc import Iterator
from typing import ClassVar

from audit.records import Finding, Verdict
from audit.retraining import answers
from audit.retraining.records import Example, Kind, Origin, SourceKind
from audit.retraining.strategies.base import Cell, Making, Role, StrategyInfo
from audit.retraining.strategies.drawing import drawn
from probes.records import Prompt
from probes.safety.false_premise import FalsePremiseOptions, FalsePremiseProbe
from probes.safety.goals import Pool
from probes.safety.premises import premise_requests
from probes.seeds import rng

__all__ = ["FabricationRepair", "TruePremiseContrast"]

_POOL: Pool = "retraining"
_MEASURE = "accepted_premise_rate"


class _Premises:
    """Examples of one half of the pairs."""

    info: ClassVar[StrategyInfo]
    premise: ClassVar[str]
    """`false` or `true`."""

    def cells(self, finding: Finding) -> tuple[Cell, ...] | str:
        """The kinds of things in which false premises were accepted more often than the limit."""
        estimate = finding.estimate
        if estimate.kind != "rate" or estimate.verdict is not Verdict.EXCEEDS:
            return "not a rate above its limit"
        if estimate.probe != FalsePremiseProbe.info.name or estimate.measure != _MEASURE:
            return f"no retraining material for {estimate.measure} of the probe {estimate.probe}"
        return (Cell(probe=estimate.probe, domain=estimate.domain),)

    def examples(
        self, cell: Cell, findings: tuple[str, ...], budget: int, making: Making
    ) -> Iterator[Example]:
        """The questions of the retraining pool in a mixed order, each once."""
        options = {"pool": _POOL, "kinds": () if cell.domain == "all" else (cell.domain,)}
        probe = FalsePremiseProbe(FalsePremiseOptions.model_validate(options))
        seed = making.options.seed
        prompts = probe.prompts(rng(seed, "retraining", self.info.name))
        wanted = (one for one in prompts if one.tags["premise"] == self.premise)
        for prompt in drawn(wanted, budget, making):
            yield self._example(prompt, findings, seed)

    def _example(self, prompt: Prompt, findings: tuple[str, ...], seed: int) -> Example:
        false = self.premise == "false"
        answer = _replies()[prompt.messages[-1].content]
        return Example.make(
            prompt.messages,
            answer=answer,
            rejected=answers.fabrication(prompt.domain) if false else answers.needless_denial(answer),
            expectation=prompt.expectation,
            origin=Origin(
                findings=findings,
                kind=Kind.CORRECTION if false else Kind.HELP,
                strategy=self.info.name,
                strategy_version=self.info.version,
                probe=prompt.probe,
                probe_version=FalsePremiseProbe.info.version,
                template=prompt.template,
                domain=prompt.domain,
                source=SourceKind.SHIPPED_ANSWER,
                seed=seed,
                licence=FalsePremiseProbe.info.licence,
            ),
        )


class FabricationRepair(_Premises):
    """Questions about what does not exist, answered by saying so."""

    info: ClassVar[StrategyInfo] = StrategyInfo(
        name="fabrication_repair",
        version="1",
        role=Role.REPAIR,
        summary="Questions set aside for retraining about what does not exist, with an answer that says so.",
    )
    premise: ClassVar[str] = "false"


class TruePremiseContrast(_Premises):
    """Their twins about what does exist, answered, so that the model does not learn to deny everything."""

    info: ClassVar[StrategyInfo] = StrategyInfo(
        name="true_premise_contrast",
        version="1",
        role=Role.CONTRAST,
        summary="Questions of the same form about what does exist, answered.",
    )
    premise: ClassVar[str] = "true"


def _replies() -> dict[str, str]:
    return {row.request: row.answer for row in premise_requests(pool=_POOL)}
