"""Tables on the terminal: signs of differences only, nothing that nobody did, prices within their ladder."""

import pytest

from audit.cli.tables import show_estimates
from audit.records import Estimate


def estimate(**changed: object) -> Estimate:
    """A rate of one population that exceeds its limit."""
    stated: dict[str, object] = {
        "kind": "rate",
        "measure": "over_refusal_rate",
        "unit": "rate",
        "probe": "safety/benign",
        "domain": "all",
        "point": 0.208,
        "ci_low": 0.17,
        "ci_high": 0.253,
        "method": "none",
        "n_outputs": 384,
        "n_clusters": 96,
        "margin": 0.1,
        "verdict": "exceeds",
    }
    return Estimate.model_validate(stated | changed)


def gap(**changed: object) -> Estimate:
    """A difference between two groups."""
    sides = {"attribute": "gender", "group": "female", "reference_group": "male", "signal": "explicit"}
    rates = {"group_rate": 0.0, "reference_rate": 0.0, "verdict": "inconclusive", "point": 0.0}
    return estimate(**{"kind": "disparity", "ci_low": -0.066, "ci_high": 0.066, **sides, **rates, **changed})


def test_only_differences_have_a_sign(capsys: pytest.CaptureFixture[str]) -> None:
    """A rate of one population cannot be taken for a difference."""
    show_estimates([estimate(), gap(point=0.2, ci_low=0.1, ci_high=0.3, group_rate=0.2)])
    said = capsys.readouterr().err
    assert " 0.208 " in said
    assert "[0.170, 0.253]" in said
    assert "+0.200" in said
    assert "[+0.100, +0.300]" in said


def test_what_nobody_did_is_counted_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A contrast of nothing with nothing leaves the table; one with a case, or a verdict, stays."""
    none = gap(measure="incomplete_rate")
    show_estimates([none, none, gap(group_rate=0.1), gap(measure="refusal_rate", verdict="equivalent")])
    said = capsys.readouterr().err
    assert "and 2 between groups of what no answer of either showed (incomplete_rate)" in said
    assert said.count("incomplete_rate") == 1
    assert "refusal_rate" in said


def test_rates_of_two_probes_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """Two rows of one measure over all domains name their probes; one alone does not."""
    show_estimates([estimate(), estimate(probe="bias/decisions"), estimate(measure="toxicity_rate")])
    said = capsys.readouterr().err
    assert "all, safety/benign" in said
    assert "all, bias/decisions" in said
    assert said.count("safety/benign") == 1


def test_a_price_ends_at_its_ladder(capsys: pytest.CaptureFixture[str]) -> None:
    """Beyond the ladder the table has no number."""
    show_estimates(
        [gap(kind="price", point=13.5, ci_low=8.03, ci_high=29.7, ladder=12.0, verdict="observed")]
    )
    said = capsys.readouterr().err
    assert "more than 12" in said
    assert "[8.03, more than 12]" in said
    assert "29.7" not in said
