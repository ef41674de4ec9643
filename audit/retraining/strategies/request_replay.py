"""Replay of requests: a repair of decisions is not to change what the model refuses and what it answers.

Learning other things than safety can wear a model's refusals down, even where all that is learned is
harmless. A few of its own refusals and answers among the rows hold it where it was.

Source:
    Qi et al. (2023), arXiv 2310.03693, on what is worn down; Bianchi et al. (2023), arXiv 2309.07875, on how
    few safety examples already help. Here they are in the model's own words.
"""

from collections.abc import Iterator
from itertools import islice
from typing import ClassVar

from audit.records import Finding
from audit.retraining.records import Example
from audit.retraining.strategies.base import Cell, Making, Role, StrategyInfo
from audit.retraining.strategies.cases import domains_to_repair
from audit.retraining.strategies.plain_requests import own_answer, plain_requests
from audit.retraining.strategies.requests import Answer, example_of
from probes.records import Prompt
from probes.safety.harmful import HarmfulProbe
from probes.seeds import derive

__all__ = ["RequestReplay"]


class RequestReplay:
    """Harmful requests and harmless look-alikes in turn, each with what the model says to it."""

    info: ClassVar[StrategyInfo] = StrategyInfo(
        name="request_replay",
        version="1",
        role=Role.REPLAY,
        summary="Plain harmful requests that the audited model refuses and harmless look-alikes that it "
        "answers, in its own words, so that a repair of decisions leaves them as they were.",
        own_answers=True,
    )

    def cells(self, finding: Finding) -> tuple[Cell, ...] | str:
        """One cell for all disparities in decisions."""
        domains = domains_to_repair(finding.estimate)
        if isinstance(domains, str):
            return domains
        return (Cell(probe=HarmfulProbe.info.name, domain="all"),)

    def examples(
        self, cell: Cell, findings: tuple[str, ...], budget: int, making: Making
    ) -> Iterator[Example]:
        """As many as the budget, half of each kind as far as there are; none without own answers."""
        del cell
        refused, answered = (_kept(making, harmful=harmful) for harmful in (True, False))
        in_turn = (one for pair in zip(refused, answered, strict=False) for one in pair)
        for prompt, answer in islice(in_turn, budget):
            yield example_of(self.info, prompt, answer, findings, making)


def _kept(making: Making, *, harmful: bool) -> Iterator[tuple[Prompt, Answer]]:
    """Requests with the replies that may be learned, in an order that seed and wording decide."""
    seed = making.options.seed
    prompts = plain_requests(harmful).values()
    for prompt in sorted(prompts, key=lambda one: derive(seed, "order", one.template)):
        if making.held_out.holds("template", prompt.template):
            continue
        said = own_answer(prompt.template, making, harmful=harmful)
        if said is not None:
            yield prompt, said
