"""Retries are counted by reasons that hold nothing a server said."""

import pytest

from audit.collection.reasons import reason_of
from audit.targets.base import RetryableTargetError


@pytest.mark.parametrize(
    ("message", "unreachable", "reason"),
    [
        ("127.0.0.1:8000 my-model: status 429: \x1b[2J", False, "status 429"),
        ("refused", True, "no connection"),
        ("the request timed out", False, "timeout"),
        ("127.0.0.1:8000: no answer within 5 s (timeout_s)", False, "timeout"),
        ("127.0.0.1:8000: the connection broke off", False, "connection lost"),
        ("<script>", False, "other"),
    ],
)
def test_a_reason_is_one_of_few(message: str, unreachable: bool, reason: str) -> None:  # noqa: FBT001 - a case
    """Statuses, missing and lost connections and timeouts have names; all else is other."""
    assert reason_of(RetryableTargetError(message, unreachable=unreachable)) == reason
