"""The SDK's client as every part that talks to an OpenAI-compatible server opens it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from audit.targets.openai_api.bodies import read_bounded

if TYPE_CHECKING:
    import openai

    from audit.targets.openai_api.direct import DirectClient

__all__ = ["open_client", "request_options"]

_NO_KEY = "not-needed"
_BEARER = "authorization"


def open_client(
    base_url: str,
    secret: str,
    timeout_s: float,
    headers: Mapping[str, str] | None = None,
    key_name: str = "authorization",
) -> "DirectClient":
    """A client that retries nothing, follows no redirect, reads no endless reply, takes nothing from outside.

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
            event_hooks={"response": [read_bounded]},
        ),
    )
    # The SDK fills these from the environment; another server has no business with them.
    client.organization = client.project = client.admin_api_key = None
    return client


def request_options(key_name: str) -> "openai.RequestOptions":
    """What goes with every request: no bearer where another header carries the key."""
    import openai  # noqa: PLC0415 - as above

    return {} if key_name == _BEARER else {"headers": {"Authorization": openai.Omit()}}
