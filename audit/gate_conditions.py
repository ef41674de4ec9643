"""Conditions of a gate's rules: what `fail_if` says, and what the data must show for it to hold."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from audit.spec import FAIL_IF, GateRule

__all__ = ["Condition", "Threshold", "condition_of", "thresholds_of"]

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_OTHER_END = {"ci_low": "ci_high", "ci_high": "ci_low"}

Field = Literal["estimate", "ci_low", "ci_high"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A value, and the side of it on which an estimate must not be shown to lie."""

    value: float
    side: Literal["below", "above"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What `fail_if` says."""

    field: Field
    sign: str
    value: float

    @property
    def threshold(self) -> Threshold | None:
        """Where the condition holds on proof only, the threshold that is tested; None where doubt suffices.

        `ci_high < x` and `ci_low > x` say that the whole interval lies beyond x. The others hold already
        where the data leave it open.
        """
        if self.field == "ci_high" and self.sign.startswith("<"):
            return Threshold(value=self.value, side="below")
        if self.field == "ci_low" and self.sign.startswith(">"):
            return Threshold(value=self.value, side="above")
        return None

    def holds(self, values: Mapping[str, float | None]) -> bool:
        """Whether it is true of an estimate.

        Args:
            values: Point and ends of the interval, by field; None where there is none.
        """
        return self._true_of(values[self.field])

    def ruled_out(self, values: Mapping[str, float | None]) -> bool:
        """Whether the data exclude what the condition forbids, not only fail to show it.

        The opposite of a proof is proven only where the other end of the interval lies on the accepted side
        too.

        Args:
            values: As for `holds`.
        """
        return not self._true_of(values[self.field if self.threshold is None else _OTHER_END[self.field]])

    def _true_of(self, value: float | None) -> bool:
        return value is not None and _COMPARE[self.sign](value, self.value)


def condition_of(rule: GateRule) -> Condition:
    """The condition of a rule."""
    found = FAIL_IF.match(rule.fail_if)
    if found is None:
        raise ValueError(f"the spec let a malformed gate condition through: {rule.fail_if!r}")
    fields: dict[str, Field] = {"estimate": "estimate", "ci_low": "ci_low", "ci_high": "ci_high"}
    return Condition(field=fields[found[1]], sign=found[2], value=float(found[3]))


def thresholds_of(rules: Sequence[GateRule]) -> dict[str, tuple[Threshold, ...]]:
    """The thresholds that a gate tests, by measure, each once.

    Args:
        rules: The gate of the spec.
    """
    found: dict[str, list[Threshold]] = {}
    for rule in rules:
        threshold = condition_of(rule).threshold
        if threshold is not None and threshold not in found.setdefault(rule.measure, []):
            found[rule.measure].append(threshold)
    return {measure: tuple(tests) for measure, tests in found.items()}
