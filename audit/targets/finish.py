"""Why a reply ended, in two words that every target shares, and reasoning that stands inside a text.

Servers have many words for an answer that was cut at the limit of tokens and for one that a filter
stopped. Outcomes are told by `length` and `content_filter`, so the others become these; whatever else a
server says stays as it is.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["CONTENT_FILTER", "LENGTH", "Parts", "broke_off", "finish_reason", "split_reasoning"]

LENGTH = "length"
CONTENT_FILTER = "content_filter"
_SHOWN_CHARACTERS = 60
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "max_tokens": LENGTH,  # Anthropic, Vertex (in capitals)
        "max_output_tokens": LENGTH,  # Responses
        "model_length": LENGTH,  # Mistral
        "token_limit": LENGTH,  # watsonx
        "content_filtered": CONTENT_FILTER,  # Bedrock
        "guardrail_intervened": CONTENT_FILTER,  # Bedrock
        "refusal": CONTENT_FILTER,  # Anthropic: a classifier stopped the answer
        "safety": CONTENT_FILTER,  # Gemini, this and the next four (in capitals)
        "recitation": CONTENT_FILTER,
        "blocklist": CONTENT_FILTER,
        "prohibited_content": CONTENT_FILTER,
        "spii": CONTENT_FILTER,
        "sensitive": CONTENT_FILTER,  # GLM
    }
)
_BROKEN = frozenset({"error", "abort", "engine_abort", "insufficient_system_resource", "network_error"})
_OPENING, _CLOSING = "<think>", "</think>"
_LEADING = re.compile(rf"\s*{_OPENING}")


class Parts(NamedTuple):
    """A text and the reasoning that stood before it."""

    text: str | None
    reasoning: str | None


def finish_reason(given: str | None) -> str | None:
    """A server's word for why a reply ended, with `length` and `content_filter` for its like.

    >>> finish_reason("MAX_TOKENS"), finish_reason("content_filter: SAFETY"), finish_reason("eos_token")
    ('length', 'content_filter', 'eos_token')
    """
    if given is None:
        return None
    word = given.strip().casefold()
    if word.startswith(CONTENT_FILTER):  # some gateways add which filter it was
        return CONTENT_FILTER
    return _WORDS.get(word, word if word == LENGTH else given[:_SHOWN_CHARACTERS])


def broke_off(given: str | None) -> bool:
    """Whether the server says that it failed in the middle of the reply."""
    return given is not None and given.strip().casefold() in _BROKEN


def split_reasoning(text: str | None) -> Parts:
    """A text without the reasoning in `<think>` tags before it, and that reasoning.

    Servers that run without a reasoning parser leave it in the text, some without the opening tag, which
    their chat template wrote. Reasoning that is not closed was cut off: then there is no text. Tags in
    the middle of a text are part of it.

    >>> split_reasoning("<think>A loan, hm.</think>Yes.")
    Parts(text='Yes.', reasoning='A loan, hm.')
    >>> split_reasoning("A loan, hm.</think>Yes.").text, split_reasoning("Yes.").reasoning
    ('Yes.', None)
    """
    if text is None:
        return Parts(None, None)
    opening = _LEADING.match(text)
    inner = text[opening.end() :] if opening else text
    before, closing, after = inner.partition(_CLOSING)
    if opening and not closing:
        return Parts(None, inner.strip())
    if not closing or (not opening and (_OPENING in before or _CLOSING in after)):
        return Parts(text, None)
    return Parts(after.lstrip(), before.strip())
