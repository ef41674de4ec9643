"""The calibration tables on few simulations: what is promised of a method holds on average over its cells.

The full tables are made by `python -m benchmarks.calibration.run`.
"""

from functools import cache

import numpy as np
import pytest

from benchmarks.calibration import decisions, names, paired, peers
from benchmarks.calibration.designs import GAP
from benchmarks.calibration.pages import SECTIONS
from benchmarks.calibration.tables import Cell, Section
from probes.seeds import rng

SIMULATIONS = 50
FEW = {
    "Coverage of agreement": 30,
    "Coverage of nominal 95 % with a true difference of 10 points": 30,
    "False alarms without a true difference": 30,
    "E-values of several runs": 20,
    "False alarms of regressions of answers": 10,
    "False alarms over several groups": 12,
    "Coverage of Cliff's delta": 20,
    "Families of 20 contrasts by every adjustment": 20,
    "Coverage of corrected rates and bands": 8,
    "False alarms at planned looks": 20,
    "False alarms of crossed first and last names": 12,
    "Coverage with crossed first and last names": 12,
    "Word associations beside swapped groups": 3,
    "False alarms of corrected rates against a limit": 20,
}
ELSEWHERE = {
    "False alarms of regressions of log-odds": "a fit takes a tenth of a second; see test_mixed.py",
    "The fast bootstrap is that of fairlearn": "tested below",
}
PROMISING = [section for title, section in SECTIONS.items() if section.promised and title not in ELSEWHERE]


def simulations_of(title: str) -> int:
    """Simulations of each cell of a table."""
    return FEW.get(title, SIMULATIONS)


@cache
def cells_of(title: str) -> tuple[Cell, ...]:
    """The cells of a table, simulated once for all tests that read them."""
    return tuple(SECTIONS[title].make(simulations_of(title)))


@pytest.mark.parametrize("section", PROMISING, ids=lambda section: section.title)
def test_promised_columns_keep_their_target(section: Section) -> None:
    """Averaged over the cells of its table, no promised share is beyond its target by more than chance."""
    simulations, cells = simulations_of(section.title), cells_of(section.title)
    least, most = section.target
    for name in section.promised:
        share = float(np.mean([cell.found[name] for cell in cells]))
        for target, sign in ((least, -1.0), (most, 1.0)):
            if target is not None:
                error = (target * (1 - target) / (simulations * len(cells))) ** 0.5
                assert sign * (share - target) < 3 * error, (name, share, target)


def test_the_methods_beside_ours_break_their_promise() -> None:
    """The tables can tell: what is known to be wrong is seen to be wrong on as few simulations."""
    alarms = {
        (title, name): float(np.mean([cell.found[name] for cell in cells_of(title)]))
        for title, name in (
            ("False alarms over several groups", "cluster-t, each by itself"),
            ("False alarms when a run is looked at while it accrues", "cluster-t, every tenth"),
            ("False alarms of a bent ruler", "uncorrected"),
            ("False alarms of crossed first and last names", "templates only"),
            ("What other tools say where there is no difference", "LangFair, not 0"),
            ("What other tools say where there is no difference", "fairlearn, not 0"),
        )
    }
    assert min(alarms.values()) > 0.1, alarms


def test_the_fast_bootstrap_is_that_of_fairlearn() -> None:
    """The library itself, on the same counts, gives the same interval within its own Monte-Carlo error."""
    real = peers.fairlearn_interval(70, 50, 120, resamples=60, seed=3)
    fast, signed = peers.row_bootstrap(70, 50, 120, resamples=20_000, stream=rng(1, "fast"))
    assert (real.low, real.high) == pytest.approx((fast.low, fast.high), abs=0.04)
    assert (signed.low, signed.high) == pytest.approx((0.167 - 0.126, 0.167 + 0.126), abs=0.01)
    even, both = peers.row_bootstrap(60, 60, 120, resamples=20_000, stream=rng(1, "even"))
    # The larger rate minus the smaller is never below 0, so its interval leaves out 0 where nothing differs.
    assert even.low > 0
    assert both.low < 0 < both.high


def test_bias_of_the_noise_floor_is_small_where_templates_are_few() -> None:
    """Even at 12 templates a difference without a true value exceeds one placebo's floor in 3 to 9 %."""
    shares = [cell.found["one placebo"] for cell in decisions.floors(200)]
    assert 0.03 < float(np.mean(shares)) < 0.09


def test_rows_as_clusters_break_where_templates_react_differently() -> None:
    """At 40 templates and 100 repeats the naive test and the row bootstrap err; a gap is found by all."""
    null, gap, covered = (
        make(60)[-1].found
        for make in (peers.peers_without_a_gap, peers.peers_find_a_gap, peers.peers_cover_a_gap)
    )
    assert null["ours"] < 0.15
    assert min(null["naive z-test"], null["rows drawn anew"]) > 0.1
    assert min(gap["ours"], gap["naive z-test"], gap["rows drawn anew"]) > 0.9
    assert max(covered["naive"], covered["fairlearn"]) < covered["ours"]


def test_naive_intervals_are_those_of_two_proportions() -> None:
    """The coverage of the naive interval falls below its level with many repeats, not with one."""
    found = {(cell.templates, cell.repeats): cell.found["naive interval"] for cell in paired.coverages(40)}
    assert found[40, 100] < 0.9 < found[100, 1]


def test_shared_names_are_seen_by_their_own_clusters_only() -> None:
    """With many answers a name, clusters of templates miss what those of first and last names cover."""
    cell = names.crossed((28, 9), (100, 16), gap=GAP, simulations=40)
    assert cell.found["first and last names"] > cell.found["templates only"] + 0.1
