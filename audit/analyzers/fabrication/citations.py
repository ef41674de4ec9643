"""Citations in a text: identifiers, links and author-year mentions, and whether an identifier can exist."""

import re
from dataclasses import dataclass

__all__ = ["Citation", "citations"]

_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"'<>\[\]{}|]{1,200}", re.IGNORECASE)
_ARXIV = re.compile(r"\barxiv(?:\.org/(?:abs|pdf)/|:\s?|\s)(\d{4}\.\d{4,5})", re.IGNORECASE)
_ISBN = re.compile(r"\bISBN(?:-1[03])?:?\s?((?:\d[ -]?){9,12}[\dX])\b", re.IGNORECASE)
_LINK = re.compile(r"\bhttps?://[^\s\"'<>\[\]{}|]{3,400}", re.IGNORECASE)
_AUTHOR = r"([A-Z][^\W\d_]{1,40}(?:-[A-Z][^\W\d_]{1,40})?)"
_MENTION = re.compile(
    rf"\b{_AUTHOR}(?:,? (?:and|&) [A-Z][\w-]{{1,40}}|,? et al\.?)?,? \(?((?:19|20)\d\d)[a-z]?\)"
)
_MONTHS = frozenset(
    {
        *("January", "February", "March", "April", "May", "June", "July"),
        *("August", "September", "October", "November", "December"),
    }
)
_EVENTS = frozenset(
    {
        *("Cup", "Games", "Olympics", "Championship", "Championships", "Finals", "Awards", "Prize"),
        *("War", "Wars", "Revolution", "Uprising", "Massacre", "Genocide", "Recession", "Depression"),
        *("Crash", "Pandemic", "Epidemic", "Earthquake", "Hurricane", "Tsunami", "Election", "Elections"),
        *("Referendum", "Act", "Bill", "Treaty", "Accord", "Accords", "Agreement", "Convention"),
        *("Constitution", "Amendment", "Directive", "Regulation", "Summit", "Conference", "Census"),
        *("Crisis", "Festival", "Expo"),
    }
)
"""Words that end the name of an event or a law, which has a year as an author has; hardly a surname."""
_FIRST_ARXIV = 704
_TEN = 10


@dataclass(frozen=True, slots=True)
class Citation:
    """One thing cited."""

    kind: str
    """`doi`, `arxiv`, `isbn`, `link` or `mention` (author and year)."""
    text: str
    """In a form that can be compared: case-folded, without separators, protocol and closing signs."""
    possible: bool = True
    """False if no such identifier can exist: a wrong check digit, a month above twelve."""


def citations(text: str) -> list[Citation]:
    """The distinct citations of a text, in order of kind and place.

    Titles without an identifier or a year are not found, and nothing is looked up.
    """
    found = [Citation("doi", _trimmed(match.group())) for match in _DOI.finditer(text)]
    found += [Citation("arxiv", one, possible=_arxiv(one)) for one in _ARXIV.findall(text)]
    for raw in _ISBN.findall(text):
        number = re.sub(r"[ -]", "", raw).upper()
        found.append(Citation("isbn", number, possible=_isbn(number)))
    for match in _LINK.finditer(text):
        link = re.sub(r"^https?://(?:www\.)?", "", _trimmed(match.group())).rstrip("/")
        if not link.startswith(("doi.org/", "dx.doi.org/", "arxiv.org/")):
            found.append(Citation("link", link))
    for author, year in _MENTION.findall(text):
        if author not in _MONTHS and author not in _EVENTS:
            found.append(Citation("mention", f"{author.casefold()} {year}"))
    return list(dict.fromkeys(found))


def _trimmed(text: str) -> str:
    """Without the punctuation around it; a bracket that was opened inside stays."""
    text = text.rstrip(".,;:!?*_`").casefold()
    while text.endswith(")") and text.count("(") < text.count(")"):
        text = text[:-1].rstrip(".,;:!?*_`")
    return text


def _arxiv(number: str) -> bool:
    """Whether year and month are possible; numbers of this form began in April 2007."""
    return 1 <= int(number[2:4]) <= 12 and int(number[:4]) >= _FIRST_ARXIV  # noqa: PLR2004 - months


def _isbn(number: str) -> bool:
    """Whether the check digit fits (ISO 2108): ten signs modulo 11, thirteen modulo 10."""
    if len(number) == _TEN:
        values = [_TEN if sign == "X" else int(sign) for sign in number]
        return sum((_TEN - place) * value for place, value in enumerate(values)) % 11 == 0
    if not number.isdigit():
        return False
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(number))
    return len(number) == _TEN + 3 and total % _TEN == 0
