"""Collection measured: how fast, how long-lived and how safe it is; one table a subcommand.

    python -m benchmarks.collection.run throughput [--rivals FOLDER] [--requests N] [--rounds N]

The stub stands in a process of its own, pinned to the last core; everybody else runs on the other cores.
Every figure is of the machine it was made on; compare within a table.
"""

import argparse
from pathlib import Path

from benchmarks.collection import throughput

__all__ = ["main"]


def main() -> None:
    """Measure what is asked for, and print its table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tables = parser.add_subparsers(required=True)
    _throughput(tables.add_parser("throughput", help="requests a second, beside bare loops and rivals"))
    chosen = parser.parse_args()
    chosen.measure(chosen)


def _throughput(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--rival-requests", type=int, default=1_000)
    parser.add_argument("--in-flight", type=int, default=100)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rivals", type=Path, default=None)

    def measure(chosen: argparse.Namespace) -> None:
        asked = throughput.Asked(
            requests=chosen.requests,
            rival_requests=chosen.rival_requests,
            in_flight=chosen.in_flight,
            latency=chosen.latency,
            rounds=chosen.rounds,
        )
        print(throughput.table(throughput.measure(asked, chosen.rivals)))

    parser.set_defaults(measure=measure)


if __name__ == "__main__":
    main()
