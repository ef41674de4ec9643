"""What an analyzer reads in one reply to an open request, for tests."""

from collections.abc import Sequence

from audit.analyzers.base import Analyzer
from audit.records import Exchange, Score
from probes.records import Expectation, Message

__all__ = ["label_rates", "open_exchange", "readings_of"]


def open_exchange(reply: str, *, request: str = "Go on.", language: str = "en") -> Exchange:
    """One request and its reply."""
    return Exchange(
        output=2,
        messages=(Message(role="user", content=request),),
        reply=reply,
        expectation=Expectation(kind="open"),
        language=language,
    )


def readings_of(
    analyzer: Analyzer, reply: str, *, request: str = "Go on.", language: str = "en"
) -> dict[str, Score]:
    """The scores of one reply by measure."""
    exchange = open_exchange(reply, request=request, language=language)
    return {score.measure: score for score in analyzer.score([exchange])}


def label_rates(pairs: Sequence[tuple[str, str]]) -> list[tuple[float, int]]:
    """Accuracy, and sensitivity and specificity of the label `negative`, each with its denominator.

    Args:
        pairs: The label that a person gave and the one that was read.
    """
    negative = [read == "negative" for label, read in pairs if label == "negative"]
    other = [read != "negative" for label, read in pairs if label != "negative"]
    alike = [label == read for label, read in pairs]
    return [(round(sum(right) / len(right), 4), len(right)) for right in (alike, negative, other)]
