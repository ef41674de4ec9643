"""What must not happen to a run: errors unaccounted for, answers lost or asked again, other findings."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from audit import api
from benchmarks.collection.planned import write_rows
from benchmarks.collection.serving import ROOT, Serving, on_core, serving
from probes.seeds import rng

__all__ = ["Faulted", "Killed", "faults", "kills"]

_IN_FLIGHT = 100
_STEPS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulted:
    """What became of a run against a faulty server."""

    planned: int
    answered: int
    errored: int
    requests: int
    """Sent, retries included."""
    answered_twice: int
    """Prompts that the server answered well more than once."""
    stored_twice: int
    """Prompts with more than one output that has an answer."""
    limits: tuple[tuple[float, int], ...]
    """Seconds, and calls that might be in flight from then on."""
    held: tuple[int, ...]
    """Calls that might be in flight at twenty-one even moments, from the start to the end."""
    elapsed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """What became of a run that was killed again and again, and once had no room on its disk."""

    kills: int
    planned: int
    answered: int
    lost: int
    """Outputs that were stored, or told as done, and missing after a kill."""
    asked_again: int
    """Prompts asked although their answer was stored."""
    full_disk: str
    """What the process said when its disk was full."""
    same_findings: bool
    """Whether estimates, counts and findings are those of an unbroken run."""
    after: tuple[int, ...]
    """Outputs stored at each kill, in order."""
    elapsed_s: float


def faults(prompts: int, share: float, stall: float, timeout: float, room: int | None = None) -> Faulted:
    """Ask a faulty server everything.

    Args:
        prompts: How many, an even number.
        share: Of requests that get no good answer.
        stall: Seconds that a stalled request takes.
        timeout: Seconds after which a request is given up and sent again.
        room: Requests that the server answers at once, before it refuses more; None for any number.
    """
    with (
        _folder() as folder,
        serving(latency=0.05, faults=share, stall=stall, room=room, remember=True) as stub,
    ):
        write_rows(folder, prompts)
        started = time.monotonic()
        said = _collecting(stub, folder, "--faulty", "--timeout", str(timeout)).communicate()
        elapsed = time.monotonic() - started
        asked, seen = stub.asked(), stub.seen()
        counts = _counts(folder)
        if sum(counts.values()) != prompts:
            raise RuntimeError(f"{prompts - sum(counts.values())} outputs unaccounted for: {said[1]}")
        limits = [line.split() for line in (folder / "limits.txt").read_text("utf-8").splitlines()]
    changes: list[tuple[float, int]] = []
    for second, limit in limits:
        if not changes or changes[-1][1] != int(limit):
            changes.append((float(second), int(limit)))
    return Faulted(
        planned=prompts,
        answered=counts.get("answered", 0),
        errored=counts.get("errored", 0),
        requests=seen.count,
        answered_twice=sum(times > 1 for times in asked.values()),
        stored_twice=counts.get("twice", 0),
        limits=tuple(changes),
        held=_held(changes, float(limits[-1][0])),
        elapsed_s=elapsed,
    )


def _held(changes: Sequence[tuple[float, int]], until: float) -> tuple[int, ...]:
    """The limit in force at even moments up to the last."""
    moments = [until * place / _STEPS for place in range(_STEPS + 1)]
    return tuple(
        next((limit for second, limit in reversed(changes) if second <= at), changes[0][1]) for at in moments
    )


def kills(prompts: int, times: int, *, in_flight: int = _IN_FLIGHT, seed: int = 11) -> Killed:
    """Kill a run at random moments, fill its disk once, let it end, and hold it against an unbroken one.

    Args:
        prompts: How many, an even number.
        times: How often it is killed.
        in_flight: Calls in flight.
        seed: Of the moments.
    """
    draws = rng(seed, "kills")
    lost = again = killed = 0
    at: list[int] = []
    started = time.monotonic()
    with _folder() as folder, serving(latency=0.05, remember=True) as stub:
        whole, broken = folder / "whole", folder / "broken"
        for one in (whole, broken):
            write_rows(one, prompts)
        _finish(_collecting(stub, whole, in_flight=in_flight))
        full = ""
        # Each stretch ends at a random share of an even part of what is left: all kills fall into the run.
        for place in range(times + 1):
            before = _texts(broken)
            stub.reset()
            stretch = max(1, int(2 * draws.random() * (prompts - len(before)) / (times + 2 - place)))
            if place == times // 2:
                process = _collecting(stub, broken, "--largest-file", str(_room(broken)), in_flight=in_flight)
                full = _last_line(process.communicate()[1])
            else:
                process = _collecting(stub, broken, in_flight=in_flight)
                killed += _kill_after(process, stub, stretch)
            after = _texts(broken)
            at.append(len(after))
            lost += sum(after.get(prompt) != text for prompt, text in before.items())
            lost += max(0, _acknowledged(broken) - len(after))
            again += len(set(stub.asked()) & set(before))
        stub.reset()
        before = _texts(broken)
        _finish(_collecting(stub, broken, in_flight=in_flight))
        again += len(set(stub.asked()) & set(before))
        return Killed(
            kills=killed,
            planned=prompts,
            answered=len(_texts(broken)),
            lost=lost,
            asked_again=again,
            full_disk=full,
            same_findings=_found(whole) == _found(broken),
            after=tuple(at),
            elapsed_s=time.monotonic() - started,
        )


@contextmanager
def _folder() -> Iterator[Path]:
    from tempfile import TemporaryDirectory  # noqa: PLC0415 - beside its only use

    with TemporaryDirectory() as folder:
        yield Path(folder)


def _collecting(
    stub: Serving, folder: Path, *further: str, in_flight: int = _IN_FLIGHT
) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "benchmarks.collection.loops", "evenhand", stub.base_url, "0"]
    return subprocess.Popen(
        [*command, str(in_flight), str(folder), *further],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        preexec_fn=on_core,  # noqa: PLW1509 - it sets the affinity of the child only
    )


def _kill_after(process: "subprocess.Popen[str]", stub: Serving, requests: int) -> bool:
    """Kill a process once it has sent so many requests; False if it ended before."""
    while process.poll() is None and stub.seen().count < requests:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def _finish(process: "subprocess.Popen[str]") -> None:
    _, said = process.communicate()
    if process.returncode:
        raise RuntimeError(_last_line(said))


def _last_line(said: str) -> str:
    return (said.strip().splitlines() or [""])[-1]


def _room(folder: Path) -> int:
    """Bytes of the largest file of a run, and a little more: the next batches of outputs do not fit."""
    database = folder / "run" / "run.sqlite"
    return 65_536 + (database.stat().st_size if database.exists() else 0)


def _texts(folder: Path) -> dict[str, str]:
    """Every stored text by its question, read without the code under test."""
    database = folder / "run" / "run.sqlite"
    if not database.exists():
        return {}
    with closing(sqlite3.connect(database)) as connection:
        try:
            rows = connection.execute(
                "SELECT json_extract(p.messages, '$[#-1].content'), o.text FROM outputs o"
                " JOIN prompts p ON p.id = o.prompt_id WHERE o.text IS NOT NULL"
            ).fetchall()
        except sqlite3.OperationalError:  # A process that was killed while planning leaves no tables.
            return {}
    found = {str(question): str(text) for question, text in rows}
    if len(found) < len(rows):
        raise RuntimeError(f"{len(rows) - len(found)} outputs are stored twice")
    return found


def _counts(folder: Path) -> Mapping[str, int]:
    """Prompts by the outcome of their latest attempt, and how many have two answers."""
    with closing(sqlite3.connect(folder / "run" / "run.sqlite")) as connection:
        rows = connection.execute(
            "SELECT outcome, count(*) FROM outputs o WHERE attempt = (SELECT max(attempt) FROM outputs l"
            " WHERE l.target = o.target AND l.prompt_id = o.prompt_id AND l.repeat = o.repeat) GROUP BY 1"
        ).fetchall()
        (twice,) = connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM outputs WHERE outcome <> 'errored'"
            " GROUP BY target, prompt_id, turn, repeat HAVING count(*) > 1)"
        ).fetchone()
    return {**{str(outcome): int(count) for outcome, count in rows}, **({"twice": twice} if twice else {})}


def _acknowledged(folder: Path) -> int:
    """Outputs that were told as done, at the last report; a kill may have torn the last line."""
    told = folder / "acknowledged.txt"
    lines = told.read_text("utf-8").split("\n")[:-1] if told.exists() else []
    return int(lines[-1]) if lines else 0


def _found(folder: Path) -> object:
    """What a run finds, but for what names the run itself."""
    run = api.open_run(folder / "run")
    api.score(run)
    document = json.loads(api.find(run).model_dump_json())
    text = json.dumps({key: document[key] for key in ("counts", "estimates", "findings", "group_rates")})
    return _without_rows(json.loads(text))


def _without_rows(value: object) -> object:
    """The document without row numbers, which follow the order in which answers came."""
    if isinstance(value, dict):
        return {key: _without_rows(one) for key, one in value.items() if key != "output"}
    return [_without_rows(one) for one in value] if isinstance(value, list) else value
