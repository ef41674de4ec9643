"""Measures families, peers, rates and decisions about a contrast, and writes the tables.

python -m benchmarks.calibration.rest [--simulations 2000] [--only TITLE]
"""

from collections.abc import Sequence
from math import sqrt

from benchmarks.calibration import adjustments, decisions, peers, rates, words
from benchmarks.calibration.tables import Section, write_page

__all__ = ["SECTIONS"]

INTRODUCTION = """\
# Calibration: families, other tools, rates and decisions

These are measured as those of [the main page](calibration.md): on simulations whose truth is known, with the functions of `audit.statistics` themselves.
Each cell has {simulations:,} simulations, so a true 5 % is measured with a standard error of {error:.1f} points.
Columns are in percent, and a star marks a cell outside the target written below its table.
Run `python -m benchmarks.calibration.rest` to make this page again, or add `--only "TITLE"` for one table.
"""  # noqa: E501 - one sentence a line in the page

LIMITS = """\
## Where they fall short

- The largest of many shrunk rates is covered less than the others where cells truly differ by much: rates are bounded and lopsided there, and the shrinkage takes them for normal.
- Wilson's interval falls below its level at single rates near 0, as is known of it; use Clopper-Pearson where a miss is dear.
- e-values need about a hundred templates to find in a family what p-values find at thirty: their price for looking at any time.
- Error rates pooled over groups do not correct a gap between groups; the band does cover it, and is wide.
- The row-wise tests fail where templates react differently and are asked often, as at 40 templates and 100 repeats.

## What this cannot show

Other tools are shown on the data that their documentation is about, decisions by group, and by one way to read each; they measure other things too.
Side outcomes, languages and names are not simulated here; [the instrument](instrument.md) runs whole audits.
"""  # noqa: E501 - as above

SECTIONS = (
    Section(
        title="Families of 20 contrasts by every adjustment",
        make=adjustments.adjusted_families,
        target=(None, 0.06),
        promised=("BH", "weighted BH", "BY", "Holm, any", "FCR interval"),
    ),
    Section(
        title="Families by e-values",
        make=adjustments.e_families,
        promised=(),
    ),
    Section(
        title="E-values of several runs",
        make=adjustments.several_runs,
        target=(None, 0.065),
        promised=("product", "mean"),
    ),
    Section(
        title="What other tools say where there is no difference",
        make=peers.beside_peers,
        target=(None, 0.065),
        promised=("ours",),
    ),
    Section(title="The fast bootstrap is that of fairlearn", make=peers.fairlearn_agrees),
    Section(
        title="Coverage of a rate of independent trials",
        make=rates.exact_rates,
        target=(0.935, None),
        promised=("Clopper-Pearson",),
    ),
    Section(
        title="False alarms against a limit",
        make=rates.limits,
        target=(None, 0.065),
        promised=("exceedance test",),
    ),
    Section(
        title="When every cluster agrees",
        make=rates.equal_clusters,
        promised=(),
    ),
    Section(title="When few clusters differ", make=rates.few_differ, promised=()),
    Section(title="Coverage of many small rates", make=rates.many_rates, target=(0.935, None)),
    Section(
        title="Coverage of a table of decisions",
        make=rates.tables_of_decisions,
        target=(0.935, None),
        promised=("impact table", "cluster jackknife"),
    ),
    Section(
        title="Coverage of the share of agreement",
        make=rates.agreement_shares,
        target=(0.935, None),
        promised=("agreement",),
    ),
    Section(
        title="False alarms at the margin",
        make=decisions.margins,
        target=(None, 0.065),
        promised=("equivalent", "TOST", "not inferior"),
    ),
    Section(
        title="False alarms at planned looks",
        make=decisions.planned_looks,
        target=(None, 0.065),
        promised=("planned looks",),
    ),
    Section(title="Do plans come true", make=decisions.plans),
    Section(title="Above the noise floor without a difference", make=decisions.floors),
    Section(
        title="Coverage of corrected rates and bands",
        make=decisions.bands,
        target=(0.935, None),
        promised=("corrected rate", "band of a gap", "band of a rate"),
    ),
    Section(
        title="Coverage without each study",
        make=decisions.without_each,
        target=(0.935, None),
        promised=("leave one out",),
    ),
    Section(
        title="Coverage of prices from rows",
        make=decisions.price_rows,
        target=(0.935, None),
        promised=("price from rows",),
    ),
    Section(
        title="Word associations beside swapped groups",
        make=words.associations,
        target=(None, 0.065),
        promised=("swap test", "excess", "excess, leaning", "number, leaning"),
    ),
)
"""Tables of the page, in order."""


def _page(tables: Sequence[str], simulations: int) -> str:
    error = 100 * sqrt(0.05 * 0.95 / simulations)
    return "\n".join([INTRODUCTION.format(simulations=simulations, error=error), *tables, LIMITS])


if __name__ == "__main__":
    write_page(SECTIONS, _page, description=__doc__ or "", name="calibration-rest.md")
