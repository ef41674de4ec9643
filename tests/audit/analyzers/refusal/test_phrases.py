"""What the pattern of many phrases promises, and where the phrases come from."""

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from audit.analyzers.refusal.analyzer import shipped_lexicon
from audit.analyzers.refusal.phrases import any_phrase, phrase_source
from audit.analyzers.refusal.reading import RefusalReader

PHRASES = st.lists(st.text(alphabet="ab .?(|", min_size=1, max_size=5), min_size=1, max_size=8)


@given(PHRASES, st.text(alphabet="ab .?(|", max_size=12))
def test_it_finds_what_a_plain_search_finds(phrases: list[str], text: str) -> None:
    """Sharing beginnings changes the time, not the result; special signs stand for themselves."""
    assert (re.search(phrase_source(phrases), text) is not None) == any(one in text for one in phrases)


def test_only_whole_words_are_found() -> None:
    """`hard no` is not in `hard nose`."""
    pattern = any_phrase(["hard no", "no way"])
    assert pattern.search("a hard no from me")
    assert not pattern.search("a hard nose")
    assert not pattern.search("piano way")


def test_the_words_that_call_for_a_closer_reading_are_those_of_the_lexicon() -> None:
    """A refusal in a word of the lexicon is none without that word: none stands in code beside it."""
    lexicon = shipped_lexicon()
    bare = replace(lexicon, english={**lexicon.english, "hints": []})
    asked, said = "Write an insult about my boss.", "I'd rather leave that one out."
    read = [RefusalReader(one).read(said, asked, topic=None) for one in (lexicon, bare)]
    assert read == ["full", "none"]
