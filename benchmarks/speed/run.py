"""How long the statistics of an audit take, and how much memory, beside fairlearn's bootstrap.

    python -m benchmarks.speed.run [--largest 10000000] [--out docs/explanation/speed.md]

Run it from the project's root: about seven minutes of two free cores, most of them for ten million outputs;
no network. It writes the page and prints it. Every part runs in a process of its own, so that its peak
memory is its own.

1. A million scored outputs, 200 comparisons: paired differences, intervals, sign-flip tests, placebos and
   verdicts as in every run, and on top of them the impact ratio of each with 2,000 cluster resamples.
2. Intervals of a selection rate by group, from 100,000 rows and 200 resamples: of clusters, and of rows as
   fairlearn draws them.
3. The same audit from ten thousand to ten million outputs: seconds a million.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame, selection_rate

from audit.estimates.contrasts import Contrast, contrasts
from audit.estimates.disparities import disparities
from audit.estimates.frame import Readings
from audit.estimates.measures import measure_named
from audit.spec import Judgement
from audit.statistics.arguments import Vector
from audit.statistics.resampling import cluster_bootstrap
from benchmarks.speed.page import (
    RESAMPLES,
    TABLE_CLUSTERS,
    TABLE_GROUPS,
    TABLE_RESAMPLES,
    TABLE_ROWS,
    Found,
    Measured,
    page,
)
from benchmarks.speed.workload import SEED, Design, readings_table
from probes.seeds import rng

MAIN = 1_000_000
SIZES = (10_000, 100_000, MAIN, 10_000_000)


def audit(outputs: int) -> Found:
    """Seconds and peak memory of all comparisons of a made-up audit, table in memory."""
    design = Design.of_size(outputs, templates=100 if outputs >= 100_000 else 12)
    table = readings_table(design)
    loaded = _peak()
    started = time.perf_counter()
    readings = Readings(table)
    found = disparities(readings.measure, Judgement(), seed=SEED)
    judged = time.perf_counter()
    favourable = measure_named("favourable_rate")
    listed = list(contrasts(readings.measure(favourable), favourable))
    ratios = [_ratio(contrast) for contrast in listed]
    ended = time.perf_counter()
    stated = sum(estimate.measure == favourable.name for estimate in found)
    if not stated == len(ratios) == design.comparisons:
        raise SystemExit(
            f"{design.comparisons} comparisons planned, {stated} judged, {len(ratios)} resampled"
        )
    return {
        "outputs": design.outputs,
        "comparisons": design.comparisons,
        "verdicts_s": judged - started,
        "resamples_s": ended - judged,
        "seconds": ended - started,
        "table_gib": loaded,
        "peak_gib": _peak(),
    }


def _ratio(contrast: Contrast) -> float:
    """Upper end of the impact ratio's bootstrap interval, each domain weighing alike."""
    parts = [stratum.paired for stratum in contrast.strata]
    weight = np.concatenate([np.full(part.differences.size, 1 / part.differences.size) for part in parts])
    group = weight * np.concatenate([part.group_means for part in parts])
    reference = weight * np.concatenate([part.reference_means for part in parts])
    cell = contrast.cell
    # Of 12 templates a resample may hold none with a favourable answer for the reference.
    with np.errstate(divide="ignore", invalid="ignore"):
        found = cluster_bootstrap(
            lambda counts: (counts @ group) / (counts @ reference),
            group.size,
            resamples=RESAMPLES,
            rng=rng(SEED, "ratio", cell.domain, str(cell.attribute), str(cell.signal), cell.group),
        )
    return found.interval.high


def table() -> pd.DataFrame:
    """Made-up decisions by group, in clusters."""
    draw = rng(SEED, "table")
    cluster = draw.integers(0, TABLE_CLUSTERS, TABLE_ROWS)
    lean = draw.normal(0, 0.1, TABLE_CLUSTERS)[cluster]
    group = draw.integers(0, TABLE_GROUPS, TABLE_ROWS)
    return pd.DataFrame({"group": group, "cluster": cluster, "chosen": draw.random(TABLE_ROWS) < 0.5 + lean})


def clustered() -> Found:
    """Seconds of our interval of every group's selection rate, from the rows."""
    rows = table()
    started = time.perf_counter()
    codes = rows["group"].to_numpy() * TABLE_CLUSTERS + rows["cluster"].to_numpy()
    asked = np.bincount(codes, minlength=TABLE_GROUPS * TABLE_CLUSTERS).astype(np.float64)
    hits = np.bincount(codes, weights=rows["chosen"], minlength=asked.size).astype(np.float64)
    cells = zip(hits.reshape(TABLE_GROUPS, -1), asked.reshape(TABLE_GROUPS, -1), strict=True)
    widths = [_width(selected, considered, group) for group, (selected, considered) in enumerate(cells)]
    return {"seconds": time.perf_counter() - started, "width": float(np.mean(widths))}


def _width(hits: Vector, asked: Vector, group: int) -> float:
    found = cluster_bootstrap(
        lambda counts: (counts @ hits) / (counts @ asked),
        hits.size,
        resamples=TABLE_RESAMPLES,
        rng=rng(SEED, "rate", str(group)),
        method="percentile",
    )
    return found.interval.high - found.interval.low


def fairlearn() -> Found:
    """Seconds of fairlearn's row-wise intervals of the same rates, by its own bootstrap."""
    rows = table()
    started = time.perf_counter()
    frame = MetricFrame(
        metrics=selection_rate,
        y_true=rows["chosen"],
        y_pred=rows["chosen"],
        sensitive_features=rows["group"],
        n_boot=TABLE_RESAMPLES,
        ci_quantiles=[0.025, 0.975],
        random_state=SEED,
    )
    low, high = frame.by_group_ci
    return {
        "seconds": time.perf_counter() - started,
        "width": float((high - low).mean()),
    }


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def apart(*words: str) -> Found:
    """What a part measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.speed.run", "--part", *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: Found = json.loads(done.stdout)
    return found


PARTS: Mapping[str, Callable[[], Found]] = MappingProxyType({"clustered": clustered, "fairlearn": fairlearn})


def measured(sizes: Sequence[int]) -> Measured:
    """Run every part, each in a process of its own.

    Args:
        sizes: Numbers of outputs to audit; a million is always among them.
    """
    main = apart("audit", str(MAIN))
    ours, theirs = apart("clustered"), apart("fairlearn")
    audits = [main if size == MAIN else apart("audit", str(size)) for size in sizes]
    return Measured(main=main, clustered=ours, fairlearn=theirs, audits=audits)


def main() -> None:
    """Run one part and print it as JSON, or all of them with a report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="largest number of outputs")
    root = Path(__file__).resolve().parents[2]
    parser.add_argument("--out", type=Path, default=root / "docs" / "explanation" / "speed.md")
    arguments = parser.parse_args()
    if arguments.part is None:
        text = page(measured([size for size in SIZES if size <= arguments.largest]))
        arguments.out.write_text(text, encoding="utf-8")
        print(text)
        return
    name, *rest = arguments.part
    found = audit(int(rest[0])) if name == "audit" else PARTS[name]()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
