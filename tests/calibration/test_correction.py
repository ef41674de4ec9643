"""The published tables of corrected estimates, in small: a broken correction fails here."""

from dataclasses import replace

import numpy as np

from benchmarks.correction import changes, placebos
from benchmarks.correction.placebo_scenes import PlaceboScene
from benchmarks.correction.run import METHODS, SCENES, measured, page
from benchmarks.correction.simulate import Scene

RUNS = 20


def test_corrections_cover_where_the_reading_does_not() -> None:
    """With unequal error and no gap, readings are far off; both corrections and the oracle cover."""
    scene = replace(next(iter(SCENES.values())), templates=80, sensitivity=(0.9, 0.75), repeats=6)
    null, gap = (measured(replace(scene, gap=size), RUNS, workers=1) for size in (0.0, 0.1))
    alarms = dict(zip(METHODS, null[:, :, 0].mean(axis=0), strict=True))
    assert alarms["as read"] > 0.4
    for method in METHODS[1:]:
        assert alarms[method] <= 0.2
        assert gap[:, METHODS.index(method), 1].mean() >= 0.8
    widths = dict(zip(METHODS, gap[:, :, 2].mean(axis=0), strict=True))
    assert widths["oracle"] < widths["by review"]
    assert widths["oracle"] < widths["by calibration"]
    text = page({"small": (null, gap)}, RUNS)
    assert text.count("| as read |") == 1
    assert "nan" not in text


def test_what_was_not_measured_is_counted_apart() -> None:
    """A cell without any measured run shows no number."""
    nothing = np.full((3, len(METHODS), 3), np.nan)
    assert "| oracle | - | - | - | - | 100.0 % |" in page({"none": (nothing, nothing)}, 3)


def test_corrected_placebos_fail_rarely_and_hide_no_gap() -> None:
    """Their floor is that of the groups' labels: a reviewed gap of 15 points is above it."""
    scene = PlaceboScene(groups=Scene(gap=0.15, reviewed=900))
    told = placebos.measured(scene, RUNS, workers=1)
    for method in ("by calibration", "by review", "oracle"):
        alone, any_of, _, above, stated, *_ = told[:, placebos.METHODS.index(method)].mean(axis=0)
        assert max(alone, any_of) <= 0.25, method
        assert above >= stated
        assert stated >= 0.7, method
    floor, corrected = told[:, placebos.METHODS.index("by review"), -2:].mean(axis=0)
    assert corrected == 1.0
    # The placebo's own labels alone would make it 11 points.
    assert floor < 0.09
    text = placebos.page({"small": told}, RUNS)
    assert text.count("| by review |") == 1
    assert "nan" not in text


def test_a_wording_that_the_analyzer_reads_otherwise_fails_placebos_as_read_only() -> None:
    """Only labels of the answers tell a bent ruler from a model that is moved by the wording."""
    scene = PlaceboScene(
        groups=Scene(reviewed=900, slope_sd=0.0), sensitivity=(0.95, 0.7), false_positive=(0.1, 0.01)
    )
    told = placebos.measured(scene, RUNS // 2, workers=1)
    failed = dict(zip(placebos.METHODS, told[:, :, 0].mean(axis=0), strict=True))
    assert min(failed["as read"], failed["by calibration"]) > 0.6
    assert max(failed["by review"], failed["oracle"]) <= 0.25


def test_a_change_of_the_analyzer_is_no_change_of_the_model_by_review() -> None:
    """Nothing changed but how the analyzer errs: readings say that it did, reviews and the truth do not."""
    pair = changes.SCENES["nothing changed but how the analyzer errs"]
    told = changes.measured(pair, 2 * RUNS, workers=1)
    missed = dict(zip(changes.METHODS, told[:, :, 0].mean(axis=0), strict=True))
    assert missed["as read"] > 0.5
    assert missed["by review"] <= 0.15
    assert missed["oracle"] <= 0.2
    text = changes.page({"small": told}, 2 * RUNS)
    assert text.count("| by review |") == 1
    assert "nan" not in text


def test_a_repaired_gap_is_seen_by_review() -> None:
    """With 900 answers reviewed in each run a repaired gap of 20 points is told, and covered."""
    before = Scene(gap=0.2, reviewed=900)
    told = changes.measured(changes.Pair(before=before, after=replace(before, gap=0.0)), RUNS, workers=1)
    missed, found, _ = told[:, changes.METHODS.index("by review")].mean(axis=0)
    assert missed <= 0.2
    assert found >= 0.9
