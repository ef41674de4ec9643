"""The calibration tables on few simulations: what is promised of a method holds on average over its cells.

The full tables are made by `python -m benchmarks.calibration.run`, `.more`,
`.rest` and `.comparisons`.
"""

import numpy as np
import pytest

from benchmarks.calibration import comparisons, more, peers, rest, run
from benchmarks.calibration.tables import Section
from probes.seeds import rng

SIMULATIONS = 50
FEW = {
    "Coverage of agreement": 30,
    "E-values of several runs": 20,
    "False alarms of regressions of answers": 20,
    "Families of 20 contrasts by every adjustment": 20,
    "Families by e-values": 10,
    "Coverage of corrected rates and bands": 8,
    "False alarms at planned looks": 40,
}
ELSEWHERE = {
    "False alarms of regressions of log-odds": "a fit takes a tenth of a second; see test_mixed.py",
    "The fast bootstrap is that of fairlearn": "tested below",
}
SECTIONS = [
    section
    for section in (*run.SECTIONS, *more.SECTIONS, *rest.SECTIONS, *comparisons.SECTIONS)
    if section.promised and section.title not in ELSEWHERE
]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)
def test_promised_columns_keep_their_target(section: Section) -> None:
    """Averaged over the cells of its table, no promised share is beyond its target by more than chance."""
    simulations = FEW.get(section.title, SIMULATIONS)
    cells = section.make(simulations)
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
        (section.title, name): float(np.mean([cell.found[name] for cell in section.make(20)]))
        for section, name in (
            (run.SECTIONS[10], "cluster-t, each by itself"),
            (run.SECTIONS[11], "cluster-t, every tenth"),
            (more.SECTIONS[2], "uncorrected"),
            (rest.SECTIONS[3], "LangFair, not 0"),
            (rest.SECTIONS[3], "fairlearn, not 0"),
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
    section = next(one for one in rest.SECTIONS if one.title.startswith("Above the noise floor"))
    shares = [cell.found["one placebo"] for cell in section.make(200)]
    assert 0.03 < float(np.mean(shares)) < 0.09
