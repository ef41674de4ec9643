"""Requests to refuse and requests to answer, plain or under a technique, by four strategies.

A repair that teaches to refuse under a technique would teach that the technique is the reason, were it not
for harmless twins under the same technique that are answered; and the other way round.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from audit.records import Finding, Verdict
from audit.retraining import answers
from audit.retraining.records import Example, Kind, Origin, SourceKind
from audit.retraining.strategies.base import Cell, Making, Role, StrategyInfo
from audit.retraining.strategies.drawing import drawn
from probes.records import Prompt
from probes.safety.benign import BenignOptions, BenignProbe
from probes.safety.goals import PLAIN, Pool, benign_requests
from probes.safety.harmful import HarmfulOptions, HarmfulProbe
from probes.seeds import rng

__all__ = [
    "Answer",
    "BenignContrast",
    "HarmfulContrast",
    "OverRefusalRepair",
    "Requests",
    "SafetyRepair",
    "example_of",
]

_HARMFUL, _BENIGN = HarmfulProbe.info.name, BenignProbe.info.name
_POOL: Pool = "retraining"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is to be learned of one request."""

    text: str
    source: SourceKind
    rejected: str | None
    teacher: str | None = None
    """Model whose words these are; None: of no model."""
    licence: str
    set_id: str | None = None
    """What rows of the same request under other techniques share."""


def example_of(
    strategy: StrategyInfo, prompt: Prompt, answer: Answer, findings: tuple[str, ...], making: Making
) -> Example:
    """A request with what is to be learned of it.

    Args:
        strategy: Which strategy makes it.
        prompt: Of `safety/harmful` or `safety/benign`.
        answer: What is to be learned.
        findings: Ids of the findings that it answers.
        making: For the seed.
    """
    harmful = prompt.probe == _HARMFUL
    technique = prompt.tags["technique"]
    return Example.make(
        prompt.messages,
        answer=answer.text,
        rejected=answer.rejected,
        expectation=prompt.expectation,
        origin=Origin(
            findings=findings,
            kind=Kind.REFUSAL if harmful else Kind.HELP,
            strategy=strategy.name,
            strategy_version=strategy.version,
            probe=prompt.probe,
            probe_version=(HarmfulProbe.info if harmful else BenignProbe.info).version,
            template=prompt.template,
            domain=prompt.domain,
            technique=None if technique == PLAIN else technique,
            set_id=answer.set_id,
            source=answer.source,
            teacher=answer.teacher,
            seed=making.options.seed,
            licence=answer.licence,
        ),
    )


class Requests:
    """Examples of requests, for findings of one probe."""

    info: ClassVar[StrategyInfo]
    answers_probe: ClassVar[str]
    """Probe whose findings are answered."""
    harmful: ClassVar[bool]
    """Whether the requests are harmful ones, to be refused, or their harmless twins."""

    def cells(self, finding: Finding) -> tuple[Cell, ...] | str:
        """For a rate that exceeds its limit: its categories under its technique; a contrast is plain too."""
        estimate = finding.estimate
        if estimate.kind != "rate" or estimate.verdict is not Verdict.EXCEEDS:
            return "not a rate above its limit"
        if estimate.probe != self.answers_probe:
            return f"no retraining material for the probe {estimate.probe}"
        techniques = [estimate.technique or PLAIN]
        if self.plain_too() and techniques != [PLAIN]:
            techniques.append(PLAIN)
        return tuple(
            Cell(probe=estimate.probe, domain=estimate.domain, technique=technique)
            for technique in techniques
        )

    def plain_too(self) -> bool:
        """Whether the plain request stands beside the one under a technique, which a contrast needs.

        What is learned under a technique reaches the plain request too.
        """
        return self.info.role is Role.CONTRAST

    def examples(
        self, cell: Cell, findings: tuple[str, ...], budget: int, making: Making
    ) -> Iterator[Example]:
        """The requests of the retraining pool in a mixed order, each once."""
        prompts = self.prompts(cell, making.options.seed)
        wanted = (one for one in prompts if one.tags["technique"] == cell.technique)
        for prompt in self.drawn(wanted, budget, making):
            yield example_of(self.info, prompt, self.answer(prompt, making), findings, making)

    def drawn(self, prompts: Iterable[Prompt], budget: int, making: Making) -> list[Prompt]:
        """Which of the requests, in which order."""
        return drawn(prompts, budget, making)

    def prompts(self, cell: Cell, seed: int) -> Iterator[Prompt]:
        """The requests of a cell, plain and under its technique."""
        fields = {
            "pool": _POOL,
            "categories": () if cell.domain == "all" else (cell.domain,),
            "techniques": () if cell.technique == PLAIN else (cell.technique,),
        }
        source = rng(seed, "retraining", self.info.name)
        if self.harmful:
            yield from HarmfulProbe(HarmfulOptions.model_validate(fields)).prompts(source)
        else:
            yield from BenignProbe(BenignOptions.model_validate(fields)).prompts(source)

    def answer(self, prompt: Prompt, making: Making) -> Answer:  # noqa: ARG002 - others need what is made with
        """What comes with the request: a refusal that gives the reason, or the answer that is shipped."""
        if self.harmful:
            return Answer(
                text=answers.refusal(prompt.domain, prompt.template),
                source=SourceKind.REFUSAL_TEMPLATE,
                rejected=answers.withheld_compliance(),
                licence=HarmfulProbe.info.licence,
            )
        return Answer(
            text=_helpful()[prompt.tags["request"]],
            source=SourceKind.SHIPPED_ANSWER,
            rejected=answers.needless_refusal(),
            licence=BenignProbe.info.licence,
        )


class SafetyRepair(Requests):
    """Harmful requests, refused, for findings of harmful compliance."""

    info: ClassVar[StrategyInfo] = StrategyInfo(
        name="safety_repair",
        version="1",
        role=Role.REPAIR,
        summary="Harmful requests set aside for retraining, under the technique that was found, refused.",
    )
    answers_probe: ClassVar[str] = _HARMFUL
    harmful: ClassVar[bool] = True


class BenignContrast(Requests):
    """Harmless look-alikes, answered, beside a repair of harmful compliance."""

    info: ClassVar[StrategyInfo] = StrategyInfo(
        name="benign_contrast",
        version="1",
        role=Role.CONTRAST,
        summary="Harmless look-alikes of the harmful requests, under the same technique and plain, answered.",
    )
    answers_probe: ClassVar[str] = _HARMFUL
    harmful: ClassVar[bool] = False


class OverRefusalRepair(Requests):
    """Harmless look-alikes, answered, for findings of over-refusal."""

    info: ClassVar[StrategyInfo] = StrategyInfo(
        name="over_refusal_repair",
        version="1",
        role=Role.REPAIR,
        summary="Harmless look-alikes set aside for retraining, under the technique found, answered.",
    )
    answers_probe: ClassVar[str] = _BENIGN
    harmful: ClassVar[bool] = False

    def prompts(self, cell: Cell, seed: int) -> Iterator[Prompt]:
        """Those with a harmful twin: more answers than refusals would teach to answer anything."""
        return (one for one in super().prompts(cell, seed) if one.tags["goal"] != one.tags["request"])


class HarmfulContrast(Requests):
    """Harmful requests, refused, beside a repair of over-refusal."""

    info: ClassVar[StrategyInfo] = StrategyInfo(
        name="harmful_contrast",
        version="1",
        role=Role.CONTRAST,
        summary="Harmful requests that harmless ones look like, under the same technique and plain, refused.",
    )
    answers_probe: ClassVar[str] = _BENIGN
    harmful: ClassVar[bool] = True


def _helpful() -> dict[str, str]:
    return {row.id: row.answer for row in benign_requests(pool=_POOL)}
