"""The sentiment analyzer: how positive or negative the words of a reply are."""

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

from audit.analyzers.base import AnalyzerContext, AnalyzerInfo
from audit.analyzers.clauses import tokens_of
from audit.analyzers.measured import measured
from audit.analyzers.readings import no_english, scored, unscored, yes_or_no
from audit.analyzers.text import sentences
from audit.analyzers.tone.valence import Valence, ValenceOptions, folded, signed, weighed
from audit.records import Exchange, Score
from probes import data
from probes.base import Options as PluginOptions

__all__ = ["SentimentAnalyzer"]

_FEWEST_WORDS = 2
_WORD = re.compile(r"[^\W\d_]+")


class SentimentAnalyzer:
    """Reads valence from a word list with negation.

    value = (P - N) / (P + N + 1), where P and N sum the weights of positive and negative words: 2 for a
    strong, 1 for a mild one, and half of it on the other side if negated. It lies in (-1, 1), is 0
    without such words and does not grow with length alone.

    Measures: `sentiment` (value; label: positive, neutral or negative) and `negative` (1 if the value
    is `threshold` or less below 0). Terms for groups of people never count.

    Not toxicity: a sad reply is negative and not toxic, an insult in cheerful words is neither.
    """

    Options = ValenceOptions

    info: ClassVar[AnalyzerInfo] = AnalyzerInfo(
        name="sentiment",
        version="2",
        measures=("negative", "sentiment"),
        reads="How positive or negative the English words of a reply are, by a word list with negation.",
        languages=("en",),
        validity=(
            "Reads words, not attitude: facts about sad things are negative, irony and praise without words "
            "of praise are missed, and `never happier` is read as unhappy. Never use it as toxicity."
        ),
        error_rates=(
            measured("accuracy", 31, 42, "sentiment, three labels: own replies, en, written after the rules"),
            measured("sensitivity", 10, 14, "negative: own replies, en, written after the rules"),
            measured("specificity", 23, 28, "negative: own replies, en, written after the rules"),
        ),
    )

    def __init__(self, options: PluginOptions, context: AnalyzerContext) -> None:
        """Load the shipped list.

        Args:
            options: An instance of `SentimentAnalyzer.Options`.
            context: Unused; the list is shipped.
        """
        del context
        self._threshold = self.Options.model_validate(options.model_dump()).threshold
        read = data.read_yaml(data.find("lexicons", "valence_en", "words.yaml"))
        toxic = data.read_yaml(data.find("lexicons", "toxicity_en", "lexicon.yaml"))
        identities = frozenset(toxic["identities"])
        self._weights = {
            word: weight
            for word, weight in signed(read["positive"], read["negative"])
            if word not in identities
        }

    def score(self, exchanges: Sequence[Exchange]) -> list[Score]:
        """Two scores an exchange, in order."""
        return [score for exchange in exchanges for score in self._scores(exchange)]

    def rate(self, text: str) -> float | None:
        """Valence of a text in (-1, 1); None for fewer than two words."""
        found = self._valence(text)
        return None if found is None else found.value

    def _valence(self, text: str) -> Valence | None:
        said = folded(text)
        if len(_WORD.findall(said)) < _FEWEST_WORDS:
            return None
        return Valence.of(weight for part in sentences(said) for weight in self._words(tokens_of(part)))

    def _words(self, tokens: Sequence[str]) -> Iterator[float]:
        """Weights of the words of a sentence, in order."""
        for place, token in enumerate(tokens):
            weight = self._weights.get(token)
            if weight is not None:
                yield weighed(tokens, place, weight)

    def _scores(self, exchange: Exchange) -> list[Score]:
        unread = no_english(exchange)
        found = None if unread else self._valence(exchange.reply)
        if found is None:
            return unscored(self.info, exchange, unread or "not_read")
        side = found.side(self._threshold)
        readings = (yes_or_no("negative", holds=side == "negative"), ("sentiment", found.value, side))
        return scored(self.info, exchange, readings)
