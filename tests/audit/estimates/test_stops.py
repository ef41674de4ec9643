"""What is stated once of a run that was stopped early."""

import pandas as pd

from audit.estimates.measures import Measure, measure_named
from audit.estimates.rates import rates
from audit.estimates.stops import Stops
from audit.records import Estimate
from audit.spec import Judgement
from audit.statistics.group_sequential import group_sequential

BOUNDARIES = group_sequential((0.25, 0.5, 0.75, 1.0))
STOPS = Stops(boundaries=BOUNDARIES, look=2, probes=frozenset({"cut"}))
RATE = measure_named("over_refusal_rate")
JUDGEMENT = Judgement(rate_limits={"over_refusal_rate": 0.05})


def both(stops: Stops | None) -> dict[str, Estimate]:
    """The same answers of a probe that was cut and of one that was asked in full, an eighth refused."""
    rows = [
        {"probe": probe, "language": "en", "domain": "d", "technique": None, "arm": None}
        | {"template": f"t{t}", "value": float((t + r) % 8 == 0)}
        for probe in ("cut", "full")
        for t in range(40)
        for r in range(3)
    ]

    def frame_of(_measure: Measure) -> pd.DataFrame:
        return pd.DataFrame(rows)

    return {one.probe: one for one in rates(frame_of, JUDGEMENT, measures=[RATE], stops=stops)}


def test_a_rate_of_a_probe_asked_in_full_is_one_analysis() -> None:
    """Only the rate of the probe that was cut pays for looks; the other is what it is without any."""
    plain, stopped = both(None), both(STOPS)
    same = {"p_adjusted"}
    assert stopped["full"].model_dump(exclude=same) == plain["full"].model_dump(exclude=same)
    cut = stopped["cut"]
    assert (cut.point, cut.level) == (plain["cut"].point, 0.95)
    assert cut.method.endswith("repeated interval at look 2 of 4")
    assert cut.ci_low is not None
    assert plain["cut"].ci_low is not None
    assert cut.ci_low < plain["cut"].ci_low
    assert cut.p_value is not None
    assert plain["cut"].p_value is not None
    assert cut.p_value > plain["cut"].p_value
