"""What a set of examples consists of, counted as they go by."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from audit.retraining.records import Example

__all__ = ["COUNTED", "Composition"]

COUNTED = ("kind", "attribute", "group", "merit level", "source", "split", "licence")
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
            origin.attribute or "none",
            origin.group or "none",
            origin.merit or "none",
            origin.source.value,
            origin.split,
            origin.licence,
        )
        for name, value in zip(COUNTED, values, strict=True):
            self.counts[name][value] += 1
