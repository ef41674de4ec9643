"""Comparisons that share a member are dependent: the variance says so, and is the usual one where none do."""

import numpy as np
import pytest

from audit.errors import NotMeasuredError
from audit.statistics import Members, cluster_t_interval, shared_member_cluster
from probes.seeds import rng


def centred(values: list[float]) -> np.ndarray:
    """What each of several comparisons adds to the error of their mean."""
    found = np.array(values)
    return np.asarray((found - found.mean()) / found.size)


def test_without_anybody_in_common_it_is_the_cluster_t() -> None:
    """Where every comparison has members of its own, only templates count."""
    values = rng(1, "values").normal(size=30)
    nobody = Members(of=[(f"a{i}", f"b{i}") for i in range(30)], fewest=30)
    found = shared_member_cluster(centred(values.tolist()), np.arange(30), np.zeros(30), nobody)
    known = cluster_t_interval(values)
    assert found.standard_error == pytest.approx(known.standard_error)
    assert found.df == known.df


def test_it_is_the_sum_over_all_pairs_that_share() -> None:
    """The variance is that of the definition, written out pair by pair."""
    draw = rng(2, "values")
    influence = centred(draw.normal(size=40).tolist())
    template = np.arange(40) // 2
    members = [(int(draw.integers(6)), 10 + int(draw.integers(6))) for _ in range(40)]
    share = np.array([[bool(set(one) & set(other)) for other in members] for one in members])
    same = template[:, None] == template[None, :]
    products = np.outer(influence, influence) * 20 / 19
    expected = products[same].sum() + max(0.0, products[share & ~same].sum() * 6 / 5)
    found = shared_member_cluster(influence, template, np.zeros(40), Members(of=members, fewest=6))
    assert found.standard_error**2 == pytest.approx(expected)
    assert found.df == 5


def test_a_name_in_every_comparison_of_a_kind_widens_the_interval() -> None:
    """Two names that make all the difference are two witnesses, however many templates there are."""
    influence = centred([1.0] * 20 + [-1.0] * 20)
    shared = Members(of=[("x",)] * 20 + [("y",)] * 20, fewest=2)
    wide = shared_member_cluster(influence, np.arange(40), np.zeros(40), shared)
    narrow = shared_member_cluster(influence, np.arange(40), np.zeros(40), Members(of=[()] * 40, fewest=40))
    assert wide.standard_error > 4 * narrow.standard_error
    assert wide.df == 1


def test_more_comparisons_than_a_block_are_summed_alike() -> None:
    """A long table is summed in blocks; the result is that of the whole."""
    influence = centred(rng(3, "values").normal(size=2_500).tolist())
    members = [(i % 50, 100 + i % 40) for i in range(2_500)]
    found = shared_member_cluster(
        influence, np.arange(2_500), np.zeros(2_500), Members(of=members, fewest=40)
    )
    code = np.array(members)
    share = (code[:, None, 0] == code[None, :, 0]) | (code[:, None, 1] == code[None, :, 1])
    np.fill_diagonal(share, val=False)
    beyond = float((np.outer(influence, influence) * share).sum()) * 40 / 39
    expected = (float(influence @ influence) + max(0.0, beyond)) * 2500 / 2499
    assert found.standard_error**2 == pytest.approx(expected)


def test_what_cannot_be_measured_is_refused() -> None:
    """One template, no spread and shapes that do not fit are errors."""
    pair = Members(of=[("a", "b")] * 2, fewest=2)
    with pytest.raises(NotMeasuredError):
        shared_member_cluster([0.1, -0.1], [0, 0], [0, 0], pair)
    with pytest.raises(NotMeasuredError):
        shared_member_cluster([0.0, 0.0], [0, 1], [0, 0], pair)
    with pytest.raises(ValueError, match="must have the shape"):
        shared_member_cluster([0.1, -0.1, 0.0], [0, 1, 2], [0, 0, 0], pair)
