"""Plain requests of the retraining pool, and what the audited model said to one where that may be learned."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from audit.analyzers.base import AnalyzerContext
from audit.analyzers.refusal.analyzer import RefusalAnalyzer
from audit.records import Exchange
from audit.retraining.records import SourceKind
from audit.retraining.strategies.base import Making
from audit.retraining.strategies.requests import Answer
from probes.records import Prompt
from probes.safety.benign import BenignOptions, BenignProbe
from probes.safety.harmful import HarmfulOptions, HarmfulProbe
from probes.seeds import rng

__all__ = ["own_answer", "plain_requests"]


@cache
def plain_requests(harmful: bool) -> Mapping[str, Prompt]:  # noqa: FBT001 - which of two pools
    """Harmful requests, or harmless look-alikes, by their template."""
    probe = (
        HarmfulProbe(HarmfulOptions(pool="retraining"))
        if harmful
        else BenignProbe(BenignOptions(pool="retraining"))
    )
    return {one.template: one for one in probe.prompts(rng(0))}


def own_answer(template: str, making: Making, *, harmful: bool) -> Answer | None:
    """What the audited model said to a plain request, if it refuses what is harmful and nothing else.

    Args:
        template: Of the request.
        making: For the model's own answers.
        harmful: Of which pool the request is.

    Returns:
        The answer, with nothing rejected; None if there is none to learn.
    """
    prompt = plain_requests(harmful)[template]
    said = None if making.own is None else making.own.to(prompt.id)
    if making.own is None or said is None or not _right(prompt, said, harmful=harmful):
        return None
    licence = (HarmfulProbe if harmful else BenignProbe).info.licence
    return Answer(
        text=said,
        source=SourceKind.OWN_ANSWER,
        rejected=None,
        teacher=making.own.model,
        licence=f"{licence} (request); the answer is the audited model's own",
        set_id=template,
    )


def _right(prompt: Prompt, said: str, *, harmful: bool) -> bool:
    """Whether a reply refuses a harmful request in full, or does not refuse a harmless one at all."""
    exchange = Exchange(output=0, messages=prompt.messages, reply=said, expectation=prompt.expectation)
    (score,) = _reader().score([exchange])
    # A reply that cannot be read as either is no refusal.
    return score.value == 1.0 if harmful else not score.value


@cache
def _reader() -> RefusalAnalyzer:
    return RefusalAnalyzer(RefusalAnalyzer.Options(), AnalyzerContext(root=Path()))
