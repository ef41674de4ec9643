"""An address with a protocol of its own: JSON in, JSON or text out, by the last part of its path."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from aiohttp import web

__all__ = ["plain_reply"]

_LONG = 17 * 2**20


async def plain_reply(request: web.Request, sent: object) -> web.StreamResponse:
    """The reply to a request, named by the last part of its path; other names repeat what was sent."""
    return await _REPLIES.get(request.match_info["name"], _repeat)(request, sent)


async def _repeat(request: web.Request, sent: object) -> web.StreamResponse:
    query = dict(request.query)
    reply = {"data": {"answers": [{"text": sent if isinstance(sent, str) else None}]}}
    return web.json_response({**reply, "sent": sent, "query": query, "set": request.headers.get("Cookie")})


async def _answer(_: web.Request, sent: object) -> web.StreamResponse:
    asked = sent.get("question") if isinstance(sent, dict) else sent
    reply = {
        "data": {"answers": [{"text": f"<think>hm</think>about: {asked}"}]},
        "ended": "MAX_TOKENS",
        "used": {"in": 5, "out": -1},
        "by": "own-model",
    }
    return web.json_response(reply, headers={"x-request-id": "req-9", "Set-Cookie": "session=1"})


async def _refused(_: web.Request, __: object) -> web.StreamResponse:
    return web.json_response({"blocked": {"rule": 7}})


async def _failed(request: web.Request, _: object) -> web.StreamResponse:
    return web.json_response({"problem": f"no, {request.headers.get('x-gate')}"})


async def _text(_: web.Request, __: object) -> web.StreamResponse:
    return web.Response(body=b"ol\xe9 \x1b[31mred")


async def _empty(_: web.Request, __: object) -> web.StreamResponse:
    return web.json_response({"data": {"answers": [{"text": None}]}})


async def _elsewhere(_: web.Request, __: object) -> web.StreamResponse:
    return web.json_response({"data": {"answers": []}, "\x1b[2J": 1})


async def _busy(_: web.Request, __: object) -> web.StreamResponse:
    return web.json_response({"error": "busy"}, status=503, headers={"Retry-After": "3"})


async def _denied(request: web.Request, _: object) -> web.StreamResponse:
    return web.json_response({"message": f"bad gate {request.headers.get('x-gate')}"}, status=401)


async def _moved(_: web.Request, __: object) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": "http://127.0.0.1:9/elsewhere"})


async def _page(_: web.Request, __: object) -> web.StreamResponse:
    return web.Response(text="<html>Welcome to the proxy</html>", content_type="text/html")


async def _endless(request: web.Request, _: object) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    for _block in range(_LONG // 2**20):
        await answer.write(b"a" * 2**20)
    return answer


_REPLIES: Mapping[str, Callable[[web.Request, object], Awaitable[web.StreamResponse]]] = MappingProxyType(
    {
        "answer": _answer,
        "refused": _refused,
        "failed": _failed,
        "text": _text,
        "empty": _empty,
        "elsewhere": _elsewhere,
        "busy": _busy,
        "denied": _denied,
        "moved": _moved,
        "page": _page,
        "endless": _endless,
    }
)
