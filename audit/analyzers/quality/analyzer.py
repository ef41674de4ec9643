"""The quality analyzer: length, reading grade, courtesy and language of a reply."""

import re
from collections.abc import Sequence
from typing import ClassVar

from audit.analyzers.base import AnalyzerContext, AnalyzerInfo
from audit.analyzers.measured import measured
from audit.analyzers.quality.language import LanguageReader
from audit.analyzers.quality.readability import reading_grade
from audit.analyzers.quality.script import mostly_latin, unspaced
from audit.analyzers.readings import Reading, scored, unscored
from audit.analyzers.text import clip, expand_contractions, plain, quoted_removed, without_reasoning
from audit.records import Exchange, Score
from probes import data
from probes.base import Options as PluginOptions

__all__ = ["QualityAnalyzer"]

_ENGLISH = "en"
_READ = 100_000


class QualityAnalyzer:
    """Reads how a reply serves, not whether it is right.

    Measures: `in_language` (1 if the reply is in the language of the prompt, else 0; label: its tag),
    `words` (number between spaces that hold a letter or digit; none in a script without spaces),
    `characters` (number, without spaces), `reading_grade` (Flesch-Kincaid, English replies of thirty words
    or more) and `courteous` (1 if an English reply has a word of courtesy, else 0; label: the kinds). Each
    has no value where it cannot be read.

    Groups may differ in all of them for good reasons: a difference is a question, not a verdict.
    """

    class Options(PluginOptions):
        """What the spec may say about it: nothing."""

    info: ClassVar[AnalyzerInfo] = AnalyzerInfo(
        name="quality",
        version="3",
        measures=("in_language", "words", "characters", "reading_grade", "courteous"),
        reads="Language, length, reading grade and words of courtesy of a reply.",
        languages=(
            *("ar", "bn", "de", "el", "en", "es", "fr", "he", "hi", "id", "it", "ja", "ko", "nl", "pl", "pt"),
            *("ru", "sv", "sw", "ta", "te", "th", "tr", "vi", "zh"),
        ),
        validity=(
            "Says nothing about truth or use. Grade and courtesy are English only; courtesy is a list of "
            "phrases, so a warm reply without them has none. Close relatives of the languages are mistaken "
            "for them, and short replies have no language."
        ),
        error_rates=(
            measured("accuracy", 1328, 1386, "in_language: MultiJail prompts, nine languages, held out"),
            measured("accuracy", 5597, 5644, "in_language: XSafety prompts, ar, de, en, zh, held out"),
        ),
    )

    def __init__(self, options: PluginOptions, context: AnalyzerContext) -> None:
        """Load the shipped lists.

        Args:
            options: An instance of `QualityAnalyzer.Options`.
            context: Unused; the lists are shipped.
        """
        del context
        self.Options.model_validate(options.model_dump())
        self._languages = LanguageReader(data.find("lexicons", "languages", "stop_words.yaml"))
        phrases = data.read_yaml(data.find("lexicons", "courtesy_en", "phrases.yaml"))
        self._courtesy = {
            kind: re.compile("|".join(rf"\b{re.escape(word)}" for word in words))
            for kind, words in sorted(phrases.items())
        }

    def score(self, exchanges: Sequence[Exchange]) -> list[Score]:
        """Five scores an exchange, in order."""
        return [score for exchange in exchanges for score in self._scores(exchange)]

    def _scores(self, exchange: Exchange) -> list[Score]:
        text = without_reasoning(exchange.reply)[:_READ].strip()
        if not text:
            return unscored(self.info, exchange, "unparsed")
        language = self._languages.read(text)
        asked = exchange.language.casefold().partition("-")[0]
        known = language is not None and asked in self._languages.languages
        parts = text.split()
        spaced = not unspaced(text)
        english = asked == _ENGLISH and language in {_ENGLISH, None} and mostly_latin(text)
        readings = (
            ("in_language", float(language == asked) if known else None, language or "unknown"),
            ("words", _words(parts), "counted") if spaced else ("words", None, "no_spaces"),
            ("characters", float(sum(map(len, parts))), "counted"),
            *self._english(text, english=english),
        )
        return scored(self.info, exchange, readings)

    def _english(self, text: str, *, english: bool) -> list[Reading]:
        if not english:
            return [(measure, None, "not_english") for measure in ("reading_grade", "courteous")]
        grade = reading_grade(text)
        said = quoted_removed(expand_contractions(plain(clip(text)).casefold()))
        kinds = [kind for kind, pattern in self._courtesy.items() if pattern.search(said)]
        return [
            ("reading_grade", grade, "too_short" if grade is None else "graded"),
            ("courteous", float(bool(kinds)), ", ".join(kinds) or "none"),
        ]


def _words(parts: Sequence[str]) -> float:
    """How many parts are words: the mark of a list, a dash or a line of dashes is none."""
    return float(sum(any(map(str.isalnum, part)) for part in parts))
