"""Influences of names on a contrast."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.estimates.name_arms import name_arms
from audit.statistics.paired import template_differences

NAN = float("nan")


def test_an_arm_is_named_by_its_first_row_with_a_value() -> None:
    """Repeats of a prompt share its arm, and a repeat without a value does not name it."""
    arms = name_arms(
        np.array([NAN, 1.0, 0.0, 1.0]),
        np.array([0, 0, 0, 0]),
        np.array([0, 0, 0, 0]),
        np.array([True, True, True, False]),
        np.array([7, 8, 9, 3]),
    )
    assert arms.name.tolist() == [3, 8]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.0, 1.0, NAN]),
            st.integers(0, 3),
            st.integers(0, 2),
            st.booleans(),
            st.integers(0, 5),
        ),
        min_size=1,
        max_size=60,
    )
)
def test_influences_by_set_are_those_of_the_paired_differences(
    rows: list[tuple[float, int, int, bool, int]],
) -> None:
    """Summed over both arms of a set, the influences equal those that the paired differences state."""
    values, template, number, is_group, name = (np.array(column) for column in zip(*rows, strict=True))
    _, sets = np.unique(3 * template + number, return_inverse=True)
    both = {
        (s, g)
        for s, g, v in zip(sets.tolist(), is_group.tolist(), values.tolist(), strict=True)
        if not np.isnan(v)
    }
    if not any((s, True) in both and (s, False) in both for s in sets.tolist()):
        return
    arms = name_arms(values, template, sets, is_group, name)
    paired = template_differences(values, template, sets, is_group)
    by_set = arms.influence.reshape(2, -1).sum(axis=0)
    assert by_set == pytest.approx(paired.set_influence, abs=1e-12)
    assert arms.template.reshape(2, -1)[0].tolist() == paired.clusters[paired.set_clusters].tolist()
