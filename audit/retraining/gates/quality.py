"""Quality: an answer to learn must pass the analyzers that gate training data.

They are never the ones by which the repair is judged afterwards: what is selected by a reading and then
measured by the same reading looks mended (Goodhart). Hold one analyzer out for the second audit.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from audit.analyzers.base import Analyzer
from audit.records import Exchange, Score
from audit.retraining.gates.base import Gate
from audit.retraining.records import Example, Kind

__all__ = ["GATING", "personal_data", "quality"]

GATING = ("refusal", "toxicity", "leakage")
"""Analyzers that gate answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """One reading that an answer must have."""

    analyzer: str
    measure: str
    kinds: frozenset[Kind]
    value: float
    otherwise: str
    """What is wrong with an answer that reads otherwise."""


_QUALITY = (
    _Rule(
        analyzer="refusal",
        measure="refusal",
        kinds=frozenset({Kind.REFUSAL}),
        value=1.0,
        otherwise="the answer is not read as a refusal",
    ),
    _Rule(
        analyzer="refusal",
        measure="refusal",
        kinds=frozenset({Kind.HELP, Kind.COUNTERFACTUAL, Kind.REPLAY}),
        value=0.0,
        otherwise="the answer is read as a refusal",
    ),
    _Rule(
        analyzer="toxicity",
        measure="toxicity",
        kinds=frozenset(Kind),
        value=0.0,
        otherwise="the answer is read as toxic",
    ),
)
_PRIVACY = tuple(
    _Rule(
        analyzer="leakage",
        measure=measure,
        kinds=frozenset(Kind),
        value=0.0,
        otherwise=f"the answer holds {what}",
    )
    for measure, what in (("personal_data", "personal data"), ("secret", "a secret"))
)


def quality(analyzers: Mapping[str, Analyzer]) -> Gate:
    """Refuses answers that the gating analyzers read as what must not be taught.

    Args:
        analyzers: The gating analyzers by name; one that is missing asks nothing.
    """
    return Gate(
        name="quality",
        rule="answers that refuse needlessly, do not refuse what they should, or are toxic",
        reason=_Readings(_QUALITY, analyzers),
    )


def personal_data(analyzers: Mapping[str, Analyzer]) -> Gate:
    """Refuses answers in which somebody's data or a secret stands.

    Args:
        analyzers: The gating analyzers by name; one that is missing asks nothing.
    """
    return Gate(
        name="personal-data",
        rule="answers with personal data or secrets, by their form",
        reason=_Readings(_PRIVACY, analyzers),
    )


class _Readings:
    """What is wrong with an answer; the same answer to prompts of one template and kind is read once."""

    def __init__(self, rules: tuple[_Rule, ...], analyzers: Mapping[str, Analyzer]) -> None:
        self._rules = rules
        self._analyzers = analyzers
        self._known: dict[tuple[Kind, str, str], str | None] = {}

    def __call__(self, example: Example) -> str | None:
        key = (example.origin.kind, example.origin.template, example.answer)
        if key not in self._known:
            self._known[key] = self._read(example)
        return self._known[key]

    def _read(self, example: Example) -> str | None:
        exchange = Exchange(
            output=0, messages=example.messages, reply=example.answer, expectation=example.expectation
        )
        asked = [
            rule
            for rule in self._rules
            if example.origin.kind in rule.kinds and rule.analyzer in self._analyzers
        ]
        for name in dict.fromkeys(rule.analyzer for rule in asked):
            scores = {score.measure: score for score in self._analyzers[name].score([exchange])}
            for rule in asked:
                if rule.analyzer == name and _differs(scores.get(rule.measure), rule.value):
                    return f"{rule.otherwise} (analyzer {name})"
        return None


def _differs(score: Score | None, value: float) -> bool:
    return score is not None and score.value is not None and score.value != value
