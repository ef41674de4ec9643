"""What LiteLLM reads of a reply, up to the length that the other targets read too.

The library has no setting for it, and which client it opens depends on the provider. All of its clients send
through transports of one maker, so what those bring is read whole and measured, unpacked, before a client
sees it; nothing here is ever streamed.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from audit.targets.openai_api.bodies import BodyTooLongError, bounded

if TYPE_CHECKING:
    from types import ModuleType

    import httpx

__all__ = ["bound_replies", "too_long"]

_MAKERS = ("create_async_transport", "_create_async_transport")
"""Names that versions of the library give to the maker of its transports."""
_PACKED, _LENGTH = "content-encoding", "content-length"
_DEEPEST = 10

Send = Callable[["httpx.Request"], Awaitable["httpx.Response"]]


def bound_replies(library: "ModuleType") -> None:
    """Let the library's transports read no reply without end; doing so again changes nothing.

    A version whose transports are made elsewhere is left as it is: the target measures what it returns.
    """
    handler: Any = getattr(library.llms.custom_httpx.http_handler, "AsyncHTTPHandler", None)
    for name in _MAKERS:
        make = getattr(handler, name, None)
        if make is not None and not hasattr(make, "reads_up_to"):
            setattr(handler, name, staticmethod(_bounding(make)))


def too_long(error: BaseException | None) -> BodyTooLongError | None:
    """The reason behind an error of the library, if it is that a reply was too long."""
    seen = 0
    while error is not None and seen < _DEEPEST:  # A chain is not endless, but may be a ring.
        if isinstance(error, BodyTooLongError):
            return error
        error, seen = error.__cause__ or error.__context__, seen + 1
    return None


def _bounding(make: Callable[..., Any]) -> Callable[..., Any]:
    def made(*args: object, **options: object) -> object:
        transport = make(*args, **options)
        if transport is not None:
            # On the one transport and not around it: the library looks at its class when it closes it.
            transport.handle_async_request = _whole(transport.handle_async_request)
        return transport

    made.reads_up_to = True  # type: ignore[attr-defined] # a mark for the next call
    return made


def _whole(send: Send) -> Send:
    """Sending as before, with the body read, unpacked and measured."""

    async def sent(request: "httpx.Request") -> "httpx.Response":
        import httpx  # noqa: PLC0415 - comes with the library, which loads when first used

        response = await send(request)
        unread = httpx.Response(
            response.status_code, headers=response.headers, stream=response.stream, request=request
        )
        try:
            body = await bounded(unread.aiter_bytes())
        finally:
            await unread.aclose()
        kept = [pair for pair in response.headers.multi_items() if pair[0] not in (_PACKED, _LENGTH)]
        return httpx.Response(
            response.status_code, headers=kept, content=body, request=request, extensions=response.extensions
        )

    return sent
