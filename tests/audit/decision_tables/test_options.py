"""Options of a table audit: each contradiction is one clear line."""

import pytest

from audit.errors import InputError
from audit.tables.options import TableOptions


def options(**changes: object) -> TableOptions:
    """Valid options with some changed."""
    given: dict[str, object] = {"outcome": "y", "favourable": ("1",), "groups": ("g",)}
    return TableOptions(**(given | changes))  # type: ignore[arg-type] # wrong values are what is tested


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"groups": ()}, "--group"),
        ({"favourable": ()}, "--favourable"),
        ({"groups": ("a", "b", "c", "d", "e", "f")}, "at most 5"),
        ({"groups": ("y",)}, "named 2 times"),
        ({"label": "g"}, "named 2 times"),
        ({"label_favourable": ("1",)}, "--label-favourable needs --label"),
        ({"intersections": True}, "at least two"),
        ({"justification": "few"}, "--justification needs --exclude-below"),
        ({"exclude_below": 0.02}, "needs --justification"),
        ({"exclude_below": 0.02, "justification": "  "}, "needs --justification"),
        ({"exclude_below": 0.05, "justification": "few"}, "at most 0.02"),
        ({"exclude_below": float("nan"), "justification": "few"}, "at most 0.02"),
        ({"margin": 0.0}, "--margin"),
        ({"margin": float("nan")}, "--margin"),
    ],
)
def test_contradictions_are_named(changes: dict[str, object], words: str) -> None:
    """A wrong combination of options is refused in one line that names the option."""
    with pytest.raises(InputError) as caught:
        options(**changes)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_justified_exclusion_is_accepted() -> None:
    """Two per cent with a reason is what the rule allows."""
    assert options(exclude_below=0.02, justification="too few to compare").exclude_below == 0.02
