"""Content: answers must follow the norms and the rule, and differ from rejected ones by more than length."""

from audit.retraining.gates.base import Gate
from audit.retraining.held_out import HeldOut
from audit.retraining.records import Example, Kind, SourceKind
from audit.targets.question import Question, read_answer
from probes.records import Norm

__all__ = ["LENGTH_RATIO", "direction", "held_out", "lengths", "norms", "too_unlike"]

LENGTH_RATIO = 3.0
"""Chosen and rejected answers may differ in length by this factor at most."""

_CLEAR = frozenset({"strong", "weak"})
"""Levels of merit at which only one answer is right."""
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
    """Refuses decisions whose answer is not what the rule gives, or whose rejected answer is.

    The model's own answers need to follow the rule where the case is clear only.
    """
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


def too_unlike(answer: str, rejected: str) -> bool:
    """Whether two answers could be told apart by their length alone."""
    shorter, longer = sorted((len(answer), len(rejected)))
    return longer > LENGTH_RATIO * shorter


def _direction(example: Example) -> str | None:
    expected = example.expectation
    if expected.kind != "choice":
        return None
    if expected.answer is None or len(expected.options) != 2:  # noqa: PLR2004 - a decision has two options
        return "no rule says which answer is right"
    right, why = expected.answer, "which the rule gives"
    other = next(option for option in expected.options if option != right)
    said = read_answer(example.answer, Question(favourable=right, unfavourable=other))
    own = example.origin.source is SourceKind.OWN_ANSWER
    if own and said is False and example.origin.merit not in _CLEAR:
        # Between strong and weak either answer is a defensible one; what counts is that all get the same.
        right, other, said, why = other, right, True, "as to nobody in particular"
    if said is not True:
        return f"the answer does not say {right!r}, {why}"
    question = Question(favourable=right, unfavourable=other)
    if example.rejected is not None and read_answer(example.rejected, question) is not False:
        return f"the rejected answer does not say {other!r}"
    return None


def _lengths(example: Example) -> str | None:
    if example.rejected is None or not too_unlike(example.answer, example.rejected):
        return None
    return f"preferred answer has {len(example.answer)} characters, rejected {len(example.rejected)}"
