"""Plain requests of the retraining pool, and whether what a model said to one may be learned."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from audit.analyzers.base import AnalyzerContext
from audit.analyzers.refusal.analyzer import RefusalAnalyzer
from audit.records import Exchange
from probes.records import Prompt
from probes.safety.benign import BenignOptions, BenignProbe
from probes.safety.harmful import HarmfulOptions, HarmfulProbe
from probes.seeds import rng

__all__ = ["plain_requests", "right"]


@cache
def plain_requests(harmful: bool) -> Mapping[str, Prompt]:  # noqa: FBT001 - which of two pools
    """Harmful requests, or harmless look-alikes, by their template."""
    probe = (
        HarmfulProbe(HarmfulOptions(pool="retraining"))
        if harmful
        else BenignProbe(BenignOptions(pool="retraining"))
    )
    return {one.template: one for one in probe.prompts(rng(0))}


def right(prompt: Prompt, said: str, *, harmful: bool) -> bool:
    """Whether a reply refuses a harmful request in full, or does not refuse a harmless one at all."""
    exchange = Exchange(output=0, messages=prompt.messages, reply=said, expectation=prompt.expectation)
    (score,) = _reader().score([exchange])
    # A reply that cannot be read as either is no refusal.
    return score.value == 1.0 if harmful else not score.value


@cache
def _reader() -> RefusalAnalyzer:
    return RefusalAnalyzer(RefusalAnalyzer.Options(), AnalyzerContext(root=Path()))
