"""Who may ask a server on loopback."""

import asyncio
from collections.abc import Iterator

import pytest
from aiohttp import ClientSession

from tests.servers.processes import specimen_server


@pytest.fixture(scope="module")
def other() -> Iterator[str]:
    """A server on another address of loopback."""
    with specimen_server("--host", "127.0.0.2") as base_url:
        yield base_url


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost"}, 200),
        ({"Origin": "http://127.0.0.3:5000"}, 200),
        ({"Host": "example.org"}, 403),
        ({"Host": "127.0.0.1.example.org"}, 403),
        ({"Origin": "http://example.org"}, 403),
    ],
)
def test_every_address_of_loopback_is_the_server_s_own(
    other: str, headers: dict[str, str], status: int
) -> None:
    """A server on 127.0.0.2 answers there, and no web page reaches it by a name of its own."""

    async def ask() -> int:
        url = f"{other}/models"
        async with ClientSession() as session, session.get(url, headers=headers) as reply:
            return reply.status

    assert asyncio.run(ask()) == status
