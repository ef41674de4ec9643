"""The published tables of corrected estimates, in small: a broken correction fails here."""

from dataclasses import replace

import numpy as np

from benchmarks.correction.run import METHODS, SCENES, measured, page

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
