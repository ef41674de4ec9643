"""Whether the canaries of a run say that its endpoint changed while it was asked."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import comb

import numpy as np

from audit.collection.canaries import CANARY_FILE, read_canaries
from audit.planned_run import Run
from audit.records.canaries import CANARY_PROMPTS, CanaryAnswer, Drift
from audit.statistics.change_point import change_point
from probes.seeds import rng

__all__ = ["drift_of", "drifts_of", "few_rounds"]

_LEVEL = 0.01
_FEWEST = 8
"""Rounds below which the answers of a model that draws cannot show a change at the level."""
_FEWEST_SAME = 5
"""Rounds below which answers at temperature 0 that differ cannot show a change at the level."""
_GRAM = 3


def drifts_of(run: Run, facts: Mapping[str, Mapping[str, str]]) -> dict[str, Drift]:
    """By role, what the canaries of a run say; empty for a run without.

    Args:
        run: The run.
        facts: What its targets said of themselves, by role.

    Raises:
        StoreError: Their file is damaged.
    """
    by_role: dict[str, list[CanaryAnswer]] = defaultdict(list)
    for answer in read_canaries(run.folder.path / CANARY_FILE):
        by_role[answer.target].append(answer)
    return {
        role: drift_of(answers, deterministic=_never_draws(facts.get(role, {})), seed=run.spec.seed)
        for role, answers in sorted(by_role.items())
    }


def drift_of(answers: Sequence[CanaryAnswer], *, deterministic: bool, seed: int) -> Drift:
    """What one target's canaries say.

    A model's name that was one up to a round and another from then on is a change. Where the model draws no
    words (temperature 0), so are answers that were one text up to a round and another from then on, if that
    would be seen in at most 1 % of orders of the rounds: a server that flickers between two texts is no
    other one. Where it draws, the rounds are tested for a change in how like each other their answers are,
    at a level of 1 %.

    A fingerprint names the software and machines behind an endpoint, of which there may be several, and
    some servers make a new one for every request. So one that changed for good is a notice and no change.

    Args:
        answers: Its canaries.
        deterministic: True if it is asked at temperature 0.
        seed: The run's root seed, for the permutations of the test.
    """
    good = [one for one in answers if one.error is None and one.text is not None]
    rounds = sorted({one.round for one in good})
    reasons = list(_switched(good, "model"))
    drifted: bool | None = bool(reasons) or None
    p_value = None
    whole = _texts(good)
    if deterministic and len(whole) > 1:
        reasons += list(_changed_texts(whole))
        same = all(texts == whole[0] for texts in whole)
        drifted = True if reasons else False if same or len(whole) >= _FEWEST_SAME else None
    elif not deterministic and len(whole) >= _FEWEST:
        found = change_point(_distances(whole), rng(seed, "drift"))
        p_value = found.p_value
        if p_value <= _LEVEL:
            reasons.append(
                f"the answers to the same prompts changed after {found.place} of {len(whole)} rounds "
                f"(p = {p_value:.3g})"
            )
        drifted = bool(reasons)
    if not reasons:
        reasons.append(
            f"no change seen in {len(whole)} rounds"
            if drifted is False
            else f"too few rounds to say: {len(whole)} with all answers"
        )
    return Drift(
        rounds=len(rounds),
        answers=len(good),
        errors=len(answers) - len(good),
        prompt_tokens=sum(one.prompt_tokens or 0 for one in answers),
        completion_tokens=sum(one.completion_tokens or 0 for one in answers),
        drifted=drifted,
        p_value=p_value,
        reasons=tuple(reasons),
        notices=tuple(_switched(good, "fingerprint")),
    )


def few_rounds(rounds: int, options: Mapping[str, object]) -> str | None:
    """What is wrong with so many rounds of canaries, in words; None if nothing is, or if there are none.

    Args:
        rounds: Of the spec.
        options: Of its target.
    """
    params = options.get("params")
    draws = not isinstance(params, Mapping) or params.get("temperature") != 0
    needed = _FEWEST if draws else _FEWEST_SAME
    if not 0 < rounds < needed:
        return None
    how = "that draws its answers" if draws else "at temperature 0"
    return f"canaries: {rounds} rounds of a model {how} show a change of its name only; answers need {needed}"


def _never_draws(facts: Mapping[str, str]) -> bool:
    try:
        params = json.loads(facts.get("params", "{}"))
    except ValueError:
        return False
    return isinstance(params, dict) and params.get("temperature") == 0


def _switched(answers: Sequence[CanaryAnswer], field: str) -> Iterator[str]:
    """A change of a name that is for good: one value before, another one after."""
    by_round: dict[int, set[str]] = defaultdict(set)
    for one in answers:
        value = getattr(one, field)
        if value is not None:
            by_round[one.round].add(str(value))
    sets = [by_round[number] for number in sorted(by_round)]
    for place in range(1, len(sets)):
        before, after = set().union(*sets[:place]), set().union(*sets[place:])
        if len(before) == len(after) == 1 and before != after:
            names = f"{before.pop()!r} before, {after.pop()!r} after"
            yield f"the {field} changed after {place} of {len(sets)} rounds: {names}"
            return


def _texts(answers: Sequence[CanaryAnswer]) -> list[list[str]]:
    """Texts by round and prompt, of the rounds in which every prompt was answered."""
    by_round: dict[int, dict[int, str]] = defaultdict(dict)
    for one in answers:
        by_round[one.round][one.prompt] = one.text or ""
    return [
        [texts[prompt] for prompt in range(len(CANARY_PROMPTS))]
        for _, texts in sorted(by_round.items())
        if len(texts) == len(CANARY_PROMPTS)
    ]


def _changed_texts(whole: Sequence[Sequence[str]]) -> Iterator[str]:
    places: Counter[int] = Counter()
    for texts in zip(*whole, strict=True):
        for place in range(1, len(texts)):
            before, after = set(texts[:place]), set(texts[place:])
            if len(before) == len(after) == 1 and before != after:
                places[place] += 1
    for place, prompts in sorted(places.items()):
        # In random order a prompt's two texts lie apart in 2 of so many orders; any of the prompts may.
        by_chance = comb(len(CANARY_PROMPTS), prompts) * (2 / comb(len(whole), place)) ** prompts
        if by_chance <= _LEVEL:
            yield (
                f"at temperature 0 the answers to {prompts} of {len(CANARY_PROMPTS)} prompts changed "
                f"for good after {place} of {len(whole)} rounds"
            )


def _distances(whole: Sequence[Sequence[str]]) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """Mean over the prompts of how far apart the answers of two rounds are, in [0, 1]."""
    grams = [[_grams(text) for text in texts] for texts in whole]
    found = np.zeros((len(whole), len(whole)))
    for one in range(len(whole)):
        for other in range(one):
            apart = [_apart(a, b) for a, b in zip(grams[one], grams[other], strict=True)]
            found[one, other] = found[other, one] = sum(apart) / len(apart)
    return found


def _grams(text: str) -> Counter[str]:
    return Counter(text[at : at + _GRAM] for at in range(max(1, len(text) - _GRAM + 1)))


def _apart(one: Counter[str], other: Counter[str]) -> float:
    """1 less the Dice coefficient of two bags of three-letter pieces, which needs no words."""
    total = one.total() + other.total()
    return 1 - 2 * (one & other).total() / total if total else 0.0
