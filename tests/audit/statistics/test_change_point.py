"""A change in a sequence of rounds is found as rarely by chance as the level says."""

import numpy as np
import pytest

from audit.statistics.change_point import change_point


def distances(points: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> np.ndarray:
    """Absolute differences."""
    return np.abs(points[:, None] - points[None, :])


def test_false_alarms_keep_the_level() -> None:
    """Of rounds that do not change, at most about 5 % are called changed at 5 %."""
    rng = np.random.default_rng(3)
    alarms = [change_point(distances(rng.normal(size=10)), rng, draws=99).p_value <= 0.05 for _ in range(200)]
    assert sum(alarms) / 200 < 0.09


def test_a_shift_is_found_where_it_is() -> None:
    """A shift of three standard deviations is called, and its place is right within a round."""
    rng = np.random.default_rng(4)
    found = [
        change_point(
            distances(np.concatenate([rng.normal(size=6), rng.normal(3, 1, size=6)])), rng, draws=199
        )
        for _ in range(60)
    ]
    assert sum(one.p_value <= 0.05 for one in found) > 50
    assert sum(abs(one.place - 6) <= 1 for one in found) > 50


@pytest.mark.parametrize("shape", [(1, 1), (3, 2)])
def test_a_matrix_that_is_none_is_refused(shape: tuple[int, int]) -> None:
    """Fewer than two rounds, or a matrix that is not square, is an error."""
    with pytest.raises(ValueError, match="square of at least 2 rounds"):
        change_point(np.zeros(shape), np.random.default_rng(1))
