"""How long texts are in tokens where nobody counted them: rough figures, for estimates that say so."""

__all__ = ["ASSUMED_REPLY_TOKENS", "CHARACTERS_A_TOKEN", "estimated_tokens"]

CHARACTERS_A_TOKEN = 4
"""Rough length of a token of English. Source: OpenAI's tokenizer page."""
ASSUMED_REPLY_TOKENS = 150
"""Length of a reply that nothing limits, as a plan assumes it; replies to decisions are shorter."""


def estimated_tokens(characters: int) -> int:
    """Roughly how many tokens a text of so many characters has, rounded up.

    >>> estimated_tokens(9)
    3
    """
    return -(-characters // CHARACTERS_A_TOKEN)
