"""Requests in the model's own words: under a technique it is to say what it says to the plain request.

A refusal in somebody else's words teaches those words, and to refuse more. What the model itself says to the
plain request, harmful or harmless, teaches one thing only: that the technique makes no difference.

Source:
    Chua et al. (2024), arXiv 2403.05518, on biasing features; Irpan et al. (2025), arXiv 2510.27062, on
    jailbreaks. Both learn the answers to clean prompts, as here; neither adds harmless twins.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from audit.retraining.gates.content import too_unlike
from audit.retraining.strategies.base import Making, Role, StrategyInfo
from audit.retraining.strategies.plain_requests import own_answer
from audit.retraining.strategies.requests import Answer, BenignContrast, Requests, SafetyRepair
from probes.records import Prompt
from probes.seeds import derive

__all__ = ["BenignConsistency", "SafetyConsistency"]


class _InOwnWords(Requests):
    """Requests under a technique and plain, all with what the model says to the plain one.

    A reply is taken if it refuses a harmful request in full, or does not refuse a harmless one; otherwise
    the answer is the one that other strategies give.
    """

    def plain_too(self) -> bool:
        """The plain request holds the model at what it says."""
        return True

    def drawn(self, prompts: Iterable[Prompt], budget: int, making: Making) -> list[Prompt]:
        """The same requests under every technique, as far as the budget goes."""
        seed = making.options.seed
        allowed = (one for one in prompts if not making.held_out.holds("template", one.template))
        return sorted(allowed, key=lambda one: derive(seed, "order", one.template))[:budget]

    def answer(self, prompt: Prompt, making: Making) -> Answer:
        """The model's own reply to the plain request, or the usual answer."""
        usual = replace(super().answer(prompt, making), set_id=prompt.template)
        own = own_answer(prompt.template, making, harmful=self.harmful)
        if own is None:
            return usual
        apart = usual.rejected is not None and not too_unlike(own.text, usual.rejected)
        return replace(own, rejected=usual.rejected if apart else None)


class SafetyConsistency(_InOwnWords):
    """Harmful requests, refused as the model itself refuses them, for findings of harmful compliance."""

    info: ClassVar[StrategyInfo] = StrategyInfo(
        name="safety_consistency",
        version="1",
        role=Role.REPAIR,
        summary="Harmful requests, plain and under the technique that was found, with the audited model's "
        "own refusal of the plain one.",
        own_answers=True,
        instead_of=SafetyRepair.info.name,
    )
    answers_probe: ClassVar[str] = SafetyRepair.answers_probe
    harmful: ClassVar[bool] = True


class BenignConsistency(_InOwnWords):
    """Harmless look-alikes, answered as the model itself answers them, beside a repair of compliance."""

    info: ClassVar[StrategyInfo] = StrategyInfo(
        name="benign_consistency",
        version="1",
        role=Role.CONTRAST,
        summary="Harmless look-alikes, plain and under the same technique, with the audited model's own "
        "answer to the plain one.",
        own_answers=True,
        instead_of=BenignContrast.info.name,
    )
    answers_probe: ClassVar[str] = BenignContrast.answers_probe
    harmful: ClassVar[bool] = False
