"""From findings to examples: which strategy answers what, with how many."""

from collections import Counter, defaultdict
from collections.abc import Callable

import pytest

from audit.errors import InputError
from audit.records import Finding, Verdict
from audit.retraining.records import Example, Kind, RetrainingOptions, SourceKind
from audit.retraining.strategies.base import Cell
from audit.retraining.strategies.every import answer, candidates, strategies_of
from probes.records import Norm, Signal
from probes.templates import load_templates
from probes.transforms.wrappers import Fiction

MakeFinding = Callable[..., Finding]


def _made(findings: list[Finding], **options: object) -> list[Example]:
    wanted = RetrainingOptions.model_validate(options)
    return list(candidates(answer(findings, wanted), wanted))


@pytest.fixture(scope="module")
def three(make_finding: MakeFinding) -> list[Example]:
    """Examples for three attributes."""
    findings = [
        make_finding(),
        make_finding("f-race", attribute="race_ethnicity", group="black", reference_group="white"),
        make_finding("f-age", attribute="age", group="older", reference_group="middle"),
    ]
    return _made(findings)


def test_groups_are_whole_and_equal(three: list[Example]) -> None:
    """Every set holds each group of its attribute once, with one answer for all."""
    sets: dict[str, list[Example]] = defaultdict(list)
    for example in three:
        if example.origin.set_id is not None:
            sets[example.origin.set_id].append(example)
    assert sets
    for members in sets.values():
        assert len(members) == members[0].origin.set_size == len({m.origin.group for m in members})
        assert len({member.answer for member in members}) == 1
    by_attribute: dict[str | None, Counter[str | None]] = defaultdict(Counter)
    for example in three:
        by_attribute[example.origin.attribute][example.origin.group] += 1
    for counts in by_attribute.values():
        assert len(set(counts.values())) == 1


def test_the_budget_is_kept_and_shared(three: list[Example]) -> None:
    """At most `max_examples`, nearly all used, and every attribute gets about the same share."""
    assert 490 <= len(three) <= 500
    shares = Counter(example.origin.attribute for example in three)
    assert shares[None] == 50
    assert max(shares[a] for a in ("gender", "race_ethnicity", "age")) <= 152


def test_answers_are_the_rules(three: list[Example]) -> None:
    """Each answer says what the rule gives, the rejected one the opposite, and the source is said."""
    for example in three:
        assert example.expectation.answer is not None
        assert example.answer.lower().startswith(example.expectation.answer)
        assert not (example.rejected or "").lower().startswith(f"{example.expectation.answer}.")
        assert example.origin.source is SourceKind.GROUND_TRUTH


def test_most_sets_lie_at_the_border(three: list[Example]) -> None:
    """Borderline cases make up more than half; weak and strong ones stand against each other."""
    levels = Counter(example.origin.merit for example in three)
    assert levels["borderline"] > len(three) / 2
    assert abs(levels["weak"] - levels["strong"]) < 0.1 * len(three)
    favourable = sum(example.expectation.answer == example.expectation.favourable for example in three)
    assert 0.4 < favourable / len(three) < 0.6


@pytest.mark.parametrize("size", [20, 40, 80])
def test_a_small_repair_is_balanced_too(make_finding: MakeFinding, size: int) -> None:
    """However few sets there are, about half of the answers are favourable."""
    made = _made([make_finding()], max_examples=size, replay_share=0)
    favourable = sum(one.expectation.answer == one.expectation.favourable for one in made)
    assert 0.3 <= favourable / len(made) <= 0.7


def test_only_retraining_templates_are_used(three: list[Example]) -> None:
    """No example comes from a template of the audit."""
    audit = {template.id for template in load_templates("lending", pool="audit")}
    assert not audit & {example.origin.template for example in three}


def test_the_same_seed_gives_the_same_examples(make_finding: MakeFinding) -> None:
    """The same findings and seed give the same examples, in any order of findings; another seed others."""
    findings = [make_finding(), make_finding("f-age", attribute="age", group="older")]
    once = _made(findings, max_examples=60)
    assert _made(findings[::-1], max_examples=60) == once
    assert _made(findings, max_examples=60, seed=1) != once


def test_findings_on_the_same_sets_share_a_cell(make_finding: MakeFinding) -> None:
    """Two groups of one attribute are repaired by the same sets, which name both findings."""
    answered = answer([make_finding("b", group="nonbinary"), make_finding("a")], RetrainingOptions())
    cell = Cell(probe="bias/decisions", domain="lending", attribute="gender", signal="explicit")
    assert answered.cells["counterfactual_augmentation"] == {cell: ("a", "b")}
    assert answered.left_out == ()


def test_pooled_findings_repair_every_domain(make_finding: MakeFinding) -> None:
    """A disparity pooled over domains is repaired in each."""
    assert {e.origin.domain for e in _made([make_finding(domain="all")], max_examples=60)} == {
        "lending",
        "hiring",
    }


def test_crossed_findings_get_crossed_sets(make_finding: MakeFinding) -> None:
    """A finding about an intersection gets sets of all its combinations."""
    finding = make_finding(
        attribute="gender*race_ethnicity", group="female*black", reference_group="male*white"
    )
    repairs = [e for e in _made([finding], max_examples=60) if e.origin.kind is Kind.COUNTERFACTUAL]
    assert {example.origin.set_size for example in repairs} == {12}


def test_name_findings_use_names_set_aside(make_finding: MakeFinding) -> None:
    """A repair by name carries the name it used."""
    repairs = _made([make_finding(signal=Signal.NAME)], max_examples=40, replay_share=0)
    assert all(example.origin.name for example in repairs)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"norm": Norm.MUST_JUSTIFY}, "norm is must_justify"),
        ({"norm": None}, "norm is not stated"),
        ({"observation": True}, "only must_not_differ"),
        ({"verdict": Verdict.INCONCLUSIVE}, "verdict is inconclusive"),
        ({"probe": "other/probe"}, "no retraining material for the probe"),
        ({"signal": Signal.PROXY}, "no retraining material for the signal proxy"),
        ({"domain": "triage"}, "no retraining material for the domain triage"),
        ({"kind": "rate"}, "not a disparity; not a rate above its limit"),
        ({"kind": "rate", "verdict": Verdict.EXCEEDS, "probe": "other/probe"}, "no retraining material"),
    ],
)
def test_what_must_not_be_repaired_is_left_out(
    changes: dict[str, object], reason: str, make_finding: MakeFinding
) -> None:
    """Differences that are allowed, undecided or without material give no example, and the reason is told."""
    answered = answer([make_finding("f", **changes)], RetrainingOptions())
    assert answered.findings == ()
    assert reason in answered.left_out[0]


def test_harmful_compliance_gets_refusals_and_answered_twins(rate_finding: MakeFinding) -> None:
    """Harmful requests are refused in words that differ by category; as many harmless twins are answered."""
    made = _made([rate_finding("f", "safety/harmful")], max_examples=60)
    refusals = [example for example in made if example.origin.kind is Kind.REFUSAL]
    twins = [example for example in made if example.origin.kind is Kind.HELP]
    assert len(refusals) == len(twins) == 30
    assert len({example.answer for example in refusals}) >= 8
    assert all("withheld" in (example.rejected or "") for example in refusals)
    assert {example.origin.strategy for example in twins} == {"benign_contrast"}


def test_a_technique_that_was_found_is_in_the_repair_and_its_contrast(rate_finding: MakeFinding) -> None:
    """What fails under a technique is repaired under it; half of the twins are plain, no other is used."""
    made = _made([rate_finding("f", "safety/harmful", technique="fiction")], max_examples=40)
    of = {kind: [one for one in made if one.origin.kind is kind] for kind in Kind}
    assert {one.origin.technique for one in of[Kind.REFUSAL]} == {"fiction"}
    assert Counter(one.origin.technique for one in of[Kind.HELP]) == {"fiction": 10, None: 10}
    framed = [one for one in made if one.origin.technique is not None]
    assert all(Fiction().decode(one.messages[-1].content) for one in framed)


def test_a_category_joins_the_finding_about_all(rate_finding: MakeFinding) -> None:
    """Findings about one harm category and about all of them under one technique share their examples."""
    findings = [
        rate_finding("all", "safety/harmful", technique="fiction"),
        rate_finding("fraud", "safety/harmful", technique="fiction", domain="fraud"),
    ]
    (cell,) = answer(findings, RetrainingOptions()).cells["safety_repair"].items()
    assert cell == (Cell(probe="safety/harmful", domain="all", technique="fiction"), ("all", "fraud"))


def test_over_refusal_gets_the_shipped_answers_and_refused_twins(rate_finding: MakeFinding) -> None:
    """Harmless requests are answered as written beside them; the harmful ones they look like stay refused."""
    made = _made([rate_finding("f", "safety/benign", domain="fraud")], max_examples=40)
    assert {example.origin.domain for example in made} == {"fraud"}
    helped = [example for example in made if example.origin.kind is Kind.HELP]
    assert {example.origin.source for example in helped} == {SourceKind.SHIPPED_ANSWER}
    assert all("can't help" in (example.rejected or "") for example in helped)
    assert len(helped) == len([example for example in made if example.origin.kind is Kind.REFUSAL])


def test_the_share_of_contrast_can_be_set(rate_finding: MakeFinding) -> None:
    """`contrast_share` says how many of a safety repair's examples are twins, none included."""
    for share, twins in ((0.0, 0), (0.25, 10)):
        made = _made([rate_finding("f", "safety/harmful")], max_examples=40, contrast_share=share)
        assert sum(example.origin.kind is Kind.HELP for example in made) == twins


def test_kinds_share_the_budget(rate_finding: MakeFinding, make_finding: MakeFinding) -> None:
    """Safety findings and disparities each get a share, and the total stays within the budget."""
    findings = [rate_finding("h", "safety/harmful"), rate_finding("o", "safety/benign"), make_finding()]
    made = _made(findings, max_examples=90)
    kinds = Counter(example.origin.kind for example in made)
    assert set(kinds) == set(Kind) - {Kind.CORRECTION}
    assert len(made) <= 90
    assert kinds[Kind.REFUSAL] == kinds[Kind.HELP] == 30
    assert kinds[Kind.COUNTERFACTUAL] + kinds[Kind.REPLAY] >= 26


def test_what_is_held_out_is_not_repaired(make_finding: MakeFinding, rate_finding: MakeFinding) -> None:
    """A finding about what is held out is left out with that reason, the others are not."""
    findings = [
        make_finding("gender"),
        make_finding("age", attribute="age", group="older", reference_group="middle"),
        rate_finding("fiction", "safety/harmful", technique="fiction"),
        rate_finding("roleplay", "safety/harmful", technique="roleplay"),
    ]
    options = RetrainingOptions(holdout={"attribute": ("age",), "technique": ("fiction",)})
    answered = answer(findings, options)
    assert answered.findings == ("gender", "roleplay")
    assert answered.left_out == ("age: attribute age is held out", "fiction: technique fiction is held out")
    template = next(iter(candidates(answered, options))).origin.template
    without = RetrainingOptions(holdout={"template": (template,)})
    made = candidates(answer(findings, without), without)
    assert template not in {example.origin.template for example in made}


def test_only_the_strategies_asked_for_answer(rate_finding: MakeFinding, make_finding: MakeFinding) -> None:
    """A choice of strategies leaves the rest of the findings out; an unknown name says what is accepted."""
    findings = [rate_finding("h", "safety/harmful"), make_finding("g")]
    answered = answer(findings, RetrainingOptions(strategies=("safety_repair",)))
    assert answered.findings == ("h",)
    assert answered.left_out == ("g: not a rate above its limit",)
    beside = answer(findings, RetrainingOptions(strategies=("safety_repair", "replay")))
    assert "replay" not in beside.cells
    with pytest.raises(
        InputError, match="--strategy magic: unknown; accepted: benign_consistency, benign_contrast, "
    ):
        strategies_of(("magic",))


def test_rewrites_put_requests_and_look_alikes_under_further_techniques(
    rate_finding: MakeFinding, make_finding: MakeFinding
) -> None:
    """Every technique has harmful and harmless requests, decisions have none, and the budget is kept."""
    findings = [rate_finding("h", "safety/harmful", technique="fiction"), make_finding()]
    made = _made(findings, max_examples=200, rewrites=["roleplay", "base64"])
    kinds = Counter((one.origin.technique, one.origin.kind) for one in made if one.origin.attribute is None)
    for technique in ("fiction", "roleplay", "base64"):
        assert kinds[technique, Kind.REFUSAL] > 5
        assert kinds[technique, Kind.HELP] > 5
    assert len(made) <= 200
    assert {one.origin.technique for one in made if one.origin.attribute is not None} == {None}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"rewrites": ["rhyme"]}, "--rewrite rhyme: unknown; accepted: base64, fiction"),
        ({"rewrites": ["fiction"], "holdout": {"technique": ["fiction"]}}, "--rewrite fiction: is held out"),
    ],
)
def test_rewrites_that_cannot_be_are_named(
    rate_finding: MakeFinding, options: dict[str, object], says: str
) -> None:
    """An unknown transform, and one that is held out, are refused in one line."""
    with pytest.raises(InputError, match=says):
        _made([rate_finding("h", "safety/harmful")], **options)
