"""Named seeds: adding one consumer never changes the numbers of another."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.seeds import derive, rng

names = st.lists(st.text("ab:1", min_size=1, max_size=4) | st.integers(-3, 99), max_size=4)


def test_seed_is_fixed_for_all_time() -> None:
    """The derivation may never change: every stored run depends on it."""
    assert derive(7, "probe", "bias/decisions") == 14007466786048960306
    assert rng(7, "probe", "bias/decisions").integers(1000) == 362


@settings(max_examples=100, deadline=None)
@given(root=st.integers(-(2**70), 2**70), one=names, other=names)
def test_other_names_give_other_seeds(root: int, one: list[str | int], other: list[str | int]) -> None:
    """Names are told apart by content, kind, order and number."""
    assert (derive(root, *one) == derive(root, *other)) == (
        [(type(name), name) for name in one] == [(type(name), name) for name in other]
    )
    assert 0 <= derive(root, *one) < 2**64


def test_numbers_and_texts_are_different_names() -> None:
    """The name 1 is not the name `1`."""
    assert derive(0, 1) != derive(0, "1")
    assert derive(1, 1) != derive(11)


def test_generators_are_fresh_and_equal() -> None:
    """Asking twice gives two generators at the same start."""
    first, second = rng(3, "x"), rng(3, "x")
    first_draws = first.random(5)
    np.testing.assert_array_equal(first_draws, second.random(5))
    assert not np.array_equal(first_draws, rng(4, "x").random(5))
