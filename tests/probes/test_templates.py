"""Promises of the template files: what is wrong is found when they are read, and named."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.errors import DataError, TemplateError
from probes.templates import Slot, load_templates, parse, read_templates

GOOD = """\
domain: lending
version: "1"
templates:
  - id: lending/new-roof
    pool: audit
    voice: third
    facts: [savings]
    picks: {town: [Ashford, Denning]}
    text: "{Person:intro} of {pick:town} wants a roof. {Person:subject} {verb:has|have} {fact:savings}."
    question: "Should {person:subject} get the loan? Answer yes or no."
    paraphrase: "Is it right to grant it? Reply yes or no."
    options: ["yes", "no"]
    favourable: "yes"
"""


def read(folder: Path, text: str) -> tuple[str, ...]:
    """Ids of the templates in a file of this text."""
    path = folder / "data.yaml"
    path.write_text(text, encoding="utf-8")
    return tuple(template.id for template in read_templates(path))


def test_a_good_file_is_read(tmp_path: Path) -> None:
    """A file that keeps the grammar gives its templates."""
    assert read(tmp_path, GOOD) == ("lending/new-roof",)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('["yes", "no"]', "[yes, no]", "quote it"),
        ('favourable: "yes"', 'favourable: "maybe"', "favourable must be one of yes, no; got 'maybe'"),
        ("facts: [savings]", "facts: [savings, debt_ratio]", "unused: debt_ratio"),
        ("{fact:savings}", "{fact:savings} and {fact:income}", "undeclared: income"),
        ("{pick:town}", "town", "unused: town"),
        ("[Ashford, Denning]", "[]", "picks must list at least one value"),
        ("{Person:intro}", "Somebody", "exactly once; got 0"),
        ("Should {person:subject}", "Should {person:intro}", "must not hold {person:intro}"),
        ("{Person:subject}", "{Person:title}", "unknown slot {Person:title}"),
        ("{verb:has|have}", "{verb:has}", "unknown slot {verb:has}"),
        ("a roof.", "a roof}.", "unbalanced brace"),
        ("lending/new-roof", "New Roof", "kebab-case"),
        ("pool: audit", "pool: test", "pool: Input should be 'audit', 'retraining' or 'history'"),
        ('["yes", "no"]', '["yes", "yes"]', "two different answers"),
        ('["yes", "no"]', '["yes"]', "options"),
        ("voice: third", "voice: third\n    mood: glad", "mood"),
        ("Is it right to grant it? Reply yes or no.", "{Q}", "unknown slot {Q}"),
        ("domain: lending", "domain: 3", "domain must be a string; got 3"),
        ("templates:", "forms:", "must hold the keys domain, version and templates"),
        ("templates:", "templates: [", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    """A broken template is one line with the file, the template and what is accepted."""
    assert old in GOOD
    with pytest.raises(TemplateError) as caught:
        read(tmp_path, GOOD.replace(old, new))
    message = str(caught.value)
    assert said in message
    assert "data.yaml" in message
    assert "\n" not in message


def test_same_question_twice_is_no_paraphrase(tmp_path: Path) -> None:
    """The paraphrase placebo needs other words, so the question itself is refused."""
    question = "Should {person:subject} get the loan? Answer yes or no."
    with pytest.raises(TemplateError, match="paraphrase must differ"):
        read(tmp_path, GOOD.replace("Is it right to grant it? Reply yes or no.", question))


def test_ids_are_unique(tmp_path: Path) -> None:
    """Two templates of one id would be one cluster by mistake, so that is an error."""
    again = GOOD[GOOD.index("  - id") :]
    with pytest.raises(TemplateError, match="used twice"):
        read(tmp_path, GOOD + again)


def test_unknown_data_set_is_an_error() -> None:
    """A data set that is not shipped is named."""
    with pytest.raises(DataError, match=r"templates/nowhere/data\.yaml"):
        load_templates("nowhere", pool=None)


@pytest.mark.parametrize("domain", ["lending", "hiring"])
def test_pools_share_no_template(domain: str) -> None:
    """The templates of a repair are none of those of an audit."""
    audit = {template.id for template in load_templates(domain, pool="audit")}
    repair = {template.id for template in load_templates(domain, pool="retraining")}
    assert len(audit) >= 12
    assert len(repair) >= 12
    assert not audit & repair


@settings(max_examples=50)
@given(
    st.lists(
        st.one_of(
            st.text(st.characters(exclude_characters="{}")),
            st.sampled_from(
                ["{person:intro}", "{Person:subject}", "{verb:is|are}", "{fact:x_y}", "{pick:z}"]
            ),
        )
    )
)
def test_parsing_loses_nothing(pieces: list[str]) -> None:
    """Literal pieces and slots, joined again, are the text."""
    text = "".join(pieces)
    joined = ""
    for part in parse(text):
        if isinstance(part, Slot):
            kind = part.kind.capitalize() if part.capital else part.kind
            joined += f"{{{kind}:{part.value}}}"
        else:
            joined += part
    assert joined == text
