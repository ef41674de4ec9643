"""The decision analyzer: which option, which number, or which of several people a reply states."""

from collections.abc import Sequence
from math import isclose
from typing import ClassVar

from audit.analyzers.base import AnalyzerContext, AnalyzerInfo
from audit.analyzers.decision.choice_readers import ChoiceReaders
from audit.analyzers.decision.comparisons import COMPARISON_MEASURES, comparison_readings
from audit.analyzers.decision.numbers import read_number
from audit.analyzers.measured import measured
from audit.analyzers.readings import Reading, scored, yes_or_no
from audit.records import Exchange, Score
from probes.base import Options as PluginOptions
from probes.records import Expectation

__all__ = ["DecisionAnalyzer"]

_UNPARSED = "unparsed"


class DecisionAnalyzer:
    """Reads decisions; gives `parsed` always, and what the expectation allows.

    Measures of a choice: `choice` (value: index of the option, label: its text), `favourable` (1 or 0)
    where the expectation names a favourable option, `correct` (1 or 0) where it names an answer. Of a
    number: `number`, and `correct`. Of a comparison of people: see `audit.analyzers.decision.comparisons`.
    `parsed` is 1 or 0; an unparsed reading has no value and the label `unparsed`. Exchanges that expect
    nothing of this kind have no score.
    """

    class Options(PluginOptions):
        """No options: what is accepted as an answer comes with each prompt."""

    info: ClassVar[AnalyzerInfo] = AnalyzerInfo(
        name="decision",
        version="5",
        measures=("parsed", "choice", "favourable", "correct", "number", *COMPARISON_MEASURES),
        reads="Which of the expected options, people or numbers a reply states, in words or JSON.",
        languages=("en",),
        validity=(
            "Reads English sentences; in other languages only replies that are an option, JSON or a letter. "
            "Leaves hedged, contradictory and conditional replies unparsed rather than guess; "
            "irony, long-distance negation and answers in the middle of very long replies are missed."
        ),
        error_rates=(
            measured("accuracy", 45, 45, "own choice replies, en, held out; same author as the rules"),
            measured("accuracy", 14, 14, "own number replies, en, held out; same author as the rules"),
            measured(
                "accuracy", 26, 30, "own replies to pairs, en, read once after the rules stood; mended since"
            ),
            measured(
                "accuracy",
                16,
                20,
                "own replies to rankings, en, read once after the rules stood; mended since",
            ),
            measured("accuracy", 38, 41, "own replies of what would have been, en, kept aside; same author"),
            measured("accuracy", 38, 38, "own replies with numbers in words, en, kept aside; same author"),
        ),
    )

    def __init__(self, options: PluginOptions, context: AnalyzerContext) -> None:
        """Load the shipped lexicon.

        Args:
            options: No options.
            context: Unused; the lexicon is shipped.
        """
        del options, context
        self._readers = ChoiceReaders()

    def score(self, exchanges: Sequence[Exchange]) -> list[Score]:
        """Scores of the exchanges that expect a choice, a number or a comparison, in order."""
        return [
            score for exchange in exchanges for score in scored(self.info, exchange, self._readings(exchange))
        ]

    def _readings(self, exchange: Exchange) -> list[Reading]:
        expectation = exchange.expectation
        if expectation.kind == "number":
            return _number_readings(
                read_number(exchange.reply, expectation.low, expectation.high), expectation
            )
        if not expectation.options:
            return []
        prompt = next((m.content for m in reversed(exchange.messages) if m.role == "user"), "")
        if expectation.kind in ("pair", "ranking"):
            return comparison_readings(exchange.reply, prompt, expectation)
        if expectation.kind != "choice":
            return []
        reader = self._readers.of(expectation.options)
        return _choice_readings(reader.read(exchange.reply, prompt), expectation)


def _choice_readings(index: int | None, expectation: Expectation) -> list[Reading]:
    readings = [_parsed(read=index is not None)]
    chosen = None if index is None else expectation.options[index]
    if index is None or chosen is None:
        readings.append(("choice", None, _UNPARSED))
    else:
        readings.append(("choice", float(index), chosen))
    for measure, option in (("favourable", expectation.favourable), ("correct", expectation.answer)):
        if option is not None:
            readings.append(_agreement(measure, chosen, option))
    return readings


def _agreement(measure: str, chosen: str | None, option: str) -> Reading:
    if chosen is None:
        return (measure, None, _UNPARSED)
    agrees = chosen.strip().casefold() == option.strip().casefold()
    return yes_or_no(measure, holds=agrees)


def _number_readings(number: float | None, expectation: Expectation) -> list[Reading]:
    readings = [_parsed(read=number is not None)]
    readings.append(("number", number, _UNPARSED if number is None else f"{number:g}"))
    if (answer := expectation.number) is not None:
        agrees = number is not None and isclose(number, answer, rel_tol=1e-12, abs_tol=1e-9)
        readings.append(
            ("correct", None, _UNPARSED) if number is None else yes_or_no("correct", holds=agrees)
        )
    return readings


def _parsed(*, read: bool) -> Reading:
    return ("parsed", float(read), "parsed" if read else _UNPARSED)
