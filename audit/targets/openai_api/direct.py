"""The SDK's client with a shorter way for calls that are alike but for their body.

The first call of each path goes the SDK's own way, which says once and for all how it signs and addresses a
request. Later ones send the same address and headers with another body over the same connections, and fail
with the SDK's own errors. What is left out is only the work of building the same request again, which costs
more processor time than all the rest of a call.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
import httpx2
import openai
from pydantic import JsonValue

from audit.targets.openai_api.bodies import BodyTooLongError, bounded, read_bounded

__all__ = ["DirectClient", "PlainResponse"]

_OF_ONE_REQUEST = frozenset({"content-length", "transfer-encoding", "host", "idempotency-key"})
"""Headers that belong to a single request, or that the transport sets."""


_GOOD = range(200, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainResponse:
    """What came back of a call that succeeded."""

    headers: Mapping[str, str]
    """By name, however it is capitalised."""
    content: bytes
    """The body, unpacked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How calls of one path are sent."""

    request: httpx2.Request
    """The one that went the SDK's way; errors name it."""
    url: str
    headers: Mapping[str, str]
    session: aiohttp.ClientSession
    timeout: aiohttp.ClientTimeout


class DirectClient(openai.AsyncOpenAI):
    """An `AsyncOpenAI` whose `post_plain` repeats itself cheaply; everything else is as it was.

    Do not use `post_plain` with a key that changes while the client is open: it is read once.
    """

    _ways: dict[str, _Way] | None = None

    async def post_plain(
        self, path: str, body: Mapping[str, JsonValue], options: openai.RequestOptions
    ) -> PlainResponse:
        """The plain response to a JSON body.

        Args:
            path: Below the base URL.
            body: The payload.
            options: What the SDK takes as such; always the same for one path.

        Raises:
            openai.APIStatusError: The status is not of the 200s.
            openai.APIConnectionError: There was no answer, or by its cause `BodyTooLongError` a too long one.
        """
        if self._ways is None:
            self._ways = {}
        way = self._ways.get(path)
        if way is None or way.session.closed:
            response = await self._first(path, body, options)
            return PlainResponse(headers=response.headers, content=response.content)
        try:
            return await self._again(way, body)
        except (aiohttp.ClientError, TimeoutError, BodyTooLongError) as error:
            raise openai.APIConnectionError(request=way.request) from error

    async def _first(
        self, path: str, body: Mapping[str, JsonValue], options: openai.RequestOptions
    ) -> httpx2.Response:
        try:
            response = await self.post(path, cast_to=httpx2.Response, body=body, options=options)
        except openai.APIStatusError as error:
            self._learn(path, error.response.request)
            raise
        except aiohttp.ClientError as error:  # The SDK knows only the errors of its own transport.
            asked = httpx2.Request("POST", str(self.base_url))
            raise openai.APIConnectionError(request=asked) from error
        self._learn(path, response.request)
        return response

    def _learn(self, path: str, request: httpx2.Request) -> None:
        """Keep how a request was sent, unless it went through a proxy or another transport than ours."""
        transport = self._client._transport_for_url(request.url)  # noqa: SLF001 - the only one who knows of proxies
        session = getattr(transport, "client", None)
        if getattr(transport, "proxy", None) is not None or not isinstance(session, aiohttp.ClientSession):
            return
        limits = request.extensions.get("timeout", {})
        kept = {name: value for name, value in request.headers.items() if name.lower() not in _OF_ONE_REQUEST}
        ways = self._ways or {}
        ways[path] = _Way(
            request=request,
            url=str(request.url),
            headers=kept,
            session=session,
            timeout=aiohttp.ClientTimeout(
                connect=limits.get("pool"), sock_connect=limits.get("connect"), sock_read=limits.get("read")
            ),
        )
        self._ways = ways

    async def _again(self, way: _Way, body: Mapping[str, JsonValue]) -> PlainResponse:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        async with way.session.post(
            way.url,
            data=text.encode(),
            headers=way.headers,
            timeout=way.timeout,
            allow_redirects=False,
            auto_decompress=False,
        ) as answer:
            content = await bounded(answer.content.iter_any())
            if answer.status in _GOOD and "content-encoding" not in answer.headers:
                return PlainResponse(headers=answer.headers, content=content)
            response = httpx2.Response(
                answer.status,
                headers=answer.raw_headers,
                stream=httpx2.ByteStream(content),
                request=way.request,
            )
        await read_bounded(response)  # Little can come that unpacks to much.
        unpacked = await response.aread()
        if not response.is_success:
            raise self._make_status_error_from_response(response)
        return PlainResponse(headers=response.headers, content=unpacked)
