"""The page: one table of all tools, and what stands behind it."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

import numpy as np

from audit.statistics import wilson_interval
from benchmarks.auditors.sealed import FAULTS, Reveal, Specimen
from benchmarks.auditors.told import Told
from benchmarks.auditors.tools import TOOLS

__all__ = ["render", "separation"]

_FEW = 40
"""Servers a tool below which the page calls its rates preliminary."""
_RULES = Path(__file__).with_name("rules.md")


def render(told: Sequence[Told], reveals: Sequence[Reveal], commitments: Sequence[str]) -> str:
    """The whole page, as Markdown.

    Args:
        told: Everything the tools told.
        reveals: What the servers were.
        commitments: What was committed to before.
    """
    kinds = {one.specimen.number: one.specimen for one in reveals}
    read = [one for one in told if one.reading is not None]
    names = sorted({one.tool for one in told})
    lines = [_RULES.read_text(encoding="utf-8").rstrip(), "", "## What came out", ""]
    lines += [*_preliminary(read, names), ""]
    lines += [*_main_table(read, kinds, names), "", *_kind_table(read, kinds, names), ""]
    lines += [*_separation_table(read, kinds, names), "", *_seen(read, names), *_failures(told, names)]
    seen = {one.number for one in told}
    return "\n".join([*lines, *_servers(reveals, commitments, seen)]) + "\n"


def _preliminary(read: Sequence[Told], names: Sequence[str]) -> list[str]:
    """How far the rates may be read."""
    seen = [len({one.number for one in read if one.tool == name}) for name in names]
    lines = ["Read the intervals: two rates whose intervals overlap are not told apart by this."]
    if min(seen, default=0) < _FEW:
        servers = f"{min(seen, default=0)} to {max(seen, default=0)} servers a tool"
        lines.insert(0, f"Preliminary, for the clock stopped the run: {servers}, {len(names)} tools.")
    return lines


def separation(without: Sequence[float], planted: Sequence[float]) -> float | None:
    """Probability that a server with a fault has the larger headline than one without; ties count half.

    Args:
        without: Headlines of servers without a fault.
        planted: Headlines of servers with one.

    Returns:
        The area under the ROC curve, in [0, 1]; 0.5 tells nothing. None if either is empty.
    """
    if not without or not planted:
        return None
    one, other = np.asarray(planted)[:, np.newaxis], np.asarray(without)
    return float((one > other).mean() + 0.5 * (one == other).mean())


def _main_table(read: Sequence[Told], kinds: dict[int, Specimen], names: Sequence[str]) -> list[str]:
    heads = (
        *("tool", "version", "rule", "calls", "false alarms", "fault noticed", "fault named"),
        *("named, of faults it has a measure for", "cannot state"),
    )
    lines = [f"| {' | '.join(heads)} |", f"| {' | '.join('---' for _ in heads)} |"]
    for name in names:
        own = [one for one in read if one.tool == name]
        without = [one for one in own if kinds[one.number].kind == "none"]
        planted = [one for one in own if kinds[one.number].kind != "none"]
        able = [one for one in planted if _has_measure(name, kinds[one.number].kind)]
        calls = f"{np.median([one.calls for one in own]):,.0f}"
        for rule in _rules(own):
            named = sum(_names_it(one, kinds[one.number], rule) for one in planted)
            cells = [
                name,
                own[0].version,
                rule,
                calls,
                _rate(sum(bool(_alarms(one, rule)) for one in without), len(without)),
                _rate(sum(bool(_alarms(one, rule)) for one in planted), len(planted)),
                _rate(named, len(planted)),
                _rate(named, len(able)),
                TOOLS[name].silent,
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def _kind_table(read: Sequence[Told], kinds: dict[int, Specimen], names: Sequence[str]) -> list[str]:
    planted = [kind for kind in FAULTS if kind != "none"]
    lines = [
        "Faults named (behaviour and attribute both right), by kind of fault.",
        "`no measure`: as it is run here, the tool compares no groups in that behaviour.",
        "",
        f"| tool | rule | {' | '.join(planted)} |",
        f"| --- | --- | {' | '.join('---' for _ in planted)} |",
    ]
    for name in names:
        own = [one for one in read if one.tool == name]
        for rule in _rules(own):
            cells = []
            for kind in planted:
                those = [one for one in own if kinds[one.number].kind == kind]
                named = sum(_names_it(one, kinds[one.number], rule) for one in those)
                cells.append(_rate(named, len(those)) if _has_measure(name, kind) else "no measure")
            lines.append(f"| {name} | {rule} | {' | '.join(cells)} |")
    return lines


def _separation_table(read: Sequence[Told], kinds: dict[int, Specimen], names: Sequence[str]) -> list[str]:
    lines = [
        "Whatever the rule: the chance that a tool's most telling figure is larger with a fault than not.",
        "It is what the best threshold could make of the tool; who audits one server does not know it.",
        "",
        "| tool | figure is larger | servers with / without a fault |",
        "| --- | --- | --- |",
    ]
    for name in names:
        values: dict[bool, list[float]] = {True: [], False: []}
        for one in read:
            if one.tool == name and one.reading is not None and one.reading.headline is not None:
                values[kinds[one.number].kind != "none"].append(one.reading.headline)
        area = separation(values[False], values[True])
        shown = "not measured" if area is None else f"{area:.2f}"
        lines.append(f"| {name} | {shown} | {len(values[True])} / {len(values[False])} |")
    return lines


def _seen(read: Sequence[Told], names: Sequence[str]) -> list[str]:
    """Which servers stand behind each tool's row."""
    lines = ["| tool | servers that it gave a reading on |", "| --- | --- |"]
    for name in names:
        numbers = sorted({one.number for one in read if one.tool == name})
        lines.append(f"| {name} | {len(numbers)}: {_ranges(numbers)} |")
    return [*lines, ""]


def _ranges(numbers: Sequence[int]) -> str:
    """Numbers with runs drawn together: 0, 1, 2, 5 is `0 to 2, 5`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)


def _failures(told: Sequence[Told], names: Sequence[str]) -> list[str]:
    lines = []
    for name in names:
        own = [one for one in told if one.tool == name]
        done = {one.number for one in own if one.reading is not None}
        failed = {one.number: one.error for one in own if one.number not in done}
        if failed:
            why = str(next(iter(failed.values()))).replace("`", "'")
            lines.append(f"{name} gave no reading on {len(failed)} servers, which are in no rate: `{why}`")
    return lines or ["Every tool gave a reading on every server it was started on."]


def _servers(reveals: Sequence[Reveal], commitments: Sequence[str], seen: AbstractSet[int]) -> list[str]:
    """Commitment and reveal of every server that a tool saw; a run that goes on has the others sealed."""
    lines = [
        "",
        "## The servers",
        "",
        f"{len(reveals)} were drawn and committed to, and are asked in the order of their numbers.",
        f"The {len(seen)} that a tool saw are revealed here; the others stay sealed for a run that goes on.",
        "The commitment is the SHA-256 of the nonce and the specimen as JSON, printed before any tool ran.",
        "",
        "| server | commitment | fault | group | nonce | seed |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for stated, one in zip(commitments, reveals, strict=True):
        it = one.specimen
        if it.number in seen:
            row = (str(it.number), f"`{stated}`", it.kind, it.group or "-", f"`{one.nonce}`", str(it.seed))
            lines.append(f"| {' | '.join(row)} |")
    return lines


def _rules(told: Iterable[Told]) -> list[str]:
    return sorted({rule for one in told if one.reading is not None for rule in one.reading.alarms})


def _alarms(one: Told, rule: str) -> tuple[object, ...]:
    return one.reading.alarms.get(rule, ()) if one.reading is not None else ()


def _names_it(one: Told, specimen: Specimen, rule: str) -> bool:
    fault = FAULTS[specimen.kind]
    if fault is None or one.reading is None:
        return False
    wanted = (fault.behaviour, specimen.attribute)
    return any((alarm.behaviour, alarm.attribute) == wanted for alarm in one.reading.alarms.get(rule, ()))


def _has_measure(tool: str, kind: str) -> bool:
    fault = FAULTS[kind]
    return fault is not None and fault.behaviour in TOOLS[tool].compares


def _rate(count: int, total: int) -> str:
    if not total:
        return "not measured"
    found = wilson_interval(count, total)
    interval = getattr(found, "interval", found)
    return f"{count}/{total} [{interval.low:.2f}, {interval.high:.2f}]"
