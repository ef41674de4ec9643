"""The HTTP application: routes, the key, limits of size, and errors in the documented shape."""

import hmac
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote, urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import JsonValue

from audit.serving.api_errors import ApiError, ConnectionCutError, own_fault
from audit.serving.catalogue import Served
from audit.serving.counting import Counting
from audit.serving.hosts import is_loopback
from audit.serving.inference import Inference, Reply
from audit.serving.models import Models
from audit.serving.moderations import SCREEN
from audit.serving.replying import json_response

__all__ = ["Access", "Routes", "application"]

_LOGGER = logging.getLogger(__name__)
_JSON = "application/json"


class Routes(Protocol):
    """A group of endpoints."""

    def routes(self) -> Iterable[web.RouteDef]:
        """What it adds to the application."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may ask, and how much at once."""

    key: str | None
    """What `Authorization: Bearer` must hold; None lets everyone in."""
    local: bool
    """True if the server listens on loopback only; then other names of the host are refused, since a web page
    could reach it by one."""
    most_bytes: int
    """Largest body of a request, uploads apart."""


def application(
    access: Access, inference: Inference, models: Models, counting: Counting, further: Iterable[Routes] = ()
) -> web.Application:
    """The application with all its routes.

    Args:
        access: Who may ask, and how much.
        inference: Answers calls.
        models: What is served.
        counting: Counts requests.
        further: Further groups of endpoints.
    """
    app = web.Application(
        middlewares=[_counted(counting), _in_documented_shape, _checked(access)],
        client_max_size=access.most_bytes,
        handler_args={"max_line_size": 16384, "access_log": None},
    )
    own = _Own(inference, models, counting)
    app.router.add_routes(own.routes())
    for group in further:
        app.router.add_routes(group.routes())
    return app


class _Own:
    """Completions, responses, models and counts."""

    def __init__(self, inference: Inference, models: Models, counting: Counting) -> None:
        self._inference = inference
        self._models = models
        self._counting = counting

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/health", self.health),
            web.post("/v1/chat/completions", self.chat),
            web.post("/v1/responses", self.response),
            web.post("/v1/moderations", self.moderation),
            web.get("/v1/responses/{id}", self.kept_response),
            web.delete("/v1/responses/{id}", self.forget_response),
            web.get("/v1/models", self.list_models),
            web.get("/v1/models/{name:.+}", self.show_model),
            web.get("/evenhand/requests", self.counts),
            web.delete("/evenhand/requests", self.forget_counts),
        ]

    async def health(self, _: web.Request) -> web.Response:
        return json_response({"status": "ok"})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        return await _send(request, await self._inference.chat(await request.read()))

    async def response(self, request: web.Request) -> web.StreamResponse:
        return await _send(request, await self._inference.response(await request.read()))

    async def moderation(self, request: web.Request) -> web.StreamResponse:
        return await _send(request, await self._inference.moderation(await request.read()))

    async def kept_response(self, request: web.Request) -> web.Response:
        return json_response(self._inference.responses.find(request.match_info["id"]).body)

    async def forget_response(self, request: web.Request) -> web.Response:
        return json_response(self._inference.responses.delete(request.match_info["id"]))

    async def list_models(self, _: web.Request) -> web.Response:
        return json_response(
            {"object": "list", "data": [_shown(one) for one in (*self._models.listed(), SCREEN)]}
        )

    async def show_model(self, request: web.Request) -> web.Response:
        name = unquote(request.match_info["name"])
        return json_response(_shown(SCREEN if name == SCREEN.name else self._models.find(name)))

    async def counts(self, _: web.Request) -> web.Response:
        return json_response(self._counting.shown())

    async def forget_counts(self, _: web.Request) -> web.Response:
        self._counting.forget()
        return json_response({"deleted": True})


def _shown(served: Served) -> JsonValue:
    return {
        "id": served.name,
        "object": "model",
        "created": served.created,
        "owned_by": served.owned_by,
        "description": served.about,
    }


async def _send(request: web.Request, reply: Reply) -> web.StreamResponse:
    if reply.events is None:
        return web.Response(body=reply.body, headers=reply.headers, content_type=_JSON)
    stream = web.StreamResponse(headers={**reply.headers, "Cache-Control": "no-cache"})
    stream.content_type = "text/event-stream"
    await stream.prepare(request)
    for event in reply.events:
        await stream.write(event)
    await stream.write_eof()
    return stream


def _counted(counting: Counting) -> Middleware:
    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        path = resource.canonical if resource is not None else "unknown"
        if path == "/evenhand/requests":
            return await handler(request)
        with counting.in_flight(f"{request.method} {path}"):
            return await handler(request)

    return count


@web.middleware
async def _in_documented_shape(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what went wrong into what a client of the real API would get."""
    try:
        return await handler(request)
    except ApiError as error:
        return _error(error)
    except ConnectionCutError:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()
    except web.HTTPException as error:
        return _error(_http_error(error, request))
    except Exception as error:
        # Whoever rehearses gets the status that a broken server has; the cause stands in this one's log.
        _LOGGER.exception("%s %s", request.method, request.path)
        return _error(own_fault(error))


def _http_error(error: web.HTTPException, request: web.Request) -> ApiError:
    """What the router or the reader of bodies refused, in the documented shape."""
    if isinstance(error, web.HTTPNotFound):
        return ApiError(404, f"Unknown request URL: {request.method} {request.path}.", code="unknown_url")
    if isinstance(error, web.HTTPMethodNotAllowed):
        said = f"Not allowed to {request.method} on {request.path}."
        return ApiError(405, said, code="method_not_supported")
    return ApiError(error.status, error.text or error.reason, code="request_refused")


def _error(error: ApiError) -> web.Response:
    response = json_response(error.body, status=error.status)
    response.headers.update(error.headers)
    return response


def _checked(access: Access) -> Middleware:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        # Neither by a name of its own nor across origins may a web page reach a server on loopback.
        own = is_loopback(request.url.host or "") and _is_local(request.headers.get("Origin"))
        if access.local and not own:
            raise ApiError(403, "This server answers on loopback only, by its own name.", code="wrong_host")
        if access.key is not None and request.path != "/health":
            _check_key(request, access.key)
        return await handler(request)

    return check


def _is_local(origin: str | None) -> bool:
    """Whether a request comes from no web page, or from one of this machine."""
    try:
        return origin is None or is_loopback(urlsplit(origin).hostname or "")
    except ValueError:
        return False


def _check_key(request: web.Request, key: str) -> None:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    # Azure's clients send the key by itself.
    given = given or request.headers.get("api-key", "")
    if not given:
        said = "You didn't provide an API key. Send it in an Authorization header: Bearer YOUR_KEY."
        raise ApiError(401, said, code="missing_api_key")
    if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), key.encode()):
        raise ApiError(401, "Incorrect API key provided.", code="invalid_api_key")
