"""Tables for people: counts, findings, estimates and changes on a terminal."""

from collections.abc import Sequence

from audit.cli.change_table import show_changes
from audit.cli.console import clean, say, table, warn
from audit.cli.numbers import DIFFERENCES, between, bounds, signed, value
from audit.estimates.contrasts import POOLED
from audit.estimates.omnibus import RESAMPLES
from audit.estimates.places import places
from audit.findings.claims import price_number
from audit.findings.document import RunDocument
from audit.looks import SequentialReport
from audit.records import Counts, Estimate, Finding, Omnibus, Verdict
from audit.records.results import MOST_UNREAD

__all__ = [
    "show_counts",
    "show_estimates",
    "show_findings",
    "show_omnibus",
    "show_run",
    "show_sequential",
]

ROWS_SHOWN = 20


def show_counts(counts: Counts) -> None:
    """Print the count funnel in one line."""
    parts = [
        f"{name.replace('_', ' ')} {value}"
        for name, value in counts.model_dump().items()
        if name not in {"planned", "decided_early", "broken_off"}
    ]
    missing = counts.missing
    reasons = [
        (counts.decided_early, "since decided early"),
        (counts.broken_off, "in conversations that broke off"),
        (missing, "for other reasons"),
    ]
    if missing < counts.not_asked:
        parts[-1] += f" ({', '.join(f'{count} {why}' for count, why in reasons if count)})"
    say(f"planned {counts.planned} = " + " + ".join(parts))
    if missing or counts.errored:
        warn(f"{missing} not asked and {counts.errored} errored: missing, and counted as nothing else")


def _warn_of_answers(document: RunDocument) -> None:
    """Print what of the answers could not be read, and whether the endpoint changed while it was asked."""
    for entry in document.unread:
        if entry.unread > MOST_UNREAD * entry.answers:
            warn(
                f"{entry.measure} could not be read in {entry.unread} of {entry.answers} outputs, "
                f"errored ones included ({entry.probe}): it rests on the others only"
            )
        if entry.partly:
            warn(
                f"{entry.measure} was read in a part of {entry.partly} of {entry.answers} answers only "
                f"({entry.probe}): they are longer than its analyzer reads"
            )
        if entry.outside:
            say(
                f"{entry.measure} says nothing of {entry.outside} more answers ({entry.probe}): "
                "they are outside of it, and not missing"
            )
    for role, drift in document.drift.items():
        if drift.drifted:
            warn(f"{role}: the endpoint changed while it was asked: {'; '.join(drift.reasons)}")


def show_run(document: RunDocument) -> None:
    """Print what a run found: funnels, what could not be read, findings, and what the baseline says."""
    for role, counts in document.counts.items():
        if len(document.counts) > 1:
            say(f"{role}:")
        show_counts(counts)
    _warn_of_answers(document)
    for note in dict.fromkeys(note for one in document.estimates for note in one.notes):
        warn(note)
    if document.sequential is not None:
        show_sequential(document.sequential)
    show_findings(document)
    if document.against_baseline:
        moved = [one for one in document.against_baseline if one.verdict in {"smaller", "larger", "reversed"}]
        say()
        say(f"against the baseline: {len(moved)} of {len(document.against_baseline)} estimates differ")
        if moved:
            show_changes(moved[:ROWS_SHOWN])


def show_sequential(report: SequentialReport) -> None:
    """Print what a run until decided decided, saved and lost."""
    leading = [one for one in report.comparisons if one.leading]
    decided = [one for one in leading if one.decided]
    say(
        f"until decided: {len(decided)} of {len(leading)} comparisons that it asked for are decided, "
        f"after {report.looks_made} of {len(report.rule.looks)} looks"
    )
    share = report.saved / report.planned
    say(
        f"planned {report.planned} outputs, asked {report.asked}, "
        f"saved by deciding early {report.saved} ({share:.0%})"
    )
    if report.lost:
        say(
            f"lost by looking early: {report.lost} left open that one analysis at the end, "
            "planned so, would decide"
        )
    table(
        ["comparison", "where", "contrast", "verdict", "look", "templates"],
        [
            [
                one.measure,
                clean(one.domain),
                clean(f"{one.attribute}: {one.group} ({one.signal})"),
                one.verdict.value.replace("_", " "),
                str(one.look),
                f"{one.templates} of {one.planned_templates}",
            ]
            for one in leading[:ROWS_SHOWN]
        ],
        below=("templates", "comparison", "where"),
    )


def show_findings(document: RunDocument) -> None:
    """Print the findings, most severe first, and how many estimates say what."""
    words = {verdict: sum(one.verdict is verdict for one in document.estimates) for verdict in Verdict}
    said = ", ".join(
        f"{count} {verdict.value.replace('_', ' ')}" for verdict, count in words.items() if count
    )
    say(f"{len(document.estimates)} estimates: {said or 'none'}")
    if not document.findings:
        say("no finding: nothing is shown to be beyond its threshold")
        left_open = words[Verdict.INCONCLUSIVE] + words[Verdict.NOT_MEASURED]
        if left_open:
            say(
                f"(which is no proof of absence: {left_open} of {len(document.estimates)} estimates are "
                "inconclusive or not measured, and findings --all says why)"
            )
        _show_labels(document)
        return
    header = ["severity", "measure", "where", "contrast", "estimate", "interval", "rows as independent", "n"]
    rows = _rows(document.findings, document.estimates)
    if any(finding.estimate.correction or finding.estimate.error_band for finding in document.findings):
        header.append("as read, or what the analyzer's error can do")
        rows = [[*row, _reading(one.estimate)] for row, one in zip(rows, document.findings, strict=False)]
    table(header, rows, below=("rows as independent", *header[8:], "n", "measure", "where"))
    if any(finding.estimate.widened for finding in document.findings):
        say("(interval: of what was picked among many it is the wider one that allows for the picking)")
    say("(rows as independent: what a tool that ignores templates would state; it is not used)")
    if any(finding.estimate.correction for finding in document.findings):
        say("(as read: before labels corrected it, with the interval of that estimate alone)")
    apart = words[Verdict.DISPARITY] + words[Verdict.EXCEEDS] - len(document.findings)
    if apart > 0:
        say(
            f"({apart} more that differ or exceed a limit are no findings of their own: they are parts of "
            "one, or no norm forbids them; findings --all lists them)"
        )
    _show_labels(document)
    left = len(document.findings) - ROWS_SHOWN
    if left > 0:
        say(f"and {left} more in findings.json")


def _show_labels(document: RunDocument) -> None:
    """Print what attached labels corrected, and names of groups that differ from the audit's in case only."""
    compared = {name for one in document.estimates for name in (one.group, one.reference_group) if name}
    for one in document.labels:
        done = sum(
            estimate.correction is not None and estimate.correction.labels == one.labels
            for estimate in document.estimates
        )
        fit = f"{one.n_fitting} of {one.n_given} labels fit ({one.labels})"
        why = f"; not: {'; '.join(one.unfit)}" if one.unfit else ""
        did = f"correct {done} estimates" if done else "correct nothing; why: --all --json"
        say(clean(f"{one.analyzer}: {fit} and {did}{why}"))
        own = {name.casefold() for name in compared}
        strange = [name for name in one.groups if name.casefold() not in own]
        if strange and one.n_fitting:
            say(
                clean(
                    f"{one.analyzer}: labels of {', '.join(strange)} correct no gap, only overall rates: "
                    "this audit compares no such group"
                )
            )
        for name in one.groups:
            meant = [own for own in sorted(compared) if own.casefold() == name.casefold() and own != name]
            if meant and name not in compared:
                say(
                    clean(
                        f"{one.analyzer}: the labels name the group {name!r}, this audit {meant[0]!r}: "
                        "write it as the audit does, or no gap of it is corrected"
                    )
                )


def _rows(findings: Sequence[Finding], estimates: Sequence[Estimate]) -> list[list[str]]:
    where = places([*(finding.estimate for finding in findings), *estimates])
    return [
        [
            finding.severity.value,
            finding.estimate.measure,
            clean(place),
            _contrast(finding.estimate),
            _point(finding.estimate),
            _stated(finding.estimate),
            _span(finding.estimate, finding.estimate.naive_ci_low, finding.estimate.naive_ci_high),
            f"{finding.estimate.n_outputs} / {finding.estimate.n_clusters} templates",
        ]
        for finding, place in zip(findings[:ROWS_SHOWN], where, strict=False)
    ]


def _reading(estimate: Estimate) -> str:
    """The raw figure of a corrected estimate; or whether the analyzer's error could make it alone."""
    if estimate.correction is not None:
        raw = estimate.correction
        around = _span(estimate, raw.raw_ci_low, raw.raw_ci_high)
        return f"as read {value(raw.raw_point, difference=_is_difference(estimate))} {around}"
    if estimate.error_band is None:
        return "-"
    if estimate.error_band.unbounded:
        return "depends on its error: within it any figure is possible"
    band = _span(estimate, estimate.error_band.low, estimate.error_band.high)
    return f"{'depends on' if estimate.error_band.depends else 'holds beyond'} its error: {band}"


def _contrast(estimate: Estimate) -> str:
    if estimate.group is None:
        return f"limit {estimate.margin:g}" if estimate.margin is not None else "-"
    return clean(f"{estimate.group} - {estimate.reference_group} ({estimate.signal})")


def show_estimates(estimates: Sequence[Estimate]) -> None:
    """Print every estimate with its verdict; what nobody ever did is counted in a line."""
    shown = [one for one in estimates if not _never(one) and not _never_there(one)]
    table(
        ["verdict", "measure", "where", "contrast", "estimate", "interval", "n", "why"],
        [
            [
                estimate.verdict.value.replace("_", " "),
                estimate.measure,
                clean(place),
                _contrast(estimate),
                _point(estimate),
                _interval(estimate),
                f"{estimate.n_outputs} / {estimate.n_clusters}",
                "; ".join(estimate.reasons),
            ]
            for estimate, place in zip(shown, places(shown), strict=True)
        ],
        below=("why", "n", "measure", "where"),
    )
    say("(interval: of each estimate alone, not widened for having been picked among many)")
    _count("between groups of what no answer of either showed", [one for one in estimates if _never(one)])
    _count(
        "in single domains of what no answer there showed, and for which no limit is declared",
        [one for one in estimates if _never_there(one)],
    )


def _count(what: str, left_out: Sequence[Estimate]) -> None:
    if left_out:
        measures = ", ".join(sorted({one.measure for one in left_out}))
        say(f"and {len(left_out)} {what} ({measures}); see --json")


def _never_there(estimate: Estimate) -> bool:
    """A rate without a limit of which one domain shows no case; over all domains it stays in the table."""
    return (
        estimate.kind == "rate"
        and estimate.verdict is Verdict.OBSERVED
        and estimate.domain != POOLED
        and estimate.correction is None
        and estimate.point == 0
    )


def _never(estimate: Estimate) -> bool:
    """A difference that is not decided and of which neither side shows a single case."""
    return (
        estimate.kind == "disparity"
        and estimate.unit in {"rate", "score in [0, 1]"}
        and estimate.verdict is Verdict.INCONCLUSIVE
        and estimate.correction is None
        and estimate.group_rate == 0
        and estimate.reference_rate == 0
    )


def show_omnibus(wholes: Sequence[Omnibus]) -> None:
    """Print each attribute as a whole, with each group against the mean of all."""
    if not wholes:
        return
    say()
    say("attributes as a whole: p of no group differing, and each group minus the mean of all groups")
    table(
        ["attribute", "measure", "where", "p", "group", "minus the mean of all", "interval, all together"],
        [
            [
                clean(f"{whole.attribute} ({whole.signal})"),
                clean(whole.measure) + (" (as read)" if whole.as_read else ""),
                clean(whole.domain),
                _drawn(whole.p_value),
                clean(group.group),
                signed(group.point),
                bounds(group.ci_low, group.ci_high),
            ]
            for whole in wholes
            for group in whole.groups
        ],
        below=("measure", "where"),
    )


def _drawn(p_value: float) -> str:
    """A p-value that is a share of draws: where no draw was as far out, it is at most one of them.

    >>> _drawn(1 / 10_001), _drawn(0.0312)
    ('<= 0.0001', '0.0312')
    """
    least = 1 / (RESAMPLES + 1)
    return f"<= {least:.4f}" if p_value <= least else f"{p_value:.4f}"


def _is_difference(estimate: Estimate) -> bool:
    return estimate.kind in DIFFERENCES


def _point(estimate: Estimate) -> str:
    if estimate.kind == "price" and estimate.point is not None:
        return price_number(estimate.point, estimate.ladder)
    return value(estimate.point, difference=_is_difference(estimate))


def _interval(estimate: Estimate) -> str:
    if estimate.kind == "price" and estimate.point is not None:
        ends = (price_number(end, estimate.ladder) for end in estimate.stated_interval)
        return f"[{', '.join(ends)}]"
    return _span(estimate, estimate.ci_low, estimate.ci_high)


def _stated(estimate: Estimate) -> str:
    """The interval that a finding claims and is graded by."""
    return _span(estimate, *estimate.stated_interval)


def _span(estimate: Estimate, low: float | None, high: float | None) -> str:
    return between(low, high, difference=_is_difference(estimate))
