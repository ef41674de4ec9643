"""The SDK's client as every part that talks to an OpenAI-compatible server opens it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import openai

    from audit.targets.openai_api.direct import DirectClient

__all__ = ["open_client", "request_options", "transport_problem"]

_NO_KEY = "not-needed"
_BEARER = "authorization"


def open_client(
    base_url: str,
    secret: str,
    timeout_s: float,
    headers: Mapping[str, str] | None = None,
    key_name: str = "authorization",
) -> "DirectClient":
    """A client that retries nothing, follows no redirect and takes nothing from the environment.

    Retries are the collection's alone, since one hidden here would be billed and counted by nobody.

    Args:
        base_url: Address of the server.
        secret: The key; empty if none is needed.
        timeout_s: Longest wait for an answer, in seconds.
        headers: Further headers.
        key_name: Header that carries the key; `authorization` does as a bearer.
    """
    import openai  # noqa: PLC0415 - takes most of a second, and only what is asked needs it

    from audit.targets.openai_api.direct import DirectClient  # noqa: PLC0415 - as above

    own = {} if key_name == _BEARER else {key_name: secret}

    client = DirectClient(
        api_key=secret or _NO_KEY,
        base_url=base_url,
        timeout=timeout_s,
        max_retries=0,
        default_headers={**(headers or {}), **own},
        http_client=openai.DefaultAioHttpClient(
            follow_redirects=False,  # a redirect would reach a host that nobody has named
            timeout=timeout_s,
        ),
    )
    # The SDK fills these from the environment; another server has no business with them.
    client.organization = client.project = client.admin_api_key = None
    return client


def request_options(key_name: str) -> "openai.RequestOptions":
    """What goes with every request: no bearer where another header carries the key."""
    import openai  # noqa: PLC0415 - as above

    return {} if key_name == _BEARER else {"headers": {"Authorization": openai.Omit()}}


def transport_problem(error: BaseException, limit: float) -> tuple[str, bool]:
    """What broke below HTTP, in words, and whether no connection was made at all.

    The first causes are looked through because the SDK reports a refused connection as a timeout.

    Args:
        error: What the SDK raised.
        limit: Longest wait that was allowed, in seconds.
    """
    import aiohttp  # noqa: PLC0415 - comes with the SDK, which loads when first used

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            return "no connection; is the server running, and its address right?", True
        if isinstance(cause, aiohttp.ServerTimeoutError):
            break
        if isinstance(cause, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError):
            return "the connection broke off", False
        if isinstance(cause, aiohttp.ClientResponseError):
            return "the reply is no HTTP", False
        cause = cause.__cause__
    return f"no answer within {limit:g} s (timeout_s)", False
