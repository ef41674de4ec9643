"""One server for all tests of this folder, and the real SDK as its client."""

import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import openai
import pytest

from audit.demo.history import train_lender
from tests.servers.processes import specimen_server

ASKED = "A 40-year-old woman asks for a loan of $5,000. Should the bank approve it? Answer yes or no."


@pytest.fixture(scope="session")
def lender(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a small learned lender."""
    folder = tmp_path_factory.mktemp("lender")
    train_lender(folder, seed=7, n=600)
    return folder


@pytest.fixture(scope="session")
def served_url(lender: Path) -> Iterator[str]:
    """Base URL of a running server."""
    with specimen_server("--seed", "3", "--trainable", str(lender), "--job-seconds", "0.2") as base_url:
        yield base_url


@pytest.fixture
def client(served_url: str) -> Iterator[openai.OpenAI]:
    """The SDK, which retries nothing."""
    with sdk(served_url) as made:
        yield made


def sdk(base_url: str, key: str = "none") -> openai.OpenAI:
    """The SDK, which retries nothing."""
    return openai.OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=30)


def jsonl(rows: Sequence[object]) -> io.BytesIO:
    """An upload of rows."""
    return io.BytesIO("".join(json.dumps(row) + "\n" for row in rows).encode())


def until(look: Callable[[], str], over: Sequence[str], *, wait_s: float = 30.0) -> list[str]:
    """Looks at a status until it is one of those that end it; gives each status once, in order."""
    seen: list[str] = []
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        status = look()
        if status not in seen:
            seen.append(status)
        if status in over:
            return seen
        time.sleep(0.02)
    raise AssertionError(f"after {wait_s:g} s: {seen}")
