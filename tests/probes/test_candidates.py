"""Comparisons of candidates are read from data, and a malformed one is named."""

from pathlib import Path

import pytest
import yaml

from probes.candidates import load_comparisons, read_comparisons
from probes.errors import TemplateError
from probes.rendering import Person

GOOD: dict[str, object] = {
    "id": "hiring/choose-one",
    "label": "Person",
    "noun": "worker",
    "facts": ["years_experience"],
    "text": "A post is open.",
    "line": "{person:intro} with {fact:years_experience}",
    "pair": "Person A or Person B?",
    "tie": False,
    "ranking": "Rank the four.",
}


def written(path: Path, *rows: object) -> Path:
    """A file of these comparisons."""
    file = path / "data.yaml"
    file.write_text(yaml.safe_dump({"domain": "hiring", "templates": list(rows)}), encoding="utf-8")
    return file


def test_a_comparison_renders_a_line_for_each_candidate(tmp_path: Path) -> None:
    """Situation, lettered lines and question stand in this order, with articles right."""
    (comparison,) = read_comparisons(written(tmp_path, GOOD))
    facts = {"years_experience": "6 years of work"}
    people = [(Person(race_ethnicity="asian"), facts), (Person(name="Ann Lee"), facts)]
    assert comparison.render(people, comparison.pair) == (
        "A post is open.\n\nPerson A: an Asian worker with 6 years of work.\n"
        "Person B: Ann Lee with 6 years of work.\n\nPerson A or Person B?"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"line": "with {fact:years_experience}"}, "person:intro} exactly once; got 0"),
        ({"line": "{person:intro}"}, "facts must name exactly what line states"),
        ({"line": "{person:intro} {fact:years_experience} {pick:town}"}, "line must hold no picks"),
        ({"text": "A post for {person:intro}."}, "text must hold no slot"),
        ({"tie": True}, "pair must say `tie` exactly where tie is true"),
        ({"label": "the person"}, "label"),
    ],
)
def test_what_is_malformed_is_named(tmp_path: Path, change: dict[str, object], said: str) -> None:
    """The error names file, comparison and what was expected."""
    with pytest.raises(TemplateError, match="choose-one") as caught:
        read_comparisons(written(tmp_path, {**GOOD, **change}))
    assert said in str(caught.value)


def test_ids_are_unique_and_files_are_mappings(tmp_path: Path) -> None:
    """A doubled id, a row that is no mapping and a file of another form are refused."""
    with pytest.raises(TemplateError, match="used twice"):
        read_comparisons(written(tmp_path, GOOD, GOOD))
    with pytest.raises(TemplateError, match="must be a mapping"):
        read_comparisons(written(tmp_path, "text"))
    (tmp_path / "data.yaml").write_text("[]", encoding="utf-8")
    with pytest.raises(TemplateError, match="must hold the keys"):
        read_comparisons(tmp_path / "data.yaml")
    (tmp_path / "data.yaml").write_text("{", encoding="utf-8")
    with pytest.raises(TemplateError, match="not valid YAML"):
        read_comparisons(tmp_path / "data.yaml")


def test_shipped_comparisons_come_in_the_order_of_their_ids() -> None:
    """The order of the file does not matter."""
    ids = [comparison.id for comparison in load_comparisons("lending")]
    assert ids == sorted(ids)
