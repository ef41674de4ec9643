"""One server for all tests of this folder, and the real SDK as its client."""

from collections.abc import Iterator

import openai
import pytest

from tests.servers.processes import specimen_server

ASKED = "A 40-year-old woman asks for a loan of $5,000. Should the bank approve it? Answer yes or no."


@pytest.fixture(scope="session")
def served_url() -> Iterator[str]:
    """Base URL of a running server."""
    with specimen_server("--seed", "3") as base_url:
        yield base_url


@pytest.fixture
def client(served_url: str) -> Iterator[openai.OpenAI]:
    """The SDK, which retries nothing."""
    with openai.OpenAI(base_url=served_url, api_key="none", max_retries=0, timeout=30) as made:
        yield made
