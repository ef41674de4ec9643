"""The stub in a process of its own, and runners on the other core."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Seen", "Serving", "on_core", "other_cores", "serving"]

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the stub saw of one runner."""

    count: int
    """Requests."""
    first: float
    """When the first came, in seconds of the machine's monotonic clock."""
    last: float
    """When the last was answered, likewise."""
    most: int
    """Most requests in flight at once."""

    def rate(self, until: float | None = None) -> float:
        """Requests a second, from the first arrival to the last answer or to a later moment."""
        return self.count / (max(self.last, until or 0.0) - self.first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A stub that is up."""

    base_url: str

    def seen(self) -> Seen:
        """What came since the last reset."""
        return Seen(**json.loads(self._get("/seen")))

    def asked(self) -> dict[str, int]:
        """How often each message was answered with a text; counted by a stub that remembers."""
        return dict(json.loads(self._get("/asked")))

    def reset(self) -> None:
        """Forget what came."""
        self._get("/reset")

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.base_url.removesuffix("/v1") + path, timeout=60) as said:  # noqa: S310 - loopback
            return bytes(said.read())


@contextmanager
def serving(
    *,
    latency: float,
    faults: float = 0.0,
    stall: float = 30.0,
    room: int | None = None,
    remember: bool = False,
) -> Iterator[Serving]:
    """Start a stub on the machine's last core and stop it; see `benchmarks.collection.server`."""
    command = [sys.executable, "-m", "benchmarks.collection.server", "--latency", str(latency)]
    command += ["--faults", str(faults), "--stall", str(stall)]
    command += [] if room is None else ["--room", str(room)]
    command += ["--remember"] if remember else []
    cores = _cores()
    if len(cores) > 1:
        command += ["--core", str(cores[-1])]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None:
                raise RuntimeError("the stub has no standard output")
            yield Serving(base_url=str(json.loads(process.stdout.readline())["base_url"]))
        finally:
            process.kill()


def other_cores() -> set[int]:
    """The cores that the stub leaves: all but the last."""
    cores = _cores()
    return set(cores[:-1]) or set(cores)


def on_core() -> None:
    """Keep this process and its children off the stub's core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, other_cores())


def _cores() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
