"""What a failed call to an OpenAI-compatible server means: ask again, stop, or count one error.

    no connection, timeout, 408, 409, 425, 429, 5xx   RetryableTargetError
    429 with insufficient_quota, 401, 402, 403, 404,
    405, redirects, and a setting that the model
    does not know                                     FatalTargetError
    every other status                                TargetError

A message names host, model and status and never holds a key.
"""

import re
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from types import MappingProxyType

from pydantic import ValidationError

from audit.targets.base import FatalTargetError, RetryableTargetError, TargetError
from audit.targets.half_characters import whole_characters
from audit.targets.openai_api.limits import rate_room
from audit.targets.openai_api.replies import ErrorBody, Loose

__all__ = ["error_body", "is_filtered", "retry_after_s", "status_error", "told_limits", "without_secrets"]

_SHOWN_CHARACTERS = 200
_KEY_LIKE = re.compile(r"\b(?:sk|pk|gsk|xai|hf)[-_][\w*.-]{6,}|\bBearer\s+\S+", re.IGNORECASE)
_LIMIT = re.compile(r"(x-)?ratelimit-[a-z-]{1,40}$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\s]+")
_RETRYABLE = frozenset({408, 409, 425, 429})
_SERVER_ERROR = 500
_REDIRECT = range(300, 400)
_FILTERED = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "responsibleaipolicyviolation",
        "data_inspection_failed",  # DashScope
    }
)
_FILTERED_WORDS = ("ContentPolicyViolation", "The response was filtered due to the prompt triggering")
"""What is left of a filter's error behind a gateway that replaces its code, as LiteLLM's proxy does."""
_FLAGGED, _POLICY = "invalid_prompt", "usage policy"
_UNSUPPORTED = frozenset({"unsupported_parameter", "unsupported_value", "unknown_parameter"})
_REMEDIES = MappingProxyType(
    {
        401: "the key was rejected: check the variable that api_key_env names",
        402: "the account has no credit left",
        403: "the key may not use this model or address: check the account's permissions",
        404: "no such model or address: check model and base_url (it usually ends in /v1)",
        405: "this address takes no chat completions: check base_url (it usually ends in /v1)",
    }
)


def status_error(
    status: int,
    body: ErrorBody,
    headers: Mapping[str, str],
    *,
    place: str,
    secrets: Iterable[str],
    remedies: Mapping[int, str] = _REMEDIES,
) -> TargetError:
    """The error that a response with a failing status is raised as.

    Args:
        status: HTTP status, 300 or more.
        body: The error object, as far as the server sent one.
        headers: Response headers, with lower-case names.
        place: Host and model, for the message.
        secrets: Keys that were sent, so that a server that echoes one does not make us print it.
        remedies: What to do about a status that every further request would get too.

    Returns:
        `RetryableTargetError` with the wait the server asked for, `FatalTargetError` or `TargetError`.
    """
    said = without_secrets(body.message or "", secrets)
    detail = f": {said}" if said else ""
    line = f"{place}: status {status}{detail}"
    if "insufficient_quota" in (body.code, body.type):
        return FatalTargetError(f"{line}; the account's quota is used up: add credit, then resume")
    if body.code in _UNSUPPORTED and body.param and not body.param.startswith(("messages", "input")):
        shown = without_secrets(body.param, secrets)
        remedy = "set send_seed: false" if shown == "seed" else f"remove {shown} from params"
        return FatalTargetError(f"{line}; every request sends it: {remedy}")
    if status in _RETRYABLE or status >= _SERVER_ERROR:
        return RetryableTargetError(line, retry_after_s=retry_after_s(headers) or _until_room(headers))
    if status in remedies:
        return FatalTargetError(f"{line}; {remedies[status]}")
    if status in _REDIRECT:
        location = _CONTROL.sub(" ", headers.get("location", "another address"))[:_SHOWN_CHARACTERS]
        return FatalTargetError(
            f"{line}; it redirects to {location}, which is not followed: give that address in the spec"
        )
    return TargetError(line)


def error_body(body: bytes) -> ErrorBody:
    """The error object in a response body; empty if there is none or it has another shape.

    OpenAI and most servers send `{"error": {...}}`, some the bare object, and FastAPI `{"detail": ...}`.
    """
    whole = whole_characters(body)
    for reader in (_Wrapped, _Detail, ErrorBody):
        try:
            read = reader.model_validate_json(whole)
        except ValidationError:
            continue
        if isinstance(read, _Wrapped):
            return read.error if isinstance(read.error, ErrorBody) else ErrorBody(message=read.error)
        return ErrorBody(message=read.said()) if isinstance(read, _Detail) else read
    return ErrorBody()


def is_filtered(body: ErrorBody) -> bool:
    """Whether an error says that a content filter stopped the prompt."""
    if body.code == _FLAGGED:  # also the code of malformed requests, which are no refusals
        return _POLICY in (body.message or "")
    inner = body.innererror.code if body.innererror is not None else None
    if any(str(code).casefold() in _FILTERED for code in (body.code, inner) if code is not None):
        return True
    return any(words in (body.message or "") for words in _FILTERED_WORDS)


class _Wrapped(ErrorBody):
    error: ErrorBody | str


class _Place(Loose):
    loc: tuple[str | int, ...] = ()
    msg: str = ""


class _Detail(ErrorBody):
    detail: str | list[_Place]

    def said(self) -> str:
        """The text, or what is wrong with each key that the server names."""
        if isinstance(self.detail, str):
            return self.detail
        return "; ".join(f"{'.'.join(map(str, place.loc))}: {place.msg}" for place in self.detail)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds a response asks to wait, None if it does not say so in a form that can be read.

    Reads `retry-after-ms`, then `retry-after` as seconds or as an HTTP date (against the response's own
    `date`, so that a wrong local clock does no harm). Negative numbers, which some gateways send, are None.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    given = headers.get("retry-after")
    seconds = _number(given)
    if seconds is not None or given is None:
        return seconds
    try:
        wait = parsedate_to_datetime(given) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return max(0.0, wait.total_seconds())


def _until_room(headers: Mapping[str, str]) -> float | None:
    """Seconds until there is room again, if the headers say that nothing is left."""
    room = rate_room(headers)
    if room is None:
        return None
    left, reset = room.tightest(1)
    return reset if left == 0 else None


def _number(text: str | None) -> float | None:
    if text is None or re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text.strip()) is None:
        return None
    return float(text)


def told_limits(headers: Mapping[str, str]) -> dict[str, str]:
    """The rate limits that a response tells in its headers, each a short line; -1 stands for unknown.

    >>> told_limits({"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-tokens": "-1"})
    {'x-ratelimit-limit-requests': '60'}
    """
    lower = {name.lower(): value for name, value in headers.items()}
    told = {name: without_secrets(value, ()) for name, value in lower.items() if _LIMIT.match(name)}
    return {name: told[name] for name in sorted(told) if told[name] not in {"", "-1"}}


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """A server's message in one line of at most 200 characters, with keys and anything like one masked."""
    clean = text
    for secret in secrets:
        clean = clean.replace(secret, "***") if secret else clean
    clean = _KEY_LIKE.sub("***", clean)
    clean = _CONTROL.sub(" ", clean).strip()
    return clean if len(clean) <= _SHOWN_CHARACTERS else clean[: _SHOWN_CHARACTERS - 1] + "…"
