"""Reading the documentation: pages, sections, tables, fenced blocks and links."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "DOCS",
    "ROOT",
    "Block",
    "anchors",
    "blocks",
    "default_cells",
    "inline_code",
    "links",
    "pages",
    "section",
    "without_blocks",
]

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block of a page."""

    page: str
    language: str
    text: str


def pages() -> list[Path]:
    """Every Markdown page that users and contributors read."""
    return [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]


def blocks(*languages: str) -> list[Block]:
    """Fenced blocks of all pages in one of these languages."""
    return [
        Block(page=page.relative_to(ROOT).as_posix(), language=language, text=textwrap.dedent(text))
        for page in pages()
        for language, text in _FENCE.findall(page.read_text(encoding="utf-8"))
        if language in languages
    ]


def without_blocks(text: str) -> str:
    """A page's text without its fenced blocks."""
    return _FENCE.sub("", text)


def section(page: Path, title: str) -> str:
    """What stands under a heading, its sub-headings included; empty if there is no such heading."""
    text = page.read_text(encoding="utf-8")
    found = [(match.start(), len(match[1]), match[2]) for match in _HEADING.finditer(text)]
    for index, (start, depth, heading) in enumerate(found):
        if heading == title:
            later = (place for place, other, _ in found[index + 1 :] if other <= depth)
            return text[start : next(later, len(text))]
    return ""


def default_cells(text: str) -> dict[str, str]:
    """Name to default of tables whose columns are name, type, default and meaning."""
    rows = re.findall(r"^\| `([^`]+)` \| (?:[^|]*) \| ([^|]*) \| [^|]* \|$", text, re.MULTILINE)
    return {name: default.strip() for name, default in rows}


def inline_code(text: str) -> Iterator[str]:
    """What stands between single backticks outside fenced blocks."""
    yield from re.findall(r"`([^`\n]+)`", without_blocks(text))


def links(page: Path) -> list[str]:
    """Targets of a page's links that stay inside the project."""
    found = _LINK.findall(without_blocks(page.read_text(encoding="utf-8")))
    return [target for target in found if "://" not in target]


def anchors(page: Path) -> set[str]:
    """What a link into a page may name after the `#`."""
    headings = [match[2] for match in _HEADING.finditer(without_blocks(page.read_text(encoding="utf-8")))]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
