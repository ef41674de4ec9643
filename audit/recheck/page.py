"""Cards as files: JSON to recompute, Markdown to quote, HTML to read; what a claim says is escaped."""

import re
from collections.abc import Sequence
from pathlib import Path

from audit.atomic import write_text
from audit.recheck.card import Bounds, Card
from audit.reports.page import page_environment, style_of
from audit.reports.words import level_words, printable

__all__ = ["FIELDS", "card_rows", "render_html", "render_markdown", "write_cards"]

FIELDS = (
    "Published",
    "Recomputed",
    "Rows as independent",
    "Clusters",
    "Other intervals",
    "Design effect",
    "Outcome",
)
"""Names of the first rows of a card, in order."""

_LAYOUT, _STYLE = "cards.html.j2", "cards.css"
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~&-])")
_UNSAFE_NAME = re.compile(r"[^A-Za-z0-9_-]+")


def write_cards(cards: Sequence[Card], folder: Path) -> list[Path]:
    """Write every card as `NAME.json` and `NAME.md`, and all of them as `cards.html`, atomically.

    Args:
        cards: At least one, of different names.
        folder: Where to; made if it does not exist, files of these names are replaced.

    Returns:
        Paths of the files, in order.

    Raises:
        InputError: The folder cannot be written or the disk is full.
    """
    written: list[Path] = []
    taken: set[str] = set()
    for card in cards:
        plain = _UNSAFE_NAME.sub("-", card.claim.name).strip("-")[:80] or "card"
        name, times = plain, 1
        # Some file systems take x and X for one name.
        while name.casefold() in taken:
            times += 1
            name = f"{plain}-{times}"
        taken.add(name.casefold())
        texts = {".json": card.model_dump_json(indent=1) + "\n", ".md": render_markdown(card)}
        for suffix, text in texts.items():
            path = folder / f"{name}{suffix}"
            write_text(path, text)
            written.append(path)
    page = folder / "cards.html"
    write_text(page, render_html(cards))
    return [*written, page]


def card_rows(card: Card) -> list[tuple[str, str]]:
    """What a card states, as pairs of a name and a text in plain words."""
    claim = card.claim
    rows = [
        ("Published", _published(card)),
        ("Recomputed", f"{_digits(card, card.figure)} from {card.n_rows:,} {card.unit}s"),
        ("Rows as independent", _span(card, card.rows_as_independent)),
        ("Clusters", _clusters(card)),
        ("Other intervals", "; ".join(_span(card, one) for one in card.others) or "none"),
        ("Design effect", "not stated" if card.design_effect is None else f"{card.design_effect:.2f}"),
        ("Outcome", card.outcome),
    ]
    if card.p_value is not None and card.p_adjusted is not None:
        tests = len(card.family)
        rows.append(("p", f"{card.p_value:.3g}, adjusted {card.p_adjusted:.3g} over {tests} rechecked"))
    rows += [
        ("Left out", f"{card.n_left_out:,} of {card.n_read:,} rows"),
        ("Statistic", f"{claim.statistic}, level {level_words(claim.level)}, seed {claim.seed}"),
        ("Source", claim.source + (f" ({claim.url})" if claim.url else "")),
        ("File", f"{claim.file.path}, SHA-256 {card.file_sha256}"),
        ("Claim file", f"SHA-256 {card.claim_sha256}"),
        ("Made with", ", ".join([card.tool, *(f"{name} {one}" for name, one in card.libraries.items())])),
    ]
    return rows


def render_markdown(card: Card) -> str:
    """One card as Markdown; nothing of the claim's text is read as markup.

    Args:
        card: What to show.
    """
    lines = [
        f"# {_plain(card.claim.name)}",
        "",
        _plain(card.claim.claim),
        "",
        f"**{_plain(card.verdict)}**",
        "",
    ]
    lines += ["| | |", "| --- | --- |"]
    lines += [f"| {name} | {_plain(text)} |" for name, text in card_rows(card)]
    lines += ["", "## What this does not show", ""]
    lines += [f"- {_plain(one)}" for one in card.cannot_show]
    return "\n".join(lines) + "\n"


def render_html(cards: Sequence[Card]) -> str:
    """Cards as one page without script, under a policy that admits its style sheet and nothing else.

    Args:
        cards: What to show.
    """
    environment = page_environment("audit.recheck")
    shown = [(card, card_rows(card)) for card in cards]
    return environment.get_template(_LAYOUT).render(cards=shown, **style_of(environment, _STYLE))


def _published(card: Card) -> str:
    """The figure; one that was never printed says so, since having it again proves the arithmetic only."""
    if card.claim.basis == "printed":
        return f"{card.claim.published} (as printed)"
    return f"{card.claim.published} (derived figure: made from this release, not printed in the source)"


def _digits(card: Card, value: float | None) -> str:
    if value is None:
        return "no value"
    return f"{value:.{len(card.claim.published.partition('.')[2]) + 1}f}"


def _span(card: Card, bounds: Bounds | None) -> str:
    if bounds is None:
        return "no interval"
    return f"[{_digits(card, bounds.low)}, {_digits(card, bounds.high)}], {bounds.method}"


def _clusters(card: Card) -> str:
    if card.n_clusters is None:
        return f"{_span(card, card.interval)}, no cluster column named"
    return f"{_span(card, card.interval)}, of {card.n_clusters:,} clusters"


def _plain(text: str) -> str:
    """A text on one line in which Markdown and HTML have no meaning."""
    escaped = _MARKDOWN.sub(r"\\\1", " ".join(printable(text).split()))
    return escaped.replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\\&", "&amp;")
