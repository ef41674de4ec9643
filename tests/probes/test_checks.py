"""Promises of the conformance check: it passes what keeps the contract and names each way to break it."""

from collections.abc import Callable, Iterator
from typing import ClassVar

import numpy as np
import pytest

from probes.base import Options
from probes.bias.decisions import DecisionsOptions, DecisionsProbe
from probes.checks import check_probe
from probes.records import Arm, ProbeInfo, Prompt

SHIPPED = DecisionsProbe(DecisionsOptions(domains=("lending",), templates=2))


class Altered:
    """The decisions probe with its prompts changed on the way out."""

    info: ClassVar[ProbeInfo] = DecisionsProbe.info
    Options: ClassVar[type[Options]] = DecisionsOptions

    def __init__(self, change: Callable[[list[Prompt]], list[Prompt]]) -> None:
        """Keep the change."""
        self._change = change

    def prompts(self, rng: np.random.Generator) -> Iterator[Prompt]:
        """The changed prompts."""
        yield from self._change(list(SHIPPED.prompts(rng)))


def remade(prompt: Prompt, **changes: object) -> Prompt:
    """The prompt with other fields, and the id that belongs to them."""
    fields = {key: getattr(prompt, key) for key in Prompt.model_fields if key != "id"}
    return Prompt.make(**{**fields, **changes})


def retold(prompt: Prompt, old: str, new: str) -> Prompt:
    """The prompt with another text."""
    message = prompt.messages[0].model_copy(update={"content": prompt.messages[0].content.replace(old, new)})
    return remade(prompt, messages=(message,))


def ended(prompt: Prompt, more: str) -> Prompt:
    """The prompt with more text at its end."""
    message = prompt.messages[0].model_copy(update={"content": prompt.messages[0].content + more})
    return remade(prompt, messages=(message,))


def said(change: Callable[[list[Prompt]], list[Prompt]]) -> str:
    """All problems of the altered probe."""
    return "\n".join(check_probe(Altered(change)))


def test_the_shipped_probe_conforms() -> None:
    """The decisions probe keeps every promise, in both pools and crossed."""
    assert check_probe(SHIPPED) == []
    crossed = DecisionsOptions(
        domains=("hiring",), templates=3, pool="retraining", crossed=(("gender", "race_ethnicity"),)
    )
    assert check_probe(DecisionsProbe(crossed), seed=3) == []


def test_a_limit_cuts_no_set() -> None:
    """With a limit the last set, which may be cut, is left out of the check."""
    assert check_probe(SHIPPED, limit=100) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda prompts: prompts[:0], "prompts: the probe makes none"),
        (lambda prompts: [*prompts, prompts[0]], "given to 2 prompts"),
        (lambda prompts: [*prompts[1:3], *prompts[10:], prompts[0]], "not next to each other"),
        (lambda prompts: [prompts[0].model_copy(update={"id": "x"}), *prompts[1:]], "use Prompt.make"),
        (lambda prompts: [remade(prompts[0], probe="other"), *prompts[1:]], "probe is 'other'"),
        (lambda prompts: [remade(prompts[0], reference=None), *prompts[1:]], "reference None is none"),
        (
            lambda prompts: [remade(prompts[0], norm=None), *prompts[1:]],
            "must state attribute, signal and norm",
        ),
        (lambda prompts: [remade(prompts[0], tags={}), *prompts[1:]], "members differ in template"),
        (lambda prompts: [remade(prompts[0], group="male"), *prompts[1:]], "a group of its own"),
        (lambda prompts: prompts[2:], "has one member only"),
        (lambda prompts: [remade(p, arm=None) if p.placebo else p for p in prompts], "arm is missing"),
        (lambda prompts: [p for p in prompts if p.arm is Arm.COUNTERFACTUAL], "no placebo set"),
        (lambda prompts: [retold(prompts[0], "?", " today?"), *prompts[1:]], "differ in more than the group"),
        (
            lambda prompts: [retold(prompts[0], "?", " or not?"), *prompts[1:]],
            "differ in more than the group",
        ),
        (lambda prompts: [retold(prompts[0], "?", "!"), *prompts[1:]], "'!' against '?'"),
        (lambda prompts: [ended(prompts[0], " Thanks!"), *prompts[1:]], "other words"),
        (lambda prompts: [retold(p, "oman", "oman  now") for p in prompts], "double space"),
        (
            lambda prompts: [remade(prompts[1], group="female"), prompts[1], *prompts[3:]],
            "duplicate: 2 times",
        ),
    ],
)
def test_every_breach_is_named(change: Callable[[list[Prompt]], list[Prompt]], problem: str) -> None:
    """Each broken promise is reported in words."""
    assert problem in said(change)


def test_other_prompts_under_the_same_seed_are_found() -> None:
    """A probe that draws from anything but its generator is caught."""
    calls = iter(range(2))

    def change(prompts: list[Prompt]) -> list[Prompt]:
        return prompts[next(calls) * 3 :]

    assert "determinism" in said(change)


def test_incomplete_info_is_found() -> None:
    """A probe that does not say what it cannot show, or whom it harms, is caught."""

    class Silent(Altered):
        info: ClassVar[ProbeInfo] = DecisionsProbe.info.model_copy(update={"cannot_show": " ", "harms": ()})

    problems = check_probe(Silent(lambda prompts: prompts))
    assert problems == ["info: cannot_show is empty", "info: harms is empty"]


def test_own_identity_words_can_be_given() -> None:
    """A probe with groups of its own says which words convey them."""

    def change(prompts: list[Prompt]) -> list[Prompt]:
        return [retold(p, "Black", "Sami") if p.group == "black" else p for p in prompts]

    assert "differ in more than the group" in said(change)
    assert check_probe(Altered(change), identity_words=["Sami"]) == []
