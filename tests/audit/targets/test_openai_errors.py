"""Reading failing responses: waits, error objects in several shapes, masked keys."""

import pytest

from audit.targets.openai_errors import error_body, retry_after_s, without_secrets


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
