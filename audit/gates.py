"""The gate: thresholds of the spec held against interval bounds. Inconclusive is never a pass."""

import operator
import re
from collections.abc import Callable, Sequence
from typing import Literal

from audit.records import Estimate, Verdict
from audit.spec import GateRule
from probes.records import Record

__all__ = ["GateResult", "check_gate", "worst"]

_CONDITION = re.compile(r"^\s*(estimate|ci_low|ci_high)\s*(<=|>=|<|>)\s*(-?\d+(?:\.\d+)?)\s*$")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

Outcome = Literal["met", "failed", "inconclusive"]


class GateResult(Record):
    """What became of one rule."""

    rule: GateRule
    outcome: Outcome
    estimates: int
    """How many estimates the rule was held against."""
    reason: str


def check_gate(rules: Sequence[GateRule], estimates: Sequence[Estimate]) -> list[GateResult]:
    """Hold each rule against every estimate it names.

    A rule fails if its condition is true of any estimate. It is inconclusive if it names no estimate,
    or one that was not measured; otherwise it is met.

    Args:
        rules: The gate of the spec.
        estimates: Every estimate of the run.

    Returns:
        One result a rule, in order.
    """
    return [_result(rule, [one for one in estimates if _named(rule, one)]) for rule in rules]


def worst(results: Sequence[GateResult]) -> Outcome:
    """The gate as a whole: failed before inconclusive before met."""
    found = {result.outcome for result in results}
    return "failed" if "failed" in found else "inconclusive" if "inconclusive" in found else "met"


def _result(rule: GateRule, estimates: Sequence[Estimate]) -> GateResult:
    unmeasured = [one for one in estimates if one.verdict is Verdict.NOT_MEASURED]
    failed = [one for one in estimates if one.verdict is not Verdict.NOT_MEASURED and _true_of(rule, one)]
    outcome: Outcome = "met"
    reason = f"{rule.fail_if} holds for none of {len(estimates)} estimates"
    if failed:
        outcome = "failed"
        reason = "; ".join(
            f"{_name(one)}: {one.point:+.3f} [{one.ci_low:+.3f}, {one.ci_high:+.3f}]" for one in failed
        )
    elif not estimates:
        outcome, reason = "inconclusive", "no estimate of the run fits this rule"
    elif unmeasured:
        outcome, reason = "inconclusive", f"not measured: {', '.join(_name(one) for one in unmeasured)}"
    return GateResult(rule=rule, outcome=outcome, estimates=len(estimates), reason=reason)


def _named(rule: GateRule, estimate: Estimate) -> bool:
    wanted = {
        "measure": rule.measure,
        "attribute": rule.attribute,
        "group": rule.group,
        "domain": rule.domain,
        "signal": rule.signal,
    }
    return all(value is None or getattr(estimate, key) == value for key, value in wanted.items())


def _true_of(rule: GateRule, estimate: Estimate) -> bool:
    found = _CONDITION.match(rule.fail_if)
    if found is None:
        raise ValueError(f"the spec let a malformed gate condition through: {rule.fail_if!r}")
    field, sign, number = found.groups()
    value = estimate.point if field == "estimate" else getattr(estimate, field)
    return value is not None and _COMPARE[sign](value, float(number))


def _name(estimate: Estimate) -> str:
    parts = (estimate.measure, estimate.domain, estimate.attribute, estimate.group, estimate.signal)
    return "/".join(str(part) for part in parts if part is not None)
