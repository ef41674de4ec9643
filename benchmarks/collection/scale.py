"""How close to what latency allows, and what a million planned prompts take."""

import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from audit import api
from benchmarks.collection.planned import spec_file, write_rows
from benchmarks.collection.serving import ROOT, Serving, on_core, serving
from benchmarks.collection.throughput import OWN, ask

__all__ = ["Remembered", "latency", "memory"]

_TICK_S = 0.02
_MIB = 1024
_WAIT_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a run of many planned prompts takes."""

    prompts: int
    planning_s: float
    """Seconds to plan them, which is done once."""
    first_request_s: float
    """Seconds from the command to its first request, on the plan that is there."""
    resident_mib: tuple[float, ...]
    """Resident memory in MiB, evenly over the time it was watched."""
    slope_mib: float
    """MiB that it grows a minute, over the second half of that time."""
    requests: int
    """Answered meanwhile."""


def latency(requests: int, in_flight: int, seconds: float, rounds: int) -> list[float]:
    """Share of what latency allows (calls in flight over seconds of latency) that is reached, by round."""
    shares = []
    with serving(latency=seconds) as stub:
        for _ in range(rounds):
            rate, _, _ = ask(OWN, stub, requests, in_flight)
            shares.append(rate * seconds / in_flight)
    return shares


def memory(prompts: int, seconds: float) -> Remembered:
    """Plan many prompts, then go on with them through the command line and watch it for a while.

    Args:
        prompts: How many, an even number.
        seconds: How long to watch after the first request.
    """
    with TemporaryDirectory() as name, serving(latency=0.05) as stub:
        folder = Path(name)
        write_rows(folder, prompts)
        spec = spec_file(folder, stub.base_url, 100)
        started = time.monotonic()
        api.create_run(api.load_spec(spec), folder / "run", root=folder, where=str(spec))
        planned = time.monotonic() - started
        stub.reset()
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "audit", "resume", str(folder / "run")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            preexec_fn=on_core,  # noqa: PLW1509 - it sets the affinity of the child only
        )
        try:
            sizes = _watch(process, stub, seconds)
            seen = stub.seen()
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    return Remembered(
        prompts=prompts,
        planning_s=planned,
        first_request_s=seen.first - started,
        resident_mib=tuple(sizes),
        slope_mib=_slope(sizes, seconds),
        requests=seen.count,
    )


def _watch(process: "subprocess.Popen[bytes]", stub: Serving, seconds: float) -> list[float]:
    until = time.monotonic() + _WAIT_S
    while not stub.seen().count:
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"it ended with {process.poll()} before it asked anything")
        time.sleep(_TICK_S)
    sizes = []
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        sizes.append(_resident(process.pid))
        time.sleep(seconds / 60)
    return sizes


def _resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / _MIB
    return 0.0


def _slope(sizes: list[float], seconds: float) -> float:
    later = np.array(sizes[len(sizes) // 2 :])
    if len(later) < 2:
        return 0.0
    minutes = np.linspace(0.0, seconds / 2 / 60, len(later))
    return float(np.polyfit(minutes, later, 1)[0])
