"""Words of a table's rows: signs of differences only."""

from audit.reports.labels import why
from tests.audit.reports.conftest import disparity


def test_the_wider_interval_has_signs_only_where_it_is_of_a_difference() -> None:
    """A rate that was picked among many is not said with a plus, a disparity is."""
    wider = {"selected_ci_low": 0.19, "selected_ci_high": 0.51}
    rate = disparity(kind="rate", measure="over_refusal_rate", verdict="exceeds", **wider)
    assert "having been selected: 19.0 to 51.0\xa0%" in why(rate)
    assert "having been selected: +19.0 to +51.0" in why(disparity(**wider))
