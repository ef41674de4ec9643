"""No public statistic without a measured error rate, or a reason why it has none."""

import inspect
from pathlib import Path

import pytest

from audit import statistics
from benchmarks.calibration import more, rest, run
from benchmarks.calibration.coverage import MEASURED, NOT_SAMPLED, THROUGH

PAGES = ("calibration.md", "calibration-more.md", "calibration-rest.md")
DOCS = Path(__file__).resolve().parents[2] / "docs" / "explanation"
SECTIONS = {section.title: section for section in (*run.SECTIONS, *more.SECTIONS, *rest.SECTIONS)}


def public_functions() -> set[str]:
    """Names of the functions that `audit.statistics` offers; its records and aliases are none."""
    return {name for name in statistics.__all__ if inspect.isfunction(getattr(statistics, name))}


def test_every_public_function_is_measured_or_says_why_not() -> None:
    """A new estimator cannot be forgotten, and one that is gone leaves no entry behind."""
    listed = [*MEASURED, *THROUGH, *NOT_SAMPLED]
    assert len(listed) == len(set(listed))
    assert set(listed) == public_functions()


@pytest.mark.parametrize(("name", "title"), sorted(MEASURED.items()))
def test_the_table_of_a_function_uses_it(name: str, title: str) -> None:
    """The module that makes the table imports the function from `audit.statistics` and calls it."""
    module = inspect.getmodule(SECTIONS[title].make)
    assert module is not None
    assert getattr(module, name, None) is getattr(statistics, name)
    assert f"{name}(" in inspect.getsource(module)


def test_parts_are_called_by_what_is_measured() -> None:
    """A function measured through another is called in its module."""
    for name, whole in THROUGH.items():
        assert whole in MEASURED
        module = inspect.getmodule(getattr(statistics, whole))
        assert module is not None
        assert f"{name}(" in inspect.getsource(module)


def test_every_table_is_on_a_page() -> None:
    """What is measured is published: each title is a heading of one of the calibration pages."""
    text = "\n".join((DOCS / page).read_text(encoding="utf-8") for page in PAGES)
    for title in SECTIONS:
        assert f"## {title}\n" in text, title
