"""Cards as files: nothing of a claim is read as markup, and JSON reads back."""

from html.parser import HTMLParser
from pathlib import Path

from audit.recheck import Card, Claim, LoadedClaim, read_card, recheck, write_cards

HOSTILE = '<img src=x onerror="alert(1)"> | [x](javascript:1) \u202e **bold**'


def hostile_card(folder: Path) -> Card:
    """A card whose claim tries to break out of page and table."""
    rows = [f"t{n % 15},{'yes' if n % 3 else 'no'}" for n in range(60)]
    (folder / "said.csv").write_text("template,said\n" + "\n".join(rows) + "\n")
    claim = Claim.model_validate(
        {
            "version": 1,
            "name": "../" + HOSTILE,
            "claim": HOSTILE,
            "published": "66.7",
            "scale": 100,
            "source": HOSTILE,
            "file": {"path": "said.csv"},
            "statistic": "rate",
            "columns": {"outcome": "said", "cluster": "template"},
            "positive": ("yes",),
            "neutral": 50,
            "cannot_show": (HOSTILE,),
        }
    )
    (card,) = recheck([LoadedClaim(claim=claim, sha256="0" * 64)], [folder])
    return card


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep every tag."""
        self.seen.append((tag, dict(attrs)))


def test_files_hold_the_card_and_stay_in_their_folder(tmp_path: Path) -> None:
    """JSON reads back as the card; a name with a path in it stays a name."""
    card = hostile_card(tmp_path)
    written = write_cards([card], tmp_path / "out")
    assert {path.parent for path in written} == {tmp_path / "out"}
    assert [path.suffix for path in written] == [".json", ".md", ".html"]
    assert read_card(written[0]) == card


def test_no_card_takes_the_place_of_another(tmp_path: Path) -> None:
    """Names that come to one file name, also after renaming or in another case, are files of their own."""
    card = hostile_card(tmp_path)
    names = ["x-2", "x", "x!", "x?", "X"]
    cards = [card.model_copy(update={"claim": card.claim.model_copy(update={"name": n})}) for n in names]
    written = [path for path in write_cards(cards, tmp_path / "out") if path.suffix == ".json"]
    assert [read_card(path).claim.name for path in written] == names
    assert len({path.name.casefold() for path in written}) == len(names)


def test_the_page_runs_nothing_and_requests_nothing(tmp_path: Path) -> None:
    """The claim's text stays text, and the policy forbids the rest."""
    page = write_cards([hostile_card(tmp_path)], tmp_path / "out")[-1].read_text(encoding="utf-8")
    tags = _Tags()
    tags.feed(page)
    assert not {tag for tag, _ in tags.seen} & {"script", "img", "link", "iframe", "object", "form", "a"}
    assert not any(name.startswith("on") for _, attributes in tags.seen for name in attributes)
    assert "default-src 'none'" in page
    assert "\u202e" not in page


def test_markdown_is_taken_literally(tmp_path: Path) -> None:
    """No link, no tag, no further table cell comes from a claim."""
    text = write_cards([hostile_card(tmp_path)], tmp_path / "out")[1].read_text(encoding="utf-8")
    assert "<img" not in text
    assert "[x](" not in text
    assert "\u202e" not in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert all(line.replace("\\|", "").count("|") == 3 for line in rows)


def test_the_card_says_figure_and_both_intervals(tmp_path: Path) -> None:
    """Published, recomputed, rows as independent and clusters stand one below the other, in percent."""
    text = write_cards([hostile_card(tmp_path)], tmp_path / "out")[1].read_text(encoding="utf-8")
    assert "| Published | 66.7" in text
    assert "| Recomputed | 66.67 from 60 rows |" in text
    assert "of 15 clusters" in text
    assert "What this does not show" in text
