"""Requests a second of everybody beside each other, against one stub, in rounds that are mixed in time."""

import json
import math
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.stats import t

from benchmarks.collection.planned import write_rows
from benchmarks.collection.rivals import RIVALS, Rival
from benchmarks.collection.serving import ROOT, Serving, on_core, serving

__all__ = ["LOOPS", "OWN", "Asked", "Measured", "Took", "ask", "measure", "ratio", "table"]

OWN = "evenhand"
LOOPS = ("aiohttp", "sdk", "sdk-post")
_DEMANDED: Mapping[str, float] = {"aiohttp": 0.8, "sdk": 0.9}
_NAMES = {
    "aiohttp": "bare aiohttp loop",
    "sdk": "bare loop over the SDK, `chat.completions.create`",
    "sdk-post": "bare loop over the SDK, `post` with the plain response",
    OWN: "Evenhand, durable writes included",
}
_LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How much is asked of whom."""

    requests: int
    """By the loops and by Evenhand, each round."""
    rival_requests: int
    """By each rival, each round."""
    in_flight: int
    latency: float
    """The stub's, in seconds."""
    rounds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured, by name and round."""

    rates: Mapping[str, Sequence[float]]
    """Requests a second."""
    most: Mapping[str, int]
    """Most calls in flight at once that the stub saw."""
    cpu_ms: Mapping[str, Sequence[float]]
    """Processor time a request in milliseconds, start-up included; of the loops and Evenhand."""


def measure(asked: Asked, rivals: Path | None) -> Measured:
    """Ask in rounds: everybody once, then everybody again.

    Args:
        asked: How much.
        rivals: Folder of the rivals' environments; None to leave them out.
    """
    rates: dict[str, list[float]] = {}
    cpu: dict[str, list[float]] = {}
    most: dict[str, int] = {}
    with serving(latency=asked.latency) as stub:
        for _ in range(asked.rounds):
            for name in (*LOOPS, OWN):
                took = ask(name, stub, asked.requests, asked.in_flight)
                rates.setdefault(name, []).append(took.rate)
                cpu.setdefault(name, []).append(took.own_ms)
                most[name] = max(most.get(name, 0), took.most)
                print(
                    f"{name}: {took.rate:.0f} requests/s, {took.own_ms:.2f} ms of processor time each",
                    flush=True,
                )
            for rival in _present(rivals):
                found = _rival(rival, stub, asked, rivals or Path())
                if found is not None:
                    rates.setdefault(rival.name, []).append(found[0])
                    most[rival.name] = max(most.get(rival.name, 0), found[1])
    return Measured(rates=rates, most=most, cpu_ms=cpu)


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """How one loop, or Evenhand, asked."""

    rate: float
    """Requests a second from the first arrival until the last was in hand (for Evenhand: durable)."""
    own_ms: float
    """Milliseconds of processor time a request, of the process that was started."""
    all_ms: float
    """The same of that one and the processes that it started."""
    most: int
    """Most requests that the stub saw at once."""


def ask(name: str, stub: Serving, requests: int, in_flight: int, *further: str) -> Took:
    """Let one loop, or Evenhand, ask.

    Args:
        name: Of the loop.
        stub: Whom to ask.
        requests: How many.
        in_flight: How many at once.
        further: Further arguments of the loop.

    Raises:
        RuntimeError: It failed, or not everything was asked and answered once.
    """
    with TemporaryDirectory() as folder:
        if name == OWN:
            write_rows(Path(folder), requests)
        stub.reset()
        command = [sys.executable, "-m", "benchmarks.collection.loops", name, stub.base_url]
        done = subprocess.run(
            [*command, str(requests), str(in_flight), folder, *further],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            preexec_fn=on_core,
        )
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr.strip().splitlines()[-1]}")
    said, seen = json.loads(done.stdout), stub.seen()
    if not said["answered"] == seen.count == requests:
        raise RuntimeError(f"{name}: asked {seen.count} and answered {said['answered']} of {requests}")
    own_s, each = float(said["cpu_s"]), 1000 / requests
    return Took(
        rate=seen.rate(float(said["ended"])),
        own_ms=own_s * each,
        all_ms=(own_s + float(said["others_cpu_s"])) * each,
        most=seen.most,
    )


def _present(home: Path | None) -> Iterator[Rival]:
    for rival in RIVALS.values():
        if home is not None and (home / rival.program).exists():
            yield rival
        elif home is not None:
            print(f"{rival.name}: skipped, there is no {home / rival.program}")


def _rival(rival: Rival, stub: Serving, asked: Asked, home: Path) -> tuple[float, int] | None:
    """Rate by the stub's clock, which leaves out its start and what it does after, and most in flight."""
    stub.reset()
    with TemporaryDirectory() as work:
        try:
            rival.ask(stub.base_url, asked.rival_requests, asked.in_flight, Path(work), home)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            print(f"{rival.name}: skipped, it failed: {error}")
            return None
    seen = stub.seen()
    print(f"{rival.name}: {seen.rate():.0f} requests/s, {seen.count} requests", flush=True)
    return seen.rate(), seen.most


def table(found: Measured) -> str:
    """The table in Markdown; ratios are Evenhand's rate over the row's, within rounds."""
    lines = [
        "| who | requests/s | most in flight | processor ms a request | Evenhand's rate / this | demanded |",
        "|---|---|---|---|---|---|",
    ]
    for name, rates in found.rates.items():
        spent = f"{np.median(found.cpu_ms[name]):.2f}" if name in found.cpu_ms else "-"
        rival = RIVALS.get(name)
        demanded = _DEMANDED.get(name) if rival is None else rival.demanded
        said = _NAMES.get(name, name) if rival is None else f"{name}: {rival.note}"
        held = "-" if name == OWN else ratio(found.rates[OWN], rates)
        wanted = "-" if demanded is None else f">= {demanded:g}"
        shown = f"{min(rates):.0f} - {max(rates):.0f}"
        lines.append(f"| {said} | {shown} | {found.most[name]} | {spent} | {held} | {wanted} |")
    return "\n".join(lines)


def ratio(own: Sequence[float], other: Sequence[float]) -> str:
    """Geometric mean of the ratios `own / other` of the rounds with its t interval; one round has none."""
    logs = np.log(np.array(own[: len(other)]) / np.array(other))
    point = f"{math.exp(logs.mean()):.2f}"
    if len(logs) == 1:
        return f"{point} (1 round)"
    reach = float(t.ppf((1 + _LEVEL) / 2, len(logs) - 1)) * float(logs.std(ddof=1)) / math.sqrt(len(logs))
    low, high = math.exp(logs.mean() - reach), math.exp(logs.mean() + reach)
    return f"{point} [{low:.2f}, {high:.2f}], {len(logs)} rounds"
