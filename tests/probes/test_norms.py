"""Promises of the norms: each has its reason, and crossing takes the more permissive one."""

from pathlib import Path

import pytest

from probes import norms as module
from probes.errors import DataError
from probes.norms import load_norms, most_permissive
from probes.records import Norm


def test_shipped_norms_are_complete() -> None:
    """Gender, race/ethnicity and age must not make a difference in lending and hiring, with a reason each."""
    rows = load_norms("decisions")
    assert {(row.attribute, row.domain) for row in rows} == {
        (attribute, domain)
        for attribute in ("age", "gender", "race_ethnicity")
        for domain in ("lending", "hiring")
    }
    assert {row.norm for row in rows} == {Norm.MUST_NOT_DIFFER}
    assert all(len(row.reason.split()) >= 8 for row in rows)


def test_crossing_takes_the_more_permissive_norm() -> None:
    """A difference one attribute allows cannot be forbidden to its crossing with another."""
    assert most_permissive([Norm.MUST_NOT_DIFFER, Norm.MUST_JUSTIFY]) is Norm.MUST_JUSTIFY
    assert most_permissive([Norm.MAY_DIFFER, Norm.MUST_JUSTIFY]) is Norm.MAY_DIFFER


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("attribute,domain\n", "columns must be"),
        ("attribute,domain,language,norm,reason\nage,x,en,never,because\n", "norm must be one of"),
        ("attribute,domain,language,norm,reason\nage,x,en,may_differ, \n", "reason is empty"),
        ("attribute,domain,language,norm,reason\n" + "age,x,en,may_differ,because\n" * 2, "two norms"),
    ],
)
def test_bad_norms_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str) -> None:
    """A malformed norm is one line with attribute, domain and what is accepted."""
    path = tmp_path / "data.csv"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(module, "find", lambda *_: path)
    with pytest.raises(DataError, match=said):
        load_norms("mine")
