"""Which option a letter or number stands for: by the list in the prompt, else by the order of the options."""

import re
from collections.abc import Mapping, Sequence

from audit.analyzers.text import bare, expand_contractions, plain

__all__ = ["LETTER", "LETTER_LEAD", "lettered"]

LETTER = re.compile(r"\(?(?:option|choice|answer)?[ :(]*\b([a-h1-9])\b ?[).:\]]?$")
"""A text that is nothing but a letter."""
LETTER_LEAD = re.compile(
    r"(?:the )?(?:(?:correct |best |right )?(?:option|choice|answer)(?: is)?[ :]*)?"
    r"(?:\(([a-h])\)|([a-h])[).:](?= |$)|option ([a-h])\b)"
)
"""A text that begins with a letter."""
_INLINE = re.compile(
    r"(?:^|[\s(\[])([A-Ha-h1-9])[).:\]]\s*([^\n]{1,200}?)(?=\s+\(?[A-Ha-h1-9][).]\s|\n|$)", re.MULTILINE
)
_BY_LINE = re.compile(
    r"^[ \t]*(?:[-\u2022|>] ?)?(?:option |choice |answer )?[(\[]?([A-Ha-h1-9])[)\]]?"
    r"(?:[ \t]*(?:[).:=|]|-+>|[-\u2013\u2014\u2192])+[ \t]*|[ \t]+)([^\n]{1,200})$",
    re.MULTILINE | re.IGNORECASE,
)
_EDGE_PROMPT = 4000
"""Characters read at the end of the prompt."""
_LEAST_BY_ORDER = 3


def lettered(letter: str, prompt: str, exact: Mapping[str, int], options: Sequence[str]) -> int | None:
    """The option that the prompt lists under a letter or number; by order if it lists none.

    What is listed must be an option, so hardly any layout is mistaken for a list. The order of the options
    goes for letters only, of three options or more, and only where the prompt does not name them in another
    order: it may have given letters to them in a layout that is not known here.

    Args:
        letter: Lower case.
        prompt: The user's last message.
        exact: Folded text of each option -> its index.
        options: The folded options in order.
    """
    end = plain(prompt[-_EDGE_PROMPT:])
    listed = [(mark.casefold(), _folded(text)) for mark, text in _INLINE.findall(end) + _BY_LINE.findall(end)]
    known = {mark: exact[text] for mark, text in listed if text in exact}
    if known:
        return known.get(letter)
    index = ord(letter) - ord("a")
    if len(options) < _LEAST_BY_ORDER or not 0 <= index < len(options):
        return None
    named = [place for text in options if (place := _last_place(text, end)) is not None]
    return index if named == sorted(named) else None


def _folded(text: str) -> str:
    return expand_contractions(bare(text))


def _last_place(option: str, prompt: str) -> int | None:
    places = [
        match.start()
        for match in re.finditer(rf"(?<!\w){re.escape(option)}(?!\w)", expand_contractions(prompt.casefold()))
    ]
    return places[-1] if places else None
