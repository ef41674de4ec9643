"""Plants: what came from an audit is found among clean candidates, whatever it is dressed as."""

from collections import Counter
from collections.abc import Callable

import pytest

from audit.records import Finding
from audit.retraining.gates.every import all_gates
from audit.retraining.gates.leakage import read_audit
from audit.retraining.gates.line import GateLine
from audit.retraining.records import Example, RetrainingOptions
from audit.retraining.strategies.every import answer, candidates
from probes.bias.decisions import DecisionsOptions, DecisionsProbe
from probes.records import Message, Prompt
from probes.seeds import rng

MakeFinding = Callable[..., Finding]
_CLEAN = 3000


@pytest.fixture(scope="module")
def asked() -> list[Prompt]:
    """Everything that an audit of lending asks."""
    options = DecisionsOptions(domains=("lending",), placebos=())
    return list(DecisionsProbe(options).prompts(rng(5, "asked")))


@pytest.fixture(scope="module")
def clean(make_finding: MakeFinding) -> list[Example]:
    """Candidates that owe nothing to the audit: three attributes, said in words and by names."""
    findings = [
        make_finding("g"),
        make_finding("r", attribute="race_ethnicity", group="black", reference_group="white"),
        make_finding("a", attribute="age", group="older", reference_group="middle"),
        make_finding("n", attribute="race_ethnicity", group="black", reference_group="white", signal="name"),
    ]
    options = RetrainingOptions(max_examples=_CLEAN, seed=9)
    return list(candidates(answer(findings, options), options))


def _plant(prompt: Prompt, like: Example, *, text: str | None = None, template: str | None = None) -> Example:
    """A candidate that stands by itself, with the text or the template of a prompt."""
    changed = {"template": template or f"{like.origin.template}-planted", "set_id": None, "kind": "replay"}
    said = prompt.messages[-1].content if text is None else text
    return Example.make(
        (Message(role="user", content=said),),
        answer=like.answer,
        rejected=like.rejected,
        expectation=like.expectation,
        origin=like.origin.model_copy(update={**changed, "name": prompt.name}),
    )


def test_every_plant_is_refused_and_no_clean_candidate_is(asked: list[Prompt], clean: list[Example]) -> None:
    """Prompts of the audit, rewordings that own to their template, and twins of another identity are found.

    Clean candidates may be refused in 1 of 100; duplicates among themselves are no false refusal.
    """
    twins = {prompt.set_id: prompt for prompt in asked if prompt.group not in {"male", "white"}}
    plants = {
        "copies": [_plant(one, clean[0]) for one in asked],
        "rewordings": [
            _plant(one, clean[0], text=f"In other words, case {place}: decide.", template=one.template)
            for place, one in enumerate(asked)
        ],
        # The set's other member was asked; this one, with other numbers, was not.
        "twins": [
            _plant(one, clean[0], text=one.messages[-1].content.replace("1", "2").replace("7", "4"))
            for one in twins.values()
        ],
    }
    planted = {one.id: name for name, some in plants.items() for one in some}
    refused: set[str] = set()
    gates: Counter[tuple[str, str]] = Counter()

    def noted(example: Example, gate: str, why: str) -> None:  # noqa: ARG001 - only who and where count
        refused.add(example.id)
        gates[planted.get(example.id, "clean"), gate] += 1

    without = [one for one in asked if one.id not in {twin.id for twin in twins.values()}]
    line = GateLine(all_gates(read_audit(without)), refused=noted)
    mixed = [*clean, *(one for some in plants.values() for one in some)]
    kept = {one.id for one in line.passed(mixed)}
    assert set(planted) <= refused
    assert not set(planted) & kept
    assert gates["rewordings", "lineage"] == len(plants["rewordings"])
    own = ("duplicates", "whole-groups")
    false = sum(count for (kind, gate), count in gates.items() if kind == "clean" and gate not in own)
    assert len(clean) > 0.9 * _CLEAN
    assert false <= 0.01 * len(clean)
    assert len(kept) > 0.97 * len(clean)
