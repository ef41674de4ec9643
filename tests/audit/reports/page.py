"""A page as tests read it."""

from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "img", "input", "base"}


class Page(HTMLParser):
    """Reads a page and keeps what the tests ask about."""

    def __init__(self, html: str) -> None:
        """Parse at once."""
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag and its attributes."""
        self.tags.append(tag)
        self.attributes.extend((tag, name, value or "") for name, value in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag; it needs no end."""
        self.tags.append(tag)
        self.attributes.extend((tag, name, value or "") for name, value in attrs)

    def handle_endtag(self, tag: str) -> None:
        """Every end must end what was opened last."""
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    def values(self, name: str) -> list[str]:
        """Values of an attribute, wherever it stands."""
        return [value for _, key, value in self.attributes if key == name]

    @property
    def text(self) -> str:
        """All text, with white space folded."""
        return " ".join(" ".join(self.texts).split())
