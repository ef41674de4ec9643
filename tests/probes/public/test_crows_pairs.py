"""CrowS-Pairs by reference: a balanced choice with a way out."""

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from probes.errors import DataError
from probes.plugins import load
from probes.public.crows_pairs import CrowSPairsOptions, CrowSPairsProbe
from probes.records import Prompt

SHARED = Path(__file__).parents[3] / ".." / "shared" / "data" / "crows_pairs" / "crows_pairs_anonymized.csv"
HEADER = ("", "sent_more", "sent_less", "stereo_antistereo", "bias_type")


def _file(folder: Path, rows: list[tuple[str, ...]], header: tuple[str, ...] = HEADER) -> Path:
    path = folder / "pairs.csv"
    with path.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([header, *rows])
    return path


def _rows(count: int) -> list[tuple[str, ...]]:
    kinds = ("hobby", "food")
    return [
        (str(7 + i), f"Chess player {i} is slow.", f"Diver {i} is slow.", "stereo", kinds[i % 2])
        for i in range(count)
    ]


def _prompts(path: Path, seed: int = 0, options: Mapping[str, object] | None = None) -> list[Prompt]:
    probe = CrowSPairsProbe(CrowSPairsOptions.model_validate({"path": path, **(options or {})}))
    return list(probe.prompts(np.random.default_rng(seed)))


def test_a_row_becomes_a_choice_with_a_way_out(tmp_path: Path) -> None:
    """Both sentences are shown, `neither` is accepted, and no answer is called right."""
    (prompt,) = _prompts(_file(tmp_path, _rows(1)))
    text = prompt.messages[0].content
    assert "Chess player 0 is slow." in text
    assert "Diver 0 is slow." in text
    assert prompt.expectation.options == ("first", "second", "neither")
    assert prompt.expectation.answer is None
    assert (prompt.template, prompt.source_id, prompt.domain) == ("7", "7", "hobby")
    assert prompt.tags["stereo_antistereo"] == "stereo"
    assert prompt.expectation.options[int(prompt.tags["unknown"])] == "neither"


@pytest.mark.parametrize("seed", range(5))
def test_positions_are_balanced_and_tagged_as_shown(tmp_path: Path, seed: int) -> None:
    """In every two rows each position holds the stereotyped sentence once, and the tags say which."""
    prompts = _prompts(_file(tmp_path, _rows(10)), seed)
    for prompt in prompts:
        text = prompt.messages[0].content
        shown_first = text.index("Chess player") < text.index("Diver")
        assert (prompt.tags["more"], prompt.tags["less"]) == (("0", "1") if shown_first else ("1", "0"))
    more = [prompt.tags["more"] for prompt in prompts]
    assert all(set(more[i : i + 2]) == {"0", "1"} for i in range(0, 10, 2))


def test_the_order_is_drawn_from_the_generator(tmp_path: Path) -> None:
    """The same generator state gives the same prompts, another one another order."""
    path = _file(tmp_path, _rows(20))
    assert _prompts(path, 1) == _prompts(path, 1)
    assert _prompts(path, 1) != _prompts(path, 2)


def test_bias_types_are_filtered(tmp_path: Path) -> None:
    """Only the wanted bias types are asked."""
    prompts = _prompts(_file(tmp_path, _rows(4)), options={"bias_types": ["food"]})
    assert [prompt.template for prompt in prompts] == ["8", "10"]


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (_rows(2), {"bias_types": ["sport"]}, "no rows of sport; bias types present: food, hobby"),
        ([], {}, "no rows of any bias type"),
        ([*_rows(1), *_rows(1)], {}, "row 3: id '7' occurs twice"),
        ([("7", "", "b", "stereo", "food")], {}, "row 2: sent_more: "),
        ([("7", "a", "b", "pro", "food")], {}, "row 2: stereo_antistereo: "),
    ],
)
def test_malformed_files_are_refused(
    tmp_path: Path, rows: list[tuple[str, ...]], options: dict[str, object], message: str
) -> None:
    """What the file or the filter gets wrong is said in one line with file and row."""
    path = _file(tmp_path, rows)
    with pytest.raises(DataError) as caught:
        _prompts(path, options=options)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_rows_without_an_id_column_are_numbered(tmp_path: Path) -> None:
    """A file that lost its index column is still asked, by row number."""
    path = _file(tmp_path, [row[1:] for row in _rows(2)], HEADER[1:])
    assert [prompt.template for prompt in _prompts(path)] == ["0", "1"]


def test_criticism_and_licence_are_stated(tmp_path: Path) -> None:
    """A reader learns of the known flaws and of the licence before using a result."""
    probe = load("evenhand.probes", "public/crows_pairs")(CrowSPairsOptions(path=_file(tmp_path, _rows(1))))
    assert "Blodgett et al. (2021)" in CrowSPairsProbe.info.cannot_show
    assert probe.provenance["licence"] == "CC BY-SA 4.0"


@pytest.mark.skipif(not SHARED.is_file(), reason="the public file is not beside the project")
def test_the_public_file_is_asked_whole_and_balanced() -> None:
    """All 1508 pairs are asked once, the stereotyped sentence first in half of them."""
    prompts = _prompts(SHARED)
    assert len({prompt.id for prompt in prompts}) == len(prompts) == 1508
    assert sum(prompt.tags["more"] == "0" for prompt in prompts) == 754
    assert len({prompt.domain for prompt in prompts}) == 9
