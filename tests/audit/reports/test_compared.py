"""The page about two runs: what became of a repair, self-contained, escaped, honest about what is missing."""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from audit.estimates.ids import finding_id
from audit.findings.document import RunDocument
from audit.records import (
    Change,
    Correction,
    Estimate,
    Finding,
    GroupChange,
    NonInferiority,
    Verdict,
)
from audit.repaired.comparison import Comparison
from audit.repaired.cost import RepairCost
from audit.repaired.outcomes import beside, finding_outcomes
from audit.repaired.reach import ReachCell
from audit.reports import Files, Repair, build_compared, render_compared
from audit.reports.words import MINUS
from audit.spec import Judgement
from tests.audit.reports.page import Page

COMMAND = "evenhand compare before after --html page.html"


def _moved(before: Estimate, after: Estimate, **fields: object) -> Change:
    """The change between two estimates of one question; fields given replace the usual ones."""
    assert before.point is not None
    assert after.point is not None
    size = after.point - before.point
    usual: dict[str, object] = {
        **after.model_dump(include=set(Change.model_fields) & set(Estimate.model_fields)),
        "finding": finding_id(after),
        "before": before.point,
        "after": after.point,
        "change": size,
        "ci_low": size - 0.04,
        "ci_high": size + 0.04,
        "n_outputs": 264,
        "n_clusters": 44,
        "method": "paired by prompt, cluster-t (df 43)",
        "p_value": 0.0001,
        "p_adjusted": 0.0002,
        "before_verdict": before.verdict,
        "after_verdict": after.verdict,
        "verdict": "smaller",
        "reasons": (),
    }
    return Change.model_validate({**usual, **fields})


@pytest.fixture(name="make_comparison")
def _make_comparison(
    make_disparity: Callable[..., Estimate],
    make_rate: Callable[..., Estimate],
    make_finding: Callable[..., Finding],
    make_document: Callable[..., RunDocument],
) -> Callable[..., Comparison]:
    """Makes a comparison with a finding fixed, one left, one new, and a loss of usefulness."""

    def make(*, text: str = "hiring", further: bool = True) -> Comparison:
        quiet = {"material": False, "selected_ci_low": None, "selected_ci_high": None}
        gap = (
            make_disparity(point=-0.136),
            make_disparity(point=-0.01, ci_low=-0.05, ci_high=0.03, verdict=Verdict.INCONCLUSIVE, **quiet),
        )
        left = (make_disparity(domain=text, point=-0.2), make_disparity(domain=text, point=-0.19))
        over = {"measure": "over_refusal_rate", "probe": "safety/benign", "technique": "none"}
        refused = (
            make_rate(**over, point=0.02, ci_low=0.01, ci_high=0.05, verdict=Verdict.WITHIN),
            make_rate(**over, point=0.3),
        )
        useful = {"measure": "correct_rate", "probe": "bias/decisions", "technique": None, "margin": None}
        correct = tuple(make_rate(**useful, point=at, verdict=Verdict.OBSERVED) for at in (0.9, 0.7))
        pairs = (gap, left, refused, correct)
        documents = {
            name: make_document(
                run=f"lender {text}",
                estimates=tuple(pair[place] for pair in pairs),
                findings=tuple(make_finding(pair[place], claim=f"claim {text}") for pair in found),
                against_baseline=(),
            )
            for name, place, found in (("before", 0, (gap, left)), ("after", 1, (left, refused)))
        }
        own: dict[str, object] = {
            "group_change": GroupChange(change=-0.1, ci_low=-0.15, ci_high=-0.05),
            "reference_change": GroupChange(change=-0.2, ci_low=-0.25, ci_high=-0.15),
            "reasons": ("levelling down: male is treated worse than before (-20.0 points)",),
        }
        bound = {"margin": 0.05, "verdict": "inferior"}
        worse = NonInferiority.model_validate({**bound, "worse": "lower", "bound": -0.24})
        more = NonInferiority.model_validate({**bound, "worse": "higher", "bound": 0.31})
        changes = (
            _moved(gap[0], gap[1], **own),
            _moved(*left, verdict="inconclusive", reasons=("not told apart from 0",)),
            _moved(*refused, verdict="larger", non_inferiority=more),
            _moved(*correct, verdict="smaller", non_inferiority=worse),
        )
        found = Comparison(
            before="before",
            after="after",
            changes=changes,
            not_comparable=None,
            outcomes=finding_outcomes(documents["before"], documents["after"], changes),
            documents=documents,
        )
        if not further:
            return found
        cell = {
            **changes[0].model_dump(include=set(ReachCell.model_fields) & set(Change.model_fields)),
            "template": "unseen",
            "identity": "mixed",
            "trained": True,
            "n_prompts": 264,
        }
        return replace(
            found,
            beside=beside(changes, base=changes[:1], prompt_only=changes, against_prompt_only=changes[:1]),
            cells=(ReachCell.model_validate(cell),),
            gated={"over_refusal_rate": "refusal"},
            documents={**documents, "base": documents["before"], "prompt_only": documents["after"]},
        )

    return make


def _repair(comparison: Comparison, *, further: bool = True, text: str = "x") -> Repair:
    files = Files(
        findings=(comparison.changes[0].finding,), kinds={"preference": 90}, left_out=(f"F-1: {text}",)
    )
    return Repair(
        judgement=Judgement(),
        command=COMMAND,
        files=files if further else None,
        cost=RepairCost(trainer=text, seconds=12.5) if further else None,
    )


@pytest.fixture(name="html")
def _html(make_comparison: Callable[..., Comparison]) -> str:
    """The page with every part."""
    found = make_comparison()
    return render_compared(build_compared(found, _repair(found)))


def _section(html: str, name: str) -> str:
    """The text of one section."""
    start = html.index(f'<section id="{name}"')
    said = Page(html[start : html.index("</section>", start)]).text
    return said.replace(MINUS, "-").replace("\xa0", " ").replace("( ", "(").replace(" )", ")")


def test_page_is_whole_accessible_and_asks_for_nothing(html: str) -> None:
    """One style sheet by its hash, no script, no address, closed tags, unique ids, headings in order."""
    page = Page(html)
    style = re.search("<style>(.*?)</style>", html, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src &#39;sha256-{digest}&#39;" in html or f"style-src 'sha256-{digest}'" in html
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert "http" not in re.sub('xmlns[^ >]*="[^"]*"|http-equiv', "", html)
    assert (page.unbalanced, page.open) == ([], [])
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {one.removeprefix("#") for one in page.values("href")} <= set(ids)
    levels = [int(tag[1]) for tag in page.tags if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_first_lines_tell_what_was_repaired_what_was_not_what_got_worse_and_what_is_new(html: str) -> None:
    """Each finding and each loss stands in the summary, with its interval and what it rests on."""
    said = _section(html, "summary")
    assert "1 fixed 0 no longer found 1 still found 1 new 3 shown worse" in said
    parts = re.split("What was repaired|What was not|What got worse|What is new", said)
    assert (
        "Fixed, though not shown to be within its margin. Favourable decisions: female against male · lending"
        in parts[1]
    )
    size = "-13.6 points → -1.0 points; change +12.6 points"
    assert f"{size} (95 % interval +8.6 to +16.6; 264 paired prompts, 44 templates)" in parts[1]
    assert "Still found. Favourable decisions: female against male · hiring · explicit" in parts[2]
    assert "levelling down: male is treated worse than before" in parts[3]
    assert "Harmless requests refused" in parts[3]
    assert "Decisions that a rule blind to identity also makes" in parts[3]
    assert "the loss surely exceeds the margin" in parts[3]
    assert "New. Harmless requests refused" in parts[4]
    assert "harmless requests refused (analyzer refusal)" in parts[0]


def test_each_finding_has_its_ends_beside_those_of_repeat_and_instruction(html: str) -> None:
    """Before, after, repeat and instruction stand with interval and denominator, drawn and in a table."""
    said = _section(html, "outcomes")
    table = said[said.index("outputs / templates") :]
    assert re.search(r"before disparity -13.6 -22.1 to -5.1 1,264 / 44", table)
    assert re.search(r"after inconclusive -1.0 -5.0 to \+3.0 1,264 / 44", table)
    assert table.count("repeat disparity") == 2
    assert re.search(r"change smaller \+12.6 \+8.6 to \+16.6 264 / 44", table)
    assert html.count('class="figure wide"') >= 2
    assert f"instruction {MINUS}1.0 [{MINUS}5.0 to +3.0]" in html


def test_bounds_groups_reach_and_cost_are_told(html: str) -> None:
    """Margins, each group's own change, seen and unseen, and what training took; unknown is unknown."""
    watched = _section(html, "watched")
    assert "inferior 2.0 % 30.0 % +28.0 +24.0 to +32.0 +31.0 5.0 264 / 44" in watched
    assert "harmful compliance and attack success: not measured".capitalize() in watched
    assert "-10.0 -15.0 to -5.0" in _section(html, "groups")
    assert "unseen mixed yes -13.6 -1.0 +12.6 +8.6 to +16.6 264 / 44" in _section(html, "reach")
    took = _section(html, "training")
    assert "time 12.5 s tokens unknown: not noted" in took
    assert "Repeated word for word Not measured" in took
    assert COMMAND in _section(html, "method")


def test_what_was_not_given_is_said_to_be_missing(make_comparison: Callable[..., Comparison]) -> None:
    """Without the further runs, files and training the page stands, and says why those parts are empty."""
    found = make_comparison(further=False)
    html = render_compared(build_compared(found, _repair(found, further=False)))
    assert Page(html).unbalanced == []
    assert "no repeat (--base) and no run with an instruction" in _section(html, "beside")
    assert "no retraining files are given (--files)" in _section(html, "reach")
    assert "no trained model is given (--training)" in _section(html, "training")
    assert "repeat disparity" not in _section(html, "outcomes")


def test_runs_that_cannot_be_compared_state_nothing(make_comparison: Callable[..., Comparison]) -> None:
    """The reason is the first thing said, and no number and no all-clear follow."""
    found = make_comparison(further=False)
    bare = replace(found, changes=(), outcomes=(), not_comparable="the runs asked different prompts")
    html = render_compared(build_compared(bare, _repair(found, further=False)))
    said = _section(html, "summary")
    assert said.startswith("Summary Not comparable. the runs asked different prompts")
    assert "shown" not in said
    assert "No finding" not in said
    assert 'id="changes"' not in html
    assert "Both runs asked the same prompts" not in html
    assert Page(html).unbalanced == []


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{{ 7 * 7 }}\u202egnp",
        "</style><i>",
        "\x00\x1b[2J",
    ],
)
def test_hostile_text_stays_text(hostile: str, make_comparison: Callable[..., Comparison]) -> None:
    """Whatever a claim, a domain, a trainer or a file says can neither add markup nor reorder the page."""
    found = make_comparison(text=hostile)
    html = render_compared(build_compared(found, _repair(found, text=hostile)))
    page = Page(html)
    assert page.unbalanced == []
    assert not {"script", "img", "i"} & set(page.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", html)
    assert "49gnp" not in page.text


def test_same_comparison_gives_the_same_bytes(make_comparison: Callable[..., Comparison], html: str) -> None:
    """Rendered again from records made again, the page is the same to the byte."""
    found = make_comparison()
    assert render_compared(build_compared(found, _repair(found))) == html


def test_an_interval_stands_only_beside_the_point_it_is_of(
    make_comparison: Callable[..., Comparison],
) -> None:
    """A change of the readings has their interval; one of shared prompts, which no run states, has none."""
    found = make_comparison(further=False)
    before = found.documents["before"]
    raw = Correction(
        source="calibration",
        method="m",
        labels="l",
        n_labels=9,
        raw_point=-0.3,
        raw_ci_low=-0.4,
        raw_ci_high=-0.2,
    )
    for correction, interval in ((raw, (-0.4, -0.2)), (None, (None, None))):
        first = before.estimates[0].model_copy(update={"correction": correction})
        document = before.model_copy(update={"estimates": (first, *before.estimates[1:])})
        moved = found.changes[0].model_copy(update={"before": -0.3})
        other = replace(
            found,
            changes=(moved, *found.changes[1:]),
            documents={**found.documents, "before": document},
        )
        end = build_compared(other, _repair(found)).rows[0].ends[0].estimate
        assert end is not None
        assert (end.point, end.ci_low, end.ci_high) == (-0.3, *interval)


def test_a_change_that_is_no_difference_of_the_sizes_says_why(
    make_comparison: Callable[..., Comparison],
) -> None:
    """Where prompts are missing in one run, before, after and change do not add up, and the page says so."""
    found = make_comparison(further=False)
    first = found.changes[0]
    assert first.change is not None
    off = first.model_copy(update={"change": first.change + 0.03})
    other = replace(found, changes=(off, *found.changes[1:]))
    pages = [render_compared(build_compared(one, _repair(found))) for one in (found, other)]
    told = ["not the difference of the two sizes" in _section(html, "summary") for html in pages]
    assert told == [False, True]


def test_a_gain_is_no_loss(make_comparison: Callable[..., Comparison]) -> None:
    """More correct decisions are not told as worse, and fewer within the margin are told with the margin."""
    found = make_comparison(further=False)
    last = found.changes[-1]
    assert last.non_inferiority is not None
    kept = last.non_inferiority.model_copy(update={"verdict": "non_inferior"})
    for word, told in (("larger", []), ("smaller", ["the loss is shown; within the margin"])):
        change = last.model_copy(update={"verdict": word, "non_inferiority": kept})
        content = build_compared(replace(found, changes=(*found.changes[:-1], change)), _repair(found))
        assert [one.why for one in content.worse if one.change.measure == "correct_rate"] == told


def test_every_finding_is_drawn_however_many_there_are(make_comparison: Callable[..., Comparison]) -> None:
    """Twenty findings of one measure need three figures, the first in sight, and none is left out."""
    found = make_comparison(further=False)
    before = found.documents["before"]
    gap = before.estimates[0]
    many = tuple(gap.model_copy(update={"domain": f"place{number}"}) for number in range(20))
    document = before.model_copy(update={"estimates": (*many, *before.estimates)})
    left = found.outcomes[0].model_copy(update={"outcome": "no_longer_found", "shown": False})
    outcomes = tuple(left.model_copy(update={"id": finding_id(one)}) for one in many)
    other = replace(found, outcomes=outcomes, documents={**found.documents, "before": document})
    html = render_compared(build_compared(other, _repair(found)))
    drawn = html[html.index('<section id="outcomes"') : html.index('<section id="watched"')]
    assert drawn.count('class="figure wide"') == 3
    assert "12 further findings drawn" in drawn
    assert all(f"place{number} " in drawn for number in range(20))
    assert "are drawn" not in drawn
