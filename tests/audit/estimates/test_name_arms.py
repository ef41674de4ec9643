"""Influences of names on a contrast."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from audit.errors import NotMeasuredError
from audit.estimates.name_arms import NameArms, name_arms, name_codes, named_interval
from audit.statistics.paired import template_differences
from probes.names import NameRotation, load_names
from probes.seeds import rng

NAN = float("nan")


def test_an_arm_is_named_by_its_first_row_with_a_value() -> None:
    """Repeats of a prompt share its arm, and a repeat without a value does not name it."""
    arms = name_arms(
        np.array([NAN, 1.0, 0.0, 1.0]),
        np.array([0, 0, 0, 0]),
        np.array([0, 0, 0, 0]),
        np.array([True, True, True, False]),
        np.array([[7, 1], [8, 1], [9, 1], [3, 2]]),
    )
    assert arms.names.tolist() == [[3, 2], [8, 1]]


def test_full_names_are_split_at_their_last_space() -> None:
    """A first name is one name whatever follows it, and a name of one word shares a last name with none."""
    codes = name_codes(["Ann Lee", "Ann Kim", "Jo Ann Lee", "Lee", "Kim Lee"])
    first, last = codes.T.tolist()
    assert first[0] == first[1]
    assert len(set(first)) == 4
    assert last[0] == last[2] == last[4]
    assert last.count(last[3]) == 1


def crossed(
    first_sd: float, last_sd: float, *, templates: int, draw: np.random.Generator
) -> tuple[NameArms, float]:
    """Arms of a race contrast with no difference but that of names, and its estimate.

    The audit's own names in the order of its rotation, four sets a template, eight replies a prompt.
    """
    rotation = NameRotation(load_names(), int(draw.integers(2**31)))
    pairs = [
        (
            rotation.next("race", gender, race_ethnicity="white"),
            rotation.next("race", gender, race_ethnicity="black"),
        )
        for _ in range(templates)
        for gender in ("female", "male", "male", "female")
    ]
    names = [name for arm in zip(*pairs, strict=True) for name in arm]
    codes = name_codes(names)
    effects = draw.normal(0, first_sd, codes[:, 0].max() + 1)[codes[:, 0]]
    effects += draw.normal(0, last_sd, codes[:, 1].max() + 1)[codes[:, 1]]
    template = np.tile(np.repeat(np.arange(templates), 4), 2)
    sets, is_group = np.tile(np.arange(4 * templates), 2), np.repeat([False, True], 4 * templates)
    values = draw.binomial(8, expit(draw.normal(0, 1, templates)[template] + effects)) / 8
    point = values[is_group].mean() - values[~is_group].mean()
    return name_arms(values, template, sets, is_group, codes), float(point)


@pytest.mark.parametrize(("first_sd", "last_sd"), [(0.5, 0.0), (0.4, 0.3)])
def test_false_alarms_stay_at_their_level_over_the_audits_own_names(first_sd: float, last_sd: float) -> None:
    """First and last names with effects of their own make no more false alarms than was asked for."""
    draw = rng(3, "names", str(first_sd))
    wrong = []
    for _ in range(150):
        arms, point = crossed(first_sd, last_sd, templates=40, draw=draw)
        wrong.append(named_interval([arms], point=point, level=0.95).p_value <= 0.05)
    # 0.05 and three standard errors; clusters of full names have 0.16 and more.
    assert np.mean(wrong) < 0.104


def test_the_method_names_every_dimension_and_says_where_names_are_few() -> None:
    """A reader sees how many first and last names there were, and that they are few."""
    arms, point = crossed(0.5, 0.5, templates=40, draw=rng(4, "names"))
    method = named_interval([arms], point=point, level=0.95).interval.method
    assert "40 templates, 56 first names, 18 last names" in method
    assert method.endswith("few names (9 in a group)")


def test_last_names_that_both_arms_share_are_no_dimension() -> None:
    """What is the same in both members of a set cancels in their difference."""
    arms, point = crossed(0.5, 0.0, templates=40, draw=rng(5, "names"))
    last = np.tile(arms.names[: len(arms.names) // 2, 1], 2)
    shared = replace(arms, names=np.column_stack([arms.names[:, 0], last]))
    assert "two-way cluster-t (40 templates, 56 first names)" in (
        named_interval([shared], point=point, level=0.95).interval.method
    )


def test_one_name_a_group_is_no_sample_of_names() -> None:
    """With a single name the group and the name cannot be told apart, so nothing is stated of the group."""
    arms, point = crossed(0.5, 0.0, templates=40, draw=rng(6, "names"))
    one = np.repeat([[0, 0], [1, 1]], len(arms.names) // 2, axis=0)
    with pytest.raises(NotMeasuredError, match="at least 2 first names in each group"):
        named_interval([replace(arms, names=one)], point=point, level=0.95)


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
    names = np.column_stack([name, name])
    _, sets = np.unique(3 * template + number, return_inverse=True)
    both = {
        (s, g)
        for s, g, v in zip(sets.tolist(), is_group.tolist(), values.tolist(), strict=True)
        if not np.isnan(v)
    }
    if not any((s, True) in both and (s, False) in both for s in sets.tolist()):
        return
    arms = name_arms(values, template, sets, is_group, names)
    paired = template_differences(values, template, sets, is_group)
    by_set = arms.influence.reshape(2, -1).sum(axis=0)
    assert by_set == pytest.approx(paired.set_influence, abs=1e-12)
    assert arms.template.reshape(2, -1)[0].tolist() == paired.clusters[paired.set_clusters].tolist()
