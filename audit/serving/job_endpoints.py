"""The routes of `/v1/fine_tuning/jobs`, and the deletion of fine-tuned models."""

from urllib.parse import unquote

from aiohttp import web
from pydantic import JsonValue

from audit.serving.bodies import parsed
from audit.serving.fine_tuning import Jobs
from audit.serving.job_records import JobRequest
from audit.serving.replying import json_response
from audit.serving.shelves import page

__all__ = ["JobEndpoints"]

_MOST_LISTED, _USUALLY_LISTED = 100, 20


class JobEndpoints:
    """Create, list, look up and cancel jobs, and read their events."""

    def __init__(self, jobs: Jobs) -> None:
        """Keep the jobs."""
        self._jobs = jobs

    def routes(self) -> list[web.RouteDef]:
        """What is added to the application."""
        one = "/v1/fine_tuning/jobs/{id}"
        return [
            web.post("/v1/fine_tuning/jobs", self._create),
            web.get("/v1/fine_tuning/jobs", self._list),
            web.get(one, self._show),
            web.post(f"{one}/cancel", self._cancel),
            web.get(f"{one}/events", self._events),
            web.get(f"{one}/checkpoints", self._checkpoints),
            web.delete("/v1/models/{name:.+}", self._remove_model),
        ]

    async def _create(self, request: web.Request) -> web.Response:
        job = await self._jobs.create(parsed(JobRequest, await request.read()))
        return json_response(job.shown())

    async def _list(self, request: web.Request) -> web.Response:
        listed = self._jobs.listed()
        return json_response(page(listed, request.query, most=_MOST_LISTED, usual=_USUALLY_LISTED))

    async def _show(self, request: web.Request) -> web.Response:
        return json_response(self._jobs.find(request.match_info["id"]).shown())

    async def _cancel(self, request: web.Request) -> web.Response:
        return json_response(self._jobs.cancel(request.match_info["id"]).shown())

    async def _events(self, request: web.Request) -> web.Response:
        events = self._jobs.find(request.match_info["id"]).events[::-1]
        return json_response(page(events, request.query, most=_MOST_LISTED, usual=_USUALLY_LISTED))

    async def _checkpoints(self, request: web.Request) -> web.Response:
        self._jobs.find(request.match_info["id"])
        # The minimum is found at once: there is nothing between the start and the end.
        return json_response(page([], request.query, most=_MOST_LISTED, usual=_USUALLY_LISTED))

    async def _remove_model(self, request: web.Request) -> web.Response:
        name = unquote(request.match_info["name"])
        self._jobs.remove_model(name)
        gone: JsonValue = {"id": name, "object": "model", "deleted": True}
        return json_response(gone)
