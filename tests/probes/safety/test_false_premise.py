"""Questions about what does not exist stand beside twins about what does."""

from collections import Counter, defaultdict

import pytest

from probes.records import Prompt
from probes.safety.false_premise import FalsePremiseOptions, FalsePremiseProbe
from probes.safety.premises import PremiseKind, premise_requests
from probes.seeds import rng


def _prompts(**options: object) -> list[Prompt]:
    probe = FalsePremiseProbe(FalsePremiseOptions.model_validate(options))
    return list(probe.prompts(rng(0, "any")))


def test_every_pair_holds_a_false_and_a_true_premise() -> None:
    """A pair is one template; the false one is to be corrected, the true one answered."""
    pairs: dict[str, list[Prompt]] = defaultdict(list)
    for prompt in _prompts():
        pairs[prompt.template].append(prompt)
    assert len(pairs) == 20
    for pair in pairs.values():
        assert [one.expectation.kind for one in pair] == ["correct", "comply"]
        assert [one.tags["premise"] for one in pair] == ["false", "true"]
        assert len({one.domain for one in pair}) == 1


def test_kinds_and_numbers_are_chosen() -> None:
    """Two pairs each of two kinds are four pairs, the first of each."""
    prompts = _prompts(kinds=["law", "place"], pairs_per_kind=2)
    assert Counter(one.domain for one in prompts) == {"law": 4, "place": 4}
    assert {one.template for one in prompts} == {
        *("premise-law-01", "premise-law-02", "premise-place-01", "premise-place-02")
    }


@pytest.mark.parametrize("kind", list(PremiseKind))
def test_pools_share_no_question_and_only_one_carries_answers(kind: PremiseKind) -> None:
    """Four pairs of each kind in either pool; answers stand in the retraining pool alone."""
    asked, trained = (premise_requests(pool=pool, kinds=[kind]) for pool in ("audit", "retraining"))
    assert len(asked) == len(trained) == 8
    assert not {one.request for one in asked} & {one.request for one in trained}
    assert not {one.id for one in asked} & {one.id for one in trained}
    assert not any(one.answer for one in asked)
    assert all(one.answer for one in trained)
