"""Responses of the HTTP application."""

import json
from collections.abc import Mapping

from aiohttp import web
from pydantic import JsonValue

__all__ = ["json_response"]


def json_response(body: Mapping[str, JsonValue] | JsonValue, *, status: int = 200) -> web.Response:
    """A response with a JSON body."""
    return web.Response(body=json.dumps(body).encode(), status=status, content_type="application/json")
