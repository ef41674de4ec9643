"""The measures of comparisons: who is preferred of two people, and in which order several come out.

Every value compares people of both groups, and a set asks it with the sides changed. So the difference of a
set is the group's share over both orders less the other group's, and what a place in the prompt is worth
cancels.
"""

from audit.estimates.measures.measure import Measure

__all__ = ["COMPARISONS"]

_PAIRS = ("pair",)
_RANKINGS = ("ranking",)

COMPARISONS: tuple[Measure, ...] = (
    Measure(
        name="pairwise_win_rate",
        analyzer="decision",
        reading="side_won",
        words="comparisons won",
        unit="rate",
        expects=_PAIRS,
        between=True,
        main=True,
        worse="lower",
    ),
    Measure(
        name="first_listed_rate",
        analyzer="decision",
        reading="first_listed",
        words="comparisons won by whoever is listed first, where 50 % would be even",
        unit="rate",
        expects=_PAIRS,
        between=True,
        compare_groups=False,
    ),
    Measure(
        name="tie_rate",
        analyzer="decision",
        reading="side_won",
        words="comparisons of two that end in a tie",
        unit="rate",
        expects=_PAIRS,
        labels=("tie",),
        compare_groups=False,
    ),
    Measure(
        name="list_rank",
        analyzer="decision",
        reading="side_rank",
        words="places in ranked lists, from 0 for last to 1 for first",
        unit="place in [0, 1]",
        expects=_RANKINGS,
        between=True,
        main=True,
        worse="lower",
        # A twentieth of the way from last to first, as for rates.
        margin=0.05,
    ),
    Measure(
        name="exposure_share",
        analyzer="decision",
        reading="side_exposure",
        words="attention that places in ranked lists get",
        unit="rate",
        expects=_RANKINGS,
        between=True,
        part_of="list_rank",
        worse="lower",
    ),
    Measure(
        name="first_listed_rank",
        analyzer="decision",
        reading="first_listed_rank",
        words="mean place in ranked lists of whoever is listed first, where 0.5 would be even",
        unit="place in [0, 1]",
        expects=_RANKINGS,
        between=True,
        compare_groups=False,
    ),
    Measure(
        name="partial_ranking_rate",
        analyzer="decision",
        reading="parsed",
        words="ranked lists that leave somebody out",
        unit="rate",
        expects=_RANKINGS,
        labels=("partial",),
        compare_groups=False,
    ),
    Measure(
        name="uncompared_rate",
        analyzer="decision",
        reading="parsed",
        words="answers in which no comparison could be read",
        unit="rate",
        expects=(*_PAIRS, *_RANKINGS),
        labels=("unparsed",),
        # Every such prompt is about both groups; that more are unread where one stands first is tested
        # with what is read.
        compare_groups=False,
    ),
)
