"""Examples kept on disk between gates and files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from audit.errors import InputError
from audit.records import Finding
from audit.retraining.records import Example, RetrainingOptions
from audit.retraining.spool import Spool
from audit.retraining.strategies.every import answer, candidates

MakeFinding = Callable[..., Finding]


@pytest.fixture(scope="module")
def examples(make_finding: MakeFinding) -> list[Example]:
    """Candidates for one finding."""
    options = RetrainingOptions(max_examples=90, seed=4)
    return list(candidates(answer([make_finding()], options), options))


def _spooled(folder: Path, examples: list[Example]) -> tuple[list[Example], list[Example]]:
    with Spool(folder, RetrainingOptions(seed=4)) as spool:
        for example in examples:
            spool.add(example)
        return list(spool.examples("train")), list(spool.examples("validation"))


def test_every_example_comes_back_once(examples: list[Example], tmp_path: Path) -> None:
    """Splits together hold every example, unchanged but for its split, and no template stands in both."""
    train, validation = _spooled(tmp_path, examples)
    assert validation
    assert sorted(example.id for example in [*train, *validation]) == sorted(one.id for one in examples)
    known = {example.id: example for example in examples}
    for example in validation:
        assert example.origin.split == "validation"
        restored = example.origin.model_copy(update={"split": "train"})
        assert example.model_copy(update={"origin": restored}) == known[example.id]
    assert not {one.origin.template for one in train} & {one.origin.template for one in validation}


def test_the_order_does_not_hang_on_who_came_first(examples: list[Example], tmp_path: Path) -> None:
    """The same examples in another order come back in the same order, which is not that of the templates."""
    train, validation = _spooled(tmp_path, examples)
    assert _spooled(tmp_path, examples[::-1]) == (train, validation)
    templates = [example.origin.template for example in train]
    assert templates != sorted(templates)


def test_counts_are_told_before_reading(examples: list[Example], tmp_path: Path) -> None:
    """Counts of examples and pairs are right for each split, and 0 where there is nothing."""
    single = examples[0].model_copy(update={"rejected": None})
    with Spool(tmp_path, RetrainingOptions(validation_share=0)) as spool:
        assert (spool.count("train"), len(spool)) == ((0, 0), 0)
        spool.add(single)
        spool.add(examples[1])
        assert (spool.count("train"), spool.count("validation")) == ((2, 1), (0, 0))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file in the place of the folder is one clear line."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="file: cannot be written"):
        Spool(tmp_path / "file", RetrainingOptions())
