"""Near-identical replies to unlike requests, found without comparing all pairs."""

from pathlib import Path

import numpy as np
import pytest

from audit.analyzers.base import AnalyzerContext, Surveyor
from audit.analyzers.copying.near_identical import HASHES, MinHash
from audit.analyzers.copying.repetition import RepetitionAnalyzer
from audit.records import Exchange
from probes.records import Expectation, Message
from probes.seeds import rng

WORDS = np.array([f"word{number}" for number in range(500)])


def made(*names: str, words: int = 60) -> str:
    """A text of made-up words that depends on the names."""
    return " ".join(rng(5, *names).choice(WORDS, words).tolist())


def changed(text: str, every: int) -> str:
    """The text with one word in so many replaced."""
    words = text.split()
    return " ".join("other" if place % every == 0 else word for place, word in enumerate(words))


def exchange(output: int, request: str, reply: str) -> Exchange:
    """A reply to an open request."""
    return Exchange(
        output=output,
        messages=(Message(role="user", content=request),),
        reply=reply,
        expectation=Expectation(kind="open"),
    )


def labels(pairs: list[tuple[str, str]], **options: object) -> list[str]:
    """Labels of the replies to these requests, in order."""
    analyzer = RepetitionAnalyzer(
        RepetitionAnalyzer.Options.model_validate(options), AnalyzerContext(root=Path())
    )
    assert isinstance(analyzer, Surveyor)
    listed = [exchange(number, *pair) for number, pair in enumerate(pairs)]
    analyzer.survey([listed[:2], listed[2:]])
    scores = analyzer.score(listed)
    assert [score.output for score in scores] == list(range(len(pairs)))
    assert all((score.value is None) == (score.label == "too_short") for score in scores)
    return [score.label for score in scores]


def test_the_same_reply_to_unlike_requests_is_found_on_both_sides() -> None:
    """A reply that was given before to another request counts, and so does the earlier one."""
    recited = made("recited")
    pairs = [("How do I file taxes?", recited), (made("story"), made("own")), ("Name a good dog.", recited)]
    assert labels(pairs) == ["near_identical", "own", "near_identical"]


def test_members_of_a_set_may_be_answered_alike() -> None:
    """Requests that differ in one name are alike, so an equal answer shows nothing."""
    letter = "Please write a short letter of thanks to {} for the help with the move last week."
    pairs = [(letter.format(name), made("thanks")) for name in ("Anna", "Peter", "Kwame")]
    assert labels(pairs) == ["own"] * 3


def test_a_group_of_alike_requests_is_held_against_an_unlike_one() -> None:
    """Whichever reply leads its group, everyone finds the reply to the unlike request."""
    ask = "Tell {} how long a loan of this size takes to be paid back in full."
    pairs = [(ask.format(name), made("loan")) for name in ("Ana", "Bo", "Cy", "Di")]
    assert labels([*pairs, ("What is the weather like?", made("loan"))]) == ["near_identical"] * 5


def test_short_replies_have_no_value() -> None:
    """A short answer is like others by nature: it is not read, and counts as neither."""
    assert labels([("Is it open?", "Yes, it is."), (made("a"), "Yes, it is.")]) == ["too_short"] * 2


def test_a_word_changed_now_and_then_is_still_found_and_a_rewrite_is_not() -> None:
    """Similarity 0.8 is the border: a word in forty changed stays above it, a word in five does not."""
    text = made("long", words=200)
    near = labels([(made("x"), text), (made("y"), changed(text, 40))])
    far = labels([(made("x"), text), (made("y"), changed(text, 5))])
    assert (near, far) == (["near_identical"] * 2, ["own"] * 2)


def test_order_does_not_matter() -> None:
    """What is found is the same in whatever order the replies were stored."""
    pairs = [(made("request", str(n)), made("reply", str(n % 7))) for n in range(30)]
    shuffled = rng(1, "order").permutation(len(pairs))
    found = labels(pairs)
    assert labels([pairs[place] for place in shuffled]) == [found[place] for place in shuffled]


def test_unlike_texts_are_never_near_and_near_ones_are_hardly_ever_missed() -> None:
    """Of 200 pairs with similarity about 0.9 at most 1 % are missed; of 200 unlike ones none is found."""
    near, unlike = [], []
    for number in range(200):
        text = made("text", str(number), words=300)
        near += [(made("a", str(number)), text), (made("b", str(number)), changed(text, 100))]
        unlike += [(made("c", str(number)), made("d", str(number)))]
    assert labels(near).count("own") <= 4
    assert labels(unlike).count("near_identical") == 0


@pytest.mark.parametrize("shared", [0.2, 0.5, 0.8])
def test_signatures_estimate_the_similarity_of_runs(shared: float) -> None:
    """The share of equal places is the Jaccard similarity within three standard errors, on average."""
    minhash = MinHash()
    found = []
    for number in range(40):
        common = [f"c{number}x{place}" for place in range(int(400 * shared))]
        one = common + [f"a{number}x{place}" for place in range((400 - len(common)) // 2)]
        two = common + [f"b{number}x{place}" for place in range((400 - len(common)) // 2)]
        first, second = minhash.signature(" ".join(one), 1), minhash.signature(" ".join(two), 1)
        assert first is not None
        assert second is not None
        found.append(float((first == second).mean()))
    error = np.sqrt(shared * (1 - shared) / HASHES / len(found))
    assert abs(np.mean(found) - shared) < 3 * error + 0.005
