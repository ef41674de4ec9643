"""What an OpenAI-compatible server says of its limits in the headers of an answer."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from audit.targets.base import RateRoom

__all__ = ["rate_room", "seconds_of"]

_UNITS = MappingProxyType({"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0})
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h|d)")
_PREFIX = "x-ratelimit-"


def rate_room(headers: Mapping[str, str]) -> RateRoom | None:
    """What is left of the limits, None if the headers say nothing that can be read.

    Azure sends -1 for what it does not count; that is nothing said, not nothing left.

    Args:
        headers: Response headers, with lower-case names.

    Source:
        OpenAI, "Rate limits in headers" (x-ratelimit-remaining-requests, x-ratelimit-reset-requests and
        the same for tokens), which vLLM's gateways, Groq, Together and Azure follow.
    """
    requests, tokens = (_count(headers.get(f"{_PREFIX}remaining-{what}")) for what in ("requests", "tokens"))
    if requests is None and tokens is None:
        return None
    return RateRoom(
        requests=requests,
        requests_reset_s=seconds_of(headers.get(f"{_PREFIX}reset-requests")),
        tokens=tokens,
        tokens_reset_s=seconds_of(headers.get(f"{_PREFIX}reset-tokens")),
    )


def seconds_of(duration: str | None) -> float | None:
    """Seconds of a duration, None if it is none.

    >>> seconds_of("6m0s"), seconds_of("1h2m0.5s"), seconds_of("20ms"), seconds_of("3")
    (360.0, 3720.5, 0.02, 3.0)
    >>> seconds_of("-1") is None, seconds_of("soon") is None
    (True, True)
    """
    text = "" if duration is None else duration.strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
        return float(text)
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _count(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"\d{1,12}", text.strip()) else None
