"""What a set of examples consists of, counted as they go by."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from audit.retraining.records import HELD_OUT_KEYS, Example

__all__ = ["COUNTED", "Composition"]

COUNTED = ("kind", "strategy", "attribute", "group", "technique", "merit level", "source", "split", "licence")
"""What examples are counted by."""


@dataclass(slots=True)
class Composition:
    """Counts of examples by what the card tells of them."""

    examples: int = 0
    pairs: int = 0
    """Examples with a rejected answer."""
    chosen_characters: int = 0
    """Of the preferred answers of pairs."""
    rejected_characters: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in COUNTED})
    _seen: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def counted(self, examples: Iterable[Example]) -> Iterator[Example]:
        """The same examples, each counted as it goes by."""
        for example in examples:
            self.add(example)
            yield example

    def add(self, example: Example) -> None:
        """Count one example."""
        origin = example.origin
        self.examples += 1
        if example.rejected is not None:
            self.pairs += 1
            self.chosen_characters += len(example.answer)
            self.rejected_characters += len(example.rejected)
        values = (
            origin.kind.value,
            f"{origin.strategy} {origin.strategy_version}",
            origin.attribute or "none",
            origin.group or "none",
            origin.technique or "none",
            origin.merit or "none",
            origin.source.value,
            origin.split,
            origin.licence,
        )
        for name, value in zip(COUNTED, values, strict=True):
            self.counts[name][value] += 1
        for key in HELD_OUT_KEYS:
            touched = getattr(origin, key)
            if touched is not None:
                self._seen[key].add(touched)

    def strategies(self) -> tuple[str, ...]:
        """Strategies that made examples, each with its version, sorted."""
        return tuple(sorted(self.counts["strategy"]))

    def seen(self) -> dict[str, tuple[str, ...]]:
        """Values that examples touch, by key, sorted."""
        return {key: tuple(sorted(self._seen[key])) for key in sorted(self._seen)}
