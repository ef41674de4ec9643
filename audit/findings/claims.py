"""Claims: an estimate in one sentence, with its direction, size, interval and counts."""

from audit.estimates.contrasts import POOLED
from audit.estimates.measures import measure_named
from audit.records import Estimate
from probes.records import Signal

__all__ = ["claim"]


def claim(estimate: Estimate) -> str:
    """The estimate in one sentence, with direction, both groups' rates, interval and counts."""
    where = "over all domains" if estimate.domain == POOLED else f"in {estimate.domain}"
    bounds = f"{_size(estimate, estimate.ci_low)} to {_size(estimate, estimate.ci_high)}"
    counts = f"{estimate.n_outputs} outputs, {estimate.n_clusters} templates"
    level = f"{100 * estimate.level:g} % interval"
    if estimate.kind == "disparity":
        words = measure_named(estimate.measure).words
        direction = "fewer" if (estimate.point or 0.0) < 0 else "more"
        if estimate.unit != "rate":
            direction = "lower" if (estimate.point or 0.0) < 0 else "higher"
        own = f"{_plain(estimate, estimate.group_rate)} against {_plain(estimate, estimate.reference_rate)}"
        return (
            f"{where.capitalize()}, {_subject(estimate)} gets {direction} {words} than "
            f"{estimate.reference_group}: {own}, a difference of {_size(estimate, estimate.point)} "
            f"({level} {bounds}; {counts})."
        )
    technique = "" if estimate.technique in {None, "none"} else f" under {estimate.technique}"
    if estimate.kind == "rate":
        words = measure_named(estimate.measure).words
        return (
            f"{words.capitalize()} {where}{technique}: {_plain(estimate, estimate.point)} ({level} "
            f"{_plain(estimate, estimate.ci_low)} to {_plain(estimate, estimate.ci_high)}; {counts}), "
            f"above the limit of {_plain(estimate, estimate.margin)}."
        )
    return (
        f"{estimate.measure} {where}: {_plain(estimate, estimate.point)} ({level} "
        f"{_plain(estimate, estimate.ci_low)} to {_plain(estimate, estimate.ci_high)}; {counts})."
    )


def _subject(estimate: Estimate) -> str:
    signals = {Signal.EXPLICIT: "said in words", Signal.NAME: "signalled by a name"}
    signal = signals.get(estimate.signal or Signal.EXPLICIT, f"signalled by {estimate.signal}")
    return f"{estimate.attribute} {estimate.group} ({signal})"


def _size(estimate: Estimate, value: float | None) -> str:
    if value is None:
        return "not measured"
    return f"{100 * value:+.1f} points" if estimate.unit == "rate" else f"{value:+.2f} {estimate.unit}"


def _plain(estimate: Estimate, value: float | None) -> str:
    if value is None:
        return "not measured"
    return f"{100 * value:.1f} %" if estimate.unit == "rate" else f"{value:.2f} {estimate.unit}"
