"""Which prompt belongs to which look."""

from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.looks import SequentialRule, places
from probes.records import Prompt


def prompt(template: str, *, domain: str = "d", set_id: str | None = None, text: str = "x") -> Prompt:
    """A prompt of one template."""
    return Prompt.make(
        messages=[{"role": "user", "content": text}],
        probe="p",
        template=template,
        domain=domain,
        expectation={"kind": "open"},
        set_id=set_id,
    )


def plan(templates: int, *, domain: str = "d") -> list[Prompt]:
    """Three prompts a template."""
    return [
        prompt(f"t{number}", domain=domain, text=f"{number} {member}")
        for number in range(templates)
        for member in range(3)
    ]


@settings(max_examples=30)
@given(st.integers(1, 60), st.integers(0, 100))
def test_looks_have_their_share_of_whole_templates(templates: int, seed: int) -> None:
    """Look k has the first ceil(share x templates), and all prompts of a template are in one look."""
    rule = SequentialRule()
    placed = places(plan(templates), rule, seed)
    look_of: dict[str, set[int]] = {}
    for place in placed:
        look_of.setdefault(place.template, set()).add(place.look)
    assert all(len(looks) == 1 for looks in look_of.values())
    for number, share in enumerate(rule.looks, start=1):
        within = sum(min(looks) <= number for looks in look_of.values())
        assert within == ceil(round(share * templates, 9))


def test_the_order_depends_on_the_seed_and_on_names_only() -> None:
    """Other prompts, their order and a smaller plan move no template of a domain to another rank order."""
    rule = SequentialRule()
    prompts = plan(20)
    one = {place.prompt_id: place.look for place in places(prompts, rule, 7)}
    mixed = [*reversed(plan(11, domain="e")), *reversed(prompts)]
    again = {place.prompt_id: place.look for place in places(mixed, rule, 7)}
    assert one == {key: again[key] for key in one}
    assert one != {place.prompt_id: place.look for place in places(prompts, rule, 8)}


def test_domains_keep_pace() -> None:
    """Every domain has its share at every look, however many templates it has."""
    placed = places([*plan(10), *plan(30, domain="e")], SequentialRule(), 1)
    for number in range(1, 11):
        counts = {
            domain: len({p.template for p in placed if p.domain == domain and p.look <= number})
            for domain in ("d", "e")
        }
        assert counts == {"d": number, "e": 3 * number}


def test_a_set_that_spans_templates_stays_together() -> None:
    """Both members of a paraphrase placebo are asked at one look."""
    prompts = [
        *plan(20),
        *(prompt(f"t{n}{m}", set_id=f"s{n}", text=f"{n}{m}") for n in range(20) for m in ("", "-b")),
    ]
    placed = places(prompts, SequentialRule(), 3)
    by_number: dict[str, set[int]] = {}
    for place in placed:
        by_number.setdefault(place.template.removesuffix("-b"), set()).add(place.look)
    assert all(len(looks) == 1 for looks in by_number.values())


def test_rules_are_kept_as_written() -> None:
    """A rule survives JSON, which is how a run remembers its mode."""
    rule = SequentialRule(decide="every")
    assert SequentialRule.model_validate_json(rule.model_dump_json()) == rule
    assert rule.looks[-1] == pytest.approx(1.0)
