"""Replies are read up to a length, so that a server that sends without end costs no memory."""

from collections.abc import AsyncIterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2

__all__ = ["LONGEST_BODY", "BodyTooLongError", "bounded", "read_bounded"]

LONGEST_BODY = 16 * 2**20
"""Bytes of a reply, unpacked; the longest answers of today's models take a few hundred thousand."""
_DOWNLOADS = "/content"
"""How the address of a file ends, which is written to the disk as it comes."""


class BodyTooLongError(Exception):
    """A reply is longer than any that can be meant."""

    def __init__(self) -> None:
        """Its length is not known, since the rest was not read."""
        super().__init__(f"the reply is longer than {LONGEST_BODY} bytes")


async def read_bounded(response: "httpx2.Response") -> None:
    """Read a response whole, unless it is a file that is being downloaded: a response hook of the client.

    Args:
        response: One whose headers are here and whose body is not; afterwards it holds the body, unpacked.

    Raises:
        openai.APIConnectionError: It is too long, and what follows is not read; from a `BodyTooLongError`.
    """
    if response.is_success and response.request.url.path.endswith(_DOWNLOADS):
        return
    import httpx2  # noqa: PLC0415 - takes most of a second, and only what is asked needs it
    import openai  # noqa: PLC0415 - as above

    unread = httpx2.Response(
        response.status_code, headers=response.headers, stream=response.stream, request=response.request
    )
    try:
        body = await bounded(unread.aiter_bytes())
    except BodyTooLongError as error:  # As an error of the SDK, which hands others on as they are.
        raise openai.APIConnectionError(message=str(error), request=response.request) from error
    finally:
        await unread.aclose()
    response.headers.pop("content-encoding", None)
    response.stream = httpx2.ByteStream(body)


async def bounded(parts: AsyncIterable[bytes]) -> bytes:
    """The parts of a body in one.

    Raises:
        BodyTooLongError: There are too many.
    """
    kept, length = [], 0
    async for part in parts:
        length += len(part)
        if length > LONGEST_BODY:
            raise BodyTooLongError
        kept.append(part)
    return b"".join(kept)
