"""The page and the JSON file of a table audit."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

from audit.tables import TableDocument, TableOptions, audit_table, write_document
from audit.tables.page import render_html

HOSTILE = '<img src=x onerror="alert(1)">'


def hostile_document(folder: Path) -> TableDocument:
    """An audit of a file whose names try to break out of the page."""
    path = folder / "table.csv"
    rows = [f'"{HOSTILE.replace(chr(34), chr(34) * 2)}",{n % 2},{n % 3 % 2},{n}' for n in range(40)]
    rows += [f"b\u202e,{n % 3 % 2},1,{n}" for n in range(40)]
    path.write_text("g,y,l,s\n" + "\n".join(rows) + "\n,1,1,3\n", encoding="utf-8")
    options = TableOptions(outcome="y", favourable=("1",), groups=("g",), label="l", score="s")
    return audit_table(path, options)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep every tag."""
        self.seen.append((tag, dict(attrs)))


def test_the_page_runs_nothing_and_requests_nothing(tmp_path: Path) -> None:
    """Names from the file stay text; there is no script, no source and a policy that forbids both."""
    page = render_html(hostile_document(tmp_path))
    tags = _Tags()
    tags.feed(page)
    assert not {tag for tag, _ in tags.seen} & {"script", "img", "link", "iframe", "object", "form"}
    assert not any({"src", "href", "style"} & set(attributes) for _, attributes in tags.seen)
    assert not any(name.startswith("on") for _, attributes in tags.seen for name in attributes)
    assert "default-src 'none'" in page
    assert "&lt;img" in page
    assert "\u202e" not in page
    assert "[U+202E]" in page


def test_the_page_says_what_it_is_not(tmp_path: Path) -> None:
    """Nobody mistakes the calculation for the audit the law asks for, nor the screen for a verdict."""
    page = render_html(hostile_document(tmp_path))
    words = re.sub(r"\s+", " ", page)
    assert "a calculation, not an independent audit" in words
    assert "a screen of 29 CFR 1607.4(D), not a verdict" in words
    assert "median of the full sample" in words.lower()


def test_files_hold_the_document(tmp_path: Path) -> None:
    """`table.json` reads back as the document, and writing twice gives the same bytes."""
    document = hostile_document(tmp_path)
    as_json, as_html = write_document(document, tmp_path / "out")
    assert TableDocument.model_validate(json.loads(as_json.read_text())) == document
    before = as_html.read_bytes()
    write_document(document, tmp_path / "out")
    assert as_html.read_bytes() == before


def test_why_a_ratio_has_no_interval_stands_below_the_table(tmp_path: Path) -> None:
    """The reason is a sentence, and the column of intervals holds none."""
    path = tmp_path / "table.csv"
    rows = [f"{group},{int(n < favourable)}" for group, favourable in (("A", 1), ("B", 0)) for n in range(40)]
    path.write_text("g,y\n" + "\n".join(rows) + "\n", encoding="utf-8")
    options = TableOptions(outcome="y", favourable=("1",), groups=("g",), references=("A",))
    page = render_html(audit_table(path, options))
    why = "1 favourable of 40 in the reference; a ratio to it needs 5 or more"
    assert f"Impact ratio of <bdi>B</bdi> without an interval: {why}." in page
    assert why not in "".join(re.findall(r"<td[^>]*>(.*?)</td>", page, flags=re.DOTALL))


def test_the_verdict_stands_beside_the_group_and_its_reason_in_a_row_of_its_own(tmp_path: Path) -> None:
    """What a reader looks for is not behind a wide table's edge; the difference stands before the ratio."""
    path = tmp_path / "table.csv"
    rows = [f"{group},{int(n < hits)}" for group, hits in (("A", 30), ("B", 20)) for n in range(60)]
    path.write_text("g,y\n" + "\n".join(rows) + "\n", encoding="utf-8")
    options = TableOptions(outcome="y", favourable=("1",), groups=("g",), references=("A",))
    page = render_html(audit_table(path, options))
    heads = re.findall(r"<th scope=\"col\"[^>]*>([^<]*)</th>", page)
    assert heads[:3] == ["group", "verdict", "favourable / n"]
    assert heads.index("difference, points") < heads.index("impact ratio")
    assert re.search(r"<tr><td></td><td colspan=\"9\" class=\"why\">not told apart from 0", page)
    assert "verdict and p are about it, not about the impact ratio" in page
    assert re.search(r">\N{MINUS SIGN}\d+\.\d to \+\d\.\d</td>", page)
