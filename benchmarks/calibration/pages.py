"""The calibration pages: which tables stand on which, what is promised, and what is said around them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from benchmarks.calibration import (
    adjustments,
    agreement,
    comparisons,
    corrections,
    decisions,
    gates,
    impact,
    labelled_limits,
    models,
    names,
    outcomes,
    paired,
    peers,
    prices,
    rates,
    shrinkage,
    simultaneous,
    specifications,
    toxicity,
    words,
)
from benchmarks.calibration.designs import ROOT, SLOPE_SD, TEMPLATE_SD
from benchmarks.calibration.tables import Section

__all__ = ["PAGES", "SECTIONS", "Page"]

_ALARMS = (None, 0.065)
_AT_LEAST = (0.935, None)
_BETWEEN = (0.935, 0.965)
_SKEWED = (0.935, 0.975)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page under docs/explanation."""

    file: str
    around: str
    """File in `texts` that holds what is said before and after the tables."""
    sections: tuple[Section, ...]

    def text(self, tables: Sequence[str]) -> str:
        """The page in Markdown, from the text of each section, in order."""
        text = Path(__file__).parent.joinpath("texts", self.around).read_text(encoding="utf-8")
        opening = _OPENING.format(seed=ROOT, template_sd=TEMPLATE_SD, slope_sd=SLOPE_SD)
        return text.format(opening=opening, tables="\n".join(tables))


_OPENING = """\
Every number here is measured on simulated audits whose truth is known, with the functions of `audit.statistics` themselves.
With 2,000 simulations a cell a true 5 % is measured with a standard error of 0.5 points; targets leave three of them.
Unless a table says otherwise, outputs are yes or no; templates differ by a standard deviation of {template_sd:g} on the logit, and their reaction to the group by {slope_sd:g}.
Columns are in percent, and a star marks a cell outside the target written below its table.
Run `python -m benchmarks.calibration.run` to make the calibration pages again (seed {seed}, about an hour of two shared cores), or add `--only "TITLE"` for one table."""  # noqa: E501 - one sentence a line in the page

CONTRASTS = Page(
    around="contrasts.md",
    file="calibration.md",
    sections=(
        Section(
            title="False alarms without a true difference",
            make=paired.nulls,
            target=_ALARMS,
            promised=("cluster-t", "stratified t", "sign-flip"),
        ),
        Section(
            title="Coverage of nominal 95 % with a true difference of 10 points",
            make=paired.coverages,
            target=_BETWEEN,
            promised=("cluster-t", "stratified t"),
        ),
        Section(
            title="What other tools say where there is no difference",
            make=peers.peers_without_a_gap,
            target=_ALARMS,
            promised=("ours",),
        ),
        Section(
            title="What other tools say of a difference of 10 points",
            make=peers.peers_find_a_gap,
        ),
        Section(
            title="What other tools' intervals cover of a difference of 10 points",
            make=peers.peers_cover_a_gap,
            target=_AT_LEAST,
            promised=("ours",),
        ),
        Section(
            title="The fast bootstrap is that of fairlearn",
            make=peers.fairlearn_agrees,
            most=5,
        ),
        Section(
            title="False alarms when names have effects of their own",
            make=names.two_way_false_alarms,
            target=_ALARMS,
            promised=("two-way",),
        ),
        Section(
            title="False alarms of crossed first and last names",
            make=names.crossed_nulls,
            target=_ALARMS,
            promised=("first and last names",),
        ),
        Section(
            title="Coverage with crossed first and last names",
            make=names.crossed_gaps,
            target=_AT_LEAST,
            promised=("first and last names",),
        ),
        Section(
            title="False alarms with one pair a template",
            make=paired.one_pair,
            target=_ALARMS,
            promised=("cluster-t", "McNemar, mid-p", "McNemar, exact"),
        ),
        Section(
            title="False alarms over several groups",
            make=simultaneous.group_families,
            target=_ALARMS,
            promised=("max-T, reference", "max-T, grand mean"),
        ),
        Section(
            title="Families of 20 contrasts by every adjustment",
            make=adjustments.adjusted_families,
            target=(None, 0.06),
            promised=("BH", "weighted BH", "BY", "Holm, any", "FCR interval"),
        ),
        Section(
            title="False failures of a gate",
            make=gates.false_failures,
            target=_ALARMS,
            promised=("the gate, any",),
        ),
        Section(title="Families by e-values", make=adjustments.e_families),
        Section(
            title="E-values of several runs",
            make=adjustments.several_runs,
            target=_ALARMS,
            promised=("product", "mean"),
        ),
        Section(
            title="False alarms when a run is looked at while it accrues",
            make=simultaneous.looks,
            target=_ALARMS,
            promised=("betting interval", "betting e-value of 20"),
        ),
        Section(
            title="False alarms at planned looks",
            make=decisions.planned_looks,
            target=_ALARMS,
            promised=("planned looks",),
        ),
        Section(
            title="False alarms at the margin",
            make=decisions.margins,
            target=_ALARMS,
            promised=("equivalent", "TOST", "not inferior"),
        ),
        Section(title="Power, and equivalence", make=paired.power),
        Section(title="Do plans come true", make=decisions.plans),
        Section(title="Above the noise floor without a difference", make=decisions.floors),
    ),
)

RATES = Page(
    around="rates.md",
    file="calibration-rates.md",
    sections=(
        Section(
            title="Coverage for one population's rate",
            make=rates.clustered_rates,
            target=_AT_LEAST,
            promised=("clustered rate",),
        ),
        Section(
            title="Coverage of a rate of independent trials",
            make=rates.exact_rates,
            target=_AT_LEAST,
            promised=("Clopper-Pearson",),
        ),
        Section(
            title="False alarms against a limit",
            make=rates.limits,
            target=_ALARMS,
            promised=("exceedance test",),
        ),
        Section(title="When every cluster agrees", make=rates.equal_clusters),
        Section(title="When few clusters differ", make=rates.few_differ),
        Section(
            title="Coverage of impact ratios",
            make=impact.ratios,
            target=_SKEWED,
            promised=("impact ratio",),
        ),
        Section(
            title="Coverage of a table of decisions",
            make=impact.tables_of_decisions,
            target=_AT_LEAST,
            promised=("impact table", "cluster jackknife"),
        ),
        Section(
            title="Coverage of agreement",
            make=agreement.agreements,
            target=_SKEWED,
            promised=("AC1",),
        ),
        Section(
            title="Coverage of the share of agreement",
            make=agreement.agreement_shares,
            target=_AT_LEAST,
            promised=("agreement",),
        ),
        Section(
            title="False alarms of a bent ruler",
            make=corrections.bent_rulers,
            target=_ALARMS,
            promised=("corrected by group",),
        ),
        Section(
            title="Coverage of corrected rates and bands",
            make=corrections.bands,
            target=_AT_LEAST,
            promised=("corrected rate", "band of a gap", "band of a rate"),
        ),
        Section(
            title="Coverage of corrected rates, rare and common",
            make=corrections.rare_rates,
            target=_AT_LEAST,
            promised=("corrected rate",),
        ),
        Section(
            title="False alarms of corrected rates against a limit",
            make=labelled_limits.labelled_limits,
            target=_ALARMS,
            promised=("by calibration", "by review", "calibration misses", "review misses"),
        ),
        Section(
            title="False alarms with few labels and many scores",
            make=corrections.few_labels,
            target=_ALARMS,
            promised=("labels alone",),
        ),
        Section(
            title="Coverage over many cells",
            make=shrinkage.many_cells,
            target=_AT_LEAST,
            promised=("shrunk, all cells", "shrunk, largest"),
        ),
        Section(
            title="Coverage of many small rates",
            make=shrinkage.many_rates,
            target=_AT_LEAST,
        ),
        Section(
            title="Coverage of toxicity over several generations",
            make=toxicity.toxicities,
            target=_SKEWED,
            promised=("toxic fraction", "expected maximum", "toxicity probability"),
        ),
        Section(
            title="Word associations beside swapped groups",
            make=words.associations,
            target=_ALARMS,
            promised=("swap test", "excess", "excess, leaning", "number, leaning"),
        ),
    ),
)

MODELS = Page(
    around="models.md",
    file="calibration-models.md",
    sections=(
        Section(
            title="Coverage of a ratio of rates by the bootstrap",
            make=models.ratios,
            target=_BETWEEN,
        ),
        Section(
            title="False alarms of regressions of answers",
            make=models.regressions,
            target=_ALARMS,
            promised=("CR2, Satterthwaite t",),
        ),
        Section(
            title="False alarms of regressions of log-odds",
            make=models.mixed_effects,
            target=_ALARMS,
            promised=("mixed-effects logit",),
        ),
        Section(
            title="False alarms of specification curves",
            make=specifications.curves,
            target=_ALARMS,
            promised=("median", "share of one sign", "share significant"),
        ),
        Section(title="Coverage of merit-equivalent prices", make=prices.prices),
        Section(
            title="Coverage of prices from rows",
            make=prices.price_rows,
            target=_AT_LEAST,
            promised=("price from rows",),
            other=("stated",),
        ),
        Section(
            title="Coverage of Cliff's delta",
            make=outcomes.dominances,
            target=_AT_LEAST,
            promised=("Cliff's delta",),
        ),
        Section(
            title="Coverage of an excess of sentiment bias",
            make=outcomes.excesses,
            target=_AT_LEAST,
            promised=("excess of sentiment bias",),
        ),
        Section(
            title="Coverage of pooled studies",
            make=simultaneous.pooled_studies,
            target=_AT_LEAST,
            promised=("random effects",),
        ),
        Section(
            title="Coverage without each study",
            make=simultaneous.without_each,
            target=_AT_LEAST,
            promised=("leave one out",),
        ),
        Section(
            title="Coverage of pooled counts",
            make=simultaneous.pooled_counts,
            target=_AT_LEAST,
            promised=("difference", "ratio"),
        ),
    ),
)

COMPARISONS = Page(
    around="comparisons.md",
    file="calibration-comparisons.md",
    sections=(
        Section(
            title="Misses of win shares in both orders",
            make=comparisons.pairs_in_both_orders,
            target=_ALARMS,
            promised=("both orders",),
        ),
        Section(
            title="Misses of ranks and exposure in lists",
            make=comparisons.ranks_in_lists,
            target=_ALARMS,
            promised=("rank", "exposure"),
        ),
        Section(
            title="False alarms where names matter in comparisons",
            make=comparisons.names_in_pairs,
            target=_ALARMS,
            promised=("shared names",),
        ),
    ),
)

PAGES = (CONTRASTS, RATES, MODELS, COMPARISONS)
SECTIONS = MappingProxyType({section.title: section for page in PAGES for section in page.sections})
"""Every table by its title."""
