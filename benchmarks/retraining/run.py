"""How fast retraining files are gated and written, and how much memory that takes.

Run `python -m benchmarks.retraining.run` from the project's root: a few minutes of one core, no network.
Every size runs in a process of its own; `--sizes` names others. The built-in strategies make candidates for
three disparities of lending, beside the prompts of an audit of all domains.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from audit.retraining.records import Format, RetrainingOptions
from audit.retraining.strategies.every import answer, candidates
from audit.retraining.writing import write_retraining_files
from benchmarks.repair.run import CONTRASTS, finding
from probes.bias.decisions import DecisionsOptions, DecisionsProbe
from probes.seeds import rng

TWO = (Format.TRL_DPO, Format.TRL_SFT)


def measured(size: int, formats: tuple[Format, ...]) -> dict[str, float]:
    """Seconds, peak memory and rows of one size."""
    found = [finding(*contrast, -0.1) for contrast in CONTRASTS]
    audit = DecisionsProbe(DecisionsOptions()).prompts(rng(1, "benchmark", "retraining"))
    options = RetrainingOptions(max_examples=size, formats=formats)
    begun = time.monotonic()
    made = sum(1 for _ in candidates(answer(found, options), options))
    making = time.monotonic() - begun
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        files = write_retraining_files(found, audit, Path(folder), options)
        whole = time.monotonic() - begun
    refused = sum(gate.refused for gate in files.manifest.gates)
    return {
        "candidates": made,
        "written": sum(files.manifest.kinds.values()),
        "refused": refused,
        "making_s": making,
        "whole_s": whole,
        "gating_and_writing_s": whole - making,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """Measures every size and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--every-format", action="store_true", help="all formats, not TRL's two")
    parser.add_argument("--one", type=int, help="measure one size in this process, and print JSON")
    arguments = parser.parse_args()
    formats = tuple(Format) if arguments.every_format else TWO
    if arguments.one is not None:
        print(json.dumps(measured(arguments.one, formats)))
        return
    print(f"formats: {', '.join(formats)}\n")
    print("| candidates | written | refused | making, s | gating and writing, s | microseconds each | MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for size in arguments.sizes:
        command = [sys.executable, "-m", "benchmarks.retraining.run", "--one", str(size)]
        command += ["--every-format"] if arguments.every_format else []
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
        )
        told = json.loads(done.stdout)
        each = 1e6 * told["gating_and_writing_s"] / told["candidates"]
        print(
            f"| {told['candidates']:,.0f} | {told['written']:,.0f} | {told['refused']:,.0f} "
            f"| {told['making_s']:.1f} | {told['gating_and_writing_s']:.1f} | {each:.0f} "
            f"| {told['peak_mib']:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
