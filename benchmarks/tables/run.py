"""How long an audit of a decision table takes, and how much memory, against fairlearn's bootstrap.

Run `python -m benchmarks.tables.run` from the project's root: a minute of one core, no network.
`--large-rows 10000000` also audits a file of that many rows in a process of its own, three ways: rows as
independent, with clusters and a score, and as Parquet.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate

from audit.tables import TableOptions, audit_table
from probes.seeds import rng

SEED = 7
QUANTILES = [0.025, 0.975]
BLOCK = 1_000_000
ROWS_A_CLUSTER = 5


def decisions(rows: int, generator: np.random.Generator) -> pd.DataFrame:
    """Made-up decisions: two attributes, a decision, a label, a score, and clusters of five rows."""
    score = generator.normal(size=rows)
    return pd.DataFrame(
        {
            "sex": generator.choice(["female", "male"], rows),
            "race": generator.choice(["asian", "black", "white", "other"], rows, p=[0.2, 0.2, 0.55, 0.05]),
            "approved": (score + generator.normal(size=rows) > 0).astype(np.int64),
            "repaid": (score + generator.normal(size=rows) > -1).astype(np.int64),
            "score": score.round(6),
            "branch": generator.integers(0, max(2, rows // ROWS_A_CLUSTER), rows),
        }
    )


def fairlearn_seconds(frame: pd.DataFrame, resamples: int) -> float:
    """Seconds that fairlearn takes for intervals of three rates by one attribute."""
    started = time.perf_counter()
    frame_of_rates = MetricFrame(
        metrics={"selection": selection_rate, "tpr": true_positive_rate, "fpr": false_positive_rate},
        y_true=frame["repaid"],
        y_pred=frame["approved"],
        sensitive_features=frame["race"],
        n_boot=resamples,
        ci_quantiles=QUANTILES,
        random_state=SEED,
    )
    found = frame_of_rates.by_group_ci
    seconds = time.perf_counter() - started
    if len(found) != len(QUANTILES):
        raise SystemExit("fairlearn gave no intervals")
    return seconds


def own_seconds(path: Path, *, cluster: str | None) -> float:
    """Seconds of a whole audit of the same file: reading, rates, ratios, verdicts and labels."""
    started = time.perf_counter()
    audit_table(
        path,
        TableOptions(
            outcome="approved", favourable=("1",), groups=("race",), label="repaid", cluster=cluster
        ),
    )
    return time.perf_counter() - started


def compare_speed(folder: Path, rows: int, resamples: int) -> None:
    """Print both times on the same rows."""
    frame = decisions(rows, rng(SEED, "benchmark", "speed"))
    path = folder / "speed.csv"
    frame.to_csv(path, index=False)
    fairlearn = fairlearn_seconds(frame, resamples)
    print(f"{rows:,} rows, three rates by four groups")
    print(f"  fairlearn MetricFrame, {resamples} row-wise resamples: {fairlearn:8.2f} s")
    print(f"  audit_table, rows as independent:               {own_seconds(path, cluster=None):8.2f} s")
    by_cluster = own_seconds(path, cluster="branch")
    print(f"  audit_table, {rows // ROWS_A_CLUSTER:,} clusters:                   {by_cluster:8.2f} s")


def write_large(folder: Path, rows: int) -> tuple[Path, Path]:
    """Write the same large table as CSV and as Parquet, a block at a time."""
    import pyarrow as pa  # noqa: PLC0415 - only the large part needs it
    from pyarrow import parquet  # noqa: PLC0415 - as above

    generator = rng(SEED, "benchmark", "large")
    paths = folder / "large.csv", folder / "large.parquet"
    writer = None
    for start in range(0, rows, BLOCK):
        frame = decisions(min(BLOCK, rows - start), generator)
        frame["branch"] += start // ROWS_A_CLUSTER
        frame.to_csv(paths[0], mode="a", header=start == 0, index=False)
        block = pa.Table.from_pandas(frame, preserve_index=False)
        writer = writer or parquet.ParquetWriter(paths[1], block.schema)
        writer.write_table(block)
    if writer is not None:
        writer.close()
    return paths


def audit_apart(path: Path, options: Sequence[str]) -> tuple[float, float]:
    """Seconds and peak GiB of an audit in a process of its own."""
    command = "from audit.cli.main import main; main()"
    arguments = ["audit-table", str(path), "--outcome", "approved", "--favourable", "1", "--group", "sex"]
    words = [*arguments, "--group", "race", "--intersections", "--json", *options]
    started = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", command, *words], stdout=subprocess.DEVNULL) as child:
        _, status, usage = _wait(child.pid)
        child.returncode = status
    if status:
        raise SystemExit(f"audit-table failed with status {status}")
    return time.perf_counter() - started, usage.ru_maxrss / 2**20


def _wait(pid: int) -> tuple[int, int, resource.struct_rusage]:
    import os  # noqa: PLC0415 - wait4 is not everywhere, and only the large part needs it

    return os.wait4(pid, 0)


def measure_large(folder: Path, rows: int) -> None:
    """Print seconds and peak memory of a large file."""
    as_csv, as_parquet = write_large(folder, rows)
    ways: list[tuple[str, Path, list[str]]] = [
        ("CSV, rows as independent", as_csv, []),
        ("CSV, labels, score and clusters", as_csv, ["--label", "repaid", "--score", "score"]),
        ("Parquet, labels, score and clusters", as_parquet, ["--label", "repaid", "--score", "score"]),
    ]
    print(f"{rows:,} rows, {as_csv.stat().st_size / 2**20:,.0f} MiB as CSV")
    for words, path, options in ways:
        clustered = [*options, "--cluster", "branch"] if options else options
        seconds, peak = audit_apart(path, clustered)
        print(f"  {words:36s} {seconds:7.1f} s, peak {peak:.2f} GiB")


def main() -> None:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--resamples", type=int, default=20)
    parser.add_argument("--large-rows", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        compare_speed(Path(name), arguments.rows, arguments.resamples)
        if arguments.large_rows:
            measure_large(Path(name), arguments.large_rows)


if __name__ == "__main__":
    main()
