"""Figures as SVG that a strict policy admits, with a text alternative, in two widths."""

import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

from audit.records import Change, Counts, Estimate, Verdict
from audit.reports.figures import forest, side_by_side, slopes
from audit.reports.funnel import funnel


def test_forest_comes_wide_and_narrow_with_ids_of_its_own(make_disparity: Callable[..., Estimate]) -> None:
    """Both widths parse, carry no style and no address, and share no id."""
    drawings = forest([make_disparity(), make_disparity(domain="hiring")], key="k", title="Gender")
    ids = [set(re.findall(r'\bid="([^"]*)"', drawing)) for drawing in drawings]
    assert ids[0].isdisjoint(ids[1])
    for drawing in drawings:
        ET.fromstring(drawing)  # noqa: S314 - our own figure
        assert "style" not in drawing
        assert "http" not in drawing
        assert set(re.findall(r"url\(#([^)]*)\)", drawing)) <= ids[drawings.index(drawing)]


def test_forest_says_in_words_what_it_shows(make_disparity: Callable[..., Estimate]) -> None:
    """The text alternative names every row's verdict, size and interval."""
    wide, _ = forest([make_disparity()], key="k", title="Gender")
    assert "lending \u00b7 explicit: disparity, \u221213.6 [\u221222.1 to \u22125.1]" in wide


def test_unmeasured_row_is_drawn_without_a_point(make_disparity: Callable[..., Estimate]) -> None:
    """A row without a number says so, and a panel of such rows can be drawn."""
    row = make_disparity(
        point=None, ci_low=None, ci_high=None, noise_floor=None, verdict=Verdict.NOT_MEASURED
    )
    wide, narrow = forest([row], key="k", title="Gender")
    assert "not measured" in wide
    assert "not measured" in narrow


def test_models_stand_side_by_side_below_what_they_were_asked(
    make_disparity: Callable[..., Estimate],
) -> None:
    """Each block names its question, then every model with what it shows; one that shows nothing says so."""
    blocks = [("Fixed: female", [("before", make_disparity()), ("after", None)])]
    for drawing in side_by_side(blocks, key="k", title="Decisions"):
        texts = [node.text for node in _texts(drawing)]
        places = [texts.index(one) for one in ("Fixed: female", "before", "after", "not measured")]
        assert places == sorted(places)
        assert "before \u221213.6 [\u221222.1 to \u22125.1]; after not measured" in drawing


@pytest.mark.parametrize(
    "group", ["$x^2$ & <b>", "\u4f60\u597d \u0645\u0631\u062d\u0628\u0627", "\x07\u202e", "x" * 500]
)
def test_hostile_labels_are_drawn_as_text(group: str, make_disparity: Callable[..., Estimate]) -> None:
    """A group's name is neither mathematics nor markup, and no font or length stops the figure."""
    for drawing in forest([make_disparity(group=group)], key="k", title=group):
        texts = [node.text or "" for node in _texts(drawing)]
        assert any(text.startswith(group[:3]) or "[U+0007]" in text for text in texts)


def _texts(drawing: str) -> list[ET.Element]:
    return list(ET.fromstring(drawing).iter("text"))  # noqa: S314 - our own figure


def test_same_rows_give_the_same_bytes(make_disparity: Callable[..., Estimate]) -> None:
    """A figure holds no date and no random id."""
    first = forest([make_disparity()], key="k", title="Gender")
    assert first == forest([make_disparity()], key="k", title="Gender")


def test_slopes_draw_both_ends_and_the_paired_interval(make_change: Callable[..., Change]) -> None:
    """Each change is numbered, labelled and stated with its interval."""
    rows = [make_change(), make_change(domain="hiring", verdict="larger")]
    wide, narrow = slopes(rows, key="k", title="Changes", sides=("before", "after"))
    for drawing in (wide, narrow):
        assert "+31.9 [+22.1 to +41.6]" in drawing
        assert "2  female \u2212 male \u00b7 hiring" in drawing
    assert "\u221231.1 before, +0.8 after, smaller" in wide


def test_funnel_names_every_state() -> None:
    """The bar's text alternative has all six counts, the zeros too."""
    counts = Counts(planned=10, answered=4, refused=3, truncated=0, empty=0, errored=2, not_asked=1)
    drawing = funnel(counts, key="k", role="target")
    assert "10 planned: 4 answered, 3 refused, 0 truncated, 0 empty, 2 errored, 1 not asked." in drawing
