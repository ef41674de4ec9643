"""What summing words of two sides promises."""

from hypothesis import given
from hypothesis import strategies as st

from audit.analyzers.tone.valence import Valence, folded, signed, weighed


@given(st.lists(st.floats(-2, 2, allow_nan=False), max_size=30))
def test_a_value_lies_within_its_bounds_and_turns_with_its_words(weights: list[float]) -> None:
    """Whatever the words, the value is in (-1, 1); the same words of the other side give its negative."""
    found, turned = Valence.of(weights), Valence.of(-weight for weight in weights)
    assert -1 < found.value < 1
    assert found.value == -turned.value
    assert found.mixed == turned.mixed


def test_a_side_begins_at_the_threshold() -> None:
    """One mild word among none reaches one half; below the threshold a value is neutral."""
    one = Valence.of([1.0])
    assert (one.value, one.side(0.5), one.side(0.51), Valence.of([-1.0]).side(0.5)) == (
        0.5,
        "positive",
        "neutral",
        "negative",
    )


def test_two_sides_of_like_weight_are_mixed() -> None:
    """Half the weight of the greater side is enough, none is not."""
    assert [Valence.of(weights).mixed for weights in ([2.0, -1.0], [2.0, -0.5], [1.0], [])] == [
        True,
        False,
        False,
        False,
    ]


def test_weights_are_those_of_the_grades_and_half_on_the_other_side_if_negated() -> None:
    """Strong words weigh 2 and mild ones 1; a negator turns a word over at half its weight."""
    lists = {"strong": ["superb"], "mild": ["fine"]}
    words = dict(signed(lists, {"strong": ["vile"], "mild": ["poor"]}))
    assert words == {"superb": 2.0, "fine": 1.0, "vile": -2.0, "poor": -1.0}
    assert weighed(["not", "superb"], 1, 2.0) == -1.0
    assert weighed(["superb"], 0, 2.0) == 2.0


def test_reasoning_and_marks_are_no_part_of_what_is_read() -> None:
    """Only what is answered is read, in one case and with negations written out."""
    assert folded("<think>Awful!</think>He **can't** lose.") == "he can not lose."
