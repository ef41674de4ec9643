"""What the tests of targets share: requests, contexts and one stub server for the whole session."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audit.records import Request
from audit.targets.base import TargetContext
from probes.records import Message
from tests.servers.processes import stub_server


@pytest.fixture(scope="session")
def stub_url() -> Iterator[str]:
    """Base URL of a stub server without faults of its own."""
    with stub_server() as base_url:
        yield base_url


@pytest.fixture
def context(tmp_path: Path) -> TargetContext:
    """A context without secrets whose root is the test's own folder."""
    return TargetContext(name="target", root=tmp_path)


@pytest.fixture
def ask() -> Callable[..., Request]:
    """Makes a request from a text."""

    def make(text: str, *, prompt_id: str = "p1", repeat: int = 0, source_id: str | None = None) -> Request:
        message = Message(role="user", content=text)
        return Request(prompt_id=prompt_id, messages=(message,), repeat=repeat, source_id=source_id)

    return make
