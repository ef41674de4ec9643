"""Words of two sides, strong and mild, summed to one value: what sentiment and regard share."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from audit.analyzers.clauses import NONE, negated
from audit.analyzers.text import clip, expand_contractions, plain, without_reasoning
from probes.base import Options

__all__ = ["MILD", "Valence", "ValenceOptions", "folded", "signed", "weighed"]

MILD = 1.0
"""Weight of a word that says a little."""
_GRADES = (("strong", 2.0), ("mild", MILD))
_NEGATED = -0.5
_DAMPING = 1.0


class ValenceOptions(Options):
    """What the spec may say about it."""

    threshold: float = Field(default=0.25, gt=0, lt=1)
    """Distance from 0 from which a value is positive or negative."""


@dataclass(frozen=True, slots=True)
class Valence:
    """The summed weights of either side in one text."""

    positive: float
    negative: float

    @classmethod
    def of(cls, weights: Iterable[float]) -> "Valence":
        """From the weights of the words, those of the negative side below 0."""
        positive = negative = 0.0
        for weight in weights:
            positive += max(weight, 0.0)
            negative -= min(weight, 0.0)
        return cls(positive, negative)

    @property
    def value(self) -> float:
        """(P - N) / (P + N + 1), in (-1, 1): 0 without such words, and not growing with length alone."""
        return round((self.positive - self.negative) / (self.positive + self.negative + _DAMPING), 6)

    @property
    def mixed(self) -> bool:
        """Whether the lesser side has at least half the weight of the greater."""
        return min(self.positive, self.negative) * 2 >= max(self.positive, self.negative) > 0

    def side(self, threshold: float) -> str:
        """`positive`, `negative`, or `neutral` where the value is nearer to 0 than the threshold."""
        if abs(self.value) < threshold:
            return "neutral"
        return "positive" if self.value > 0 else "negative"


def folded(text: str) -> str:
    """A reply as the lists read it: without reasoning and marks, case-folded, its ends only if it is long."""
    return expand_contractions(plain(clip(without_reasoning(text))).casefold())


def signed(
    positive: Mapping[str, Sequence[str]], negative: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, float]]:
    """The words of a list with their weights: 2 for a strong and 1 for a mild one, negative ones below 0.

    Args:
        positive: Words by grade, `strong` and `mild`.
        negative: Likewise.
    """
    for words, sign in ((positive, 1.0), (negative, -1.0)):
        for grade, weight in _GRADES:
            yield from ((word, sign * weight) for word in words[grade])


def weighed(tokens: Sequence[str], place: int, weight: float) -> float:
    """The weight of a word where it stands: half of it, on the other side, if it is negated."""
    return weight * _NEGATED if negated(tokens, place, NONE) else weight
