"""Re-scoring claims: figures, intervals and outcomes, on tables of our own and on released predictions."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from audit.errors import InputError
from audit.recheck import Card, load_claim, read_card, recheck, recompute
from audit.recheck.claim import Claim, LoadedClaim
from audit.recheck.page import card_rows
from probes.seeds import rng

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "bbq"


def a_claim(**keys: object) -> LoadedClaim:
    """A claim about `said.csv`: group a is favoured more often than group b."""
    known: dict[str, object] = {
        "version": 1,
        "name": "own",
        "claim": "Group a is favoured more often than group b.",
        "published": "0.10",
        "source": "Our own table",
        "file": {"path": "said.csv"},
        "statistic": "difference",
        "columns": {"outcome": "said", "group": "group", "cluster": "template"},
        "positive": ("yes",),
        "groups": ("a", "b"),
    }
    return LoadedClaim(claim=Claim.model_validate(known | keys), sha256="0" * 64)


def write_templates(folder: Path, gaps: list[int], *, asked: int = 20) -> None:
    """A table in which group a of template t has 10 + gaps[t] of `asked` favourable replies, b has 10."""
    rows = []
    for template, gap in enumerate(gaps):
        for group, hits in (("a", 10 + gap), ("b", 10)):
            rows += [f"t{template},{group},{'yes' if n < hits else 'no'}" for n in range(asked)]
    (folder / "said.csv").write_text("template,group,said\n" + "\n".join(rows) + "\n")


def only(loaded: LoadedClaim, folder: Path) -> Card:
    """The card of one claim rechecked alone."""
    (card,) = recheck([loaded], [folder])
    return card


def test_templates_overturn_what_rows_seem_to_show(tmp_path: Path) -> None:
    """A gap that three of twelve templates carry alone: rows exclude 0, templates do not."""
    write_templates(tmp_path, [8, 8, 8] + [0] * 9)
    card = only(a_claim(), tmp_path)
    assert card.figure == pytest.approx(0.1)
    assert card.rows_as_independent is not None
    assert card.interval is not None
    assert card.rows_as_independent.low > 0
    assert card.interval.low < 0 < card.interval.high
    assert (card.outcome, card.reproduced) == ("not_told_apart", True)
    assert card.design_effect is not None
    assert card.design_effect > 1.2
    assert (card.n_rows, card.n_clusters, card.n_left_out) == (480, 12, 0)


def test_the_same_gap_in_every_template_stands(tmp_path: Path) -> None:
    """Spread evenly over the templates, the same figure is supported."""
    write_templates(tmp_path, [2, 3, 1] * 4)
    card = only(a_claim(), tmp_path)
    assert card.figure == pytest.approx(0.1)
    assert card.outcome == "supported"


def test_another_figure_than_published_is_said(tmp_path: Path) -> None:
    """0.10 to two digits is 0.095 to 0.105, and nothing else."""
    write_templates(tmp_path, [2, 3, 1] * 4)
    assert only(a_claim(published="0.1"), tmp_path).reproduced
    found = only(a_claim(published="0.11"), tmp_path)
    assert (found.outcome, found.reproduced) == ("differs", False)
    assert "0.100" in found.verdict
    assert "0.11" in found.verdict


def test_a_claim_of_the_other_sign_differs(tmp_path: Path) -> None:
    """The sign is part of the figure."""
    write_templates(tmp_path, [2, 3, 1] * 4)
    assert only(a_claim(published="-0.10"), tmp_path).outcome == "differs"


def test_eleven_templates_have_no_interval(tmp_path: Path) -> None:
    """Too few clusters: the point is stated, no interval and no verdict on it."""
    write_templates(tmp_path, [2] * 11)
    card = only(a_claim(), tmp_path)
    assert (card.interval, card.p_value, card.outcome) == (None, None, "not_measured")
    assert card.reproduced
    assert "there are 11 clusters, and at least 12 are needed" in card.verdict


def test_clusters_all_alike_have_a_bound_not_a_width_of_zero(tmp_path: Path) -> None:
    """Forty templates with the very same gap: the interval is the bound for what was not seen."""
    write_templates(tmp_path, [2] * 40)
    card = only(a_claim(), tmp_path)
    assert card.interval is not None
    assert card.interval.high - card.interval.low > 0.05
    assert "equal clusters" in card.interval.method


def test_one_cluster_that_holds_a_whole_group_does_not_count_as_agreement(tmp_path: Path) -> None:
    """Group b is asked in one template only: no value without it, which is no proof that templates agree."""
    rows = [f"t{t},a,{'yes' if (t + n) % 2 else 'no'}" for t in range(30) for n in range(6)]
    rows += [f"t0,b,{'yes' if n < 2 else 'no'}" for n in range(5)]
    (tmp_path / "said.csv").write_text("template,group,said\n" + "\n".join(rows) + "\n")
    card = only(a_claim(), tmp_path)
    assert card.figure == pytest.approx(0.1)
    assert (card.interval, card.p_value, card.outcome) == (None, None, "not_measured")
    assert "without cluster 't0' the figure has no value" in card.verdict
    assert "alone holds a whole group" in card.verdict


def test_agreement_without_a_bound_is_said_to_be_agreement(tmp_path: Path) -> None:
    """A ratio that is the same in every template has no bound, and the card says that they agree."""
    rows = [
        f"t{t},{g},{'yes' if n < k else 'no'}"
        for t in range(30)
        for g, k in (("a", 2), ("b", 4))
        for n in range(8)
    ]
    (tmp_path / "said.csv").write_text("template,group,said\n" + "\n".join(rows) + "\n")
    card = only(a_claim(statistic="ratio", published="0.50"), tmp_path)
    assert (card.interval, card.outcome) == (None, "not_measured")
    assert "all 30 clusters agree" in card.verdict


def test_without_a_cluster_column_rows_are_independent_and_the_card_says_so(tmp_path: Path) -> None:
    """Rows may be independent; then the two intervals nearly agree, and the card names the assumption."""
    write_templates(tmp_path, [2, 3, 1] * 4)
    card = only(a_claim(columns={"outcome": "said", "group": "group"}), tmp_path)
    assert card.n_clusters is None
    assert card.rows_as_independent is not None
    assert card.interval is not None
    assert card.interval.low == pytest.approx(card.rows_as_independent.low, abs=0.01)
    assert any("rows count as independent" in line for line in card.cannot_show)


def test_several_claims_are_adjusted_together(tmp_path: Path) -> None:
    """One claim at p = 0.03 among nineteen that show nothing is not supported; alone it is."""
    gaps = [5, 5, 5, 5, -1, -1, 4, 0, 3, -2, 5, -3]
    write_templates(tmp_path, gaps)
    first = a_claim(published="0.10")
    alone = only(first, tmp_path)
    assert alone.p_value is not None
    assert 0.005 < alone.p_value < 0.05
    assert alone.outcome == "supported"
    others = []
    for number in range(19):
        flat = tmp_path / f"flat{number}.csv"
        draws = rng(number, "flat")
        rows = [
            f"t{t},{g},{'yes' if draws.random() < 0.5 else 'no'}"
            for t in range(12)
            for g in "ab"
            for _ in range(5)
        ]
        flat.write_text("template,group,said\n" + "\n".join(rows) + "\n")
        others.append(a_claim(name=f"flat{number}", published="0.0", file={"path": flat.name}))
    together = recheck([first, *others], [tmp_path])[0]
    assert together.p_value == alone.p_value
    assert together.p_adjusted is not None
    assert together.p_adjusted > 0.05
    assert together.outcome == "not_told_apart"
    assert len(together.family) == 20
    assert "after correction" in together.verdict or "before correction" in together.verdict


def test_card_recomputes_and_a_changed_number_is_found(tmp_path: Path) -> None:
    """What a card says can be checked from the card and the file alone; tampering shows."""
    write_templates(tmp_path, [8, 8, 8] + [0] * 9)
    card = only(a_claim(), tmp_path)
    path = tmp_path / "card.json"
    path.write_text(card.model_dump_json())
    assert recompute(read_card(path), [tmp_path]).differences == ()
    stated = json.loads(card.model_dump_json())
    stated["outcome"] = "supported"
    stated["interval"]["low"] = 0.01
    path.write_text(json.dumps(stated))
    lines = recompute(read_card(path), [tmp_path]).differences
    assert [line.partition(":")[0] for line in lines] == ["interval", "outcome"]


def test_card_is_not_recomputed_from_another_file(tmp_path: Path) -> None:
    """A card is bound to the bytes it was made from, even if its claim named no checksum."""
    write_templates(tmp_path, [2, 3, 1] * 4)
    card = only(a_claim(), tmp_path)
    write_templates(tmp_path, [2, 3, 2] * 4)
    with pytest.raises(InputError, match="is not the file"):
        recompute(card, [tmp_path])


def test_same_claim_gives_the_same_bytes(tmp_path: Path) -> None:
    """Seed, claim and file decide the card."""
    write_templates(tmp_path, [8, 8, 8] + [0] * 9)
    assert only(a_claim(), tmp_path).model_dump_json() == only(a_claim(), tmp_path).model_dump_json()


def test_names_must_differ(tmp_path: Path) -> None:
    """Two cards cannot be told apart by one name."""
    write_templates(tmp_path, [2, 3, 1] * 4)
    with pytest.raises(InputError, match="different names; own"):
        recheck([a_claim(), a_claim()], [tmp_path])


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public BBQ files are not beside the project")
def test_released_unifiedqa_predictions_give_the_known_intervals() -> None:
    """Religion, ambiguous: 14.3; rows [9.7, 18.8]; templates [3.8, 24.3], BCa [4.5, 25.5]; effect 5."""
    card = only(load_claim("unifiedqa_bbq_religion_ambiguous"), SHARED)
    assert (card.outcome, card.reproduced, card.n_rows, card.n_clusters) == ("supported", True, 600, 25)
    assert card.rows_as_independent is not None
    assert card.interval is not None
    known = [(9.7, 18.8), (3.8, 24.3), (4.5, 25.5)]
    for one, bounds in zip((card.rows_as_independent, *card.others), known, strict=True):
        assert (one.low, one.high) == pytest.approx(bounds, abs=0.8)
    assert 4.5 < (card.design_effect or 0) < 5.5
    assert np.sign(card.interval.low) == 1


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public BBQ files are not beside the project")
def test_the_other_shipped_figures_are_recomputed() -> None:
    """Disambiguated: 0.2, not told apart from 0. Accuracy: 0.650, described."""
    names = ("unifiedqa_bbq_religion_disambiguated", "unifiedqa_bbq_religion_accuracy")
    cards = recheck([load_claim(name) for name in names], [SHARED])
    assert [(one.outcome, one.reproduced) for one in cards] == [("not_told_apart", True), ("described", True)]
    # As `evenhand run` states it of the same outputs: few templates differ, so what others may hide is added.
    interval = cards[0].interval
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((-1.561, 1.911), abs=0.001)


def test_files_are_looked_for_in_every_folder(tmp_path: Path) -> None:
    """Claims of one command may rest on files in several folders; none found names every place tried."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    write_templates(there, [8] * 12)
    (card,) = recheck([a_claim()], [here, there])
    assert card.n_clusters == 12
    with pytest.raises(InputError, match=r"here/said.csv, .*empty/said.csv: no such file"):
        recheck([a_claim()], [here, tmp_path / "empty"])
    (here / "said.csv").write_text("template,group,said\nt0,a,yes\n")
    pinned = a_claim(file={"path": "said.csv", "sha256": card.file_sha256})
    assert recheck([pinned], [here, there])[0].file_sha256 == card.file_sha256


def test_a_derived_figure_is_not_called_published(tmp_path: Path) -> None:
    """Having again what was made from the same release says so, in the table and in the verdict."""
    write_templates(tmp_path, [8] * 6 + [7] * 6)
    claimed = a_claim(basis="derived", published="0.375")
    card = only(claimed, tmp_path)
    assert card.outcome == "supported"
    assert card.verdict.startswith("Recomputed as derived")
    rows = dict(card_rows(card))
    assert rows["Published"].startswith("0.375 (derived figure: made from this release")
    assert rows["Outcome"] == "supported"


def test_one_long_name_of_a_cluster_costs_the_room_of_one(tmp_path: Path) -> None:
    """A cell of a megabyte among hundreds of short ones is memory once, not once a row."""
    write_templates(tmp_path, [8, 8, 8] + [0] * 9)
    path = tmp_path / "said.csv"
    before = only(a_claim(), tmp_path)
    path.write_text(path.read_text().replace("t11,a", "u" * 1_000_000 + ",a", 1))
    tracemalloc.start()
    try:
        found = only(a_claim(), tmp_path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.n_clusters == 13
    assert found.figure == before.figure
    assert peak < 100_000_000
