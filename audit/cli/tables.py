"""Tables for people: counts, findings, estimates and changes on a terminal."""

from collections.abc import Sequence

from audit.cli.console import clean, say, table, warn
from audit.findings.document import RunDocument
from audit.looks import SequentialReport
from audit.records import Change, Counts, Estimate, Finding, Omnibus, Verdict

__all__ = [
    "show_changes",
    "show_counts",
    "show_estimates",
    "show_findings",
    "show_omnibus",
    "show_run",
    "show_sequential",
]

ROWS_SHOWN = 20
WARN_UNREAD = 0.2
"""Share of unreadable answers above which a measure is warned of."""


def show_counts(counts: Counts) -> None:
    """Print the count funnel in one line."""
    parts = [
        f"{name.replace('_', ' ')} {value}"
        for name, value in counts.model_dump().items()
        if name not in {"planned", "decided_early"}
    ]
    missing = counts.not_asked - counts.decided_early
    if counts.decided_early:
        rest = f", {missing} for other reasons" if missing else ""
        parts[-1] += f" ({counts.decided_early} since decided early{rest})"
    say(f"planned {counts.planned} = " + " + ".join(parts))
    if missing or counts.errored:
        warn(f"{missing} not asked and {counts.errored} errored: missing, and counted as nothing else")


def show_run(document: RunDocument) -> None:
    """Print what a run found: funnels, what could not be read, findings, and what the baseline says."""
    for role, counts in document.counts.items():
        if len(document.counts) > 1:
            say(f"{role}:")
        show_counts(counts)
    for entry in document.unread:
        if entry.unread > WARN_UNREAD * entry.answers:
            warn(
                f"{entry.measure} could not be read in {entry.unread} of {entry.answers} answers "
                f"({entry.probe}): it rests on the others only"
            )
        if entry.partly:
            warn(
                f"{entry.measure} was read in a part of {entry.partly} of {entry.answers} answers only "
                f"({entry.probe}): they are longer than its analyzer reads"
            )
    for note in dict.fromkeys(note for one in document.estimates for note in one.notes):
        warn(note)
    if document.sequential is not None:
        show_sequential(document.sequential)
    show_findings(document)
    if document.against_baseline:
        moved = [one for one in document.against_baseline if one.verdict in {"smaller", "larger"}]
        say()
        say(f"against the baseline: {len(moved)} of {len(document.against_baseline)} estimates differ")
        show_changes(moved[:ROWS_SHOWN])


def show_sequential(report: SequentialReport) -> None:
    """Print what a run until decided decided, saved and lost."""
    leading = [one for one in report.comparisons if one.leading]
    decided = [one for one in leading if one.decided]
    say(
        f"until decided: {len(decided)} of {len(leading)} leading comparisons decided "
        f"at {report.looks_made} of {len(report.rule.looks)} looks"
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
    )


def show_findings(document: RunDocument) -> None:
    """Print the findings, most severe first, and how many estimates say what."""
    words = {verdict: sum(one.verdict is verdict for one in document.estimates) for verdict in Verdict}
    said = ", ".join(
        f"{count} {verdict.value.replace('_', ' ')}" for verdict, count in words.items() if count
    )
    say(f"{len(document.estimates)} estimates: {said or 'none'}")
    if not document.findings:
        say("no finding: nothing the data support is beyond its threshold")
        return
    header = ["severity", "measure", "where", "contrast", "estimate", "interval", "rows as independent", "n"]
    rows = _rows(document.findings)
    if any(finding.estimate.correction or finding.estimate.error_band for finding in document.findings):
        header.append("as read, or what the analyzer's error can do")
        rows = [[*row, _reading(one.estimate)] for row, one in zip(rows, document.findings, strict=False)]
    table(header, rows)
    say("(rows as independent: what a tool that ignores templates would state; it is not used)")
    for one in document.labels:
        say(f"{one.analyzer}: corrected by {one.n_labels} labels, {one.labels}, where they fit")
    left = len(document.findings) - ROWS_SHOWN
    if left > 0:
        say(f"and {left} more in findings.json")


def _rows(findings: Sequence[Finding]) -> list[list[str]]:
    return [
        [
            finding.severity.value,
            finding.estimate.measure,
            _where(finding.estimate),
            _contrast(finding.estimate),
            _signed(finding.estimate.point),
            _bounds(finding.estimate.ci_low, finding.estimate.ci_high),
            _bounds(finding.estimate.naive_ci_low, finding.estimate.naive_ci_high),
            f"{finding.estimate.n_outputs} / {finding.estimate.n_clusters} templates",
        ]
        for finding in findings[:ROWS_SHOWN]
    ]


def _reading(estimate: Estimate) -> str:
    """The raw figure of a corrected estimate; or whether the analyzer's error could make it alone."""
    if estimate.correction is not None:
        raw = estimate.correction
        return f"as read {_signed(raw.raw_point)} {_bounds(raw.raw_ci_low, raw.raw_ci_high)}"
    if estimate.error_band is None:
        return "-"
    band = _bounds(estimate.error_band.low, estimate.error_band.high)
    return f"{'depends on' if estimate.error_band.depends else 'holds beyond'} its error: {band}"


def _where(estimate: Estimate) -> str:
    technique = "" if estimate.technique in {None, "none"} else f" ({estimate.technique})"
    return clean(f"{estimate.domain}{technique}")


def _contrast(estimate: Estimate) -> str:
    if estimate.group is None:
        return f"limit {estimate.margin:g}" if estimate.margin is not None else "-"
    return clean(f"{estimate.group} - {estimate.reference_group} ({estimate.signal})")


def show_estimates(estimates: Sequence[Estimate]) -> None:
    """Print every estimate with its verdict."""
    table(
        ["verdict", "measure", "where", "contrast", "estimate", "interval", "n", "why"],
        [
            [
                estimate.verdict.value.replace("_", " "),
                estimate.measure,
                _where(estimate),
                _contrast(estimate),
                _signed(estimate.point),
                _bounds(estimate.ci_low, estimate.ci_high),
                f"{estimate.n_outputs} / {estimate.n_clusters}",
                clean("; ".join(estimate.reasons))[:70],
            ]
            for estimate in estimates
        ],
    )


def show_omnibus(wholes: Sequence[Omnibus]) -> None:
    """Print each attribute as a whole, with each group against the mean of all."""
    if not wholes:
        return
    say()
    say("attributes as a whole: p of no group differing, and each group less the mean of all groups")
    table(
        ["attribute", "measure", "where", "p", "group", "less the mean of all", "interval, all together"],
        [
            [
                clean(f"{whole.attribute} ({whole.signal})"),
                clean(whole.measure) + (" (as read)" if whole.as_read else ""),
                clean(whole.domain),
                f"{whole.p_value:.4f}",
                clean(group.group),
                _signed(group.point),
                _bounds(group.ci_low, group.ci_high),
            ]
            for whole in wholes
            for group in whole.groups
        ],
    )


def show_changes(changes: Sequence[Change]) -> None:
    """Print changes, before and after, with their paired intervals."""
    table(
        ["measure", "where", "contrast", "before", "after", "change", "interval", "verdict"],
        [
            [
                change.measure,
                clean(change.domain)
                + (f" ({change.technique})" if change.technique not in {None, "none"} else ""),
                "-"
                if change.group is None
                else clean(f"{change.group} - {change.reference_group} ({change.signal})"),
                _signed(change.before),
                _signed(change.after),
                _signed(change.change),
                _bounds(change.ci_low, change.ci_high),
                _kept(change),
            ]
            for change in changes
        ],
    )


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3f}"


def _bounds(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"[{low:+.3f}, {high:+.3f}]"


def _kept(change: Change) -> str:
    """The verdict of a change, and whether what must not get worse did not."""
    word = change.verdict.replace("_", " ")
    return (
        word
        if change.non_inferiority is None
        else f"{word}, {change.non_inferiority.verdict.replace('_', ' ')}"
    )
