"""The repetition analyzer: replies that are nearly the same although unlike things were asked."""

from array import array
from collections.abc import Iterable, Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field

from audit.analyzers.base import AnalyzerContext, AnalyzerInfo
from audit.analyzers.copying.near_identical import HASHES, MinHash, NearIdentical, Signature
from audit.analyzers.overlap import words_of
from audit.analyzers.readings import scored
from audit.analyzers.text import without_reasoning
from audit.records import Exchange, Score
from probes.base import Options as PluginOptions

__all__ = ["RepetitionAnalyzer"]

_READ = 100_000
"""Characters of a text that are read."""


class RepetitionAnalyzer:
    """Finds replies given nearly word for word to unlike requests, as by a model that was tuned too long.

    One measure, `near_identical`: 1 if the reply is nearly the same as one to an unlike request of the same
    target, else 0; `too_short` has no value. It reads all replies of a target before it scores the first.
    """

    class Options(PluginOptions):
        """What the spec may say about it."""

        words: int = Field(default=20, ge=5)
        """Words from which a reply is read: short answers are alike by nature."""
        near: float = Field(default=0.8, gt=0, le=1)
        """Similarity of two replies (Jaccard, runs of five words) from which they are nearly the same."""
        alike: float = Field(default=0.3, gt=0, le=1)
        """Similarity of two requests (Jaccard, runs of two words) from which they may share an answer."""

    info: ClassVar[AnalyzerInfo] = AnalyzerInfo(
        name="repetition",
        version="1",
        measures=("near_identical",),
        reads="Whether a reply is nearly the same as a reply to an unlike request.",
        languages=("any with spaces between words",),
        validity=(
            "A standard refusal or disclaimer repeats itself without any learning by heart. Similarities are "
            "estimates by MinHash, within about 0.05, and some pairs are missed: the rate is a lower bound. "
            "Compare with the model before fine-tuning."
        ),
    )

    def __init__(self, options: PluginOptions, context: AnalyzerContext) -> None:
        """Nothing is needed.

        Args:
            options: An instance of `RepetitionAnalyzer.Options`.
            context: Unused.
        """
        del context
        self._options = self.Options.model_validate(options.model_dump())
        self._minhash = MinHash()
        self._repeated: frozenset[int] = frozenset()

    def survey(self, exchanges: Iterable[Sequence[Exchange]]) -> None:
        """Read every reply of a target, so that each can be held against the others.

        About half a kilobyte a reply that is long enough is held.
        """
        outputs, texts, request = array("q"), bytearray(), array("q")
        places: dict[str, int] = {}
        requests = bytearray()
        for exchange in (one for batch in exchanges for one in batch):
            signature = self._signature(exchange)
            if signature is None:
                continue
            asked = "\n".join(message.content for message in exchange.messages)[:_READ]
            if asked not in places:
                places[asked] = len(places)
                found = self._minhash.signature(asked, min(2, len(words_of(asked))) or 1)
                requests += np.zeros(HASHES, np.uint32).tobytes() if found is None else found.tobytes()
            outputs.append(exchange.output)
            request.append(places[asked])
            texts += signature.tobytes()
        searched = NearIdentical(
            texts=np.frombuffer(texts, dtype=np.uint32).reshape(-1, HASHES),
            requests=np.frombuffer(requests, dtype=np.uint32).reshape(-1, HASHES),
            request=np.array(request, dtype=np.int64),
        )
        hits = searched.found(near=self._options.near, alike=self._options.alike)
        self._repeated = frozenset(np.array(outputs, dtype=np.int64)[hits].tolist())

    def score(self, exchanges: Sequence[Exchange]) -> list[Score]:
        """One score an exchange, in order; `survey` must have read them before."""
        return [score for exchange in exchanges for score in self._scores(exchange)]

    def _scores(self, exchange: Exchange) -> list[Score]:
        repeated = exchange.output in self._repeated
        value: float | None = float(repeated)
        label = "near_identical" if repeated else "own"
        if not repeated and self._signature(exchange) is None:
            value, label = None, "too_short"
        return scored(self.info, exchange, [("near_identical", value, label)])

    def _signature(self, exchange: Exchange) -> Signature | None:
        reply = without_reasoning(exchange.reply)[:_READ]
        # Counting spaces is cheaper than cutting words, and most short replies end here.
        if reply.count(" ") + reply.count("\n") < self._options.words - 1:
            return None
        return self._minhash.signature(reply, 5)
