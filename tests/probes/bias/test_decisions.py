"""Promises of the decisions probe: complete sets, shared facts, even names, clear errors."""

from collections import Counter, defaultdict

import pytest
from pydantic import ValidationError

from probes.base import Probe
from probes.bias.decisions import DecisionsOptions, DecisionsProbe
from probes.errors import OptionError
from probes.plugins import load
from probes.records import Arm, Norm, Placebo, Prompt, Signal
from probes.seeds import rng
from probes.templates import load_templates


def drawn(seed: int = 7, **options: object) -> list[Prompt]:
    """The prompts under these options."""
    probe: Probe = DecisionsProbe(DecisionsOptions.model_validate(options))
    return list(probe.prompts(rng(seed, "probe", "bias/decisions")))


FEW = drawn(templates=4)
ALL = drawn()


def sets_of(prompts: list[Prompt]) -> dict[str, list[Prompt]]:
    """Members of each set."""
    found: dict[str, list[Prompt]] = defaultdict(list)
    for prompt in prompts:
        found[str(prompt.set_id)].append(prompt)
    return found


def test_it_is_registered() -> None:
    """The probe is loaded by its name, as a third party's would be."""
    assert load("evenhand.probes", "bias/decisions") is DecisionsProbe


def test_counts_follow_from_the_options() -> None:
    """Every template has a set for each merit level, attribute and signal, and four placebo sets."""
    counts = Counter(len(members) for members in sets_of(FEW).values())
    cases = 2 * 4 * 3
    assert len(FEW) == cases * (3 + 4 + 3 + 2 + 4 + 3 + 4 * 2)
    assert sum(counts.values()) == cases * (6 + 4)


def test_same_seed_same_prompts_and_other_seed_other_prompts() -> None:
    """The seed decides everything."""
    assert drawn(templates=4) == FEW
    assert {prompt.id for prompt in drawn(8, templates=4)} != {prompt.id for prompt in FEW}


def test_ids_differ_iff_content_differs() -> None:
    """Every prompt has an id of its own, and the same content has the same id again."""
    assert len({prompt.id for prompt in ALL}) == len(ALL)


def test_asking_for_less_changes_nothing_else() -> None:
    """Leaving out a domain, an attribute, a signal or a placebo leaves every other prompt as it was."""
    known = {prompt.id for prompt in FEW}
    for key, value in (
        ("domains", "hiring"),
        ("attributes", "age"),
        ("signals", "name"),
        ("placebos", "mention"),
    ):
        fewer = DecisionsOptions.model_validate({"templates": 4, key: [value]})
        prompts = DecisionsProbe(fewer).prompts(rng(7, "probe", "bias/decisions"))
        assert {prompt.id for prompt in prompts} < known
    assert {prompt.template for prompt in drawn(templates=2)} < {prompt.template for prompt in FEW}


def test_only_the_groups_that_are_named_are_asked_about() -> None:
    """Naming groups drops the others, and leaves every prompt about those named as it was."""
    named = {"gender": ["female", "male"], "race_ethnicity": ["white", "black"]}
    fewer = drawn(templates=4, groups=named)
    kept = {
        prompt.id
        for prompt in FEW
        if prompt.attribute not in named or prompt.group in named[str(prompt.attribute)]
    }
    assert {prompt.id for prompt in fewer} == kept
    assert len(kept) < len(FEW)
    by_name = drawn(templates=1, attributes=["gender"], groups={"gender": ["male", "nonbinary"]})
    assert {prompt.signal for prompt in by_name if prompt.arm is Arm.COUNTERFACTUAL} == {Signal.EXPLICIT}


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ({"sex": ["female", "male"]}, "unknown attribute 'sex'"),
        ({"gender": ["female", "women"]}, "unknown group of gender 'women'"),
        ({"gender": ["female", "nonbinary"]}, "must list its reference group male"),
        ({"gender": ["male"]}, "at least one other"),
        ({"gender": []}, "got none"),
        ({"gender": ["male", "female", "female"]}, "each once"),
        ({"age": ["middle", "older"]}, "unknown attribute in groups 'age'; accepted: gender"),
    ],
)
def test_groups_that_cannot_be_compared_are_refused(groups: dict[str, list[str]], said: str) -> None:
    """An unknown group, a missing reference group or an attribute that is not asked about is an error."""
    with pytest.raises(ValidationError, match=said):
        drawn(templates=1, attributes=["gender"], groups=groups)


def test_sets_of_one_text_share_its_facts() -> None:
    """All sets of a template and merit level state the same merit, and replicates another."""
    indexes = defaultdict(set)
    for prompt in drawn(templates=2, sets_per_template=2):
        case = str(prompt.set_id).split(":")[:3]
        indexes[tuple(case)].add(prompt.tags["merit_index"])
    assert all(len(values) == 1 for values in indexes.values())
    assert len({value for values in indexes.values() for value in values}) == len(indexes)


def test_labels_are_complete() -> None:
    """Each prompt carries what the later stages count by."""
    for prompt in FEW:
        assert set(prompt.tags) == {"merit", "merit_index", "voice"}
        assert prompt.reference is not None
        if prompt.arm is Arm.COUNTERFACTUAL:
            assert prompt.norm is Norm.MUST_NOT_DIFFER
            assert (prompt.name is not None) == (prompt.signal is Signal.NAME)
        else:
            assert prompt.attribute is None
            assert prompt.group in ("a", "b")
        if prompt.name is not None:
            assert prompt.name in prompt.messages[0].content


def test_placebos_belong_to_their_signal() -> None:
    """Mention measures the noise of explicit labels, name swap that of names, the others of both."""
    found = {(prompt.placebo, prompt.signal) for prompt in FEW if prompt.placebo}
    assert found == {
        (Placebo.RESAMPLE, None),
        (Placebo.PARAPHRASE, None),
        (Placebo.MENTION, Signal.EXPLICIT),
        (Placebo.NAME_SWAP, Signal.NAME),
    }
    assert Placebo.MENTION not in {prompt.placebo for prompt in drawn(templates=1, signals=["name"])}
    assert Placebo.NAME_SWAP not in {prompt.placebo for prompt in drawn(templates=1, signals=["explicit"])}


def test_answers_follow_merit_alone() -> None:
    """The expected answer is the same for a whole set, favourable if and only if the index is at least 0."""
    for members in sets_of(FEW).values():
        assert len({member.expectation for member in members}) == 1
    for prompt in ALL:
        expected = prompt.expectation
        # Three decimals can show a tiny negative index as -0.000.
        assert (expected.answer == expected.favourable) == (not prompt.tags["merit_index"].startswith("-"))
        assert expected.answer in expected.options


def test_names_are_used_evenly() -> None:
    """Over all templates each name is used about as often as any other of its kind of set."""
    for attribute, spread in (("gender", 2), ("race_ethnicity", 2), ("age", 2)):
        counts = Counter(
            str(prompt.name).split()[0]
            for prompt in ALL
            if prompt.signal is Signal.NAME and prompt.attribute == attribute and prompt.domain == "lending"
        )
        assert max(counts.values()) - min(counts.values()) <= spread
        assert len(counts) == (60 if attribute == "age" else 80)


def test_crossings_and_norms_can_be_asked_for() -> None:
    """Crossings are made as listed, by name where names can, and overridden norms travel with the prompts."""
    prompts = drawn(
        templates=1,
        domains=["lending"],
        attributes=[],
        crossed=[["gender", "race_ethnicity", "age"], ["gender", "race_ethnicity"]],
        norms={"age": {"lending": "must_justify"}},
    )
    found = {(p.attribute, p.signal, p.norm, p.reference) for p in prompts if p.attribute}
    assert found == {
        ("gender*race_ethnicity*age", Signal.EXPLICIT, Norm.MUST_JUSTIFY, "male*white*middle"),
        ("gender*race_ethnicity", Signal.EXPLICIT, Norm.MUST_NOT_DIFFER, "male*white"),
        ("gender*race_ethnicity", Signal.NAME, Norm.MUST_NOT_DIFFER, "male*white"),
    }


def test_pools_share_neither_template_nor_name() -> None:
    """What trains a repair is never what audits it."""
    repair = drawn(pool="retraining", templates=4)
    retraining = {template.id for template in load_templates("lending", pool="retraining")}
    assert {prompt.template for prompt in repair if prompt.domain == "lending"} <= retraining
    audited = {word for prompt in ALL if prompt.name for word in prompt.name.split()}
    assert not audited & {word for prompt in repair if prompt.name for word in prompt.name.split()}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"domains": ["banking"]}, "unknown domain 'banking'; accepted: hiring, lending"),
        ({"domains": []}, "must list at least one value"),
        ({"attributes": ["sex"]}, "unknown attribute 'sex'; accepted: age, gender, race_ethnicity"),
        ({"attributes": ["age", "age"]}, "once only"),
        ({"attributes": []}, "name at least one attribute"),
        ({"signals": ["smell"]}, "'explicit' or 'name'"),
        ({"merit": ["fair"]}, "'weak', 'borderline' or 'strong'"),
        ({"templates": 0}, "greater than or equal to 1"),
        ({"crossed": [["age"]]}, "at least two different attributes"),
        ({"crossed": [["age", "sex"]]}, "unknown attribute 'sex'"),
        ({"placebos": ["sugar"]}, "'resample', 'name_swap', 'paraphrase' or 'mention'"),
        ({"pool": "history"}, "'audit' or 'retraining'"),
        ({"norms": {"sex": {}}}, "unknown attribute 'sex'"),
        ({"norms": {"age": {"banking": "may_differ"}}}, "unknown domain 'banking'"),
        ({"norms": {"age": {"lending": "never"}}}, "'must_not_differ', 'must_justify' or 'may_differ'"),
        ({"language": "xx"}, "'en'"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_bad_options_read_as_one_line(options: dict[str, object], said: str) -> None:
    """A value that is not accepted is one problem, with the accepted ones in its message."""
    with pytest.raises(ValidationError) as caught:
        DecisionsOptions.model_validate(options)
    problems = caught.value.errors()
    assert len(problems) == 1
    assert said in problems[0]["msg"]


def test_a_domain_without_templates_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool without templates is refused, never an empty probe."""
    monkeypatch.setattr("probes.bias.decisions.load_templates", lambda *_, **__: ())
    with pytest.raises(OptionError, match="has no templates of pool audit"):
        drawn(domains=["lending"])


def test_a_missing_norm_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attribute without a norm in a domain is refused: no disparity could be called a finding."""
    monkeypatch.setattr("probes.bias.people.load_norms", lambda _: ())
    with pytest.raises(OptionError, match="none is shipped for age in lending; state one of must_not_differ"):
        DecisionsProbe(DecisionsOptions(domains=("lending",), attributes=("age",)))
