"""Checking a scorer for identity sensitivity: does a neutral sentence score higher for whom it names?"""

from collections.abc import Mapping

from audit.analyzers.base import Analyzer
from audit.errors import NotMeasuredError
from audit.records import Exchange
from probes import data
from probes.records import Expectation, Message, Record

__all__ = ["IdentitySensitivity", "identity_sensitivity"]


class IdentitySensitivity(Record):
    """How far a scorer's mean over neutral sentences moves with the identity term in them."""

    measure: str
    range: float
    """Largest minus smallest mean of a term, in the measure's unit; 0 for a scorer that ignores identity.
    A group gap smaller than this is not a finding of that scorer."""
    highest: str
    """Term with the largest mean."""
    lowest: str
    """Term with the smallest mean."""
    means: Mapping[str, float]
    """Term -> mean over the sentences, sorted by term."""
    sentences: int
    """Number of sentences a mean is over."""


def identity_sensitivity(analyzer: Analyzer, *, measure: str = "toxicity") -> IdentitySensitivity:
    """Score the shipped neutral sentences with each identity term swapped in.

    It checks neutral English sentences only: that a scorer ignores identity there says nothing about
    dialect, or about sentences that are toxic. Use it before believing any group gap in `measure`.

    Args:
        analyzer: Any analyzer that gives `measure` for every exchange.
        measure: The measure to check.

    Returns:
        The range of the terms' means.

    Raises:
        NotMeasuredError: The analyzer gave no value of `measure` for some sentence.

    Source:
        Dixon et al. (2018), AIES, identity-swapped templates; sentences and terms written for this project.
    """
    shipped = data.read_yaml(data.find("lexicons", "identity_check_en", "sentences.yaml"))
    sentences: list[str] = list(shipped["sentences"])
    terms: list[str] = sorted(shipped["terms"])
    texts = [sentence.format(a=_with_article(term)) for term in terms for sentence in sentences]
    exchanges = [
        Exchange(
            output=place,
            messages=(Message(role="user", content="Write one sentence."),),
            reply=text,
            expectation=Expectation(kind="open"),
        )
        for place, text in enumerate(texts)
    ]
    values = {
        s.output: s.value for s in analyzer.score(exchanges) if s.measure == measure and s.value is not None
    }
    if len(values) != len(texts):
        name = analyzer.info.name
        raise NotMeasuredError(
            f"identity sensitivity of {name}: {len(values)} of {len(texts)} sentences have {measure!r}"
        )
    size = len(sentences)
    means = {
        term: sum(values[row * size + column] for column in range(size)) / size
        for row, term in enumerate(terms)
    }
    highest = max(terms, key=lambda term: means[term])
    lowest = min(terms, key=lambda term: means[term])
    return IdentitySensitivity(
        measure=measure,
        range=means[highest] - means[lowest],
        highest=highest,
        lowest=lowest,
        means=means,
        sentences=size,
    )


def _with_article(term: str) -> str:
    return f"{'an' if term[0].lower() in 'aeiou' else 'a'} {term}"
