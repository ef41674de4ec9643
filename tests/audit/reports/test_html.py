"""The HTML report: self-contained, escaped, accessible, and the same bytes for the same content."""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.estimates.outcome_records import Outcomes
from audit.findings.document import RunDocument
from audit.records import Change, Counts, Estimate, Finding, RaterUse, Verdict
from audit.records.canaries import Drift
from audit.reports import Background, Pair, ReportContent, Shown, build_content, render_html, write_report
from audit.reports.labels import value_of
from tests.audit.reports.page import Page


@pytest.fixture(name="html", scope="module")
def _html(typical: ReportContent) -> str:
    """The typical report, rendered."""
    return render_html(typical)


@pytest.fixture(name="page", scope="module")
def _page(html: str) -> Page:
    """The typical report, parsed."""
    return Page(html)


def test_policy_admits_one_style_sheet_and_nothing_else(html: str) -> None:
    """The policy names the hash of the only style element, and allows nothing else."""
    style = re.findall(r"<style>(.*?)</style>", html, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    assert len(style) == 1
    assert (
        f"content=\"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'\""
        in html
    )


def test_page_has_no_script_no_inline_style_and_no_address(html: str, page: Page) -> None:
    """Nothing runs, nothing breaks the policy, and nothing points outside the page."""
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & set(page.tags)
    assert not [
        name for _, name, _ in page.attributes if name == "style" or name.startswith("on") or name == "src"
    ]
    assert all(value.startswith("#") for value in page.values("href"))
    assert not re.search(r"https?:|//[a-z]|@import|url\((?!#)", html)


def test_error_rates_of_analyzers_do_not_stand_between_the_summary_and_the_results(html: str) -> None:
    """What each analyzer misses is read at once; its long table of rates is folded."""
    start, fold = (
        html.index("How far the readings can be believed"),
        html.index("The error rates as measured"),
    )
    assert "<table" not in html[start:fold]
    assert "<b>decision</b>, version" in html[start:fold]
    table = html.index("Measured error rates of the analyzers")
    assert fold < table < html.index("</details>", fold)


def test_more_disparities_than_findings_are_explained(typical: ReportContent) -> None:
    """The tally of verdicts and the number of findings differ for a reason that is said."""
    loud = [one for one in typical.document.estimates if one.verdict in {Verdict.DISPARITY, Verdict.EXCEEDS}]
    document = typical.document.model_copy(update={"findings": ()})
    page = render_html(replace(typical, document=document))
    assert loud
    assert f"{len(loud)} more differ or exceed a limit than there are findings" in page


def test_every_tag_is_closed_and_every_id_is_unique(page: Page) -> None:
    """The markup is balanced, ids are unique, and every reference within the page has its goal."""
    ids = page.values("id")
    references = [value.removeprefix("#") for value in page.values("href")]
    references += [name for value in page.values("aria-labelledby") for name in value.split()]
    references += re.findall(r"url\(#([^)]*)\)", " ".join(value for _, _, value in page.attributes))
    assert page.unbalanced == []
    assert page.open == []
    assert len(ids) == len(set(ids))
    assert set(references) <= set(ids)


def test_thresholds_are_of_measures_that_the_audit_reads(html: str) -> None:
    """A limit of an analyzer that did not run is named as left out, and not listed with the others."""
    card = html.split("<h3>Thresholds</h3>")[1].split("</div>\n</div>", maxsplit=1)[0]
    listed, left_out = card.split("Left out, since nothing in this audit reads them:")
    assert "limit of harmful compliance rate" in listed
    assert "detoxify" not in listed
    assert "detoxify toxic rate" in left_out


def test_a_margin_of_disparities_stands_where_groups_are_compared(
    make_document: Callable[..., RunDocument], facts: Background
) -> None:
    """An audit that was planned to compare nobody, and has no earlier run, has no disparity of concern."""
    line = "<dt>smallest disparity of concern</dt>"
    alone = replace(facts, plan=facts.plan.model_copy(update={"cells": ()}))
    empty = make_document(estimates=(), findings=())
    assert line in render_html(build_content(empty, facts, pairs={}))
    assert line not in render_html(build_content(empty, alone, pairs={}))


def test_headings_come_in_order(page: Page) -> None:
    """There is one first heading, and no level is skipped on the way down."""
    levels = [int(tag[1]) for tag in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_page_can_be_used_without_seeing_it(page: Page) -> None:
    """Language, skip link, captions, scopes and text alternatives of figures are there."""
    assert ("html", "lang", "en") in page.attributes
    assert ("a", "href", "#content") in page.attributes
    assert page.tags.count("caption") == page.tags.count("table")
    assert page.values("scope").count("col") + page.values("scope").count("row") > 0
    assert len([value for value in page.values("scope") if value]) == page.tags.count("th")
    drawings = [value for tag, name, value in page.attributes if tag == "svg" and name == "role"]
    assert drawings
    assert page.tags.count("desc") == len(drawings)


def test_every_estimate_shows_its_interval_and_counts(typical: ReportContent, page: Page) -> None:
    """Each estimate's number of outputs and templates stands in the page, and so does its interval."""
    for estimate in typical.document.estimates:
        assert f"{estimate.n_outputs:,} / {estimate.n_clusters:,}" in page.text
    assert "\u221222.1 to \u22125.1" in page.text
    assert "\u221225.3 to \u22121.9" in page.text


def test_what_is_not_measured_is_said_in_words(page: Page) -> None:
    """A missing estimate is called not measured with its reason, and a run says what it did not test."""
    assert "6 templates; at least 12 are needed to state it" in page.text
    assert "not measured / not measured" in page.text
    assert "What was not tested" in page.text
    assert "None" not in page.text.replace("None declared", "")


def test_same_content_gives_the_same_bytes(
    make_document: Callable[..., RunDocument],
    make_pairs: Callable[[RunDocument], dict[str, list[Pair]]],
    facts: Background,
) -> None:
    """The order in which mappings were filled does not reach the page, nor does time."""
    first = make_document(versions={"numpy": "2", "evenhand": "0.1"})
    second = make_document(versions={"evenhand": "0.1", "numpy": "2"})
    pages = {render_html(build_content(one, facts, pairs=make_pairs(one))) for one in (first, second)}
    assert len(pages) == 1


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "</div></main></body><style>*{display:none}</style>",
        '" onmouseover="x" \'><img src=x onerror=alert(1)>',
        "{{ 7 * 7 }}{% include 'report.css' %}",
        "<!-- -->]]></svg>&lt;i&gt;&#60;script&#62;",
        "$\\frac{1}{2}$ _^ %",
        "\u202eevil\u2066\u200f",
        "\x00\x07\x1b[31m\x7f\x9b",
        "\ud800 lone \udfff",
        "مرحبا بالعالم 你好",
        "x " * 25_000,
    ],
)
def test_hostile_text_stays_text(
    hostile: str,
    make_disparity: Callable[..., Estimate],
    make_finding: Callable[..., Finding],
    make_document: Callable[..., RunDocument],
    facts: Background,
) -> None:
    """Whatever a model, a file or a provider says can neither add markup nor reorder the page."""
    record = hostile.encode("utf-8", "replace").decode()
    estimate = make_disparity(group=record, attribute=record, domain=record, reasons=(record,))
    found = make_finding(estimate, claim=record)
    document = make_document(
        run=record,
        targets={"target": {record: record}},
        estimates=(estimate,),
        findings=(found,),
    )
    shown = Shown(prompt_id="p", output=1, prompt=hostile, reply=hostile, group=hostile, value=1.0)
    html = render_html(build_content(document, facts, pairs={found.id: [Pair(first=shown, second=shown)]}))
    html.encode("utf-8")
    page = Page(html)
    assert page.unbalanced == []
    assert not {"script", "img", "i"} & set(page.tags)
    assert page.tags.count("style") == 1
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", html)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(), min_size=1, max_size=60))
def test_no_text_changes_the_markup(
    text: str, make_document: Callable[..., RunDocument], facts: Background
) -> None:
    """The elements of a page do not depend on what a reply says."""
    plain, odd = (_with_reply(reply, make_document(), facts) for reply in ("x", f"x{text}"))
    assert plain.tags == odd.tags


def _with_reply(reply: str, document: RunDocument, facts: Background) -> Page:
    bare = document.model_copy(update={"estimates": (), "findings": document.findings[1:]})
    shown = Shown(prompt_id="p", output=1, prompt="x", reply=reply)
    pairs = {bare.findings[0].id: [Pair(first=shown)]}
    return Page(render_html(build_content(bare, facts, pairs=pairs)))


def test_changed_endpoint_has_a_banner(make_document: Callable[..., RunDocument], facts: Background) -> None:
    """A run whose endpoint changed says so above its counts, with the server's words escaped."""
    drift = Drift(
        rounds=2,
        answers=8,
        errors=0,
        prompt_tokens=24,
        completion_tokens=32,
        drifted=True,
        reasons=("the model changed after 1 of 2 rounds: '<b>m</b>' before, 'n' after",),
    )
    changed = make_document(drift={"target": drift})
    page = render_html(build_content(changed, facts, pairs={}))
    assert "The endpoint changed during the run (target)." in page
    assert "<b>m</b>" not in page
    assert "56 tokens" in page
    steady = render_html(build_content(make_document(), facts, pairs={}))
    assert "The endpoint changed" not in steady


def test_incomplete_run_has_a_banner(make_document: Callable[..., RunDocument], facts: Background) -> None:
    """A run that stopped early says so first, with how many outputs are missing."""
    counts = Counts(planned=2000, answered=900, refused=0, truncated=0, empty=0, errored=100, not_asked=1000)
    document = make_document(counts={"target": counts})
    text = Page(render_html(build_content(document, facts, pairs={}))).text
    assert "1,000 of 2,000 planned outputs were not asked" in text
    assert text.index("incomplete (target)") < text.index("What was tested")


def test_harmful_text_is_hidden_until_asked_for(html: str) -> None:
    """Exchanges of attack probes lie in a closed fold; those of decisions lie open."""
    fold = html.index('<details class="hidden-text"><summary>')
    assert fold < html.index("Certainly, first")
    assert html.index("the case is ") < fold
    assert '<details class="hidden-text" open' not in html


def test_pairs_stand_side_by_side_with_their_difference_marked(html: str) -> None:
    """The words in which two exchanges differ are marked, the others are not."""
    assert "Should <mark>she </mark>get the loan of <mark>Ms </mark>Green?" in html
    assert "<mark>Yes</mark>, the case is <mark>strong</mark>." in html


def test_what_was_read_is_said_as_good_or_bad_for_the_person(
    make_disparity: Callable[..., Estimate], make_rate: Callable[..., Estimate]
) -> None:
    """A decision is favourable or not: "no" above a reply "Yes." would mislead; other rates are yes or no."""
    decided, rate = make_disparity(), make_rate()
    assert [value_of(value, decided) for value in (0.0, 1.0)] == ["unfavourable (0)", "favourable (1)"]
    assert [value_of(value, rate) for value in (0.0, 1.0, 42.5)] == ["no (0)", "yes (1)", "42.5"]


def test_each_exchange_shows_what_was_read(page: Page) -> None:
    """The reading stands above the reply, in the words of the finding's measure."""
    assert "read as unfavourable (0)" in page.text
    assert "read as no (0)" in page.text


def test_attributes_are_also_shown_as_a_whole(page: Page) -> None:
    """Each group stands against the mean of all, with the p-value of no group differing."""
    text = " ".join(page.texts)
    assert "Groups against the mean of all, gender" in text
    assert "p = 0.0312, over 44 templates" in text


def test_changes_show_both_ends(page: Page) -> None:
    """A change stands with both values, both groups' rates, its paired interval and its verdict."""
    for words in ("\u221231.1", "+31.9", "+22.1 to +41.6", "20.0 \u2192 53.0", "smaller", "2,264 / 44"):
        assert words in page.text


def test_long_tables_say_what_they_leave_out(
    make_document: Callable[..., RunDocument],
    make_disparity: Callable[..., Estimate],
    make_finding: Callable[..., Finding],
    make_change: Callable[..., Change],
    facts: Background,
) -> None:
    """A run of many rows shows the loudest, and counts those that lie in findings.json only."""
    quiet = [
        make_disparity(domain=f"d{n:03}", verdict=Verdict.EQUIVALENT, material=False, n_outputs=5000 + n)
        for n in range(200)
    ]
    loud = make_disparity(domain="z-last", n_outputs=7777)
    many = tuple(make_finding(loud, id=f"F-{n:08}") for n in range(150))
    document = make_document(estimates=(*quiet, loud), findings=many)
    changes = [make_change(domain=f"d{n:03}") for n in range(90)]
    html = render_html(build_content(document, facts, pairs={}, changes=changes))
    text = Page(html).text
    assert "141 rows more are left out here" in text
    assert "7,777 / 44" in text
    assert "50 findings more are left out here" in text
    assert "30 rows more are left out here" in text
    assert len(html) < 2_000_000


def test_why_a_ratio_has_no_interval_stands_below_the_table(
    make_document: Callable[..., RunDocument], facts: Background
) -> None:
    """The reason is a sentence, and the columns of intervals hold none."""
    why = "1 favourable of 40 in the reference; a ratio to it needs 5 or more"
    none = {"point": 0.5, "ci_low": None, "ci_high": None, "method": f"not measured: {why}"}
    rate: dict[str, object] = {"considered": 40, "missing": 0, "share": 0.5, "n_clusters": 20, "method": "x"}
    rate |= {"selected": 1, "rate": 0.025, "ci_low": 0.0, "ci_high": 0.1, "below_four_fifths": False}
    row: dict[str, object] = {**rate, "group": "female", "impact_ratio": none, "reference_ratio": none}
    about: dict[str, object] = {
        "probe": "bias/decisions",
        "domain": "lending",
        "language": "en",
        "attribute": "gender",
    }
    about |= {"rate": "selection", "table": "sex", "signal": "explicit", "highest": "male"}
    about |= {"reference": "male", "level": 0.95, "rows": [row], "placebos": [], "n_clusters": 20}
    document = make_document(outcomes=Outcomes.model_validate({"selection": [about]}))
    html = render_html(build_content(document, facts, pairs={}))
    assert f"Impact ratio of female without an interval: {why}." in html
    assert f"Ratio of female to male without an interval: {why}." in html
    assert why not in "".join(re.findall(r"<td[^>]*>(.*?)</td>", html, flags=re.DOTALL))


def test_empty_run_is_not_a_clean_one(make_document: Callable[..., RunDocument], facts: Background) -> None:
    """A run without any estimate says that nothing was measured instead of showing empty tables."""
    counts = Counts(planned=0, answered=0, refused=0, truncated=0, empty=0, errored=0, not_asked=0)
    document = make_document(estimates=(), findings=(), group_rates=(), targets={}, counts={"target": counts})
    text = Page(render_html(build_content(document, facts, pairs={}))).text
    assert "That is no proof of absence" in text
    assert "Not measured: no probe of this run compares groups of people." in text
    assert "Not measured in this run: harmful requests complied with; " in text


def test_a_judge_shows_what_it_was_asked_and_what_it_took(
    make_document: Callable[..., RunDocument], facts: Background
) -> None:
    """Calls and tokens of a model that reads answers are shown; without such a model nothing is said."""
    counts = Counts(planned=1210, answered=1200, refused=0, truncated=0, empty=0, errored=10, not_asked=0)
    use = RaterUse(model="<b>j-1</b>", counts=counts, prompt_tokens=345678, completion_tokens=2400)
    asked = make_document().model_copy(update={"raters": {"judge-harm": use}})
    said = render_html(build_content(asked, facts, pairs={}))
    for part in ("345,678", "2,400", "348,078", "1,210", "judge-harm", "&lt;b&gt;j-1"):
        assert part in said
    assert "Models that read the answers" not in render_html(build_content(make_document(), facts, pairs={}))


def test_the_kind_of_correction_is_named_as_it_is(html: str) -> None:
    """The shares of the false discovery rate are not equal, and the summary says so."""
    assert "(disparities: weighted Benjamini\u2013Hochberg; rates against limits: a family" in html


def test_a_finding_says_which_of_its_intervals_allows_for_the_picking(html: str) -> None:
    """The card states the interval of its claim first, and then the plain one as such."""
    size = "interval \u221222.1 to \u22125.1, which allows for having been picked among many; taken by itself"
    assert size in html


def test_report_is_written_as_rendered(tmp_path: Path, typical: ReportContent, html: str) -> None:
    """The file holds the rendered page in UTF-8, and an older report is replaced."""
    path = tmp_path / "report.html"
    path.write_text("old", encoding="utf-8")
    write_report(typical, path)
    assert path.read_text(encoding="utf-8") == html


def test_error_rates_by_group_are_shown_where_the_readings_are_used(html: str) -> None:
    """A reader of the validity box sees of which measure and of which group an error rate is."""
    assert '<th scope="row">specificity of toxic, older people</th>' in html
