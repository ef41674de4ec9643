"""Requests of a pool in a mixed order."""

from collections.abc import Iterable

from audit.retraining.strategies.base import Making
from probes.records import Prompt
from probes.seeds import derive

__all__ = ["drawn"]


def drawn(prompts: Iterable[Prompt], budget: int, making: Making) -> list[Prompt]:
    """Requests that are not held out, each once, in an order that only seed and content decide.

    Args:
        prompts: The requests.
        budget: How many at most.
        making: For the seed, and what is held out.
    """
    seed = making.options.seed
    allowed = (one for one in prompts if not making.held_out.holds("template", one.template))
    return sorted(allowed, key=lambda one: derive(seed, "order", one.id))[:budget]
