"""Tables by the arithmetic of New York City's Local Law 144: a calculation, not the law's audit."""

from collections.abc import Sequence

from audit.tables.bases import Basis
from audit.tables.document import LawCategory, LawTable
from audit.tables.options import TableOptions
from audit.tables.rates import Counts
from audit.tables.reading import ABSENT, YES, Cells

__all__ = ["NOTE", "law_table"]

NOTE = (
    "The Local Law 144 tables are a calculation, not an independent audit: the law asks for an auditor who "
    "has no part in using, developing or distributing the tool and no financial interest in it. "
    "The rule names no impact ratio that passes."
)


def law_table(cells: Cells, basis: Basis, options: TableOptions) -> LawTable:
    """Selection and scoring rates of one table, with impact ratios.

    The selection rate is selected over applicants; the scoring rate the share of scored applicants
    strictly above the median of the full sample. Each is divided by the highest of the categories that
    are not excluded, whatever reference is declared elsewhere. An excluded category keeps its count and rate.

    Race or ethnicity must come from the people themselves or from records: the rule does not allow
    guessing it. It asks for historical data, and for the reason where test data are used.

    Args:
        cells: The counted file.
        basis: The table: sex, race or ethnicity, or their crossing.
        options: The justification of an exclusion, and whether there is a score.

    Returns:
        The table; a rate nobody is counted in is None.

    Source:
        NYC Admin. Code 20-870; 6 RCNY 5-300 (rates), 5-301 (b) and (c) (tables, unknown), (d) (exclusion).
    """
    scored: Sequence[Counts] = ()
    if options.score is not None:
        above = basis.count(cells, trials=cells.above != ABSENT, hits=cells.above == YES)
        scored = [one.counts() for one in above]
    best = _highest(basis.decided, basis.included)
    best_scored = _highest(scored, basis.included)
    categories = tuple(
        LawCategory(
            category=label,
            applicants=basis.decided[number].trials,
            selected=basis.decided[number].hits,
            share=basis.share(number),
            selection_rate=basis.decided[number].rate,
            impact_ratio=_over(basis.decided[number].rate, best) if included else None,
            scored=scored[number].trials if scored else None,
            scoring_rate=scored[number].rate if scored else None,
            scoring_impact_ratio=_over(scored[number].rate, best_scored) if scored and included else None,
            excluded=not included,
        )
        for number, (label, included) in enumerate(zip(basis.labels, basis.included, strict=True))
    )
    return LawTable(
        table=basis.name,
        intersectional=len(basis.columns) > 1,
        categories=categories,
        unknown=basis.unknown_rows,
        exclusion_justification=options.justification if not all(basis.included) else None,
    )


def _highest(counted: Sequence[Counts], included: Sequence[bool]) -> float | None:
    rates = [one.rate for one, kept in zip(counted, included, strict=False) if kept and one.rate is not None]
    return max(rates, default=None)


def _over(rate: float | None, highest: float | None) -> float | None:
    return None if rate is None or not highest else rate / highest
