"""Why requests are sent again, in a few words, so that retries can be counted by reason."""

import re

from audit.targets.base import RetryableTargetError

__all__ = ["reason_of", "says_too_much"]

_STATUS = re.compile(r"\bstatus (\d{3})\b")
_LOST = re.compile(r"\bconnection broke off$|\bbroke the answer off\b")
_NO_ANSWER = re.compile(r"\bno answer within \S+ s\b")
_TIMED_OUT = re.compile(r"\btimed? ?out\b", re.IGNORECASE)


_TOO_MUCH = frozenset({"status 429", "status 503", "status 529"})


def says_too_much(error: RetryableTargetError) -> bool:
    """Whether a failure says that the target was asked too much: by its status, or by asking to wait."""
    return error.retry_after_s is not None or reason_of(error) in _TOO_MUCH


def reason_of(error: RetryableTargetError) -> str:
    """One of `no connection`, `connection lost`, `status NNN`, `timeout`, `other`.

    Nothing of what a server said is in it.
    """
    if error.unreachable:
        return "no connection"
    text = str(error)
    status = _STATUS.search(text)
    if status is not None:
        return f"status {status.group(1)}"
    if _LOST.search(text) is not None:
        return "connection lost"
    return "timeout" if _TIMED_OUT.search(text) or _NO_ANSWER.search(text) else "other"
