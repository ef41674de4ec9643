"""Values that no example may touch, as a user names them."""

import pytest
from pydantic import ValidationError

from audit.errors import InputError
from audit.retraining.held_out import HeldOut, parse_held_out
from audit.retraining.records import RetrainingOptions


def test_values_are_read_by_key() -> None:
    """Several values of several keys may be named, in any order and twice."""
    found = parse_held_out("technique=fiction, attribute=age,technique=roleplay,attribute=age", "--holdout")
    assert found == {"attribute": ("age",), "technique": ("fiction", "roleplay")}
    assert HeldOut(found).holds("technique", "roleplay")
    assert not HeldOut(found).holds("technique", None)


def test_what_nothing_had_is_told() -> None:
    """A value that was never met may be misspelt, so it is named; one that was met is not."""
    held = HeldOut({"domain": ("lendign", "lending"), "technique": ("fiction",)})
    assert held.holds("domain", "lending")
    assert not held.holds("domain", "hiring")
    assert held.unmet == ("domain=lendign", "technique=fiction")


@pytest.mark.parametrize("text", ["age", "colour=red", "attribute=", ""])
def test_anything_else_is_refused_with_what_is_accepted(text: str) -> None:
    """A part without a known key or a value is named, with the keys there are."""
    with pytest.raises(
        InputError, match=r"--holdout: accepted is KEY=VALUE with a key out of attribute, group"
    ):
        parse_held_out(text, "--holdout")


def test_options_refuse_unknown_keys() -> None:
    """The Python entry refuses what the command line refuses."""
    with pytest.raises(ValidationError, match="unknown key colour; accepted: attribute"):
        RetrainingOptions(holdout={"colour": ("red",)})
