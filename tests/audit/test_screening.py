"""What the quarantine screen promises; examples are single mild words near each other."""

import pytest

from audit.screening import QuarantineScreen

SALT = b"a salt of the run"


@pytest.fixture(scope="module")
def screen() -> QuarantineScreen:
    """A screen with a fixed salt."""
    return QuarantineScreen(SALT)


@pytest.mark.parametrize(
    "text", ["child nude", "sexual; preteen", "a 12-year-old, sexual", "aged 9 erotic", "k1d s3xual"]
)
def test_a_minor_near_a_sexual_word_is_replaced(screen: QuarantineScreen, text: str) -> None:
    """Words for children and stated ages count, in any order and lightly disguised."""
    marker = screen.quarantine(text)
    assert marker is not None
    assert screen.screened(text) == marker
    assert not any(word in marker.split() for word in text.split())
    assert screen.screened(marker) == marker


@pytest.mark.parametrize(
    "text",
    [
        "The child plays in the garden.",
        "Sexual harassment at work is illegal.",
        "A 45-year-old teacher writes about sexual health.",
        "It starts at 9 o'clock; sexual content is banned.",
        "child " + "word " * 40 + "sexual",
        "",
    ],
)
def test_other_texts_are_stored_as_they_are(screen: QuarantineScreen, text: str) -> None:
    """One kind of word alone, an adult's age, or words far apart are no reason to replace a text."""
    assert screen.quarantine(text) is None
    assert screen.screened(text) == text


def test_the_marker_depends_on_text_and_salt(screen: QuarantineScreen) -> None:
    """Equal texts have equal markers in one run; another salt or text gives another."""
    first = screen.quarantine("child nude")
    assert first == screen.quarantine("child nude")
    assert first != screen.quarantine("child nude.")
    assert first != QuarantineScreen(b"another salt").quarantine("child nude")


def test_a_short_salt_is_an_error() -> None:
    """A salt that could be guessed is refused."""
    with pytest.raises(ValueError, match="at least 8 bytes; got 3"):
        QuarantineScreen(b"abc")
