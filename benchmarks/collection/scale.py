"""How close to what latency allows, and what a million planned prompts take."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.stats import linregress, t

from audit import api
from audit.collection.upkeep import Upkeep
from audit.records import Output, Usage
from audit.store.order import order_seed
from audit.store.store import Store
from audit.targets.base import TargetInfo
from benchmarks.collection.planned import spec_file, write_rows
from benchmarks.collection.serving import ROOT, Serving, on_core, serving
from benchmarks.collection.throughput import OWN, ask

__all__ = ["Remembered", "latency", "memory"]

_TICK_S = 0.02
_SAMPLE_S = 0.25
_MIB = 1024
_WAIT_S = 600.0
_PAGE = 1_000
_IN_FLIGHT = 100
_WARMING = 0.5
"""Share of the answered requests at the start that no slope is fitted to: buffers fill, connections open."""
_PER = 100_000
_LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a run of many planned prompts takes."""

    prompts: int
    planning_s: float
    """Seconds to plan them, which is done once."""
    first_request_s: float
    """Seconds from the command to its first request, on the plan that is there."""
    answered: int
    """Outputs in the store before the second start."""
    later_request_s: float
    """Seconds from the command to its first request, with those answered."""
    largest_mib: float
    """Largest resident memory of all processes of the run together, in MiB, over the second start."""
    slope_mib: tuple[float, float, float]
    """MiB that it grows for 100,000 answered requests, and the ends of its 95 % interval: least squares of
    memory on requests answered, a sample every quarter of a second, the first half left out. Samples depend
    on each other, so the interval is for a look only."""
    fitted: int
    """Requests answered over the samples that are fitted."""
    requests: int
    """Answered in the second start."""
    rate: float
    """Requests a second meanwhile."""
    loads: tuple[float, float]
    """Load of the machine over the minute before each start."""


def latency(requests: int, in_flight: int, seconds: float, rounds: int) -> list[float]:
    """Share of what latency allows (calls in flight over seconds of latency) that is reached, by round."""
    with serving(latency=seconds) as stub:
        rates = [ask(OWN, stub, requests, in_flight).rate for _ in range(rounds)]
    return [rate * seconds / in_flight for rate in rates]


def memory(prompts: int, answered: int, requests: int) -> Remembered:
    """Plan many prompts, go on with them through the command line twice, and watch it the second time.

    Args:
        prompts: How many, an even number.
        answered: How many of them are answered before the second start.
        requests: How many more are answered while memory is watched.
    """
    with TemporaryDirectory() as name, serving(latency=0.05) as stub:
        folder = Path(name)
        write_rows(folder, prompts)
        spec = spec_file(folder, stub.base_url, _IN_FLIGHT)
        started = time.monotonic()
        run = api.create_run(api.load_spec(spec), folder / "run", root=folder, where=str(spec))
        planned = time.monotonic() - started
        loads = [os.getloadavg()[0]]
        with _resumed(folder / "run", stub) as (_, first):
            pass
        _answer(run, answered)
        loads.append(os.getloadavg()[0])
        with _resumed(folder / "run", stub) as (process, later):
            samples = list(_watch(process, stub, requests))
            seen = stub.seen()
            rate = seen.count / (time.monotonic() - seen.first)
    counts, sizes = np.array(samples).T
    late = counts >= _WARMING * counts[-1]
    return Remembered(
        prompts=prompts,
        planning_s=planned,
        first_request_s=first,
        answered=answered,
        later_request_s=later,
        largest_mib=float(sizes.max()),
        slope_mib=_slope(counts[late], sizes[late]),
        fitted=int(np.ptp(counts[late])),
        requests=seen.count,
        rate=rate,
        loads=(loads[0], loads[1]),
    )


def _answer(run: api.Run, answered: int) -> None:
    """Store answers of the stub's kind until so many are there, as a run does, in the order of asking."""
    with Store.open(run.folder.path) as store:
        infos = {"target": TargetInfo(name="target", deterministic=False)}
        upkeep = Upkeep(store, infos, {}, repeats=1, seed=run.spec.seed)
        left = answered - store.counts("target", 1).answered
        pending = store.pending(["target"], 1, order_seed(run.spec.seed))
        while left > 0 and (page := list(islice(pending, min(left, _PAGE)))):
            left -= len(page)
            store.add_outputs(
                [
                    Output(
                        target="target",
                        prompt_id=request.prompt_id,
                        text="Yes, grant it.",
                        finish_reason="stop",
                        usage=Usage(prompt_tokens=30, completion_tokens=12),
                        latency_s=0.05,
                        model="stub",
                    )
                    for _, request in page
                ]
            )
            upkeep.stored(len(page))
        pending.close()
        upkeep.finish()


@contextmanager
def _resumed(run: Path, stub: Serving) -> Iterator[tuple["subprocess.Popen[bytes]", float]]:
    """A process that goes on with a run, and the seconds until its first request; it is killed afterwards."""
    stub.reset()
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "audit", "resume", str(run)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        preexec_fn=on_core,  # noqa: PLW1509 - it sets the affinity of the child only
    )
    try:
        while not stub.seen().count:
            if process.poll() is not None or time.monotonic() > started + _WAIT_S:
                raise RuntimeError(f"it ended with {process.poll()} before it asked anything")
            time.sleep(_TICK_S)
        yield process, stub.seen().first - started
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _watch(process: "subprocess.Popen[bytes]", stub: Serving, requests: int) -> Iterator[tuple[float, float]]:
    """Requests answered, and MiB resident, until enough were answered."""
    while process.poll() is None:
        answered = stub.seen().count
        yield float(answered), _resident(process.pid)
        if answered >= requests:
            return
        time.sleep(_SAMPLE_S)


def _resident(pid: int) -> float:
    """MiB of a process and of those it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / _MIB + sum(_resident(int(one)) for one in children)
    return 0.0


def _slope(
    counts: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    sizes: "np.ndarray[tuple[int], np.dtype[np.float64]]",
) -> tuple[float, float, float]:
    """MiB for 100,000 requests, with its interval; not a number below three samples."""
    if len(counts) < 3 or not np.ptp(counts):
        return float("nan"), float("nan"), float("nan")
    line = linregress(counts / _PER, sizes)
    reach = float(t.ppf((1 + _LEVEL) / 2, len(counts) - 2) * line.stderr)
    return float(line.slope), float(line.slope) - reach, float(line.slope) + reach
