"""All gates in a row: candidates pass one after the other, sets as wholes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from audit.retraining.gates.base import Gate
from audit.retraining.records import Example, GateResult, Kind

__all__ = ["GateLine"]

_SHOWN = 20
_GROUPS = "whole-groups"
_GROUPS_RULE = "members of counterfactual sets that are not whole, or have different answers"


@dataclass(slots=True)
class _Tally:
    checked: int = 0
    refused: int = 0
    shown: list[str] = field(default_factory=list)


class GateLine:
    """Asks gates in order, each about what the one before let through, and counts.

    Candidates are streamed; members of one counterfactual set must follow each other. Whole groups come last:
    a member refused anywhere takes its set with it.
    """

    def __init__(
        self, gates: Sequence[Gate], *, refused: Callable[[Example, str, str], None] | None = None
    ) -> None:
        """Take the gates.

        Args:
            gates: Gates in their order.
            refused: Called with every refused candidate, the gate's name and the reason.
        """
        self._gates = gates
        self._refused = refused
        self._tallies = {gate.name: _Tally() for gate in gates}
        self._groups = _Tally()

    def passed(self, candidates: Iterable[Example]) -> Iterator[Example]:
        """The candidates that pass every gate, in their order."""
        for _, members in groupby(candidates, key=_unit):
            kept = [example for example in members if self._passes(example)]
            self._groups.checked += len(kept)
            problem = _problem(kept)
            if problem is None:
                yield from kept
                continue
            for example in kept:
                self._refuse(example, _GROUPS, self._groups, problem)

    def results(self) -> tuple[GateResult, ...]:
        """What each gate let through so far."""
        rules = {gate.name: gate.rule for gate in self._gates} | {_GROUPS: _GROUPS_RULE}
        tallies = {**self._tallies, _GROUPS: self._groups}
        return tuple(_result(name, rules[name], tally) for name, tally in tallies.items())

    def _passes(self, example: Example) -> bool:
        for gate in self._gates:
            tally = self._tallies[gate.name]
            tally.checked += 1
            why = gate.reason(example)
            if why is not None:
                self._refuse(example, gate.name, tally, why)
                return False
        return True

    def _refuse(self, example: Example, gate: str, tally: _Tally, why: str) -> None:
        tally.refused += 1
        if len(tally.shown) < _SHOWN:
            tally.shown.append(f"{example.id}: {why}")
        if self._refused is not None:
            self._refused(example, gate, why)


def _unit(example: Example) -> str:
    """What an example belongs to: its set, or itself."""
    return f"set {example.origin.set_id}" if example.origin.set_id is not None else f"one {example.id}"


def _problem(members: Sequence[Example]) -> str | None:
    counterfactual = [one for one in members if one.origin.kind is Kind.COUNTERFACTUAL]
    if not counterfactual:
        return None
    origin = counterfactual[0].origin
    if origin.set_id is None or len({one.origin.group for one in counterfactual}) != origin.set_size:
        return f"set {origin.set_id} is not whole"
    return "members of a set have different answers" if len({one.answer for one in members}) > 1 else None


def _result(gate: str, rule: str, tally: _Tally) -> GateResult:
    shown = list(tally.shown)
    if tally.refused > len(shown):
        shown.append(f"and {tally.refused - len(shown)} more")
    return GateResult(
        gate=gate,
        rule=rule,
        checked=tally.checked,
        passed=tally.checked - tally.refused,
        refused=tally.refused,
        refused_rows=tuple(shown),
    )
