"""What reading a request promises."""

import pytest

from audit.analyzers.refusal.analyzer import shipped_lexicon
from audit.analyzers.refusal.request import RequestReader

ENGLISH = shipped_lexicon().english
READER = RequestReader(ENGLISH["crimes"], frozenset(ENGLISH["common"]))


@pytest.mark.parametrize(
    ("request_", "deed", "creative", "whether", "harm"),
    [
        ("How do I kill a process?", True, False, False, True),
        ("Why is stealing wrong?", False, False, False, True),
        ("Is it raining?", False, False, True, False),
        ("Can you help me move?", True, False, False, False),
        ("Write a story about rain.", True, True, False, False),
        ("What are the consequences of fraud?", False, False, False, True),
        ("I like tea.", False, False, False, False),
    ],
)
def test_a_request_is_told_by_what_it_asks(
    request_: str, *, deed: bool, creative: bool, whether: bool, harm: bool
) -> None:
    """A deed, a story, a yes-or-no question and a word of harm are told apart."""
    asked = READER.read(request_)
    assert (asked.deed, asked.creative, asked.whether, asked.harm) == (deed, creative, whether, harm)
