"""`evenhand recheck` as people and programs use it."""

import json
import re
from pathlib import Path

import pytest

from tests.audit.cli.conftest import Command

CLAIM = """\
version: 1
name: own
claim: Half of the replies say yes.
published: "50"
scale: 100
source: Our own table
file: {path: replies.csv}
statistic: rate
columns: {outcome: said, cluster: template}
positive: ["yes"]
neutral: 0
"""


@pytest.fixture
def claim(home: Path) -> Path:
    """A claim and its file of released outputs."""
    rows = [f"t{n % 20},{'yes' if n // 20 < 1 + n % 3 else 'no'}" for n in range(80)]
    (home / "replies.csv").write_text("template,said\n" + "\n".join(rows) + "\n")
    (home / "claim.yaml").write_text(CLAIM)
    return home / "claim.yaml"


def test_card_is_made_written_and_recomputed(evenhand: Command, claim: Path, home: Path) -> None:
    """From claim to card to agreement, exit code 0; a card with another number exits with 1."""
    made = evenhand("recheck", claim, "--data", home, "--out", home / "cards")
    assert (made.code, made.out) == (0, "")
    assert "Rows as independent" in made.err
    card = home / "cards" / "own.json"
    again = evenhand("recheck", card, "--data", home)
    assert (again.code, "every number agrees" in again.err) == (0, True)
    stated = json.loads(card.read_text())
    stated["figure"] += 1
    card.write_text(json.dumps(stated))
    changed = evenhand("recheck", card, "--data", home, "--json")
    assert changed.code == 1
    (found,) = json.loads(changed.out)["cards"]
    assert (found["agrees"], len(found["differences"])) == (False, 1)
    assert "figure" in found["differences"][0]


def test_json_holds_the_cards(evenhand: Command, claim: Path, home: Path) -> None:
    """A program finds figure, both intervals and the outcome under their names."""
    ended = evenhand("recheck", claim, "--data", home, "--json")
    assert ended.code == 0
    (card,) = json.loads(ended.out)["cards"]
    assert card["outcome"] in {"supported", "differs"}
    assert {"figure", "rows_as_independent", "interval", "design_effect", "file_sha256"} <= set(card)


def test_shipped_claims_are_listed(evenhand: Command) -> None:
    """What can be named without a file is known without reading the docs."""
    ended = evenhand("recheck", "--list", "--json")
    assert ended.code == 0
    assert "unifiedqa_bbq_religion_ambiguous" in json.loads(ended.out)["claims"]
    told = evenhand("recheck", "--list").err
    assert re.search(r"unifiedqa_bbq_religion_ambiguous +UnifiedQA-11B leans towards religious", told)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name at least one"),
        (["nope"], "no such file, and no shipped claim"),
        (["claim.yaml", "card.json"], "give claims or cards"),
        (["absent.json"], "absent.json: cannot be read"),
        (["claim.yaml", "--data", "elsewhere"], "no such file; claim own needs it"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    evenhand: Command, claim: Path, words: list[str], said: str
) -> None:
    """What is wrong, in one line."""
    assert claim.is_file()
    ended = evenhand("recheck", *words)
    assert ended.code == 2
    assert said in ended.err
