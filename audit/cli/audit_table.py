"""`evenhand audit-table`: an audit of decisions that have been made."""

from pathlib import Path

import click

from audit.cli.console import clean, data, say, table, warn
from audit.cli.numbers import between, bounds, number, probability, signed
from audit.cli.options import json_option
from audit.tables import TableDocument, TableOptions, audit_table, write_document
from audit.tables.document import GroupRow, Labels, LawTable

__all__ = ["audit_table_command"]


@click.command("audit-table")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--outcome", required=True, help="COLUMN of the decision.")
@click.option(
    "--favourable",
    required=True,
    multiple=True,
    help="VALUE of the outcome that is favourable to the person; repeat for several.",
)
@click.option(
    "--group", "groups", required=True, multiple=True, help="COLUMN of a protected attribute; repeat."
)
@click.option("--label", help="COLUMN of what turned out to be right.")
@click.option(
    "--label-favourable",
    multiple=True,
    help="VALUE of the label that is favourable; as the outcome's if not given.",
)
@click.option("--cluster", help="COLUMN that says which rows belong together.")
@click.option("--score", help="COLUMN of a number that ranks people, for scoring rates.")
@click.option(
    "--reference",
    "references",
    multiple=True,
    help="GROUP to compare with, as value or column=value; the highest rate if not given.",
)
@click.option(
    "--exclude-below",
    type=float,
    help="Leave categories below this share (at most 0.02) out of impact ratios.",
)
@click.option("--justification", help="Why they are left out; printed with their counts and rates.")
@click.option("--intersections", is_flag=True, help="Audit the crossing of all group columns too.")
@click.option(
    "--margin", default=0.05, show_default=True, type=float, help="Smallest difference of rates that matters."
)
@click.option(
    "--unknown", multiple=True, help="VALUE of group columns that says that the category is not known."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for table.json and table.html; made if it does not exist.",
)
@json_option
def audit_table_command(
    file: Path,
    outcome: str,
    favourable: tuple[str, ...],
    groups: tuple[str, ...],
    label: str | None,
    label_favourable: tuple[str, ...],
    cluster: str | None,
    score: str | None,
    references: tuple[str, ...],
    exclude_below: float | None,
    justification: str | None,
    intersections: bool,
    margin: float,
    unknown: tuple[str, ...],
    out: Path | None,
    as_json: bool,
) -> None:
    """Audit a CSV or Parquet file of decisions that have been made.

    States every group's favourable rate and impact ratio with intervals and verdicts, and the tables of
    Local Law 144; with --label also true and false positive rates. No model is asked.
    """
    options = TableOptions(
        outcome=outcome,
        favourable=favourable,
        groups=groups,
        label=label,
        label_favourable=label_favourable,
        cluster=cluster,
        score=score,
        references=references,
        exclude_below=exclude_below,
        justification=justification,
        intersections=intersections,
        margin=margin,
        unknown=unknown,
    )
    document = audit_table(file, options)
    if as_json:
        data(document)
    else:
        _show(document)
    if out is not None:
        for path in write_document(document, out):
            say(f"written: {path}")


def _show(document: TableDocument) -> None:
    say(f"{document.file}: {document.rows:,} rows, {document.undecided:,} without a decision")
    say()
    header = [
        "group",
        "n",
        "favourable",
        "rate",
        "interval",
        "difference",
        "its interval",
        "impact ratio",
        "ratio interval",
        "p adj.",
        "verdict",
        "why",
    ]
    below = ("why", "favourable", "ratio interval", "impact ratio", "p adj.", "interval")
    table(header, [_group_cells(row) for row in document.groups], below=below)
    say("(difference: of the rate to the reference's; the verdict and p are about it, not about the ratio)")
    if document.labels is not None:
        say()
        _show_labels(document.labels)
    for one in document.tables.local_law_144:
        say()
        _show_law(one, scored=document.tables.scores is not None)
    say()
    for note in document.notes:
        say(f"- {note}")
    for row in document.groups:
        if row.excluded and row.rate is not None:
            warn(f"{row.group}: {row.n} rows at a rate of {row.rate:.3f} are in no comparison")


def _group_cells(row: GroupRow) -> list[str]:
    verdict = "reference" if row.verdict is None else row.verdict.value.replace("_", " ")
    untold = row.impact_ratio_method if row.impact_ratio_ci_low is None else None
    why = [*row.reasons, *([f"ratio: {untold.removeprefix('not measured: ')}"] if untold else [])]
    return [
        row.group,
        f"{row.n:,}",
        f"{row.favourable:,}",
        number(row.rate),
        between(row.ci_low, row.ci_high, difference=False),
        signed(row.difference),
        bounds(row.difference_ci_low, row.difference_ci_high),
        "excluded" if row.excluded else number(row.impact_ratio),
        between(row.impact_ratio_ci_low, row.impact_ratio_ci_high, difference=False),
        probability(row.p_adjusted),
        verdict + (", material" if row.material else ""),
        clean("; ".join(why)),
    ]


def _show_labels(labels: Labels) -> None:
    rows = []
    for group in labels.tpr:
        cells = [group]
        for rates in (labels.tpr, labels.fpr, labels.fnr):
            one = rates[group]
            cells += [
                number(one.rate),
                f"{one.hits:,}/{one.n:,}",
                between(one.ci_low, one.ci_high, difference=False),
            ]
        rows.append(cells)
    say("given the label: TPR, true positive rate, is favourable decisions among rows labelled favourable;")
    say("FPR, false positive rate, those among rows labelled unfavourable; FNR is 1 - TPR")
    shown = ("TPR", "FPR", "FNR")
    header = ["group", *(part for one in shown for part in (one, f"of {one}", f"{one} interval"))]
    table(header, rows, below=("FNR interval", "of FNR", "FNR"))
    if labels.contrasts:
        say()
        _show_label_contrasts(labels)
    for name, odds in labels.equalized_odds.items():
        say(
            f"{name}: equalised odds, widest gap of TPR or FPR {number(odds.difference)}, "
            f"least ratio {number(odds.ratio)} (the widest of many leans away from none by chance alone)"
        )


def _show_label_contrasts(labels: Labels) -> None:
    """Whether true and false positive rates differ from the reference's."""
    table(
        ["rate", "group", "reference", "difference", "interval", "p adj.", "verdict", "why"],
        [
            [
                one.measure.upper(),
                clean(one.group),
                clean(one.reference),
                signed(one.difference),
                bounds(one.ci_low, one.ci_high),
                probability(one.p_adjusted),
                one.verdict.value.replace("_", " ") + (", material" if one.material else ""),
                clean("; ".join(one.reasons)),
            ]
            for one in labels.contrasts
        ],
        below=("why", "reference", "p adj."),
    )


def _show_law(law: LawTable, *, scored: bool) -> None:
    say(f"Local Law 144, by {law.table}; category unknown: {law.unknown:,}")
    header = ["category", "applicants", "selected", "selection rate", "impact ratio"]
    if scored:
        header += ["scored", "scoring rate", "impact ratio of scores"]
    rows = []
    for one in law.categories:
        cells = [one.category, f"{one.applicants:,}", f"{one.selected:,}", number(one.selection_rate)]
        cells.append("excluded" if one.excluded else number(one.impact_ratio))
        if scored:
            cells += [f"{one.scored or 0:,}", number(one.scoring_rate)]
            cells.append("excluded" if one.excluded else number(one.scoring_impact_ratio))
        rows.append(cells)
    table(header, rows, below=("impact ratio of scores", "scoring rate", "scored", "applicants"))
