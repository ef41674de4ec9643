"""Logs of growing size: seconds, entries a second and peak memory of reading and joining them.

Run it from the root of a checkout: `python -m benchmarks.logs.run [--entries 20000 200000]`. Every cell is a
process of its own, so that the peak is that of one reading.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from audit.records import Request
from audit.targets.base import TargetContext
from audit.targets.recorded.target import RecordedOptions, RecordedTarget
from probes.public.log import LogOptions, LogProbe
from probes.records import Message
from tests.probes.public.logs.shapes import inspect_archive, inspect_sample, lm_eval_row, promptfoo_row

_REPLY = "I would grant it, since nothing speaks against it and the rules allow it. " * 8
"""About 600 characters, as an ordinary reply."""
_FORMATS = ("columns", "garak", "promptfoo", "lm_eval", "openai", "inspect")


def main() -> None:
    """Print the table, one line a format and size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--formats", nargs="+", default=list(_FORMATS), choices=_FORMATS)
    parser.add_argument("--cell", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.cell:
        _measure(given.cell[0], Path(given.cell[1]), given.cell[2])
        return
    print("| format | entries | MB | use | seconds | entries/s | peak MB | of which before reading |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in given.formats:
            for entries in given.entries:
                path = _written(name, Path(folder), entries)
                for use in ("prompts", "answers"):
                    found = _cell(name, path, use)
                    size, rate = path.stat().st_size / 1e6, entries / found["seconds"]
                    print(
                        f"| {name} | {entries} | {size:.0f} | {use} | {found['seconds']:.1f} | {rate:.0f} "
                        f"| {found['peak']:.0f} | {found['before']:.0f} |",
                        flush=True,
                    )
                path.unlink()


def _cell(name: str, path: Path, use: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.logs.run", "--cell", name, str(path), use]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measure(name: str, path: Path, use: str) -> None:
    """Read the log once, as prompts of a plan or as answers to one request, and print what it took."""
    columns = {"prompt": "q", "response": "a"} if name == "columns" else None
    before, start = _peak(), time.perf_counter()
    if use == "prompts":
        probe = LogProbe(LogOptions.model_validate({"path": path, "columns": columns}))
        entries = sum(1 for _ in probe.prompts(np.random.default_rng(0)))
    else:
        options = RecordedOptions.model_validate({"path": path, "columns": columns})
        target = RecordedTarget(options, TargetContext(name="target", root=path.parent))
        entries = int(target.facts()["rows"])
        request = Request(prompt_id="p", messages=(Message(role="user", content="?"),), source_id="1")
        target._output(request)  # noqa: SLF001 - without an event loop, one look-up
    took = time.perf_counter() - start
    print(json.dumps({"entries": entries, "seconds": took, "peak": _peak(), "before": before}))


def _peak() -> float:
    """Largest resident memory of this process so far, in MB.

    Not from `getrusage`, which gives a child at least the size of the process that started it.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def _written(name: str, folder: Path, entries: int) -> Path:
    if name == "inspect":
        samples = [inspect_sample(str(i), 1, f"Case {i}?", _REPLY) for i in range(entries)]
        # A small archive as Inspect packs it cannot hold so many members; the reading is the same.
        return inspect_archive(folder / "log.eval", samples, packed=False)
    if name == "promptfoo":
        path = folder / "results.json"
        with path.open("w", encoding="utf-8") as handle:
            handle.write('{"evalId": "e", "results": {"version": 3, "results": [')
            for i in range(entries):
                handle.write("," * (i > 0) + json.dumps(promptfoo_row(i, f"Case {i}?", _REPLY)))
            handle.write("]}}")
        return path
    path = folder / "log.jsonl"
    with path.open("w", encoding="utf-8") as handle:
        for row in _ROWS[name](entries):
            handle.write(json.dumps(row) + "\n")
    return path


def _garak(entries: int) -> Iterator[Mapping[str, object]]:
    """Attempts of one output, before and after detection."""
    for status in (1, 2):
        for i in range(entries):
            yield {
                "entry_type": "attempt",
                "uuid": str(i),
                "status": status,
                "probe_classname": "own.Words",
                "prompt": {"turns": [{"role": "user", "content": {"text": f"Case {i}?"}}]},
                "outputs": [{"text": _REPLY}],
                "detector_results": {"lexicon.Word": [0.0]} if status > 1 else {},
            }


def _completions(entries: int) -> Iterator[Mapping[str, object]]:
    for i in range(entries):
        yield {
            "id": str(i),
            "object": "chat.completion",
            "messages": [{"role": "user", "content": f"Case {i}?"}],
            "choices": [{"message": {"role": "assistant", "content": _REPLY}, "finish_reason": "stop"}],
        }


_ROWS: dict[str, Callable[[int], Iterator[Mapping[str, object]]]] = {
    "columns": lambda entries: ({"q": f"Case {i}?", "a": _REPLY} for i in range(entries)),
    "garak": _garak,
    "lm_eval": lambda entries: (lm_eval_row(i, f"Case {i}?", [_REPLY]) for i in range(entries)),
    "openai": _completions,
}


if __name__ == "__main__":
    main()
