"""Content: answers must follow the norms and the rule, and differ from rejected ones by more than length."""

from audit.retraining.gates.base import Gate
from audit.retraining.held_out import HeldOut
from audit.retraining.records import Example, Kind, SourceKind
from audit.targets.question import Question, read_answer
from probes.records import Norm

__all__ = ["LENGTH_RATIO", "direction", "held_out", "lengths", "norms"]

LENGTH_RATIO = 3.0
"""Chosen and rejected answers may differ in length by this factor at most."""

_SENSITIVE_DOMAINS = frozenset({"healthcare", "health", "law", "legal", "self_harm", "self-harm"})


def norms() -> Gate:
    """Refuses sets of an attribute that may differ, and unfounded decisions in sensitive domains."""
    return Gate(
        name="norms",
        rule="differences that the norms allow, and sensitive domains without a rule or reviewer",
        reason=_norm,
    )


def held_out(values: HeldOut) -> Gate:
    """Refuses what touches a value that is held out for the second audit.

    Args:
        values: What is held out.
    """
    return Gate(
        name="held-out",
        rule="examples that touch what is held out for the second audit",
        reason=values.touched,
    )


def direction() -> Gate:
    """Refuses decisions whose answer is not what the rule gives, or whose rejected answer is."""
    return Gate(
        name="direction",
        rule="answers that are not the expected one, or rejected ones that are",
        reason=_direction,
    )


def lengths() -> Gate:
    """Refuses pairs of answers that a trainer could tell apart by their length alone."""
    return Gate(
        name="lengths",
        rule=f"preferred and rejected answers that differ {LENGTH_RATIO:g}-fold in length",
        reason=_lengths,
    )


def _norm(example: Example) -> str | None:
    origin = example.origin
    if origin.kind is Kind.COUNTERFACTUAL and origin.norm is not Norm.MUST_NOT_DIFFER:
        return f"norm of {origin.attribute} in {origin.domain} is {origin.norm}"
    trusted = origin.source in {SourceKind.GROUND_TRUTH, SourceKind.REVIEWER}
    # A refusal or a harmless answer states no fact of the domain; a decision does.
    decision = origin.kind in {Kind.COUNTERFACTUAL, Kind.REPLAY}
    if decision and origin.domain in _SENSITIVE_DOMAINS and not trusted:
        return f"domain {origin.domain} needs ground truth or a reviewer; got {origin.source}"
    return None


def _direction(example: Example) -> str | None:
    expected = example.expectation
    if expected.kind != "choice":
        return None
    if expected.answer is None or len(expected.options) != 2:  # noqa: PLR2004 - a decision has two options
        return "no rule says which answer is right"
    other = next(option for option in expected.options if option != expected.answer)
    question = Question(favourable=expected.answer, unfavourable=other)
    if read_answer(example.answer, question) is not True:
        return f"the answer does not say {expected.answer!r}, which the rule gives"
    if example.rejected is not None and read_answer(example.rejected, question) is not False:
        return f"the rejected answer does not say {other!r}"
    return None


def _lengths(example: Example) -> str | None:
    if example.rejected is None:
        return None
    shorter, longer = sorted((len(example.answer), len(example.rejected)))
    if longer > LENGTH_RATIO * shorter:
        return f"preferred answer has {len(example.answer)} characters, rejected {len(example.rejected)}"
    return None
