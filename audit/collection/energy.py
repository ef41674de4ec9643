"""How much electricity a model's replies took, as a range: an estimate from published model sizes.

It is EcoLogits' (an extra, offline): energy of the servers and of the data centre around them, from the
number of reply tokens and the latency. What is not known (model, provider, latency, tokens) is not known
here either, and counted apart.

Source: Rincé and Banse (2025), EcoLogits, Journal of Open Source Software 10(111):7471.
"""

import logging
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import urlsplit

from audit.targets.base import TargetInfo

__all__ = ["Energy", "find_energy"]

Kwh = tuple[float, float]
"""Low and high end, in kWh."""

_PROVIDERS: Mapping[str, str] = MappingProxyType(
    {
        "api.openai.com": "openai",
        "api.mistral.ai": "mistralai",
        "api.anthropic.com": "anthropic",
        "api.cohere.com": "cohere",
        "api.cohere.ai": "cohere",
        "generativelanguage.googleapis.com": "google_genai",
        "router.huggingface.co": "huggingface_hub",
    }
)
"""Name in the table of those who serve a model at an address; of other servers nothing is known."""
_LATENCY_DIGITS = 1
"""Latency counts in tenths of a second, so that alike replies are computed once."""
_KEPT = 4096


class Energy:
    """What replies of one model took."""

    def __init__(self, source: str, kwh: Callable[[int, float], Kwh]) -> None:
        """Remember how to compute it.

        Args:
            source: The table and its version.
            kwh: Gives the range of one reply from its tokens and its latency in seconds.
        """
        self.source = source
        self._kwh = lru_cache(maxsize=_KEPT)(kwh)

    def kwh(self, completion_tokens: int, latency_s: float) -> Kwh:
        """Low and high end for one reply, in kWh."""
        return self._kwh(completion_tokens, round(latency_s, _LATENCY_DIGITS))


def find_energy(info: TargetInfo) -> Energy | None:
    """How to estimate a target's energy; None if its model, its server or the table is not there."""
    address, model = info.facts.get("base_url"), info.facts.get("model")
    if not model or address is None:
        return None
    provider = _PROVIDERS.get(urlsplit(address).hostname or "")
    if provider is None:
        return None
    try:
        import ecologits  # noqa: PLC0415 - an extra
        from ecologits.model_repository import models  # noqa: PLC0415 - as above
        from ecologits.tracers.utils import llm_impacts  # noqa: PLC0415 - as above
        from ecologits.utils.range_value import RangeValue  # noqa: PLC0415 - as above
    except ImportError:
        return None
    # Its remarks on single models would land in the middle of a display.
    logging.getLogger("ecologits").addHandler(logging.NullHandler())
    base = model.split(":")[1] if model.startswith("ft:") else model
    if models.find_model(provider=provider, model_name=base) is None:
        return None

    def kwh(completion_tokens: int, latency_s: float) -> Kwh:
        found = llm_impacts(provider, base, completion_tokens, latency_s).energy
        if found is None:
            raise RuntimeError(f"ecologits found {base} of {provider} and gives no energy")
        value = found.value
        return (value.min, value.max) if isinstance(value, RangeValue) else (float(value), float(value))

    return Energy(f"ecologits {ecologits.__version__}", kwh)
