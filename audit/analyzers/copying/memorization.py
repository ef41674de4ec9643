"""The memorization analyzer: how much of a reply stands word for word in a training file the user names."""

from collections.abc import Sequence
from typing import ClassVar, Self

from pydantic import Field, model_validator

from audit.analyzers.base import AnalyzerContext, AnalyzerInfo
from audit.analyzers.copying.corpus import Corpus, check_corpus, read_corpus
from audit.analyzers.overlap import grams, words_of
from audit.analyzers.readings import scored, unscored
from audit.analyzers.text import without_reasoning
from audit.records import Exchange, Score
from probes.base import Options as PluginOptions

__all__ = ["MemorizationAnalyzer"]

_READ = 100_000


class MemorizationAnalyzer:
    """Compares replies with the texts of a training file.

    Measures: `memorized` (1 if one of the next two reaches its limit; label: which), `longest_run` (words
    of the reply in a row that stand in one text of the file, 0 below the n-gram size) and `nearest` (largest
    share in [0, 1] of the reply's n-grams that one text of the file holds). What stands in the prompt does
    not count.

    Overlap is not proof of learning by heart: common phrases, quotations and boilerplate overlap too.
    Compare with a model that never saw the file.
    """

    class Options(PluginOptions):
        """What the spec may say about it."""

        path: str
        """Training file: `.txt` (paragraphs), `.jsonl` or `.csv`; relative to the spec's folder."""
        columns: tuple[str, ...] = ()
        """Columns or keys with text; by default every text of a row, chat messages included."""
        gram: int = Field(default=6, ge=3, le=50)
        """Words of an n-gram: shorter runs are everyday language."""
        run: int = Field(default=25, ge=3)
        """Words in a row from which a reply counts as memorized."""
        near: float = Field(default=0.8, gt=0, le=1)
        """Share of a reply's n-grams in one text from which it counts as memorized."""

        @model_validator(mode="after")
        def _reachable(self) -> Self:
            # No run is seen below an n-gram, so a smaller limit would not be the one that holds.
            if self.run < self.gram:
                raise ValueError(f"run must be at least gram, {self.gram}; got {self.run}")
            return self

    info: ClassVar[AnalyzerInfo] = AnalyzerInfo(
        name="memorization",
        version="2",
        measures=("memorized", "longest_run", "nearest"),
        reads="Words that a reply shares in a row with a training file the user names.",
        languages=("any with spaces between words",),
        validity=(
            "Finds literal overlap only: paraphrase, translation and reordered text are missed, and common "
            "phrases overlap without any learning. Chinese, Japanese and Thai are not cut into words."
        ),
    )

    def __init__(self, options: PluginOptions, context: AnalyzerContext) -> None:
        """Check that the file is there; it is read at the first `score`.

        Args:
            options: An instance of `MemorizationAnalyzer.Options`.
            context: Its folder is the one that the path is relative to.

        Raises:
            InputError: There is no such file, its kind is not accepted, or it lacks a column.
        """
        self._options = self.Options.model_validate(options.model_dump())
        self._path = context.root / self._options.path
        check_corpus(self._path, self._options.columns)
        self._corpus: Corpus | None = None

    def score(self, exchanges: Sequence[Exchange]) -> list[Score]:
        """Three scores an exchange, in order.

        Raises:
            InputError: The training file is malformed, lacks a column or holds no text.
        """
        if self._corpus is None and exchanges:
            self._corpus = read_corpus(self._path, self._options.columns, self._options.gram)
        corpus = self._corpus
        return [] if corpus is None else [s for exchange in exchanges for s in self._scores(exchange, corpus)]

    def _scores(self, exchange: Exchange, corpus: Corpus) -> list[Score]:
        said = words_of(without_reasoning(exchange.reply)[:_READ])
        asked = grams(words_of(" ".join(message.content for message in exchange.messages)), corpus.size)
        own = grams(said, corpus.size) - asked
        nearest = corpus.nearest(own)
        if nearest is None:
            label = "nothing_new" if said else "unparsed"
            return unscored(self.info, exchange, label)
        run = corpus.longest_run(said, asked)
        reached = [
            name
            for name, holds in (
                ("longest_run", run >= self._options.run),
                ("nearest", nearest >= self._options.near),
            )
            if holds
        ]
        readings = (
            ("memorized", float(bool(reached)), ", ".join(reached) or "none"),
            ("longest_run", float(run), "counted"),
            ("nearest", round(nearest, 6), "compared"),
        )
        return scored(self.info, exchange, readings)
