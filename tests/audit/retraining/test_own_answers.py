"""The audited model's own answers: which cases are taken from a run, and what repairs are made of them."""

from collections import Counter, defaultdict
from collections.abc import Callable

import pytest

from audit.errors import InputError
from audit.records import Finding, Output
from audit.retraining.gates.content import direction
from audit.retraining.own_answers import OwnAnswers
from audit.retraining.records import Example, RetrainingOptions, SourceKind
from audit.retraining.strategies.every import answer, candidates, strategies_of
from probes.bias.decisions import DecisionsOptions, DecisionsProbe
from probes.records import Placebo, Prompt
from probes.seeds import rng

MakeFinding = Callable[..., Finding]
Model = Callable[[Prompt], str]


@pytest.fixture(scope="module")
def prompts() -> list[Prompt]:
    """Cases of lending set aside for retraining, each with a set by gender and once without a group."""
    options = DecisionsOptions(
        domains=("lending",),
        attributes=("gender",),
        signals=("explicit",),
        placebos=(Placebo.PARAPHRASE,),
        pool="retraining",
    )
    return list(DecisionsProbe(options).prompts(rng(4, "own")))


def says(prompt: Prompt, *, favourable: bool) -> str:
    """An option and a reason."""
    expected = prompt.expectation
    other = next(one for one in expected.options if one != expected.favourable)
    return f"{expected.favourable if favourable else other}. The figures decide.".capitalize()


def by_rule(prompt: Prompt) -> bool:
    """What the rule gives."""
    return prompt.expectation.answer == prompt.expectation.favourable


def biased(prompt: Prompt) -> str:
    """Follows the rule, but never favours women."""
    return says(prompt, favourable=by_rule(prompt) and prompt.group != "female")


def own(prompts: list[Prompt], model: Model) -> OwnAnswers:
    """What a model answered."""
    outputs = [Output(target="target", prompt_id=one.id, text=model(one)) for one in prompts]
    return OwnAnswers(prompts, outputs, "lender 1")


def made(prompts: list[Prompt], model: Model, findings: list[Finding], **options: object) -> list[Example]:
    """Examples from a model's own answers."""
    wanted = RetrainingOptions.model_validate({"replay_share": 0, **options})
    return list(candidates(answer(findings, wanted, own(prompts, model)), wanted))


def test_every_member_learns_what_nobody_in_particular_is_told(
    prompts: list[Prompt], make_finding: MakeFinding
) -> None:
    """All members get the neutral answer; only who was answered otherwise has the own answer rejected."""
    sets: dict[str | None, list[Example]] = defaultdict(list)
    for example in made(prompts, biased, [make_finding()], max_examples=90):
        sets[example.origin.set_id].append(example)
    assert len(sets) > 10
    for members in sets.values():
        assert len({one.answer for one in members}) == 1
        assert {one.origin.source for one in members} == {SourceKind.OWN_ANSWER}
        assert {one.origin.teacher for one in members} == {"lender 1"}
        favoured = by_rule_of(members[0])
        rejected = {one.origin.group: one.rejected for one in members}
        assert rejected["male"] is rejected["nonbinary"] is None
        assert (rejected["female"] is not None) == favoured
    unlike = sum(any(one.rejected for one in members) for members in sets.values())
    assert unlike == pytest.approx(len(sets) / 2, abs=1)


def by_rule_of(example: Example) -> bool:
    """What the rule gives for an example."""
    return example.expectation.answer == example.expectation.favourable


def test_a_model_that_tells_all_alike_gives_nothing_to_learn(
    prompts: list[Prompt], make_finding: MakeFinding
) -> None:
    """Without a set that was answered unlike there is no example, however many were answered alike."""
    assert made(prompts, lambda one: says(one, favourable=by_rule(one)), [make_finding()]) == []


@pytest.mark.parametrize(
    "neutral",
    [
        lambda one: says(one, favourable=one.group == "a"),
        lambda _: "It depends.",
        lambda one: f"{says(one, favourable=True)} She can pay it back.",
        lambda one: says(one, favourable=True) + " Really." * 400,
    ],
    ids=["two answers", "unread", "names somebody", "too long"],
)
def test_cases_without_one_clear_neutral_answer_are_left_out(prompts: list[Prompt], neutral: Model) -> None:
    """Where the model wavers, says neither, names somebody or says too much, no set is given."""
    answers = own(prompts, lambda one: neutral(one) if one.placebo else biased(one))
    assert list(answers.sets("lending", "gender", "explicit")) == []
    sets = {one.set_id for one in prompts if one.placebo is None}
    told = answers.left_out()
    assert told is not None
    assert f"{len(sets)} of {len(sets)} sets" in told


def test_own_answers_must_follow_the_rule_where_the_case_is_clear(
    prompts: list[Prompt], make_finding: MakeFinding
) -> None:
    """A model that lends to men only is taken at its word at the border, not where the case is strong."""

    def stingy(prompt: Prompt) -> str:
        return says(prompt, favourable=prompt.group == "male")

    refused: Counter[tuple[str | None, bool]] = Counter()
    for example in made(prompts, stingy, [make_finding()], max_examples=400):
        refused[example.origin.merit, direction().reason(example) is not None] += 1
    assert refused["strong", True] > 0
    assert refused["strong", False] == refused["weak", True] == refused["borderline", True] == 0
    assert refused["borderline", False] > 0


def test_a_strategy_takes_the_place_of_the_rule_only_where_there_are_answers() -> None:
    """Without own answers it is not asked, with them the rule is not, and whoever names both has both."""
    rule, words = "counterfactual_augmentation", "counterfactual_consistency"
    assert {rule, words} & set(strategies_of(())) == {rule}
    assert {rule, words} & set(strategies_of((), own_answers=True)) == {words}
    assert set(strategies_of((rule, words), own_answers=True)) == {rule, words}
    with pytest.raises(InputError, match="--strategy counterfactual_consistency: needs --own-answers"):
        strategies_of((words,))
