"""No public statistic without a measured error rate, or a reason why it has none."""

import inspect
import re
from pathlib import Path

import pytest

from audit import statistics
from benchmarks.calibration.coverage import MEASURED, NOT_SAMPLED, THROUGH
from benchmarks.calibration.pages import PAGES, SECTIONS, Page

DOCS = Path(__file__).resolve().parents[2] / "docs" / "explanation"
LEAST = 2_000


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.file)
def test_every_table_is_published_at_full_size(page: Page) -> None:
    """Each title is a heading of its page, in order, over a table of no fewer simulations than are stated."""
    text = (DOCS / page.file).read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE)[: len(page.sections)] == [
        section.title for section in page.sections
    ]
    sizes = [
        int(size.replace(",", "")) for size in re.findall(r"^([\d,]+) simulations a cell", text, re.MULTILINE)
    ]
    assert len(sizes) == len(page.sections)
    for section, size in zip(page.sections, sizes, strict=True):
        assert size >= min(LEAST, section.most or LEAST), section.title


def test_titles_are_not_given_twice() -> None:
    """A table is found by its title, whichever page it is on."""
    assert len(SECTIONS) == sum(len(page.sections) for page in PAGES)
