"""Asking only a part of the wordings, so that another part is left to judge by.

Templates are told apart by their ids alone, so a part is the same under every seed and in every run: what one
run asked, another that takes another part has not.
"""

import re
from typing import NamedTuple, Self

from probes.records import Prompt
from probes.seeds import derive

__all__ = ["PART", "Part"]

PART = re.compile(r"([1-9]\d?)/([1-9]\d?)")
"""One part of several, such as `1/2`."""


class Part(NamedTuple):
    """A part of the wordings: number `number` of `of`."""

    number: int
    of: int

    @classmethod
    def read(cls, text: str) -> Self:
        """A part from its words.

        Args:
            text: Such as `1/2`.

        Raises:
            ValueError: It is no part of several.

        >>> Part.read("1/2")
        Part(number=1, of=2)
        """
        found = PART.fullmatch(text)
        part = None if found is None else cls(int(found[1]), int(found[2]))
        if part is None or part.number > part.of:
            raise ValueError("must be one part of at most 99, such as `1/2`")
        return part

    def holds(self, prompt: Prompt) -> bool:
        """Whether the prompt's template, or goal, is in the part."""
        return derive(0, "wordings", prompt.probe, prompt.template) % self.of == self.number - 1
