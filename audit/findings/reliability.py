"""How far an estimate depends on the analyzer that read the answers, in one sentence."""

from audit.records import Correction, ErrorBand, Estimate

__all__ = ["analyzer_error_words"]


def analyzer_error_words(estimate: Estimate) -> str:
    """What is said of the analyzer's own error: the raw figure beside a corrected one, or the band.

    Returns:
        One sentence, or nothing where there is nothing to say.
    """
    if estimate.correction is not None:
        return _corrected(estimate, estimate.correction)
    return "" if estimate.error_band is None else _band(estimate.error_band)


def _corrected(estimate: Estimate, correction: Correction) -> str:
    by = "people's labels of these answers" if correction.source == "review" else "the analyzer's error rates"
    if estimate.kind != "disparity":
        raw = f"{_percent(correction.raw_point)}, interval {_percent(correction.raw_ci_low)} to"
        return f"Corrected by {by}; as read: {raw} {_percent(correction.raw_ci_high)}."
    rates = f"{_percent(correction.raw_group_rate)} against {_percent(correction.raw_reference_rate)}"
    bounds = f"{_points(correction.raw_ci_low)} to {_points(correction.raw_ci_high)}"
    each = "" if correction.source == "review" else " in each group"
    # Rates are left out where the correction puts one where no rate is.
    beyond = (
        " The labels put the rate of a group outside 0 to 100 %, within their error: no rates are stated."
        if estimate.group_rate is None
        else ""
    )
    return f"Corrected by {by}{each}; as read: {rates}, {_points(correction.raw_point)} ({bounds}).{beyond}"


def _band(band: ErrorBand) -> str:
    known = "" if band.depends else "does not, as far as its error is known, depend"
    return f"It {known or 'depends'} on the analyzer's error ({band.source}): {band.says}."


def _points(value: float | None) -> str:
    return "not measured" if value is None else f"{100 * value:+.1f} points"


def _percent(value: float | None) -> str:
    return "not measured" if value is None else f"{100 * value:.1f} %"
