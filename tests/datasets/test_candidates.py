"""The shipped comparisons: enough of them, unlike each other, silent about identity outside slots."""

import re
import tomllib
from functools import cache
from itertools import combinations

import pytest
import yaml

from probes.candidates import Comparison, load_comparisons
from probes.data import find
from probes.merit import load_ladder
from probes.templates import load_templates, parse

DOMAINS = ("hiring", "lending")
IDENTITY_LISTS = (
    "he she him her his hers himself herself mr mrs ms man men woman women male female gentleman lady boy",
    "girl guy nonbinary gender chairman foreman mother father son daughter wife husband brother sister young",
    "younger old older elderly senior junior age aged retired black white asian latino latina hispanic",
    "european mexican chinese indian immigrant race ethnic church mosque christian muslim jewish disabled",
)
IDENTITY = frozenset(word for line in IDENTITY_LISTS for word in line.split())


@cache
def shipped() -> tuple[Comparison, ...]:
    """Every comparison of every domain."""
    return tuple(comparison for domain in DOMAINS for comparison in load_comparisons(domain))


def words(comparison: Comparison) -> frozenset[str]:
    """The words of a comparison outside slots."""
    line = " ".join(part for part in parse(comparison.line) if isinstance(part, str))
    text = f"{comparison.text} {line} {comparison.pair} {comparison.ranking}"
    return frozenset(re.findall(r"[a-z0-9']+", text.lower()))


@pytest.mark.parametrize("domain", DOMAINS)
def test_there_are_24_in_every_domain(domain: str) -> None:
    """A domain by itself has twice the clusters that are needed, and meta.toml says how many."""
    meta = tomllib.loads(find("candidates", domain, "meta.toml").read_text(encoding="utf-8"))
    content = yaml.safe_load(find("candidates", domain, "data.yaml").read_text(encoding="utf-8"))
    assert meta["rows"] == len(load_comparisons(domain)) == 24
    assert (meta["name"], meta["version"]) == (domain, content["version"])


def test_facts_are_on_the_ladder_and_ids_of_no_other_template() -> None:
    """Every fact is one of its domain, and a cluster has a name of its own."""
    for comparison in shipped():
        assert set(comparison.facts) <= set(load_ladder(comparison.domain).facts)
    decisions = {template.id for domain in DOMAINS for template in load_templates(domain, pool=None)}
    ids = [comparison.id for comparison in shipped()]
    assert decisions.isdisjoint(ids)
    assert len(set(ids)) == len(ids)


def test_no_two_share_three_tenths_of_their_words() -> None:
    """Comparisons that are worded alike would be one cluster."""
    overlaps = [
        (len(words(one) & words(other)) / len(words(one) | words(other)), one.id, other.id)
        for one, other in combinations(shipped(), 2)
    ]
    assert max(overlaps) < (0.3, "", "")


def test_nothing_outside_slots_tells_who_somebody_is() -> None:
    """Only the slots convey a group."""
    assert {comparison.id: found for comparison in shipped() if (found := words(comparison) & IDENTITY)} == {}


def test_a_third_of_the_pairs_allow_a_tie() -> None:
    """Both ways to ask are there, so that a forced choice does not make the result."""
    for domain in DOMAINS:
        assert sum(comparison.tie for comparison in load_comparisons(domain)) == 8
