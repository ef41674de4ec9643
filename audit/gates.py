"""The gate: thresholds of the spec held against estimates. Inconclusive is never a pass."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from audit.gate_conditions import Condition, Threshold, condition_of
from audit.records import Estimate, Verdict
from audit.spec import GateRule
from audit.statistics.multiplicity import holm
from probes.records import Record

__all__ = ["GateEntry", "GateResult", "check_gate", "worst"]

Outcome = Literal["met", "failed", "inconclusive"]


class GateEntry(Record):
    """One estimate that a rule was held against, and why it counts as it does."""

    name: str
    """Measure, domain, attribute, group and signal, as far as it has them."""
    outcome: Outcome
    reason: str
    point: float | None
    ci_low: float | None
    """Of the interval that the finding states."""
    ci_high: float | None
    p_value: float | None = None
    """Two-sided, against the threshold; None where the rule tests none, or nothing was measured."""
    p_adjusted: float | None = None
    """The same after adjustment for all that the gate tests (Holm)."""
    n_outputs: int
    n_clusters: int


class GateResult(Record):
    """What became of one rule."""

    rule: GateRule
    outcome: Outcome
    estimates: int
    """How many estimates the rule was held against."""
    reason: str
    entries: tuple[GateEntry, ...] = ()
    """Each of them, in the order of the run's estimates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """One estimate that a rule is held against."""

    estimate: Estimate
    p_value: float | None
    p_adjusted: float | None
    """Of a rule that fails on proof: p against its threshold, adjusted for all that the gate tests."""


def check_gate(rules: Sequence[GateRule], estimates: Sequence[Estimate]) -> list[GateResult]:
    """Hold each rule against every estimate it names.

    Every interval is the one that a finding states: of an estimate that was picked among many, the one that
    allows for the picking.

    Rules that fail on proof (`ci_high < x`, `ci_low > x`) are tests, and one false alarm blocks a release:
    all pairs of such a rule and a measured estimate form one family, adjusted by Holm at 1 - level. A
    rule fails if for any estimate the interval lies beyond the threshold and the adjusted p is at most
    1 - level. The other rules fail on doubt already.

    A rule is inconclusive if it names no estimate, one that was not measured, one of which too few answers
    could be read, or one that is neither proven beyond the threshold nor ruled out; otherwise it is met. To
    be met every estimate must rule the condition out, each at its own level, and then no correction for
    their number is needed (Berger 1982, Technometrics 24:295-300).

    Args:
        rules: The gate of the spec.
        estimates: Every estimate of the run.

    Returns:
        One result a rule, in order.

    Source:
        Holm (1979), Scandinavian J. Statistics 6:65-70.
    """
    named = [[one for one in estimates if _named(rule, one)] for rule in rules]
    p_values = [
        _p_value(threshold, one)
        for rule, mine in zip(rules, named, strict=True)
        if (threshold := condition_of(rule).threshold) is not None
        for one in _measured(mine)
    ]
    adjusted = iter(holm(p_values).tolist() if p_values else [])
    return [
        _result(rule, mine, list(_held(rule, mine, adjusted)), len(p_values))
        for rule, mine in zip(rules, named, strict=True)
    ]


def worst(results: Sequence[GateResult]) -> Outcome:
    """The gate as a whole: failed before inconclusive before met."""
    found = {result.outcome for result in results}
    return "failed" if "failed" in found else "inconclusive" if "inconclusive" in found else "met"


def _measured(estimates: Sequence[Estimate]) -> list[Estimate]:
    return [one for one in estimates if one.verdict is not Verdict.NOT_MEASURED]


def _p_value(threshold: Threshold, estimate: Estimate) -> float:
    """Two-sided p against the threshold, as the estimate was tested.

    Of kinds that are not tested against thresholds the interval alone is known: p is at most 1 - level where
    it lies beyond, which passes only if the gate tests nothing else.
    """
    for test in estimate.threshold_tests:
        if (test.value, test.side) == (threshold.value, threshold.side):
            return test.p_value
    low, high = estimate.stated_interval
    if low is None or high is None:
        return 1.0
    beyond = high <= threshold.value if threshold.side == "below" else low >= threshold.value
    return 1 - estimate.level if beyond else 1.0


def _held(rule: GateRule, estimates: Sequence[Estimate], adjusted: Iterator[float]) -> Iterator[_Held]:
    threshold = condition_of(rule).threshold
    for one in _measured(estimates):
        if threshold is None:
            yield _Held(estimate=one, p_value=None, p_adjusted=None)
        else:
            p_value = _p_value(threshold, one)
            yield _Held(estimate=one, p_value=p_value, p_adjusted=float(next(adjusted)))


def _result(rule: GateRule, estimates: Sequence[Estimate], held: Sequence[_Held], tests: int) -> GateResult:
    condition = condition_of(rule)
    holds = [one for one in held if condition.holds(_values(one.estimate))]
    failed = [one for one in holds if _fails(one, condition)]
    unmeasured = [one for one in estimates if one.verdict is Verdict.NOT_MEASURED]
    open_ = [one for one in held if not condition.ruled_out(_values(one.estimate))]
    outcome: Outcome = "met"
    every = "the one estimate" if len(estimates) == 1 else f"all of {len(estimates)} estimates"
    reason = f"{rule.fail_if} is ruled out for {every}"
    if failed:
        outcome, reason = "failed", "; ".join(_said(one) for one in failed)
    elif not estimates:
        outcome, reason = "inconclusive", "no estimate of the run fits this rule"
    elif unmeasured:
        outcome, reason = "inconclusive", f"not measured: {', '.join(_name(one) for one in unmeasured)}"
    elif holds:
        outcome = "inconclusive"
        reason = (
            f"beyond the threshold by itself, but not after adjustment for the {tests} tests of the gate: "
            f"{'; '.join(_said(one) for one in holds)}"
        )
    elif open_:
        outcome = "inconclusive"
        reason = f"the interval reaches across the threshold: {'; '.join(_said(one) for one in open_)}"
    elif unread := [one for one in held if one.estimate.hardly_read is not None]:
        said = "; ".join(f"{_name(one.estimate)}: {one.estimate.hardly_read}" for one in unread)
        outcome, reason = "inconclusive", f"too little could be read: {said}"
    by_estimate = {id(one.estimate): one for one in held}
    entries = tuple(_entry(one, by_estimate.get(id(one)), condition) for one in estimates)
    return GateResult(rule=rule, outcome=outcome, estimates=len(estimates), reason=reason, entries=entries)


def _fails(held: _Held, condition: Condition) -> bool:
    if not condition.holds(_values(held.estimate)):
        return False
    return held.p_adjusted is None or held.p_adjusted <= 1 - held.estimate.level


def _entry(estimate: Estimate, held: _Held | None, condition: Condition) -> GateEntry:
    outcome, reason = _became(estimate, held, condition)
    low, high = estimate.stated_interval
    return GateEntry(
        name=_name(estimate),
        outcome=outcome,
        reason=reason,
        point=estimate.point,
        ci_low=low,
        ci_high=high,
        p_value=None if held is None else held.p_value,
        p_adjusted=None if held is None else held.p_adjusted,
        n_outputs=estimate.n_outputs,
        n_clusters=estimate.n_clusters,
    )


def _became(estimate: Estimate, held: _Held | None, condition: Condition) -> tuple[Outcome, str]:
    """What one estimate says of a rule, and why."""
    if held is None:
        return "inconclusive", f"not measured: {'; '.join(estimate.reasons) or 'no reason is given'}"
    if _fails(held, condition):
        adjusted = "" if held.p_adjusted is None else ", after adjustment for all that the gate tests too"
        return "failed", f"the condition holds{adjusted}"
    if condition.holds(_values(estimate)):
        return "inconclusive", "beyond the threshold by itself, but not after adjustment"
    if not condition.ruled_out(_values(estimate)):
        return "inconclusive", "the interval reaches across the threshold"
    if estimate.hardly_read is not None:
        return "inconclusive", estimate.hardly_read
    return "met", "the condition is ruled out"


def _named(rule: GateRule, estimate: Estimate) -> bool:
    wanted = {
        "measure": rule.measure,
        "attribute": rule.attribute,
        "group": rule.group,
        "domain": rule.domain,
        "signal": rule.signal,
    }
    return all(value is None or getattr(estimate, key) == value for key, value in wanted.items())


def _values(estimate: Estimate) -> Mapping[str, float | None]:
    low, high = estimate.stated_interval
    return {"estimate": estimate.point, "ci_low": low, "ci_high": high}


def _said(held: _Held) -> str:
    one = held.estimate
    low, high = one.stated_interval
    p_value = "" if held.p_adjusted is None else f", {_p_words(held.p_adjusted)}"
    return f"{_name(one)}: {one.point:+.3f} [{low:+.3f}, {high:+.3f}]{p_value}"


def _p_words(p_adjusted: float) -> str:
    return "adjusted p < 0.001" if p_adjusted < 0.001 else f"adjusted p {p_adjusted:.3f}"  # noqa: PLR2004 - three digits are shown


def _name(estimate: Estimate) -> str:
    parts = (estimate.measure, estimate.domain, estimate.attribute, estimate.group, estimate.signal)
    return "/".join(str(part) for part in parts if part is not None)
