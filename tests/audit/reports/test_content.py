"""What a report chooses to show: order, counts, and what is kept when a table must end."""

from collections.abc import Callable

from audit.findings.document import RunDocument
from audit.records import Change, Control, Counts, Estimate, Verdict
from audit.reports import Background, ReportContent, build_content
from probes.records import Placebo


def test_tally_counts_every_estimate_once(typical: ReportContent) -> None:
    """Verdicts are counted over all estimates, and no verdict without one is named."""
    assert sum(count for _, count in typical.tally) == len(typical.document.estimates)
    assert all(count for _, count in typical.tally)


def test_every_estimate_has_its_place(typical: ReportContent) -> None:
    """Each estimate stands in exactly one panel."""
    panels = [*typical.rates, *(panel for section in typical.attributes for panel in section.panels)]
    panels += [typical.scores] if typical.scores is not None else []
    placed = [row for panel in panels for row in panel.rows]
    assert len(placed) == len(typical.document.estimates)
    assert all(row in placed for row in typical.document.estimates)


def test_keys_of_panels_are_unique(typical: ReportContent) -> None:
    """No two panels share a key, for keys become ids."""
    keys = [panel.key for section in typical.attributes for panel in section.panels]
    keys += [panel.key for panel in typical.rates]
    assert len(keys) == len(set(keys))


def test_decisions_come_first_and_the_rest_is_folded(typical: ReportContent) -> None:
    """Groups are compared on decisions in the open, on everything else in a fold."""
    gender = next(section for section in typical.attributes if section.attribute == "gender")
    assert [panel.foremost for panel in gender.panels] == [True, False]


def test_cut_table_keeps_the_loudest_verdicts_in_order(
    make_document: Callable[..., RunDocument], make_disparity: Callable[..., Estimate], facts: Background
) -> None:
    """When rows must go, the equivalent ones go first, and the order of the others stays."""
    quiet = [make_disparity(domain=f"a{n:02}", verdict=Verdict.EQUIVALENT) for n in range(70)]
    loud = [make_disparity(domain=f"b{n:02}") for n in range(5)]
    content = build_content(make_document(estimates=(*quiet, *loud)), facts, pairs={})
    panel = content.attributes[0].panels[0]
    assert [row.domain for row in panel.rows][-5:] == [f"b{n:02}" for n in range(5)]
    assert (len(panel.rows), panel.left_out) == (60, 15)
    assert panel.tally == ((Verdict.DISPARITY, 5), (Verdict.EQUIVALENT, 70))


def test_failed_controls_are_counted_and_come_first(
    make_document: Callable[..., RunDocument], make_disparity: Callable[..., Estimate], facts: Background
) -> None:
    """A negative control that does not hold leads the table."""
    failed = Control(
        placebo=Placebo.RESAMPLE,
        point=0.1,
        ci_low=0.05,
        ci_high=0.15,
        noise_floor=0.14,
        n_clusters=44,
        holds=False,
    )
    estimates = (make_disparity(), make_disparity(domain="zz", controls=(failed,)))
    content = build_content(make_document(estimates=estimates), facts, pairs={})
    assert (content.controls_total, content.controls_failed) == (2, 1)
    assert content.controls[0].control is failed


def test_changes_and_baseline_are_two_comparisons(
    make_document: Callable[..., RunDocument], make_change: Callable[..., Change], facts: Background
) -> None:
    """An earlier run and a baseline model are compared apart, decisions before the rest."""
    other = make_change(measure="refusal_rate")
    document = make_document(against_baseline=(make_change(verdict="larger"),))
    content = build_content(document, facts, pairs={}, changes=[other, make_change()])
    assert [comparison.key for comparison in content.comparisons] == ["before-after", "baseline"]
    assert [row.measure for row in content.comparisons[0].rows] == ["favourable_rate", "refusal_rate"]
    assert content.comparisons[1].tally == (("larger", 1),)


def test_too_many_errors_make_a_run_incomplete(
    make_document: Callable[..., RunDocument], facts: Background
) -> None:
    """A share of failed requests above the spec's limit is said with its limit."""
    counts = Counts(planned=100, answered=60, refused=0, truncated=0, empty=0, errored=40, not_asked=0)
    content = build_content(make_document(counts={"target": counts}), facts, pairs={})
    assert [gap.role for gap in content.incomplete] == ["target"]
    assert "40 of 100 requests failed" in content.incomplete[0].text


def test_gaps_of_a_run_are_named(make_document: Callable[..., RunDocument], facts: Background) -> None:
    """Behaviours and languages nobody asked about are listed as not tested."""
    gaps = " ".join(build_content(make_document(), facts, pairs={}).not_tested)
    for words in ("Refusal of harmless requests.", "Languages other than en.", "1 estimate that the plan"):
        assert words in gaps
    assert "Compliance with harmful requests" not in gaps
