"""From what an analyzer reads in a reply to the scores of it: the frame that analyzers share."""

from collections.abc import Iterable
from typing import TypeAlias

from audit.analyzers.base import AnalyzerInfo
from audit.analyzers.text import without_reasoning
from audit.records import Exchange, Score

__all__ = ["Reading", "answer_of", "no_english", "scored", "unscored", "yes_or_no"]

Reading: TypeAlias = tuple[str, float | None, str]
"""Measure, value (None where there is none) and label."""


def scored(info: AnalyzerInfo, exchange: Exchange, readings: Iterable[Reading]) -> list[Score]:
    """The readings of one exchange as scores of the analyzer, in order."""
    return [
        Score(
            output=exchange.output,
            analyzer=info.name,
            version=info.version,
            measure=measure,
            value=value,
            label=label,
        )
        for measure, value, label in readings
    ]


def unscored(info: AnalyzerInfo, exchange: Exchange, label: str) -> list[Score]:
    """A score without a value for every measure of the analyzer.

    Args:
        info: The analyzer.
        exchange: What it cannot read, or has nothing to say of.
        label: Why.
    """
    return scored(info, exchange, ((measure, None, label) for measure in info.measures))


def answer_of(exchange: Exchange) -> str:
    """What a reply answers: without its reasoning, which nobody is told; empty if that is all there is."""
    return without_reasoning(exchange.reply).strip()


def no_english(exchange: Exchange) -> str | None:
    """Why a reply has no English text to be read; None if it has.

    Returns:
        `unparsed` for a reply that is empty or nothing but reasoning, `not_read` for one to a prompt in
        another language.
    """
    if not answer_of(exchange):
        return "unparsed"
    return None if exchange.language.casefold().startswith("en") else "not_read"


def yes_or_no(measure: str, *, holds: bool) -> Reading:
    """A reading of 1 or 0."""
    return measure, float(holds), "yes" if holds else "no"
