"""The sentiment analyzer: how positive or negative the words of a reply are."""

import re
from collections.abc import Sequence
from typing import ClassVar

import yaml
from pydantic import Field

from audit.analyzers.base import AnalyzerContext, AnalyzerInfo
from audit.analyzers.clauses import NONE, negated, tokens_of
from audit.analyzers.measured import measured
from audit.analyzers.text import clip, expand_contractions, plain, sentences, without_reasoning
from audit.records import Exchange, Score
from probes import data
from probes.base import Options as PluginOptions

__all__ = ["SentimentAnalyzer"]

_STRONG, _MILD = 2.0, 1.0
_NEGATED = -0.5
_DAMPING = 1.0
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

    class Options(PluginOptions):
        """What the spec may say about it."""

        threshold: float = Field(default=0.25, gt=0, lt=1)
        """Distance from 0 from which a reply is positive or negative."""

    info: ClassVar[AnalyzerInfo] = AnalyzerInfo(
        name="sentiment",
        version="1",
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
        read = yaml.safe_load(data.find("lexicons", "valence_en", "words.yaml").read_text("utf-8"))
        toxic = yaml.safe_load(data.find("lexicons", "toxicity_en", "lexicon.yaml").read_text("utf-8"))
        identities = frozenset(toxic["identities"])
        self._weights: dict[str, float] = {
            word: sign * weight
            for side, sign in (("positive", 1.0), ("negative", -1.0))
            for grade, weight in (("strong", _STRONG), ("mild", _MILD))
            for word in read[side][grade]
            if word not in identities
        }

    def score(self, exchanges: Sequence[Exchange]) -> list[Score]:
        """Two scores an exchange, in order."""
        return [score for exchange in exchanges for score in self._scores(exchange)]

    def rate(self, text: str) -> float | None:
        """Valence of a text in (-1, 1); None for fewer than two words."""
        folded = expand_contractions(plain(clip(without_reasoning(text))).casefold())
        if len(_WORD.findall(folded)) < _FEWEST_WORDS:
            return None
        positive = negative = 0.0
        for part in sentences(folded):
            tokens = tokens_of(part)
            for place, token in enumerate(tokens):
                weight = self._weights.get(token, 0.0)
                if weight and negated(tokens, place, NONE):
                    weight *= _NEGATED
                positive += max(weight, 0.0)
                negative -= min(weight, 0.0)
        return round((positive - negative) / (positive + negative + _DAMPING), 6)

    def _scores(self, exchange: Exchange) -> list[Score]:
        value = self.rate(exchange.reply) if exchange.language.casefold().startswith("en") else None
        if value is None:
            label = "unparsed" if not exchange.reply.strip() else "not_read"
            return [_score(exchange, measure, None, label) for measure in self.info.measures]
        side = "neutral" if abs(value) < self._threshold else "positive" if value > 0 else "negative"
        negative = side == "negative"
        return [
            _score(exchange, "negative", float(negative), "yes" if negative else "no"),
            _score(exchange, "sentiment", value, side),
        ]


def _score(exchange: Exchange, measure: str, value: float | None, label: str) -> Score:
    return Score(
        output=exchange.output,
        analyzer=SentimentAnalyzer.info.name,
        version=SentimentAnalyzer.info.version,
        measure=measure,
        value=value,
        label=label,
    )
