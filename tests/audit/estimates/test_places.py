"""Changes that read alike are told apart."""

from audit.estimates.places import places
from audit.records import Change, Verdict

ONE = Change(
    measure="favourable_rate",
    kind="disparity",
    probe="bias/decisions",
    attribute="gender",
    group="women",
    reference_group="men",
    signal=None,
    domain="all",
    technique=None,
    before=-0.2,
    after=-0.1,
    change=0.1,
    ci_low=0.0,
    ci_high=0.2,
    level=0.95,
    method="cluster-t",
    n_outputs=10,
    n_clusters=5,
    p_value=None,
    p_adjusted=None,
    before_verdict=Verdict.DISPARITY,
    after_verdict=Verdict.INCONCLUSIVE,
    verdict="inconclusive",
)


def test_changes_of_one_measure_by_two_probes_are_told_apart() -> None:
    """Rows that would read alike name their probe, or their language; others stay short."""
    other = ONE.model_copy(update={"probe": "public/table"})
    foreign = ONE.model_copy(update={"language": "fr"})
    rate = ONE.model_copy(update={"measure": "correct_rate", "group": None, "reference_group": None})
    assert places([ONE, rate]) == ("all", "all")
    assert places([ONE, other, rate]) == ("all, bias/decisions", "all, public/table", "all")
    assert places([ONE, foreign]) == ("all, en", "all, fr")
    assert len(set(places([ONE, other, foreign]))) == 3
