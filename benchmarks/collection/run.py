"""Collection measured: how fast it is, how much it holds, and what it outlives; one table a subcommand.

    python -m benchmarks.collection.run throughput [--rivals FOLDER] [--requests N] [--rounds N]
    python -m benchmarks.collection.run latency | processes | memory | faults | kill

The stub stands in a process of its own, pinned to the last core; everybody else runs on the other cores.
Every figure is of the machine it was made on; compare within a table.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from benchmarks.collection import lasting, scale, spreading, throughput

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """Measure what is asked for, and print its table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tables = parser.add_subparsers(required=True)
    _throughput(tables.add_parser("throughput", help="requests a second, beside bare loops and rivals"))
    _latency(tables.add_parser("latency", help="the share of what latency allows"))
    _processes(tables.add_parser("processes", help="one process that asks beside several"))
    _memory(tables.add_parser("memory", help="memory and first request with a large plan"))
    _faults(tables.add_parser("faults", help="a server that fails a fifth of its requests"))
    _kill(tables.add_parser("kill", help="killed at random moments, and once without room on the disk"))
    chosen = parser.parse_args(arguments)
    chosen.measure(chosen)


_ROOM = 40
_FAULTED: tuple[tuple[str, Callable[[lasting.Faulted], str], str], ...] = (
    ("planned", lambda found: f"{found.planned:,}", "-"),
    ("answered + errored", lambda found: f"{found.answered:,} + {found.errored}", "all planned"),
    ("requests sent", lambda found: f"{found.requests:,}", "-"),
    ("prompts with two stored answers", lambda found: f"{found.stored_twice}", "0"),
    ("prompts asked again after a good answer", lambda found: f"{found.answered_twice}", "0"),
    ("limit at 21 even moments", lambda found: ", ".join(map(str, found.held)), "shown"),
    ("changes of the limit", lambda found: f"{len(found.limits) - 1}", "-"),
    ("seconds", lambda found: f"{found.elapsed_s:.0f}", "-"),
)
"""Rows of the table of faults."""


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


def _latency(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--requests", type=int, default=256 * 40)
    parser.add_argument("--in-flight", type=int, default=256)
    parser.add_argument("--latency", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)

    def measure(chosen: argparse.Namespace) -> None:
        shares = scale.latency(chosen.requests, chosen.in_flight, chosen.latency, chosen.rounds)
        ideal = chosen.in_flight / chosen.latency
        _rows(
            [
                ("ideal requests/s", f"{ideal:.0f}", "-"),
                ("share reached, by round", ", ".join(f"{share:.3f}" for share in shares), ">= 0.95"),
            ]
        )

    parser.set_defaults(measure=measure)


def _processes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)

    def measure(chosen: argparse.Namespace) -> None:
        settings = (
            spreading.Setting(in_flight=100, latency=0.05, processes=(1, 2)),
            spreading.Setting(in_flight=256, latency=0.1, processes=(1, 2)),
            spreading.Setting(in_flight=512, latency=0.3, processes=(1, 2)),
            spreading.Setting(in_flight=1024, latency=0.3, processes=(1, 4)),
        )
        print(spreading.table(spreading.measure(settings, chosen.requests, chosen.rounds)))

    parser.set_defaults(measure=measure)


def _memory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--prompts", type=int, default=1_000_000)
    parser.add_argument("--answered", type=int, default=500_000, help="before the second of two starts")
    parser.add_argument("--requests", type=int, default=200_000, help="that memory is watched through")

    def measure(chosen: argparse.Namespace) -> None:
        found = scale.memory(chosen.prompts, chosen.answered, chosen.requests)
        _rows(
            [
                ("planned prompts", f"{found.prompts:,}", "1,000,000"),
                ("seconds to plan them", f"{found.planning_s:.1f}", "-"),
                ("seconds to the first request, nothing answered", f"{found.first_request_s:.2f}", "<= 3"),
                (
                    f"seconds to the first request, {found.answered:,} answered",
                    f"{found.later_request_s:.2f}",
                    "<= 3",
                ),
                ("largest resident memory, MiB", f"{found.largest_mib:.0f}", "<= 381 (400 MB)"),
                (
                    f"MiB more for 100,000 answered, over the last {found.fitted:,} of {found.requests:,}",
                    f"{found.slope_mib[0]:.2f} [{found.slope_mib[1]:.2f}, {found.slope_mib[2]:.2f}]",
                    "flat",
                ),
                ("requests/s meanwhile", f"{found.rate:.0f}", "-"),
                (
                    "load of the machine (1 minute) at the two starts",
                    f"{found.loads[0]:.1f}, {found.loads[1]:.1f}",
                    "-",
                ),
            ]
        )

    parser.set_defaults(measure=measure)


def _faults(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--prompts", type=int, default=5_000)
    parser.add_argument("--share", type=float, default=0.2)
    parser.add_argument("--stall", type=float, default=30.0)
    parser.add_argument("--timeout", type=float, default=60.0, help="of a request; 5 gives stalls up")

    def measure(chosen: argparse.Namespace) -> None:
        print("| what | takes any number at once | takes 40 at once | demanded |\n|---|---|---|---|")
        both = [
            lasting.faults(chosen.prompts, chosen.share, chosen.stall, chosen.timeout, room)
            for room in (None, _ROOM)
        ]
        for what, say, demanded in _FAULTED:
            print(f"| {what} | {' | '.join(map(say, both))} | {demanded} |")

    parser.set_defaults(measure=measure)


def _kill(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--prompts", type=int, default=20_000)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=11, help="of the moments")

    def measure(chosen: argparse.Namespace) -> None:
        found = lasting.kills(chosen.prompts, chosen.times, seed=chosen.seed)
        _rows(
            [
                ("killed", f"{found.kills} times", f"{chosen.times} times"),
                ("answered of planned", f"{found.answered} of {found.planned}", "all"),
                ("stored or acknowledged, then lost", f"{found.lost}", "0"),
                ("asked again after it was stored", f"{found.asked_again}", "0"),
                ("with the disk full", found.full_disk or "nothing said", "one clear line"),
                ("findings as of an unbroken run", "yes" if found.same_findings else "no", "yes"),
                ("outputs stored at the kills", ", ".join(map(str, found.after)), "spread"),
                ("seconds", f"{found.elapsed_s:.0f}", "-"),
            ]
        )

    parser.set_defaults(measure=measure)


def _rows(rows: list[tuple[str, str, str]]) -> None:
    print("| what | measured | demanded |\n|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
