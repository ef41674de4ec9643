"""Shipped rubrics are complete, and a user's own is refused where it could not be counted."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from audit.analyzers.judge.rubrics import Rubric, load_rubric, shipped_rubrics
from audit.errors import InputError
from audit.estimates.measures import MEASURES, known_measures
from probes.data import data_root


@pytest.mark.parametrize("name", shipped_rubrics())
def test_shipped_rubrics_are_complete(name: str) -> None:
    """Every rubric has its own name, an example of most labels, and a measure of its own."""
    loaded = load_rubric(name, Path())
    rubric = loaded.rubric
    assert rubric.name == name
    assert len(loaded.sha256) == 64
    assert {example.label for example in rubric.examples} <= {label.name for label in rubric.labels}
    assert len({example.label for example in rubric.examples}) >= 2
    names = [one.name for one in known_measures([rubric.declared("judge")])]
    assert len(set(names)) == len(MEASURES) + 1
    assert f'version = "{rubric.version}"' in (data_root() / "rubrics" / name / "meta.toml").read_text(
        "utf-8"
    )


def test_the_names_of_all_measures_differ() -> None:
    """All shipped rubrics can stand in one spec."""
    names = [load_rubric(name, Path()).rubric.measure.name for name in shipped_rubrics()]
    assert len(set(names)) == len(names) == 6


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"labels": [{"name": "a", "value": 1, "definition": "x"}]}, "at least 2"),
        ({"measure": {"name": "m", "words": "w", "labels": ["b"]}}, "0.5 or more"),
        ({"measure": {"name": "m", "words": "w", "labels": ["a", "b"]}}, "0.5 or more"),
        ({"measure": {"name": "m", "words": "w", "labels": ["c"]}}, "no label 'c'; accepted: a, b"),
        ({"examples": [{"request": "", "reply": "", "label": "z"}]}, "no label 'z'"),
        ({"expects": ["anything"]}, "expects"),
        ({"name": "Own rubric"}, "name"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_rubric_that_could_not_be_counted_is_refused(changed: dict[str, object], message: str) -> None:
    """Labels, examples and measure must belong together."""
    labels = [{"name": "a", "value": 1, "definition": "x"}, {"name": "b", "value": 0, "definition": "y"}]
    given: dict[str, object] = {
        "name": "own",
        "version": "1",
        "question": "Which?",
        "expects": ["open"],
        "labels": labels,
        "measure": {"name": "m", "words": "w", "labels": ["a"]},
    }
    Rubric.model_validate(given)
    with pytest.raises(ValidationError, match=message):
        Rubric.model_validate({**given, **changed})


@pytest.mark.parametrize("taken", ["undetermined", "unparsed", "unrated"])
def test_no_label_looks_like_a_missing_verdict(taken: str) -> None:
    """The words for no verdict are no labels."""
    text = (
        (data_root() / "rubrics" / "toxicity" / "rubric.yaml").read_text("utf-8").replace("not_toxic", taken)
    )
    with pytest.raises(ValidationError, match=f"label '{taken}' is taken"):
        Rubric.model_validate(yaml.safe_load(text))


def test_a_rubric_that_is_no_text_is_told(tmp_path: Path) -> None:
    """A file of another kind is one clear line."""
    (tmp_path / "own.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="is not UTF-8 text"):
        load_rubric("own.yaml", tmp_path)
