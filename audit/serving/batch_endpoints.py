"""The routes of `/v1/batches`."""

from aiohttp import web

from audit.serving.batch_records import BatchRequest
from audit.serving.batches import Batches
from audit.serving.bodies import parsed
from audit.serving.replying import json_response
from audit.serving.shelves import page

__all__ = ["BatchEndpoints"]

_MOST_LISTED, _USUALLY_LISTED = 100, 20


class BatchEndpoints:
    """Create, list, look up and cancel batches."""

    def __init__(self, batches: Batches) -> None:
        """Keep the batches."""
        self._batches = batches

    def routes(self) -> list[web.RouteDef]:
        """What is added to the application."""
        return [
            web.post("/v1/batches", self._create),
            web.get("/v1/batches", self._list),
            web.get("/v1/batches/{id}", self._show),
            web.post("/v1/batches/{id}/cancel", self._cancel),
        ]

    async def _create(self, request: web.Request) -> web.Response:
        wanted = parsed(BatchRequest, await request.read())
        return json_response(self._batches.create(wanted).shown())

    async def _list(self, request: web.Request) -> web.Response:
        listed = self._batches.listed()
        return json_response(page(listed, request.query, most=_MOST_LISTED, usual=_USUALLY_LISTED))

    async def _show(self, request: web.Request) -> web.Response:
        return json_response(self._batches.find(request.match_info["id"]).shown())

    async def _cancel(self, request: web.Request) -> web.Response:
        return json_response(self._batches.cancel(request.match_info["id"]).shown())
