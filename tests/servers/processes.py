"""Starting real servers in their own process on loopback, and stopping them again."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["fetch_json", "post", "specimen_server", "started", "stub_server"]

_ROOT = Path(__file__).parents[2]


@contextmanager
def stub_server(*arguments: str, module: str = "stub") -> Iterator[str]:
    """A running stub server; see `stub.py`.

    Args:
        arguments: Its command-line arguments, such as `--latency`, `0.05`.
        module: Name of the script beside this one.

    Yields:
        Its base URL, `http://127.0.0.1:PORT/v1`.
    """
    command = [sys.executable, "-m", f"tests.servers.{module}", *arguments]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield str(json.loads(process.stdout.readline())["base_url"])
        finally:
            process.terminate()
            process.wait(10)


@contextmanager
def specimen_server(*arguments: str) -> Iterator[str]:
    """A running `evenhand serve-specimen` on a free port.

    Args:
        arguments: Its command-line arguments, such as `--seed`, `3`.

    Yields:
        Its base URL, `http://127.0.0.1:PORT/v1`.
    """
    process, base_url = started(*arguments)
    try:
        yield base_url
    finally:
        process.terminate()
        process.wait(20)


def started(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """A running `evenhand serve-specimen` on a free port, for whoever stops it himself, and its base URL."""
    command = [sys.executable, "-m", "audit", "serve-specimen", "--port", "0", "--json", *arguments]
    process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as said:
        return process, str(json.loads(said.readline())["base_url"])


def fetch_json(base_url: str, path: str) -> object:
    """What a server on loopback answers to a GET, such as the stub's `/log`."""
    address = base_url.removesuffix("/v1") + path
    with urllib.request.urlopen(address, timeout=10) as response:  # noqa: S310 - loopback only
        return json.loads(response.read())


def post(base_url: str, path: str) -> None:
    """An empty POST to a server on loopback, such as the stub's `/reset`."""
    request = urllib.request.Request(base_url.removesuffix("/v1") + path, method="POST")  # noqa: S310 - loopback only
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - loopback only
        pass
