"""The figure of calls at once."""

from xml.etree import ElementTree as ET

from audit.ledger import Invocation, Moment
from audit.reports.pace import pace
from audit.reports.palette import LIMIT


def _invocation(limits: list[int], retries: list[int], seconds: float) -> Invocation:
    moments = tuple(
        Moment(at_s=2.0 * place, limit=limit, in_flight=limit // 2, done=10 * place, retries=again)
        for place, (limit, again) in enumerate(zip(limits, retries, strict=True))
    )
    return Invocation(ended="finished", seconds=seconds, requests=50, retries=retries[-1], moments=moments)


def test_it_says_in_words_what_it_shows() -> None:
    """The text alternative tells range, end and retries over all invocations, as a reader would see them."""
    drawn = pace([_invocation([32, 24, 18], [0, 3, 5], 6.5), _invocation([18, 20], [0, 0], 4.0)], key="pace")
    assert len(drawn) == 2
    said = ET.fromstring(drawn[0]).findtext("desc")  # noqa: S314 - drawn just now
    assert said == (
        "2 invocations, 10 seconds: between 18 and 32 calls might wait at once, 20 at the end; "
        "at most 16 did; 5 calls sent again."
    )


def test_what_was_sent_again_is_drawn_in_its_stretch() -> None:
    """Without retries nothing has their colour; with some, it matters to the drawing where they were."""

    def drawn(retries: list[int]) -> str:
        return pace([_invocation([8, 6, 6, 7], retries, 9.0)], key="p")[0]

    assert LIMIT.lower() not in drawn([0, 0, 0, 0]).lower()
    early, late = drawn([0, 2, 2, 2]), drawn([0, 0, 0, 2])
    assert LIMIT.lower() in early.lower()
    assert early != late


def test_one_moment_is_no_line() -> None:
    """Nothing is drawn of a run too short to have a course, nor of one without invocations."""
    assert pace([_invocation([8], [0], 0.4)], key="p") == ()
    assert pace([], key="p") == ()
