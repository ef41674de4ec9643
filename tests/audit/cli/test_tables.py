"""Tables on the terminal: signs of differences only, nothing that nobody did, prices within their ladder."""

import pytest

from audit.cli.tables import show_estimates, show_findings, show_sequential
from audit.findings.document import RunDocument
from audit.looks import SequentialReport, SequentialRule
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


def document(*estimates: Estimate, findings: tuple[Estimate, ...] = ()) -> RunDocument:
    """What a run says, with some of its estimates as findings."""
    said: dict[str, object] = {"id": "F-1", "claim": "", "severity": "low", "severity_reason": ""}
    said |= {"evidence": (), "does_not_show": "", "next_step": ""}
    return RunDocument.model_validate(
        {
            "run": "r",
            "seed": 7,
            "spec_sha256": "",
            "prompts_sha256": "",
            "analyzers": {},
            "targets": {},
            "counts": {},
            "versions": {},
            "estimates": estimates,
            "group_rates": (),
            "findings": [{**said, "estimate": one} for one in findings],
        }
    )


def test_no_finding_is_not_said_as_if_nothing_were_there(capsys: pytest.CaptureFixture[str]) -> None:
    """What is inconclusive or not measured is counted beside it; where all is decided nothing is added."""
    show_findings(document(gap(), gap(verdict="not_measured"), gap(verdict="equivalent")))
    said = capsys.readouterr().err
    assert "no finding: nothing is shown to be beyond its threshold" in said
    assert "no proof of absence: 2 of 3 estimates are inconclusive or not measured" in said
    show_findings(document(gap(verdict="equivalent")))
    assert "absence" not in capsys.readouterr().err


def test_disparities_that_are_no_findings_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """The tally of verdicts and the table of findings add up, and a figure as read names its interval."""
    whole, part = gap(verdict="disparity"), gap(measure="true_positive_rate", verdict="disparity")
    show_findings(document(whole, part, findings=(whole,)))
    said = capsys.readouterr().err
    assert "2 disparity" in said
    assert "(1 more that differ or exceed a limit are no findings of their own" in said
    show_findings(document(whole, findings=(whole,)))
    assert "of their own" not in capsys.readouterr().err


def test_a_band_without_ends_speaks_of_no_labels(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody labelled anything, the error rates are those that the analyzer ships with."""
    band = {"low": 0.0, "high": 1.0, "departure": 0.05, "depends": True, "unbounded": True}
    one = estimate(error_band={**band, "sign_holds_to": None, "source": "", "says": ""})
    show_findings(document(one, findings=(one,)))
    said = capsys.readouterr().err
    assert "depends on its error: within it any figure is possible" in said
    assert "labels" not in said


def test_domains_without_a_case_are_counted_and_the_whole_stays(capsys: pytest.CaptureFixture[str]) -> None:
    """Rates of 0 without a limit are a row over all domains, and a line for the single ones."""
    none = {"measure": "hateful_rate", "point": 0.0, "margin": None, "verdict": "observed"}
    single = [estimate(**none, domain=domain) for domain in ("fraud", "drugs")]
    show_estimates([estimate(**none), *single, estimate(**{**none, "point": 0.1}, domain="privacy")])
    said = capsys.readouterr().err
    assert "and 2 in single domains of what no answer there showed" in said
    assert "fraud" not in said
    assert "privacy" in said
    assert said.count("hateful_rate") == 3


def test_what_is_decided_is_not_taken_for_the_looks(capsys: pytest.CaptureFixture[str]) -> None:
    """A run until decided says how many comparisons are decided and after how many looks."""
    report = SequentialReport(
        rule=SequentialRule(),
        looks_made=10,
        planned=9,
        asked=9,
        saved=0,
        rate_look=None,
        comparisons=(),
    )
    show_sequential(report)
    assert "0 of 0 comparisons that it asked for are decided, after 10 of 10 looks" in capsys.readouterr().err
