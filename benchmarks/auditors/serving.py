"""A sealed server in a process of its own, for as long as one tool asks it."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.auditors.sealed import Specimen

__all__ = ["ROOT", "Serving", "serving"]

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A server that is up."""

    base_url: str

    def calls(self) -> int:
        """Replies asked for so far."""
        with urllib.request.urlopen(self.base_url.removesuffix("/v1") + "/calls") as said:  # noqa: S310 - loopback
            return int(json.loads(said.read()))


@contextmanager
def serving(specimen: Specimen) -> Iterator[Serving]:
    """Start a server and stop it; what it is goes over standard input, so no tool can see it.

    Args:
        specimen: What the server is.
    """
    command = [sys.executable, "-m", "benchmarks.auditors.server"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            if process.stdin is None or process.stdout is None:
                raise RuntimeError("the server has no standard input or output")
            process.stdin.write(specimen.model_dump_json())
            process.stdin.close()
            yield Serving(base_url=str(json.loads(process.stdout.readline())["base_url"]))
        finally:
            process.kill()
