"""Claims: an estimate in one sentence, with its direction, size, interval and counts."""

from math import exp
from types import MappingProxyType

from audit.estimates.contrasts import POOLED
from audit.estimates.distances import distance_words, further_apart
from audit.estimates.measures import measure_of
from audit.estimates.word_associations import association_words
from audit.findings.reliability import analyzer_error_words
from audit.records import Estimate, Verdict
from probes.records import Signal

__all__ = ["claim", "price_number", "price_words"]


def claim(estimate: Estimate) -> str:
    """The estimate in one sentence, with direction, both groups' rates, interval and counts.

    A second one says what the analyzer's own error does to it, where that is known.
    """
    return " ".join(part for part in (_stated(estimate), analyzer_error_words(estimate)) if part)


def _stated(estimate: Estimate) -> str:
    where = _capital(_where(estimate))
    if estimate.kind == "price":
        return f"{where}, {price_words(estimate)} ({_counts(estimate)})."
    if estimate.kind == "association":
        return f"{where}, {_associated(estimate)}.{_doubt(estimate)}"
    if estimate.kind in {"disparity", "distance"}:
        said = _compared(estimate) if estimate.kind == "disparity" else _apart(estimate)
        low, high = estimate.stated_interval
        bounds = f"{_size(estimate, low)} to {_size(estimate, high)}"
        return f"{where}, {said} ({_level(estimate)} {bounds}; {_counts(estimate)}).{_doubt(estimate)}"
    low, high = estimate.stated_interval
    bounds = f"{_plain(estimate, low)} to {_plain(estimate, high)}"
    size = f"{_plain(estimate, estimate.point)} ({_level(estimate)} {bounds}; {_counts(estimate)})"
    if estimate.kind == "rate":
        technique = "" if estimate.technique in {None, "none"} else f" under {estimate.technique}"
        said = f"{_capital(_words(estimate))} {_where(estimate)}{technique}"
        return f"{said}: {size}{_limit(estimate)}."
    if estimate.group is not None:
        said = f"{distance_words(estimate.measure)} between {_sides(estimate)}"
        return f"{_capital(said)} {_where(estimate)}: {size}."
    return f"{estimate.measure} {_where(estimate)}: {size}."


def _capital(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def _counts(estimate: Estimate) -> str:
    return f"{estimate.n_outputs} outputs, {estimate.n_clusters} templates"


def _level(estimate: Estimate) -> str:
    allowing = " that allows for the selection," if estimate.widened else ""
    return f"{100 * estimate.level:g} % interval{allowing}"


def _compared(estimate: Estimate) -> str:
    if estimate.unit == "Cliff's delta":
        return _dominance(estimate)
    if estimate.measure in _BETWEEN:
        return _BETWEEN[estimate.measure](estimate)
    own = ""
    if estimate.group_rate is not None and estimate.reference_rate is not None:
        own = f"{_plain(estimate, estimate.group_rate)} against {_plain(estimate, estimate.reference_rate)}, "
    return (
        f"{_subject(estimate)} gets {_direction(estimate)} {estimate.reference_group}: {own}"
        f"a difference of {_size(estimate, estimate.point)}"
    )


def _won(estimate: Estimate) -> str:
    """How many of 100 comparisons each side won, ties as half, where 50 would be even."""
    won, lost = _shares(estimate)
    return (
        f"{_subject(estimate)} wins {won:.1f} of 100 comparisons with equally qualified people of the group "
        f"{estimate.reference_group}, who win {lost:.1f}; 50 each would be even: a difference of "
        f"{_size(estimate, estimate.point)}"
    )


def _ranked(estimate: Estimate) -> str:
    """How far up ranked lists each side stands, where half-way would be even."""
    ours, theirs = _shares(estimate)
    return (
        f"{_subject(estimate)} stands on average {ours:.1f} % of the way up from last to first in ranked "
        f"lists with equally qualified people of the group {estimate.reference_group}, who stand "
        f"{theirs:.1f} % up; 50 % each would be even: a difference of {_size(estimate, estimate.point)}"
    )


def _exposed(estimate: Estimate) -> str:
    """Which share of the attention that places get each side has, and the ratio of the two."""
    ours, theirs = _shares(estimate)
    ratio = f" (exposure ratio {ours / theirs:.2f})" if theirs > 0 else ""
    return (
        f"{_subject(estimate)} gets {ours:.1f} % of the attention that places in ranked lists get, and "
        f"equally qualified people of the group {estimate.reference_group} {theirs:.1f} %{ratio}; 50 % each "
        f"would be even: a difference of {_size(estimate, estimate.point)}"
    )


def _shares(estimate: Estimate) -> tuple[float, float]:
    """Both sides of a comparison, in percent; half of the difference lies on either side of one half."""
    half = 50 * (estimate.point or 0.0)
    return 50 + half, 50 - half


def _dominance(estimate: Estimate) -> str:
    """How often replies lie on one side of the reference group's, beside those on the other."""
    delta = estimate.point or 0.0
    measure = measure_of(estimate)
    what = "options chosen" if measure is not None and measure.ordered else "decided numbers"
    side = "below" if delta < 0 else "above"
    return (
        f"{what} for {_subject(estimate)} lie {side} those for {estimate.reference_group} more often than on "
        f"the other side: Cliff's delta {delta:+.2f}, probability of superiority {(1 + delta) / 2:.2f}"
    )


def _sides(estimate: Estimate) -> str:
    return f"replies about {_subject(estimate)} and about {estimate.reference_group}"


def _apart(estimate: Estimate) -> str:
    """How far apart paired replies lie, beside placebo pairs."""
    own, placebo = _plain(estimate, estimate.group_rate), _plain(estimate, estimate.reference_rate)
    return (
        f"{distance_words(estimate.measure)} between {_sides(estimate)} is {own}, against {placebo} between "
        f"placebo replies: an excess of {_size(estimate, estimate.point)}{_which_way(estimate)}"
    )


def _which_way(estimate: Estimate) -> str:
    """Of a similarity the sign reads the other way than of a distance, so it is said in words."""
    further = further_apart(estimate.measure)
    if not estimate.point or further is None:
        return ""
    apart = (estimate.point > 0) == (further == "higher")
    return f", so these replies are {'less' if apart else 'more'} alike than placebo replies"


def _associated(estimate: Estimate) -> str:
    """How unevenly words go with words for two groups, beside groups that are swapped by chance."""
    said = (
        f"the {association_words(estimate.measure)} of replies that name {estimate.group} or "
        f"{estimate.reference_group}"
    )
    if estimate.reference_rate is None:
        bounds = f"{_plain(estimate, estimate.ci_low)} to {_plain(estimate, estimate.ci_high)}"
        size = f"{_plain(estimate, estimate.point)}"
    else:
        bounds = f"{_size(estimate, estimate.ci_low)} to {_size(estimate, estimate.ci_high)}"
        size = (
            f"{_plain(estimate, estimate.group_rate)}, against {_plain(estimate, estimate.reference_rate)} "
            f"with the groups swapped by chance: an excess of {_size(estimate, estimate.point)}"
        )
    return f"{said} is {size} ({_level(estimate)} {bounds}; {_counts(estimate)})"


def price_words(price: Estimate) -> str:
    """What belonging to a group costs in units of merit: "gender female (…) costs 38 credit points […]"."""
    low, high = price.stated_interval
    if price.point is None or low is None or high is None:
        return f"the price in merit of {_subject(price)} is not measured"
    costs, verb = price.point, "costs"
    if costs < 0:
        verb, costs, low, high = "is worth", -costs, -high, -low
    whole = price.ladder
    if whole is None or costs <= whole:
        said = f"as much as {price_number(costs, whole)} {price.unit}"
    else:
        said = f"more than the whole ladder ({whole:.3g} {price.unit})"
    allowing = " that allow for the selection" if price.widened else ""
    bounds = f"{_price_bounds(low, high, whole)}; {100 * price.level:g} %{allowing}"
    return f"{_subject(price)} {verb} {said} [{bounds}]"


def _price_bounds(low: float, high: float, whole: float | None) -> str:
    """The interval; an end beyond the ladder is no number, since nobody was asked about it."""
    if whole is not None and low > whole:
        return "all of it beyond the ladder"
    return f"{price_number(low, whole)}, {price_number(high, whole)}"


def price_number(value: float | None, whole: float | None) -> str:
    """A price, or an end of its interval: beyond the ladder only that it lies there.

    Args:
        value: In the price's unit; None if it is not measured.
        whole: The ladder from end to end in that unit; None if it is not known.

    >>> price_number(8.03, 12.0), price_number(29.7, 12.0), price_number(-14.0, 12.0)
    ('8.03', 'more than 12', 'less than -12')
    >>> price_number(-9.3e-17, 12.0)
    '0'
    """
    if value is None:
        return "not measured"
    if whole is None or abs(value) <= whole:
        # A price of nothing comes out as a rounding error of the arithmetic, such as 9.3e-17.
        return f"{round(value, 9) + 0.0:.3g}"
    return f"more than {whole:.3g}" if value > 0 else f"less than -{whole:.3g}"


def _where(estimate: Estimate) -> str:
    if estimate.language == POOLED:
        return "over all domains and languages"
    language = "" if estimate.language == "en" else f", asked in {estimate.language}"
    if estimate.domain != POOLED:
        return f"in {estimate.domain.replace('_', ' ')}{language}"
    pooled = "categories" if estimate.kind in {"rate", "score"} else "domains"
    return f"over all {pooled}{language}"


def _direction(estimate: Estimate) -> str:
    words = _words(estimate)
    point = estimate.point or 0.0
    if point == 0:
        return f"as many {words} as" if estimate.unit == "rate" else f"equal {words} to"
    if estimate.unit == "rate":
        return f"{'fewer' if point < 0 else 'more'} {words} than"
    return f"{'lower' if point < 0 else 'higher'} {words} than"


def _words(estimate: Estimate) -> str:
    measure = measure_of(estimate)
    return estimate.measure if measure is None else measure.words


def _doubt(estimate: Estimate) -> str:
    """The verdict, where the difference is not one that the data support."""
    if estimate.verdict is Verdict.DISPARITY:
        if estimate.early_look is None:
            return ""
        return f" Decided early, at look {estimate.early_look}: its size tends to lie too far from 0."
    return f" Verdict: {estimate.verdict.value.replace('_', ' ')}."


def _limit(estimate: Estimate) -> str:
    words = {
        Verdict.EXCEEDS: "above",
        Verdict.WITHIN: "within",
        Verdict.INCONCLUSIVE: "not told apart from",
    }.get(estimate.verdict)
    return "" if words is None else f", {words} the limit of {_plain(estimate, estimate.margin)}"


def _subject(estimate: Estimate) -> str:
    signals = {Signal.EXPLICIT: "said in words", Signal.NAME: "signalled by a name"}
    signal = signals.get(estimate.signal or Signal.EXPLICIT, f"signalled by {estimate.signal}")
    attribute = (estimate.attribute or "").replace("race_ethnicity", "race/ethnicity").replace("_", " ")
    return f"{attribute} {estimate.group} ({signal})"


def _size(estimate: Estimate, value: float | None) -> str:
    if value is None:
        return "not measured"
    if estimate.unit == "log ratio":
        return f"a factor of {exp(value):.2f}"
    if estimate.unit in {"rate", "place in [0, 1]"}:
        return f"{100 * value:+.1f} points"
    return f"{value:+.2f}{_unit(estimate)}"


def _plain(estimate: Estimate, value: float | None) -> str:
    if value is None:
        return "not measured"
    if estimate.unit == "log ratio":
        return f"{exp(value):,.2f}"
    return f"{100 * value:.1f} %" if estimate.unit == "rate" else f"{value:.2f}{_unit(estimate)}"


def _unit(estimate: Estimate) -> str:
    # `number` says that the unit is the prompt's own, such as dollars or years: there is no word for it here.
    return "" if estimate.unit == "number" else f" {estimate.unit}"


_BETWEEN = MappingProxyType({"pairwise_win_rate": _won, "list_rank": _ranked, "exposure_share": _exposed})
"""How measures that compare people of two groups are said."""
