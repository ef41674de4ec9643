"""Reading failing responses: waits, error objects in several shapes, masked keys."""

import pytest

from audit.targets.base import RateRoom, RetryableTargetError
from audit.targets.openai_api.errors import (
    error_body,
    is_filtered,
    retry_after_s,
    status_error,
    without_secrets,
)
from audit.targets.openai_api.limits import rate_room
from audit.targets.openai_api.replies import ErrorBody


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
        (
            {"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"},
            30.0,
        ),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}, None),
    ],
)
def test_wait_is_read_in_every_form(headers: dict[str, str], wait: float | None) -> None:
    """Seconds, milliseconds and dates are read; what cannot be read is None, never 0."""
    assert retry_after_s(headers) == wait


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error": {"message": "m", "code": 7}}', "m"),
        (b'{"error": "m"}', "m"),
        (b'{"detail": "m"}', "m"),
        (b'{"message": "m"}', "m"),
        (b"<html>", None),
        (b"[]", None),
    ],
)
def test_error_objects_are_read_in_every_shape(body: bytes, message: str | None) -> None:
    """The message is found wherever servers put it, and its absence is no crash."""
    assert error_body(body).message == message


@pytest.mark.parametrize("key", ["sk-proj-abc123DEF", "hf_abcdefgh1", "Bearer abcdef"])
def test_anything_like_a_key_is_masked(key: str) -> None:
    """Even a partly masked key that a server echoes is not repeated."""
    shown = without_secrets(f"Incorrect API key provided: {key}.\nSee docs", ())
    assert key not in shown
    assert shown.startswith("Incorrect API key provided: ***")
    assert "\n" not in shown


@pytest.mark.parametrize(
    ("headers", "room"),
    [
        ({}, None),
        ({"x-ratelimit-remaining-requests": "-1", "x-ratelimit-remaining-tokens": "-1"}, None),
        ({"x-ratelimit-remaining-requests": "many"}, None),
        (
            {
                "x-ratelimit-remaining-requests": "7",
                "x-ratelimit-reset-requests": "6m0s",
                "x-ratelimit-remaining-tokens": "-1",
            },
            RateRoom(requests=7, requests_reset_s=360.0),
        ),
        (
            {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1.5s"},
            RateRoom(tokens=0, tokens_reset_s=1.5),
        ),
    ],
)
def test_what_is_left_is_read_from_headers(headers: dict[str, str], room: RateRoom | None) -> None:
    """Counts and durations are read, and -1 is nothing said, never nothing left."""
    assert rate_room(headers) == room


def test_an_exhausted_limit_without_retry_after_waits_for_its_reset() -> None:
    """Where only the headers say when there is room again, that is the wait."""
    spent = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2s"}
    for headers, wait in ((spent, 2.0), ({**spent, "retry-after": "5"}, 5.0)):
        error = status_error(429, error_body(b""), headers, place="here", secrets=())
        assert isinstance(error, RetryableTargetError)
        assert error.retry_after_s == wait


@pytest.mark.parametrize(
    "message",
    [
        "litellm.ContentPolicyViolationError: no",
        "litellm.BadRequestError: The response was filtered due to the prompt triggering a policy",
    ],
)
def test_a_filter_is_known_behind_a_gateway_that_replaces_its_code(message: str) -> None:
    """LiteLLM's proxy gives status 400 as the code; its words still say that a filter stopped the prompt."""
    assert is_filtered(ErrorBody(message=message, code="400"))
    assert not is_filtered(ErrorBody(message="filtered out of a list", code="400"))
