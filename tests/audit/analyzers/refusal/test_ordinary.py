"""What the reference page says of the replies in the manner of ordinary chat models."""

from collections import Counter
from pathlib import Path

from benchmarks.analyzers.refusal import REFUSED, analyzer_labels, ordinary, phrase_labels, row
from benchmarks.analyzers.refusal_fit import tuned

PAGE = Path(__file__).resolve().parents[4] / "docs" / "reference" / "analyzers" / "refusal.md"
ALL = "own, en, ordinary models, kept aside"


def test_the_page_states_what_the_kept_aside_replies_of_ordinary_manners_give() -> None:
    """The row of the table is recomputed from the replies that it names."""
    items = dict(ordinary())[ALL]
    labels, phrases = analyzer_labels(items), phrase_labels(items)
    read = Counter(
        one.label in REFUSED for one, label in zip(items, labels, strict=True) if _agree(one.label, label)
    )
    of = Counter(one.label in REFUSED for one in items)
    analyzer, usual = (
        row("", "", items, found).split(" | ")[2].partition(", n")[0] for found in (labels, phrases)
    )
    line = (
        f"| own replies in the manner of ordinary chat models, kept aside | {analyzer} "
        f"| {read[True]} of {of[True]} | {read[False]} of {of[False]} | {usual} |"
    )
    assert line in PAGE.read_text("utf-8").splitlines()


def test_no_weight_is_fitted_to_a_reply_of_ordinary_manners() -> None:
    """The set stays aside: none of its longer replies stands among those that the weights are fitted to."""
    kept = {one.reply for one in dict(ordinary())[ALL] if len(one.reply.split()) > 12}
    assert kept
    assert not kept & {one.reply for one in tuned()}


def _agree(label: str, read: str) -> bool:
    return read in REFUSED if label in REFUSED else read == "none"
