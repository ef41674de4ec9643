"""What a repair came to: outcomes of findings, and changes beside those of other runs."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.findings.document import RunDocument
from audit.records import Change, Verdict
from audit.repaired.outcomes import beside, finding_outcomes

_WORDS = ("smaller", "larger", "reversed", "no_material_change", "inconclusive", "not_measured")


def _document(ids: set[str]) -> RunDocument:
    """As much of a document as is read: its findings."""
    found = [SimpleNamespace(id=one, claim=f"claim of {one}") for one in sorted(ids)]
    return cast("RunDocument", SimpleNamespace(findings=found))


def _change(finding: str, word: str, low: float = 0.1, high: float = 0.2) -> Change:
    missing = ("attribute", "group", "reference_group", "signal", "technique", "before", "after", "p_value")
    fields: dict[str, object] = dict.fromkeys((*missing, "p_adjusted"))
    fields |= {"finding": finding, "measure": "m", "kind": "rate", "domain": "all", "level": 0.95}
    fields |= {"change": (low + high) / 2, "ci_low": low, "ci_high": high, "n_outputs": 9, "n_clusters": 9}
    fields |= {"method": "x", "verdict": word}
    fields |= {"before_verdict": Verdict.EXCEEDS, "after_verdict": Verdict.WITHIN}
    return Change.model_validate(fields)


def test_fixed_is_said_only_where_the_change_is_shown() -> None:
    """A finding that is gone is fixed if its change is shown, else no longer found; what is left stays."""
    changes = [
        _change("a", "smaller"),
        _change("b", "inconclusive"),
        _change("c", "smaller"),
        _change("d", "larger"),
    ]
    outcomes = finding_outcomes(_document({"a", "b", "c"}), _document({"c", "d", "e"}), changes)
    assert [(one.id, one.outcome, one.shown) for one in outcomes] == [
        ("a", "fixed", True),
        ("b", "no_longer_found", False),
        ("c", "unchanged", True),
        ("d", "new", True),
        ("e", "new", False),
    ]


def test_fixed_says_whether_the_rest_is_shown_to_be_small() -> None:
    """Harmful compliance that fell from 100 to 12 % is gone and smaller, and not within a limit of 5 %."""
    small = _change("a", "smaller")
    open_ = small.model_copy(update={"finding": "b", "after_verdict": Verdict.INCONCLUSIVE})
    outcomes = finding_outcomes(_document({"a", "b"}), _document(set()), [small, open_])
    assert [(one.id, one.outcome, one.inside) for one in outcomes] == [
        ("a", "fixed", True),
        ("b", "fixed", False),
    ]


@settings(max_examples=60)
@given(st.sets(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcdef")), st.sampled_from(_WORDS))
def test_every_finding_has_exactly_one_outcome(before: set[str], after: set[str], word: str) -> None:
    """Nothing is lost or told twice, whatever the runs found."""
    changes = [_change(one, word) for one in sorted(before | after)]
    outcomes = finding_outcomes(_document(before), _document(after), changes)
    assert sorted(one.id for one in outcomes) == sorted(before | after)
    told: Callable[[str], set[str]] = lambda name: {one.id for one in outcomes if one.outcome == name}  # noqa: E731
    assert told("fixed") | told("no_longer_found") == before - after
    assert told("unchanged") == before & after
    assert told("new") == after - before


def test_a_change_is_beyond_the_repeat_where_their_intervals_lie_apart() -> None:
    """Each change stands beside those of its own question, and overlapping intervals are not called apart."""
    changes = [_change("a", "smaller", 0.1, 0.2), _change("b", "smaller", 0.1, 0.2), _change("c", "smaller")]
    base = [_change("b", "inconclusive", -0.05, 0.12), _change("a", "inconclusive", -0.05, 0.05)]
    first, second, third = beside(changes, base=base, prompt_only=[], against_prompt_only=[])
    assert (first.base, first.beyond_base) == (base[1], True)
    assert (second.base, second.beyond_base) == (base[0], False)
    assert (third.base, third.beyond_base, third.prompt_only) == (None, None, None)
