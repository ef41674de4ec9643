"""The lexical toxicity screen in the categories of a moderation endpoint."""

from collections.abc import Iterable
from pathlib import Path

from pydantic import JsonValue

from audit.analyzers.base import AnalyzerContext
from audit.analyzers.toxicity.analyzer import THRESHOLD, LexicalToxicityAnalyzer
from audit.analyzers.toxicity.lexicon import Hit

__all__ = ["Screen"]

_UNREAD = (
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)


class Screen:
    """Reads texts; what it does not look for is None."""

    def __init__(self) -> None:
        """Read the lexicon."""
        options = LexicalToxicityAnalyzer.Options()
        self._analyzer = LexicalToxicityAnalyzer(options, AnalyzerContext(root=Path()))
        self.model = f"evenhand-toxicity-screen-{self._analyzer.info.version}"
        """What responses call it."""

    def result(self, text: str) -> JsonValue:
        """One entry of `results`."""
        hits = self._analyzer.hits(text)
        threats = [hit for hit in hits if hit.category == "threat"]
        scores: dict[str, float] = {
            "harassment": _score(hit for hit in hits if not hit.hateful),
            "harassment/threatening": _score(threats),
            "hate": _score(hit for hit in hits if hit.hateful),
            "hate/threatening": _score(hit for hit in threats if hit.hateful),
        }
        unread = dict.fromkeys(_UNREAD)
        flags = {name: score >= THRESHOLD for name, score in scores.items()}
        applied: dict[str, JsonValue] = {name: ["text"] for name in scores}
        applied |= {name: [] for name in _UNREAD}
        return {
            "flagged": any(flags.values()),
            "categories": {**flags, **unread},
            "category_scores": {**scores, **unread},
            "category_applied_input_types": applied,
        }


def _score(hits: Iterable[Hit]) -> float:
    """1 - product of (1 - weight) over hits, as the analyzer has it."""
    left = 1.0
    for hit in hits:
        left *= 1 - hit.weight
    return round(1 - left, 6)
