"""The tables of the page: intervals, verdicts, false alarms, and the naive test beside them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from audit.estimates.contrasts import POOLED
from audit.records import Verdict
from benchmarks.instrument.design import PLANTED
from benchmarks.instrument.shares import Share, mean_of, share_of
from benchmarks.instrument.told import Contrast, Told
from probes.records import Signal

__all__ = [
    "Promised",
    "alarms",
    "intervals",
    "nulls",
    "planted_contrasts",
    "unplanted",
    "unplanted_contrasts",
    "verdicts",
]

NOMINAL = 0.95
RATE = 0.05
_COVERAGES = ("pooled", "single domain", "naive, pooled", "naive, single")
_VERDICTS = (Verdict.DISPARITY, Verdict.EQUIVALENT, Verdict.INCONCLUSIVE, Verdict.NOT_MEASURED)
Wanted = Callable[[Contrast], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """A table in Markdown, and how many of its cells carry a promise."""

    text: str
    promised: int


def planted_contrasts(told: Told, signal: Signal, *, pooled: bool) -> list[Contrast]:
    """The contrasts of one run that the gap was planted in, by name of the signal."""
    return [
        one
        for one in told.contrasts
        if (one.measure, one.attribute, one.group) == PLANTED
        and one.signal is signal
        and (one.domain == POOLED) is pooled
    ]


def unplanted_contrasts(told: Told, signal: Signal | None = None) -> list[Contrast]:
    """The contrasts of one run whose truth is 0, of every measure."""
    return [one for one in told.contrasts if one.truth == 0 and signal in {None, one.signal}]


def intervals(told: Sequence[Told]) -> Promised:
    """How often the 95 % intervals of the planted contrast hold what was planted."""
    head = ["planted", "signal", "mean estimate", *_COVERAGES]
    lines = []
    for gap, runs in _by_gap(told):
        for signal in _signals(told):
            pooled = [planted_contrasts(run, signal, pooled=True) for run in runs]
            single = [planted_contrasts(run, signal, pooled=False) for run in runs]
            points = [one.point for run in pooled for one in run if one.point is not None]
            mean = f"{100 * fmean(points):+.1f}" if points else "none"
            lines.append([_points(gap), signal.value, mean, *_coverages(pooled, single)])
    return Promised(text=_table(head, lines), promised=2 * len(lines))


def nulls(told: Sequence[Told]) -> Promised:
    """How often the 95 % intervals of favourable decisions hold 0 where nothing is planted."""
    head = ["signal", "contrasts", *_COVERAGES]
    lines = []
    # Runs of several gaps share the answers about groups without one: counted once.
    (_, runs), *_ = _by_gap(told)
    for signal in _signals(told):
        chosen = [_favourable(unplanted_contrasts(run, signal)) for run in runs]
        pooled = [[one for one in run if one.domain == POOLED] for run in chosen]
        single = [[one for one in run if one.domain != POOLED] for run in chosen]
        count = f"{len(pooled[0])} in {len(runs)} runs"
        lines.append([signal.value, count, *_coverages(pooled, single)])
    return Promised(text=_table(head, lines), promised=2 * len(lines))


def verdicts(told: Sequence[Told]) -> str:
    """What is said of the planted contrast."""
    head = ["planted", "signal", "level", "disparity", "wrong direction", "equivalent", "inconclusive"]
    head += ["not measured", "beyond chance, not beyond noise", "interval excludes 0"]
    head += ["naive z-test"]
    lines = []
    for gap, runs in _by_gap(told):
        for signal in _signals(told):
            for pooled in (True, False):
                about = [planted_contrasts(run, signal, pooled=pooled) for run in runs]
                lines.append([_points(gap), signal.value, "pooled" if pooled else "single", *_said(about)])
    return _table(head, lines)


def alarms(told: Sequence[Told]) -> Promised:
    """How often a difference is claimed where there is none."""
    head = ["planted", "any contrast", "explicit", "by name", "realised FDR", "a control fails"]
    head += ["naive z-test, any contrast", "naive z-test, each contrast"]
    lines = []
    promised = 0
    for gap, runs in _by_gap(told):
        cells = [
            share_of([[_alarm(unplanted_contrasts(run))] for run in runs]),
            share_of([[_alarm(unplanted_contrasts(run, Signal.EXPLICIT))] for run in runs]),
            share_of([[_alarm(unplanted_contrasts(run, Signal.NAME))] for run in runs]),
            mean_of([_false_share(run) for run in runs]),
            share_of([[bool(run.failed_controls)] for run in runs]),
        ]
        limits = [RATE if gap == 0 else None] * 3 + [RATE, RATE]
        promised += sum(limit is not None for limit in limits)
        written = [cell.written(at_most=limit) for cell, limit in zip(cells, limits, strict=True)]
        naive = [
            [one.naive_p <= RATE for one in unplanted_contrasts(run) if one.naive_p is not None]
            for run in runs
        ]
        beside = [share_of([[any(run)] for run in naive]), share_of(naive)]
        lines.append([_points(gap), *written, *(cell.written() for cell in beside)])
    return Promised(text=_table(head, lines), promised=promised)


def unplanted(told: Sequence[Told]) -> str:
    """What is said of favourable decisions about groups without a planted gap."""
    head = ["planted in another", "level", *(verdict.replace("_", " ") for verdict in _VERDICTS)]
    lines = []
    for gap, runs in _by_gap(told):
        for pooled in (True, False):
            about = [
                [one for one in _favourable(unplanted_contrasts(run)) if (one.domain == POOLED) is pooled]
                for run in runs
            ]
            shares = [
                share_of([[one.verdict is verdict for one in run] for run in about]) for verdict in _VERDICTS
            ]
            level = "pooled" if pooled else "single"
            lines.append([_points(gap), level, *(share.written() for share in shares)])
    return _table(head, lines)


def _said(about: Sequence[Sequence[Contrast]]) -> list[str]:
    def share(wanted: Wanted) -> str:
        return share_of([[wanted(one) for one in run] for run in about]).written()

    return [
        share(lambda one: one.verdict is Verdict.DISPARITY and _right_way(one)),
        share(lambda one: one.verdict is Verdict.DISPARITY and not _right_way(one)),
        share(lambda one: one.verdict is Verdict.EQUIVALENT),
        share(lambda one: one.verdict is Verdict.INCONCLUSIVE),
        share(lambda one: one.verdict is Verdict.NOT_MEASURED),
        share(lambda one: one.selected and one.verdict is Verdict.INCONCLUSIVE),
        share(_excludes_zero),
        share(lambda one: one.naive_p is not None and one.naive_p <= RATE),
    ]


def _favourable(contrasts: Iterable[Contrast]) -> list[Contrast]:
    return [one for one in contrasts if one.measure == PLANTED[0]]


def _coverages(pooled: Sequence[Sequence[Contrast]], single: Sequence[Sequence[Contrast]]) -> list[str]:
    ours = [_coverage(runs).written(nominal=NOMINAL) for runs in (pooled, single)]
    return [*ours, *(_coverage(runs, _naive).written() for runs in (pooled, single))]


def _right_way(one: Contrast) -> bool:
    # Where nothing is planted no direction is right or wrong: the claim itself is the false alarm.
    return one.truth == 0 or (one.point is not None and one.point < 0)


def _excludes_zero(one: Contrast) -> bool:
    return one.low is not None and one.high is not None and not one.low <= 0 <= one.high


def _alarm(contrasts: Iterable[Contrast]) -> bool:
    return any(one.verdict is Verdict.DISPARITY for one in contrasts)


def _false_share(told: Told) -> float:
    claimed = [one for one in told.contrasts if one.verdict is Verdict.DISPARITY]
    wrong = [one for one in claimed if one.truth == 0 or not _right_way(one)]
    return len(wrong) / max(1, len(claimed))


def _ours(one: Contrast) -> tuple[float | None, float | None]:
    return one.low, one.high


def _naive(one: Contrast) -> tuple[float | None, float | None]:
    return one.naive_low, one.naive_high


def _coverage(
    runs: Iterable[Sequence[Contrast]],
    ends: Callable[[Contrast], tuple[float | None, float | None]] = _ours,
) -> Share:
    held: list[list[bool]] = []
    for run in runs:
        held.append([])
        for one in run:
            low, high = ends(one)
            if low is not None and high is not None:
                held[-1].append(low <= one.truth <= high)
    return share_of(held)


def _by_gap(told: Sequence[Told]) -> list[tuple[float, list[Told]]]:
    gaps = sorted({one.gap for one in told})
    return [(gap, sorted((one for one in told if one.gap == gap), key=lambda one: one.run)) for gap in gaps]


def _signals(told: Sequence[Told]) -> list[Signal]:
    present = {one.signal for one in told[0].contrasts}
    return [signal for signal in Signal if signal in present]


def _points(gap: float) -> str:
    return f"{-100 * gap:.0f}" if gap else "0"


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
