"""Audits the auditors: sealed servers with planted faults and with none, told on by every tool.

    python -m benchmarks.auditors.setup_rivals --into RIVALS
    python -m benchmarks.auditors.run --rivals RIVALS --keep FOLDER [--none 20] [--each 10] [--tools …]

Run it from the project's root. Before any tool runs, FOLDER/commitments.txt holds a SHA-256 of every
server; after the last one FOLDER/reveals.json says what those were that a tool saw, and the page is
written. Server by server every tool has its turn, and every block of servers has each kind in the same
proportion, so that a run that is stopped is balanced. A second call with the same FOLDER goes on where the
first one stopped. With `--minutes` no tool starts on a server after that time: what is done is then stated
with its counts.
"""

import argparse
import json
import secrets
import shutil
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.auditors.page import render
from benchmarks.auditors.sealed import FAULTS, Reveal, commitment, draw, verify
from benchmarks.auditors.serving import ROOT, serving
from benchmarks.auditors.told import Told, load, save
from benchmarks.auditors.tools import TOOLS, Tool

__all__ = ["main", "tell"]


def main() -> None:
    """Commit, let every tool tell, reveal, and write the page."""
    chosen = _arguments()
    chosen.keep.mkdir(parents=True, exist_ok=True)
    reveals = _sealed(
        chosen.keep, {"none": chosen.none} | dict.fromkeys(sorted(set(FAULTS) - {"none"}), chosen.each)
    )
    deadline = time.monotonic() + 60 * chosen.minutes
    lock = threading.Lock()
    waiting = _waiting(chosen, reveals)
    with ThreadPoolExecutor(chosen.at_once) as pool:
        for one in [pool.submit(_tell_one, *pair, chosen, deadline, lock) for pair in waiting]:
            one.result()
    stated = (chosen.keep / "commitments.txt").read_text(encoding="utf-8").split()
    broken = verify(stated, reveals)
    if broken:
        raise SystemExit(f"servers {broken} are not what was committed to")
    told = load(chosen.keep / "told.jsonl")
    seen = {one.number for one in told}
    revealed = [one.model_dump() for one in reveals if one.specimen.number in seen]
    (chosen.keep / "reveals.json").write_text(json.dumps(revealed, indent=1) + "\n", encoding="utf-8")
    text = render(told, reveals, stated)
    print(text)
    chosen.out.write_text(text, encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rivals", type=Path, default=Path(), help="folder that setup_rivals made")
    parser.add_argument("--keep", type=Path, required=True, help="folder of secret, commitments and results")
    parser.add_argument("--none", type=int, default=20, help="servers without a fault")
    parser.add_argument("--each", type=int, default=10, help="servers of each fault")
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--at-once", type=int, default=2, help="tools that run beside each other")
    parser.add_argument("--tools", nargs="+", choices=sorted(TOOLS), default=sorted(TOOLS))
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "explanation" / "auditors.md")
    return parser.parse_args()


def _sealed(folder: Path, counts: dict[str, int]) -> tuple[Reveal, ...]:
    """The servers of a folder; drawn, and committed to in print, if there are none yet."""
    file = folder / "secret.json"
    if not file.is_file():
        drawn = {"secret": secrets.randbits(120), "counts": counts}
        file.write_text(json.dumps(drawn), encoding="utf-8")
        lines = [commitment(one) for one in draw(int(str(drawn["secret"])), counts)]
        (folder / "commitments.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    known = json.loads(file.read_text(encoding="utf-8"))
    print((folder / "commitments.txt").read_text(encoding="utf-8"))
    return draw(int(known["secret"]), known["counts"])


def _waiting(chosen: argparse.Namespace, reveals: Sequence[Reveal]) -> list[tuple[Tool, Reveal]]:
    """What is left to do, server by server, so that all tools have seen the same ones wherever it stops."""
    done = {(one.tool, one.number) for one in load(chosen.keep / "told.jsonl") if one.error is None}
    return [
        (TOOLS[name], reveal)
        for reveal in reveals
        for name in chosen.tools
        if (name, reveal.specimen.number) not in done
    ]


def _tell_one(
    tool: Tool, reveal: Reveal, chosen: argparse.Namespace, deadline: float, lock: threading.Lock
) -> None:
    if time.monotonic() > deadline:
        return
    told = tell(tool, reveal, work=chosen.keep / "work", rivals=chosen.rivals.resolve())
    with lock:
        save([told], chosen.keep / "told.jsonl")
    how = told.error or f"{told.calls} calls, {told.seconds:.0f} s"
    print(f"{tool.name} on server {told.number}: {how}", flush=True)


def tell(tool: Tool, reveal: Reveal, *, work: Path, rivals: Path) -> Told:
    """What one tool tells of one server, which it knows by its replies only.

    Args:
        tool: The tool.
        reveal: The server.
        work: Folder for what the tool writes; what it wrote is removed afterwards.
        rivals: Folder that `setup_rivals` made.
    """
    folder = (work / f"{tool.name}-{reveal.specimen.number}").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    start = time.monotonic()
    reading, problem, version = None, None, "unknown"
    with serving(reveal.specimen) as server:
        try:
            version = tool.version(rivals)
            reading = tool.read(tool.ask(server.base_url, folder, rivals))
        except Exception as error:  # noqa: BLE001 - whatever a tool does is told, and stops no other
            # Messages of other errors name commands and folders of this machine.
            said = f": {error}" if isinstance(error, RuntimeError) else ""
            problem = f"{type(error).__name__}{said}"[:300]
        calls = server.calls()
    shutil.rmtree(folder, ignore_errors=True)
    return Told(
        tool=tool.name,
        version=version,
        number=reveal.specimen.number,
        calls=calls,
        seconds=time.monotonic() - start,
        reading=reading,
        error=problem,
    )


if __name__ == "__main__":
    main()
