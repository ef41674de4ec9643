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
    one that was not measured, or one whose interval reaches across the threshold; otherwise it is met.

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
    measured = [one for one in estimates if one.verdict is not Verdict.NOT_MEASURED]
    failed = [one for one in measured if _true_of(rule, one)]
    unmeasured = [one for one in estimates if one.verdict is Verdict.NOT_MEASURED]
    open_ = [one for one in measured if not _ruled_out(rule, one)]
    outcome: Outcome = "met"
    reason = f"{rule.fail_if} is ruled out for all of {len(estimates)} estimates"
    if failed:
        outcome, reason = "failed", "; ".join(_said(one) for one in failed)
    elif not estimates:
        outcome, reason = "inconclusive", "no estimate of the run fits this rule"
    elif unmeasured:
        outcome, reason = "inconclusive", f"not measured: {', '.join(_name(one) for one in unmeasured)}"
    elif open_:
        outcome = "inconclusive"
        reason = f"the interval reaches across the threshold: {'; '.join(_said(one) for one in open_)}"
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
    field, sign, number = _parsed(rule)
    return _holds(estimate, field, sign, number)


def _ruled_out(rule: GateRule, estimate: Estimate) -> bool:
    """Whether the data exclude what the rule forbids, not only fail to show it.

    `ci_high < x` and `ci_low > x` fail on proof; their opposite is proven only when the other end of
    the interval lies on the accepted side too. The other conditions fail on doubt already.
    """
    field, sign, number = _parsed(rule)
    other_end = {("ci_high", "<"): "ci_low", ("ci_low", ">"): "ci_high"}.get((field, sign[0]), field)
    return not _holds(estimate, other_end, sign, number)


def _parsed(rule: GateRule) -> tuple[str, str, float]:
    found = _CONDITION.match(rule.fail_if)
    if found is None:
        raise ValueError(f"the spec let a malformed gate condition through: {rule.fail_if!r}")
    field, sign, number = found.groups()
    return field, sign, float(number)


def _holds(estimate: Estimate, field: str, sign: str, number: float) -> bool:
    value = {"estimate": estimate.point, "ci_low": estimate.ci_low, "ci_high": estimate.ci_high}[field]
    return value is not None and _COMPARE[sign](value, number)


def _said(estimate: Estimate) -> str:
    return f"{_name(estimate)}: {estimate.point:+.3f} [{estimate.ci_low:+.3f}, {estimate.ci_high:+.3f}]"


def _name(estimate: Estimate) -> str:
    parts = (estimate.measure, estimate.domain, estimate.attribute, estimate.group, estimate.signal)
    return "/".join(str(part) for part in parts if part is not None)
