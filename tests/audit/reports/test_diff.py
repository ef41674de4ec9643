"""The word diff: loses nothing, marks what differs, and stays quick on hostile texts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.reports.diff import MOST_CHARACTERS, Passage, compared, whole


def joined(passage: Passage) -> str:
    """The text of a passage's segments."""
    return "".join(segment.text for segment in passage.segments)


@settings(max_examples=100)
@given(first=st.text(max_size=80), second=st.text(max_size=80))
def test_both_texts_come_back_whole(first: str, second: str) -> None:
    """Marking words neither drops nor changes a character of either text."""
    left, right = compared(first, second)
    assert (joined(left), joined(right)) == (first, second)


@settings(max_examples=50)
@given(text=st.text(max_size=80))
def test_equal_texts_have_no_mark(text: str) -> None:
    """Nothing is marked where nothing differs."""
    assert not any(segment.differs for passage in compared(text, text) for segment in passage.segments)


def test_words_that_differ_are_marked() -> None:
    """Just the words in which the texts differ are marked."""
    left, right = compared("Mr Lee, 40, asks", "Ms Lee, 40, asks")
    assert [segment.text for segment in left.segments if segment.differs] == ["Mr "]
    assert [segment.text for segment in right.segments if segment.differs] == ["Ms "]


def test_long_text_is_folded_around_its_difference() -> None:
    """The preview of a long text keeps what differs and counts what it cuts."""
    filler = "same words again " * 100
    left, _ = compared(f"{filler}Anna {filler}", f"{filler}Omar {filler}")
    assert any(segment.differs and segment.text == "Anna " for segment in left.preview)
    assert any(segment.cut and "1,480 characters" in segment.text for segment in left.preview)
    assert sum(len(segment.text) for segment in left.preview) < 800


def test_huge_text_is_cut_and_counted() -> None:
    """A text beyond the limit is shown up to it, and the rest is counted."""
    passage = whole("ab " * 50_000)
    assert len(joined(passage)) == MOST_CHARACTERS
    assert passage.left_out == 150_000 - MOST_CHARACTERS


def test_repetitive_texts_do_not_take_long() -> None:
    """Texts made to be slow to compare are compared without marks, or quickly."""
    left, right = compared("a b " * 700, "b c a " * 470)
    assert joined(left) == "a b " * 700
    assert joined(right) == "b c a " * 470
