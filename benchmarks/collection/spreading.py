"""Whether more processes ask more: requests a second by calls in flight and processes, in mixed rounds."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.collection.planned import write_rows
from benchmarks.collection.serving import ROOT, Serving, on_core, serving
from benchmarks.collection.throughput import OWN, ratio

__all__ = ["Setting", "Spread", "measure", "table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Calls in flight, the server's latency in seconds, and the numbers of processes to compare."""

    in_flight: int
    latency: float
    processes: Sequence[int]
    """The first is what the others are held against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """What was measured of one setting, by number of processes and round."""

    setting: Setting
    rates: Mapping[int, Sequence[float]]
    """Requests a second, until the last was durable."""
    own_ms: Mapping[int, Sequence[float]]
    """Processor time a request of the process that collects, start-up included."""
    all_ms: Mapping[int, Sequence[float]]
    """The same of all processes."""
    most: Mapping[int, int]
    """Most calls in flight that the server saw."""


def measure(settings: Sequence[Setting], requests: int, rounds: int) -> list[Spread]:
    """Ask in rounds: every number of processes once, then every one again.

    Args:
        settings: What to measure.
        requests: How many, an even number, each time.
        rounds: How often.
    """
    found = []
    for setting in settings:
        rates: dict[int, list[float]] = {one: [] for one in setting.processes}
        own: dict[int, list[float]] = {one: [] for one in setting.processes}
        everyone: dict[int, list[float]] = {one: [] for one in setting.processes}
        most = dict.fromkeys(setting.processes, 0)
        with serving(latency=setting.latency) as stub:
            for _ in range(rounds):
                for processes in setting.processes:
                    rate, own_ms, all_ms, peak = _ask(stub, requests, setting.in_flight, processes)
                    rates[processes].append(rate)
                    own[processes].append(own_ms)
                    everyone[processes].append(all_ms)
                    most[processes] = max(most[processes], peak)
                    asking = f"{setting.in_flight} in flight, {processes} processes"
                    print(f"{asking}: {rate:.0f} requests/s", flush=True)
        found.append(Spread(setting=setting, rates=rates, own_ms=own, all_ms=everyone, most=most))
    return found


def _ask(stub: Serving, requests: int, in_flight: int, processes: int) -> tuple[float, float, float, int]:
    with TemporaryDirectory() as folder:
        write_rows(Path(folder), requests)
        stub.reset()
        command = [sys.executable, "-m", "benchmarks.collection.loops", OWN, stub.base_url, str(requests)]
        done = subprocess.run(
            [*command, str(in_flight), folder, "--processes", str(processes)],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            preexec_fn=on_core,
        )
    if done.returncode:
        raise RuntimeError(f"{processes} processes: {done.stderr.strip().splitlines()[-1]}")
    said, seen = json.loads(done.stdout), stub.seen()
    if not said["answered"] == seen.count == requests:
        raise RuntimeError(f"{processes} processes: asked {seen.count}, answered {said['answered']}")
    own = float(said["cpu_s"])
    everyone = own + float(said["others_cpu_s"])
    each = 1000 / requests
    return seen.rate(float(said["ended"])), own * each, everyone * each, seen.most


def table(found: Sequence[Spread]) -> str:
    """The table in Markdown.

    Milliseconds are of processor time a request, by the process that collects and by all; ratios are of the
    rate over that of the first number of processes, within rounds.
    """
    lines = [
        "| in flight | latency, s | processes | requests/s | seen at once | ms, collects | ms, all | ratio |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in found:
        first = one.setting.processes[0]
        for processes, rates in one.rates.items():
            held = "-" if processes == first else ratio(rates, one.rates[first])
            own, everyone = np.median(one.own_ms[processes]), np.median(one.all_ms[processes])
            lines.append(
                f"| {one.setting.in_flight} | {one.setting.latency:g} | {processes}"
                f" | {min(rates):.0f} - {max(rates):.0f} | {one.most[processes]}"
                f" | {own:.2f} | {everyone:.2f} | {held} |"
            )
    return "\n".join(lines)
