"""Changes that were picked among many have intervals that allow for the picking."""

import numpy as np
import pytest
from scipy.special import stdtrit

from audit.compare import changes
from audit.estimates.change_family import Standing, selected_interval
from audit.estimates.stops import Stops
from audit.records import Change
from audit.spec import Judgement
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.group_sequential import group_sequential
from tests.audit.tables import Values, pairs, singles
from tests.audit.test_compare import HALF, ONES, OTHER_HALF, ZEROS, N, side

STILL = [f"d{number}" for number in range(6)]


def of_many(before: Values, after: Values) -> list[Change]:
    """Changes of disparities: one gap moves as given, those of six more domains have no true change."""
    runs = (
        [*pairs(own, ONES), *(fact for domain in STILL for fact in pairs(other, HALF, domain=domain))]
        for own, other in ((before, HALF), (after, OTHER_HALF))
    )
    first, second = (side(facts, Judgement()) for facts in runs)
    return [one for one in changes(first, second, Judgement()) if one.kind == "disparity"]


def test_what_is_picked_has_the_level_of_the_picking() -> None:
    """Of m changes R are picked: the interval is that of 1 - .05 R weight / m; others have the plain one."""
    found = of_many(ZEROS, HALF)
    tested = [one for one in found if one.p_adjusted is not None]
    picked = [one for one in tested if one.widened]
    assert 0 < len(picked) < len(tested)
    assert picked == [one for one in tested if one.p_adjusted is not None and one.p_adjusted <= 0.05]
    (own,) = [one for one in picked if one.domain == "lending" and one.measure == "favourable_rate"]
    # The one change over all domains is primary, and has its share of the rate alone.
    weight = (1 - Judgement().primary_share) * len(tested) / (len(tested) - 1)
    level = 1 - 0.05 * len(picked) * weight / len(tested)
    reach = float(stdtrit(N - 1, 0.5 + level / 2)) * (0.25 / (N - 1)) ** 0.5
    assert own.stated_interval == pytest.approx((0.5 - reach, 0.5 + reach))
    assert own.ci_low is not None
    assert own.ci_low > 0.5 - reach
    for one in tested:
        if one not in picked:
            assert one.stated_interval == (one.ci_low, one.ci_high)


def test_the_picked_change_of_a_rate_stays_within_what_rates_can_change_by() -> None:
    """From 40 of 40 to 1 of 40 among many changes, the wider interval ends at -1."""
    shape = {"probe": "safety/benign", "expects": "comply", "analyzer": "refusal", "measure": "refusal"}
    before, after = (
        side(
            [
                {**fact, "label": "full" if said else "none"}
                for fact, said in zip(singles([[float(one)] for one in flags], **shape), flags, strict=True)
            ],
            Judgement(),
        )
        for flags in ([True] * 40, [True] + [False] * 39)
    )
    (found,) = [one for one in changes(before, after, Judgement()) if one.domain == "all"]
    assert found.widened
    assert found.stated_interval[0] == -1.0


def test_a_run_that_stopped_early_pays_for_its_looks_too() -> None:
    """Of a probe stopped at look 3 of 10 the level is that of the look, of others it is the picking's own."""
    values = np.array([0.5 + (-1) ** place * 0.3 for place in range(30)])
    change = cluster_t_interval(values, bounds=(-2.0, 2.0))
    after = of_many(ZEROS, HALF)[0]
    facts = side(pairs(HALF, ONES), Judgement()).estimates[0]
    assert after.kind == "disparity"
    boundaries = group_sequential([number / 10 for number in range(1, 11)])
    widths = {}
    for name, probes in {"stopped": frozenset({facts.probe}), "whole": frozenset[str]()}.items():
        stops = Stops(boundaries=boundaries, look=3, probes=probes)
        wide = selected_interval(change, Standing(p_adjusted=0.01, picked=0.99), facts, stops)
        assert wide is not None
        widths[name] = wide
    assert widths["whole"].level == 0.99
    assert widths["stopped"].level == pytest.approx(boundaries.level(0.99, 3))
    assert widths["stopped"].low < widths["whole"].low
    assert selected_interval(change, Standing(p_adjusted=0.2), facts, None) is None
