"""Means from few labels and many machine scores."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import NotMeasuredError
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.prediction_powered import powered_gap, powered_mean
from probes.seeds import rng

Vector = npt.NDArray[np.float64]
values = st.floats(-1, 1).map(lambda value: round(value, 3))


def test_mean_matches_the_formulas() -> None:
    """Point, lambda and variance are those of PPI++ computed by hand."""
    labels, scores = np.array([0.1, 0.5, 0.2, 0.6, 0.3]), np.array([0.3, 0.6, 0.2, 0.8, 0.5])
    others = np.array([0.1, 0.9, 0.4, 0.3, 0.6, 0.5, 0.2, 0.7, 0.35, 0.55])
    found = powered_mean(labels, scores, others)
    spread = np.concatenate([scores, others]).var(ddof=1)
    tuning = np.cov(labels, scores)[0, 1] / (1.5 * spread)
    assert 0 < found.tuning < 1
    assert found.tuning == pytest.approx(tuning)
    assert found.estimate.point == pytest.approx(0.34 + tuning * (others.mean() - 0.48))
    parts = (labels - tuning * scores).var(ddof=1) / 5, tuning**2 * others.var(ddof=1) / 10
    assert found.estimate.standard_error == pytest.approx(sum(parts) ** 0.5)
    assert found.estimate.df == pytest.approx(sum(parts) ** 2 / (parts[0] ** 2 / 3 + parts[1] ** 2 / 9))
    assert found.labels_only == cluster_t_interval(labels)
    assert found.gain == pytest.approx((labels.var(ddof=1) / 5) / sum(parts))


def test_gap_matches_the_control_variate() -> None:
    """With the template as the unit, lambda is the slope of people's gap on the machine's surprise."""
    labels = np.array([0.2, 0.0, 0.3, 0.1, 0.25, 0.15])
    scores = np.array([0.3, 0.0, 0.5, 0.1, 0.2, 0.3])
    others = np.array([0.2, 0.1, 0.25, 0.2, 0.15, 0.2])
    found = powered_gap(labels, scores, others)
    slope = -np.polyfit(others - scores, labels, 1)[0]
    assert found.tuning == pytest.approx(min(1.0, slope))
    moved = labels + found.tuning * (others - scores)
    assert found.estimate.point == pytest.approx(moved.mean())
    assert found.estimate.standard_error == pytest.approx((moved.var(ddof=1) / 6) ** 0.5)
    assert found.estimate.df == 4


@settings(max_examples=50)
@given(st.lists(st.tuples(values, values, values), min_size=4, max_size=20))
def test_it_never_trusts_a_machine_that_does_not_help(rows: list[tuple[float, float, float]]) -> None:
    """Tuned on the templates themselves, the gap's standard error never exceeds that of labels alone."""
    labels, scores, others = (np.array(column) for column in zip(*rows, strict=True))
    found = powered_gap(labels, scores, others, bounds=(-1.0, 1.0))
    assert 0 <= found.tuning <= 1
    assert found.estimate.standard_error <= found.labels_only.standard_error * (1 + 1e-9)
    flipped = powered_gap(-labels, -scores, -others, bounds=(-1.0, 1.0))
    assert flipped.estimate.point == pytest.approx(-found.estimate.point)


def test_a_useless_machine_leaves_the_labels() -> None:
    """A constant or contrary machine gets lambda 0, and the labels' own interval stands."""
    labels = [0.1, 0.4, 0.2, 0.5]
    for scores in ([0.3] * 4, [-0.1, -0.4, -0.2, -0.5]):
        found = powered_mean(labels, scores, [0.3] * 9)
        assert (found.tuning, found.gain) == (0.0, 1.0)
        assert found.estimate == found.labels_only
        assert powered_gap(labels, scores, [0.3] * 4).estimate == found.labels_only


def test_too_few_labels_are_not_tuned() -> None:
    """Three labelled clusters give the labels' own interval: there is nothing left to tune with."""
    assert powered_mean([0.1, 0.2, 0.4], [0.1, 0.2, 0.4], [0.1, 0.2]).tuning == 0


def test_labels_that_all_agree_are_bounded() -> None:
    """Without spread in the labels the estimate is the flagged bound, or not measured without bounds."""
    found = powered_gap([0.0] * 8, np.linspace(-0.1, 0.2, 8), [0.0] * 8, bounds=(-1.0, 1.0))
    assert found.estimate.degenerate
    assert found.gain is None
    with pytest.raises(NotMeasuredError, match="spread cannot be estimated"):
        powered_mean([0.0] * 4, [0.1, 0.2, 0.3, 0.4], [0.1, 0.2])


def test_malformed_input_is_refused() -> None:
    """Other shapes, too few clusters and values outside the bounds are refused."""
    with pytest.raises(ValueError, match="over the labelled clusters: 2; got 3"):
        powered_mean([0.1, 0.2], [0.1, 0.2, 0.3], [0.1, 0.2])
    with pytest.raises(NotMeasuredError, match="unlabelled clusters needs at least 2 clusters; got 1"):
        powered_mean([0.1, 0.2], [0.1, 0.2], [0.1])
    with pytest.raises(ValueError, match="one gap a template: 2; got 1"):
        powered_gap([0.1, 0.2], [0.1, 0.2], [0.1])
    with pytest.raises(ValueError, match="outside the bounds"):
        powered_gap([0.1, 0.2], [0.1, 1.2], [0.1, 0.2], bounds=(-1.0, 1.0))


def draw_gaps(stream: np.random.Generator, templates: int) -> tuple[Vector, Vector]:
    """True gaps around 0 by template, and those of a machine that is biased by 5 points and noisy."""
    true = 0.15 * stream.standard_normal(templates)
    return true, 0.05 + 0.8 * true + 0.05 * stream.standard_normal(templates)


def test_powered_mean_ends_the_machines_bias() -> None:
    """The machine's own gap is a false alarm nearly always; with 25 labelled templates it is one in 20."""
    stream = rng(41, "mean")
    wrong, gains = [], []
    for _ in range(1500):
        true, scored = draw_gaps(stream, 225)
        found = powered_mean(true[:25], scored[:25], scored[25:])
        wrong.append([cluster_t_interval(scored).p_value <= 0.05, found.estimate.p_value <= 0.05])
        gains.append(found.gain)
    machine, powered = np.mean(wrong, axis=0)
    assert machine > 0.9
    assert powered == pytest.approx(0.05, abs=0.02)
    assert np.median(np.array(gains, dtype=np.float64)) > 3


def test_powered_gap_holds_its_level() -> None:
    """Labels on a fifth of each template's sets and a machine whose bias differs by template: still 5 %."""
    stream = rng(42, "gap")
    wrong = []
    for _ in range(1500):
        sets = 0.1 * stream.standard_normal((30, 1)) + stream.normal(0, 0.3, (30, 20))
        bias = 0.1 + 0.1 * stream.standard_normal((30, 1))
        scored = sets + bias + 0.1 * stream.standard_normal((30, 20))
        found = powered_gap(sets[:, :4].mean(1), scored[:, :4].mean(1), scored[:, 4:].mean(1))
        wrong.append(found.estimate.p_value <= 0.05)
    assert np.mean(wrong) == pytest.approx(0.05, abs=0.02)
