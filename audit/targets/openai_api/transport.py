"""What breaks below HTTP, as every part that calls a server tells it."""

from audit.targets.base import RetryableTargetError, TargetError
from audit.targets.openai_api.bodies import BodyTooLongError

__all__ = ["transport_error", "transport_problem"]


def transport_error(error: BaseException, limit: float, place: str) -> TargetError:
    """The error of a target: one that may be tried again, unless what came was too long.

    Args:
        error: What the SDK or its transport raised.
        limit: Longest wait that was allowed, in seconds.
        place: Host and model, for the message.
    """
    what, unreachable = transport_problem(error, limit)
    if any(isinstance(cause, BodyTooLongError) for cause in _causes(error)):
        return TargetError(f"{place}: {what}")
    return RetryableTargetError(f"{place}: {what}", unreachable=unreachable)


def transport_problem(error: BaseException, limit: float) -> tuple[str, bool]:
    """What broke, in words, and whether no connection was made at all.

    The first causes are looked through because the SDK reports a refused connection as a timeout.

    Args:
        error: What the SDK or its transport raised.
        limit: Longest wait that was allowed, in seconds.
    """
    import aiohttp  # noqa: PLC0415 - comes with the SDK, which loads when first used

    for cause in _causes(error):
        if isinstance(cause, BodyTooLongError):
            return str(cause), False
        if isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            return "no connection; is the server running, and its address right?", True
        if isinstance(cause, aiohttp.ServerTimeoutError):
            break
        if isinstance(cause, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError):
            return "the connection broke off", False
        if isinstance(cause, aiohttp.ClientResponseError):
            return "the reply is no HTTP", False
    return f"no answer within {limit:g} s (timeout_s)", False


def _causes(error: BaseException) -> list[BaseException]:
    """An error, what it was raised from, and so on."""
    found: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None:
        found.append(cause)
        cause = cause.__cause__
    return found
