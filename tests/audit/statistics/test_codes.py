"""Codes without gaps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.statistics.codes import count_codes, dense_codes, joined_codes

_NEAR = st.lists(st.integers(-3, 12), min_size=1, max_size=40)
_FAR = st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=40)


@given(st.one_of(_NEAR, _FAR))
def test_codes_are_those_of_sorting(codes: list[int]) -> None:
    """Near together or far apart, negative or not, codes and their number are those of `numpy.unique`."""
    names, place = np.unique(codes, return_inverse=True)
    assert dense_codes(codes).tolist() == place.tolist()
    assert count_codes(codes) == names.size


def test_no_codes_are_none() -> None:
    """Without rows there is no code."""
    assert dense_codes([]).tolist() == []
    assert count_codes([]) == 0


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50), st.integers(0, 2)), min_size=1, max_size=60))
def test_joined_codes_are_those_of_distinct_rows(rows: list[tuple[int, int, int]]) -> None:
    """What shares its code in every dimension, and only that, shares the joined code."""
    columns = [dense_codes(column) for column in np.array(rows).T]
    assert joined_codes(columns).tolist() == np.unique(rows, axis=0, return_inverse=True)[1].ravel().tolist()


@pytest.mark.parametrize("span", [10, 10**9])
def test_codes_far_apart_make_no_long_table(span: int) -> None:
    """Two codes a thousand million apart need no table between them."""
    assert dense_codes([0, span, 0]).tolist() == [0, 1, 0]
