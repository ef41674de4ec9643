"""Findings: what counts as one, in which order, with which evidence, as programs read it."""

from collections.abc import Sequence

import pytest

from audit.estimates.disparities import disparities
from audit.estimates.rates import rates
from audit.findings import finding_id, findings
from audit.findings.document import RunDocument, flattened
from audit.records import Counts, Estimate, Finding, Verdict
from audit.spec import Judgement
from tests.audit.findings.test_claims import disparity, rate
from tests.audit.tables import Fact, Values, pairs, placebos, readings, singles, source

N = 24
ONES: Values = [[1.0, 1.0]] * N
LOW: Values = [[1.0, 0.0] if template % 2 else [0.0, 0.0] for template in range(N)]
NO_ROWS = source([])
CONTRACT = (
    "id",
    "kind",
    "measure",
    "attribute",
    "group",
    "reference_group",
    "domain",
    "estimate",
    "ci_low",
    "ci_high",
    "level",
    "p_adjusted",
    "noise_floor",
    "verdict",
    "severity",
    "n_outputs",
    "n_clusters",
    "claim",
    "evidence",
)


def test_what_is_a_finding() -> None:
    """A disparity that must not be, a rate beyond its limit, a score away from 0; nothing else."""
    kept = [disparity(), rate(), rate(kind="score", measure="s", unit="points", verdict="disparity")]
    left = [
        disparity(observation=True),
        *(disparity(verdict=verdict) for verdict in ("equivalent", "inconclusive", "not_measured")),
        *(rate(verdict=verdict) for verdict in ("within", "observed", "inconclusive", "not_measured")),
    ]
    found = findings([*left, *kept], NO_ROWS)
    assert {finding.id for finding in found} == {finding_id(estimate) for estimate in kept}


def test_most_severe_and_then_what_is_surely_larger_comes_first() -> None:
    """The order is severity, then size, then id: the same in every run."""
    small = disparity(group="a", measure="refusal_rate", point=0.04, ci_low=0.01, ci_high=0.07)
    large = disparity(group="b", measure="refusal_rate", point=-0.3, ci_low=-0.5, ci_high=-0.02)
    grave = disparity(group="c", point=-0.2, ci_low=-0.3, ci_high=-0.11)
    found = findings([small, large, grave], NO_ROWS)
    assert [finding.estimate.group for finding in found] == ["c", "b", "a"]
    assert [finding.severity.value for finding in found] == ["critical", "low", "low"]


def test_a_noisy_category_does_not_lead() -> None:
    """Of two findings of one severity the one whose interval ends farther out leads, whatever the points."""
    noisy = rate(domain="weapons", point=0.6, ci_low=0.26, ci_high=0.86)
    firm = rate(domain="all", point=0.45, ci_low=0.41, ci_high=0.49)
    found = findings([noisy, firm], NO_ROWS)
    assert {finding.severity.value for finding in found} == {"critical"}
    assert [finding.estimate.domain for finding in found] == ["all", "weapons"]


def test_other_units_follow_and_are_ordered_without_their_unit() -> None:
    """A salary in dollars does not lead points of a rate; of two, the one surer to differ comes first."""
    salary = {"measure": "decision_number", "unit": "number", "verdict": "disparity"}
    wide = disparity(**salary, group="a", point=-9000.0, ci_low=-17000.0, ci_high=-1000.0)
    sure = disparity(**salary, group="b", point=-50.0, ci_low=-60.0, ci_high=-40.0)
    points = disparity(group="c", point=-0.09, ci_low=-0.14, ci_high=-0.04)
    found = findings([wide, sure, points], NO_ROWS)
    assert {finding.severity.value for finding in found} == {"medium"}
    assert [finding.estimate.group for finding in found] == ["c", "b", "a"]


def test_id_is_the_question_not_the_answer() -> None:
    """The same question has the same id whatever came out, and each question its own."""
    assert finding_id(disparity(point=0.3, verdict="inconclusive", n_outputs=1)) == finding_id(disparity())
    questions = [
        disparity(),
        *(
            disparity(**{key: "other"})
            for key in ("measure", "probe", "domain", "language", "attribute", "group", "reference_group")
        ),
        disparity(signal="name"),
        disparity(technique="rot13"),
        rate(),
    ]
    assert len({finding_id(question) for question in questions}) == len(questions)


def run_findings(facts: Sequence[Fact]) -> list[Finding]:
    """Findings of a table, through the real estimates."""
    made = readings(facts)
    estimates: list[Estimate] = [
        *disparities(made.measure, Judgement(), seed=7),
        *rates(made.measure, Judgement()),
    ]
    return findings(estimates, made.measure)


@pytest.mark.parametrize("against", [True, False])
def test_evidence_pairs_show_the_direction(*, against: bool) -> None:
    """Each pair is group first, of one set, and the group's answer differs as the claim says."""
    facts = pairs(LOW, ONES) if against else pairs(ONES, LOW)
    (finding,) = run_findings(facts)
    assert len(finding.evidence) == 10
    for group, reference in zip(finding.evidence[::2], finding.evidence[1::2], strict=True):
        assert (group.group, reference.group) == ("women", "men")
        assert group.set_id == reference.set_id
        assert group.value is not None
        assert reference.value is not None
        assert (group.value < reference.value) == against
        assert group.value != reference.value


def test_evidence_shows_the_direction_where_only_a_later_repeat_does() -> None:
    """With several repeats the pair shown is one that differs, not whichever came first."""
    later: Values = [[1.0, 0.0, 0.0]] * N
    (finding,) = run_findings(pairs(later, [[1.0, 1.0, 1.0]] * N))
    assert all(
        (group.value, reference.value) == (0.0, 1.0)
        for group, reference in zip(finding.evidence[::2], finding.evidence[1::2], strict=True)
    )


def test_evidence_is_of_the_findings_own_rows() -> None:
    """Other domains, signals and languages lend no evidence."""
    mine = pairs(LOW, ONES)
    others = [
        *pairs(ONES, ONES, domain="hiring"),
        *pairs(ONES, ONES, signal="proxy"),
        *({**fact, "prompt_id": f"de-{fact['prompt_id']}"} for fact in pairs(LOW, ONES, language="de")),
    ]
    found = [one for one in run_findings([*mine, *others]) if one.estimate.domain == "lending"]
    english = next(one for one in found if one.estimate.language == "en")
    german = next(one for one in found if one.estimate.language == "de")
    assert english.evidence
    assert not any(item.prompt_id.startswith("de-") for item in english.evidence)
    assert all(item.prompt_id.startswith("de-") for item in german.evidence)


def test_evidence_of_a_rate_is_the_same_in_whatever_order_answers_came() -> None:
    """Which replies are shown follows the plan, of several templates before a second one of the same."""
    shape = {"probe": "safety/harmful", "expects": "refuse", "analyzer": "refusal", "measure": "refusal"}
    twice: Values = [[0.0, 0.0]] * N
    facts = [{**fact, "label": "none"} for fact in singles(twice, **shape)]
    shown = []
    for numbers in (range(1, len(facts) + 1), range(len(facts), 0, -1)):
        came = [{**fact, "output": number} for fact, number in zip(facts, numbers, strict=True)]
        (finding,) = [one for one in run_findings(came) if one.estimate.domain == "all"]
        shown.append([item.prompt_id for item in finding.evidence])
    assert shown[0] == shown[1]
    assert len(set(shown[0])) == 5


def test_evidence_of_a_rate_is_the_behaviour_itself() -> None:
    """For a rate the evidence are replies that show it, under its technique, and no placebo's."""
    shape = {"probe": "safety/harmful", "expects": "refuse", "analyzer": "refusal", "measure": "refusal"}
    plain = [{**fact, "label": "full"} for fact in singles(ONES, **shape)]
    coded = [{**fact, "label": "none"} for fact in singles(ONES, **shape, tags='{"technique": "base64"}')]
    found = {one.estimate.technique: one for one in run_findings([*plain, *coded])}
    assert list(found) == ["base64"]
    assert len(found["base64"].evidence) == 5
    assert all("base64" in item.prompt_id for item in found["base64"].evidence)

    toxic = {"analyzer": "toxicity", "measure": "toxic"}
    real = [{**fact, **toxic} for fact in pairs(LOW, LOW)]
    noise = [{**fact, **toxic, "value": 1.0} for fact in placebos(ONES, ONES)]
    (finding,) = [one for one in run_findings([*noise, *real]) if one.estimate.kind == "rate"]
    assert all(item.group in {"women", "men"} for item in finding.evidence)


def document(estimates: Sequence[Estimate]) -> RunDocument:
    """A document about these estimates."""
    counts = Counts(planned=9, answered=4, refused=1, truncated=1, empty=1, errored=1, not_asked=1)
    return RunDocument(
        run="audit",
        seed=7,
        spec_sha256="0",
        prompts_sha256="0",
        analyzers={},
        targets={},
        counts={"target": counts},
        versions={},
        estimates=tuple(estimates),
        group_rates=(),
        findings=tuple(findings(estimates, NO_ROWS)),
    )


def test_json_has_the_keys_of_the_contract_first() -> None:
    """Programs that read `evenhand findings --json` find the promised keys, in the promised order."""
    shown = flattened(document([disparity(), disparity(verdict="inconclusive", group="x")]), every=False)
    assert list(shown) == ["run", "counts", "findings"]
    assert shown["counts"] == {
        "planned": 9,
        "answered": 4,
        "refused": 1,
        "truncated": 1,
        "empty": 1,
        "errored": 1,
        "not_asked": 1,
    }
    entries = shown["findings"]
    assert isinstance(entries, list)
    assert len(entries) == 1
    assert list(entries[0])[: len(CONTRACT)] == list(CONTRACT)
    assert entries[0]["id"] == finding_id(disparity())
    assert entries[0]["estimate"] == -0.104
    assert entries[0]["severity"] == "high"
    assert "point" not in entries[0]


def test_all_lists_every_estimate_and_only_findings_have_a_severity() -> None:
    """Equivalent, inconclusive and not measured estimates are listed too, the last without a claim."""
    void = disparity(group="x", verdict="not_measured", point=None, ci_low=None, ci_high=None)
    entries = flattened(document([disparity(), rate(verdict="within"), void]), every=True)["findings"]
    assert isinstance(entries, list)
    assert [entry["severity"] for entry in entries] == ["high", None, None]
    assert [entry["claim"] is None for entry in entries] == [False, False, True]
    assert all(list(entry)[: len(CONTRACT)] == list(CONTRACT) for entry in entries)


def test_every_finding_says_what_it_does_not_show_and_what_to_do() -> None:
    """No finding stands without its limits and its next step."""
    kinds = [
        disparity(),
        rate(),
        rate(measure="toxicity_rate"),
        rate(kind="score", measure="s", unit="points", verdict="disparity"),
    ]
    for finding in findings(kinds, NO_ROWS):
        assert finding.does_not_show
        assert finding.next_step
        assert finding.severity_reason
        assert finding.claim


def test_a_part_is_no_finding_beside_its_whole() -> None:
    """True positive rates take decisions apart: told once, and told alone if the whole is equal."""
    rows = source(pairs([[0.0]] * 12, [[1.0]] * 12, qualified=1))
    whole, part = (
        next(one for one in disparities(rows, Judgement(), seed=1) if one.measure == name)
        for name in ("favourable_rate", "true_positive_rate")
    )
    assert [one.estimate.measure for one in findings([whole, part], rows)] == ["favourable_rate"]
    equal = whole.model_copy(update={"verdict": Verdict.EQUIVALENT})
    assert [one.estimate.measure for one in findings([equal, part], rows)] == ["true_positive_rate"]
