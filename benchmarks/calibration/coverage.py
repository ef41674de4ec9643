"""Which table measures which public function of `audit.statistics`, and why some have none.

tests/calibration/test_coverage.py refuses a public function that is missing here, a table that does not use
the function it is said to measure, and one that no page shows.
"""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["MEASURED", "NOT_SAMPLED", "THROUGH"]

_NULLS = "False alarms without a true difference"
_GAP = "Coverage of nominal 95 % with a true difference of 10 points"
_BY_ADJUSTMENT = "Families of 20 contrasts by every adjustment"
_REGRESSIONS = "False alarms of regressions of answers"
_TOXICITY = "Coverage of toxicity over several generations"
_WORDS = "Word associations beside swapped groups"
_PLANS = "Do plans come true"

MEASURED: Mapping[str, str] = MappingProxyType(
    {
        "benjamini_hochberg": _BY_ADJUSTMENT,
        "benjamini_yekutieli": _BY_ADJUSTMENT,
        "betting_sequence": "False alarms when a run is looked at while it accrues",
        "calibrate": "False alarms of a bent ruler",
        "clopper_pearson_interval": "Coverage of a rate of independent trials",
        "cluster_bootstrap": _GAP,
        "cluster_jackknife": "Coverage of a table of decisions",
        "cluster_logit": _REGRESSIONS,
        "cluster_t_interval": _GAP,
        "clustered_rate_interval": "Coverage for one population's rate",
        "clusters_for_equivalence": _PLANS,
        "clusters_needed": _PLANS,
        "co_occurrence_bias_score": _WORDS,
        "cohen_kappa": "Coverage of agreement",
        "combine_e_values": "E-values of several runs",
        "corrected_gap": "False alarms of a bent ruler",
        "corrected_rate": "Coverage of corrected rates, rare and common",
        "detectable_from_standard_error": _PLANS,
        "difference_variance": _PLANS,
        "e_benjamini_hochberg": "Families by e-values",
        "equal_clusters_interval": "When every cluster agrees",
        "equal_clusters_p_value": "When every cluster agrees",
        "equivalence_of": "False alarms at the margin",
        "exceedance_p_value": "False alarms against a limit",
        "fcr_level": _BY_ADJUSTMENT,
        "gap_band": "Coverage of corrected rates and bands",
        "group_contrasts": "False alarms over several groups",
        "group_sequential": "False alarms at planned looks",
        "gwet_ac1": "Coverage of agreement",
        "hierarchical_bootstrap": "Coverage of a ratio of rates by the bootstrap",
        "holm": _BY_ADJUSTMENT,
        "impact_ratio": "Coverage of impact ratios",
        "impact_table": "Coverage of a table of decisions",
        "krippendorff_alpha": "Coverage of agreement",
        "leave_one_out": "Coverage without each study",
        "mantel_haenszel_difference": "Coverage of pooled counts",
        "mantel_haenszel_ratio": "Coverage of pooled counts",
        "max_t_intervals": "False alarms over several groups",
        "mcnemar_mid_p": "False alarms with one pair a template",
        "merit_contrasts": "Coverage of prices from rows",
        "merit_price": "Coverage of merit-equivalent prices",
        "mixed_logit": "False alarms of regressions of log-odds",
        "multi_way_cluster": "False alarms of crossed first and last names",
        "noise_floor": "Above the noise floor without a difference",
        "non_inferiority": "False alarms at the margin",
        "powered_gap": "False alarms with few labels and many scores",
        "powered_mean": "False alarms with few labels and many scores",
        "random_effects": "Coverage of pooled studies",
        "rate_band": "Coverage of corrected rates and bands",
        "raw_agreement": "Coverage of the share of agreement",
        "sentiment_bias_strong": "Coverage of an excess of sentiment bias",
        "shared_member_cluster": "False alarms where names matter in comparisons",
        "shrink": "Coverage over many cells",
        "shrink_rates": "Coverage of many small rates",
        "sign_flip_test": _NULLS,
        "smallest_detectable": _PLANS,
        "specification_curve": "False alarms of specification curves",
        "stereotypical_associations": _WORDS,
        "stratified_t": _GAP,
        "summarise_toxicity": _TOXICITY,
        "swapped_excess": _WORDS,
        "template_differences": "False alarms when names have effects of their own",
        "tost": "False alarms at the margin",
        "two_way_cluster": "False alarms when names have effects of their own",
        "weighted_benjamini_hochberg": _BY_ADJUSTMENT,
        "wild_cluster_test": _REGRESSIONS,
        "wilson_interval": "Coverage of a rate of independent trials",
    }
)
"""Title of the table, by function."""

THROUGH: Mapping[str, str] = MappingProxyType(
    {
        "expected_maximum": "summarise_toxicity",
        "probability_of_any": "summarise_toxicity",
        "spent_share": "group_sequential",
    }
)
"""The measured function that a function is part of and that calls it."""

NOT_SAMPLED: Mapping[str, str] = MappingProxyType(
    {
        "above_median": "marks rows against the sample's own median; the table made of the marks is measured",
        "bleu": "a number of two given texts; what is stated of many of them is a cluster-t interval",
        "chance_equivalent": "a promise of a plan; its test simulates whether it comes true",
        "chance_found": "a promise of a plan; its test simulates whether it comes true",
        "cheapest_design": "a search over the two chances above",
        "cosine_similarity": "a number of two given texts; what is stated of many is a cluster-t interval",
        "detectable_by": "detectable_from_standard_error, with a bound added where few clusters differ",
        "flips_needed": "a count that follows from a threshold; no data enter",
        "four_fifths": "a screen that is arithmetic on the counts given and states no uncertainty",
        "least_clusters_for_flips": "a count that follows from a threshold; no data enter",
        "log_odds": "a transform of each row; the regression on it is measured",
        "sentiment_bias_weak": "a difference of two given samples; a run states it as a paired rate",
        "weighted_cosine": "a number of two given texts; what is stated of many is a cluster-t interval",
        "word_weights": "a transform of a collection of texts; no uncertainty is stated of it",
        "pair_components": "variances of a pilot, which plans take as given; no interval is stated of them",
        "quantile_interval": "exact for independent values; its test sums the binomial chances",
        "rouge_l": "a number of two given texts; what is stated of many of them is a cluster-t interval",
    }
)
"""Why coverage and error rates do not apply."""
