"""Whether more processes ask more: requests a second by calls in flight and processes, in mixed rounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.collection.serving import serving
from benchmarks.collection.throughput import OWN, ask, ratio

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
                    spread = ("--processes", str(processes))
                    took = ask(OWN, stub, requests, setting.in_flight, *spread)
                    rates[processes].append(took.rate)
                    own[processes].append(took.own_ms)
                    everyone[processes].append(took.all_ms)
                    most[processes] = max(most[processes], took.most)
                    asking = f"{setting.in_flight} in flight, {processes} processes"
                    print(f"{asking}: {took.rate:.0f} requests/s", flush=True)
        found.append(Spread(setting=setting, rates=rates, own_ms=own, all_ms=everyone, most=most))
    return found


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
