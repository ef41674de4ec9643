"""Statistics of an audit: arrays in, numbers out; nothing here knows records, stores or prompts."""

from audit.statistics.agreement import (
    AgreementEstimate,
    cohen_kappa,
    gwet_ac1,
    krippendorff_alpha,
    raw_agreement,
)
from audit.statistics.betting import (
    BettingSequence,
    betting_sequence,
)
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.components import (
    Components,
    pair_components,
)
from audit.statistics.crossed import (
    CrossedNames,
)
from audit.statistics.design_search import (
    Decision,
    chance_equivalent,
    chance_found,
    cheapest_design,
)
from audit.statistics.equivalence import (
    Equivalence,
    NonInferiority,
    equivalence_of,
    non_inferiority,
    tost,
)
from audit.statistics.error_rates import Calibration, calibrate
from audit.statistics.evalues import (
    combine_e_values,
    e_benjamini_hochberg,
)
from audit.statistics.fieller import (
    MeritContrasts,
    MeritPrice,
    merit_contrasts,
    merit_price,
)
from audit.statistics.group_contrasts import GroupContrasts, group_contrasts
from audit.statistics.group_sequential import (
    GroupSequential,
    group_sequential,
    spent_share,
)
from audit.statistics.hierarchical import (
    Level,
    RowWeights,
    hierarchical_bootstrap,
)
from audit.statistics.impact import (
    AboveMedian,
    CategoryImpact,
    ImpactTable,
    above_median,
    impact_table,
)
from audit.statistics.intervals import (
    ClusterEstimate,
    Interval,
    equal_clusters_interval,
    equal_clusters_p_value,
)
from audit.statistics.jackknife import (
    cluster_jackknife,
)
from audit.statistics.maximum import SimultaneousEstimates, max_t_intervals
from audit.statistics.mcnemar import (
    McNemarResult,
    mcnemar_mid_p,
)
from audit.statistics.measurement_error import CorrectedRate, corrected_gap, corrected_rate
from audit.statistics.meta import (
    PooledEstimate,
    RandomEffects,
    StudyCounts,
    leave_one_out,
    mantel_haenszel_difference,
    mantel_haenszel_ratio,
    random_effects,
)
from audit.statistics.mixed import (
    MixedFit,
    log_odds,
    mixed_logit,
)
from audit.statistics.multi_way import (
    multi_way_cluster,
)
from audit.statistics.multiplicity import (
    benjamini_hochberg,
    benjamini_yekutieli,
    fcr_level,
    holm,
    weighted_benjamini_hochberg,
)
from audit.statistics.noise import (
    noise_floor,
)
from audit.statistics.paired import (
    PairedDifferences,
    template_differences,
)
from audit.statistics.pooling import (
    stratified_t,
)
from audit.statistics.power import (
    clusters_for_equivalence,
    clusters_needed,
    detectable_by,
    detectable_from_standard_error,
    difference_variance,
    smallest_detectable,
)
from audit.statistics.prediction_powered import (
    PoweredEstimate,
    powered_gap,
    powered_mean,
)
from audit.statistics.quantiles import QuantileEstimate, quantile_interval
from audit.statistics.rates import (
    RateEstimate,
    clopper_pearson_interval,
    clustered_rate_interval,
    exceedance_p_value,
    wilson_interval,
)
from audit.statistics.ratios import (
    FourFifths,
    RatioEstimate,
    four_fifths,
    impact_ratio,
)
from audit.statistics.regression import (
    ClusteredRows,
    LogitFit,
    cluster_logit,
    wild_cluster_test,
)
from audit.statistics.resampling import (
    BootstrapEstimate,
    ClusterCounts,
    cluster_bootstrap,
)
from audit.statistics.sensitivity_band import (
    GapBand,
    RateBand,
    gap_band,
    rate_band,
)
from audit.statistics.sentiment_bias import (
    sentiment_bias_strong,
    sentiment_bias_weak,
)
from audit.statistics.shared_members import Members, shared_member_cluster
from audit.statistics.shrinkage import (
    ShrunkCells,
    shrink,
    shrink_rates,
)
from audit.statistics.signflip import (
    SignFlipResult,
    flips_needed,
    least_clusters_for_flips,
    sign_flip_test,
)
from audit.statistics.specification import (
    JointTest,
    SpecificationCurve,
    specification_curve,
)
from audit.statistics.text_similarity import (
    WordWeights,
    bleu,
    cosine_similarity,
    rouge_l,
    weighted_cosine,
    word_weights,
)
from audit.statistics.toxicity_summary import (
    ToxicitySummary,
    expected_maximum,
    probability_of_any,
    summarise_toxicity,
)
from audit.statistics.two_way import (
    two_way_cluster,
)
from audit.statistics.word_association import (
    SwappedExcess,
    co_occurrence_bias_score,
    stereotypical_associations,
    swapped_excess,
)

__all__ = [
    "AboveMedian",
    "AgreementEstimate",
    "BettingSequence",
    "BootstrapEstimate",
    "Calibration",
    "CategoryImpact",
    "ClusterCounts",
    "ClusterEstimate",
    "ClusteredRows",
    "Components",
    "CorrectedRate",
    "CrossedNames",
    "Decision",
    "Equivalence",
    "FourFifths",
    "GapBand",
    "GroupContrasts",
    "GroupSequential",
    "ImpactTable",
    "Interval",
    "JointTest",
    "Level",
    "LogitFit",
    "McNemarResult",
    "Members",
    "MeritContrasts",
    "MeritPrice",
    "MixedFit",
    "NonInferiority",
    "PairedDifferences",
    "PooledEstimate",
    "PoweredEstimate",
    "QuantileEstimate",
    "RandomEffects",
    "RateBand",
    "RateEstimate",
    "RatioEstimate",
    "RowWeights",
    "ShrunkCells",
    "SignFlipResult",
    "SimultaneousEstimates",
    "SpecificationCurve",
    "StudyCounts",
    "SwappedExcess",
    "ToxicitySummary",
    "WordWeights",
    "above_median",
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "betting_sequence",
    "bleu",
    "calibrate",
    "chance_equivalent",
    "chance_found",
    "cheapest_design",
    "clopper_pearson_interval",
    "cluster_bootstrap",
    "cluster_jackknife",
    "cluster_logit",
    "cluster_t_interval",
    "clustered_rate_interval",
    "clusters_for_equivalence",
    "clusters_needed",
    "co_occurrence_bias_score",
    "cohen_kappa",
    "combine_e_values",
    "corrected_gap",
    "corrected_rate",
    "cosine_similarity",
    "detectable_by",
    "detectable_from_standard_error",
    "difference_variance",
    "e_benjamini_hochberg",
    "equal_clusters_interval",
    "equal_clusters_p_value",
    "equivalence_of",
    "exceedance_p_value",
    "expected_maximum",
    "fcr_level",
    "flips_needed",
    "four_fifths",
    "gap_band",
    "group_contrasts",
    "group_sequential",
    "gwet_ac1",
    "hierarchical_bootstrap",
    "holm",
    "impact_ratio",
    "impact_table",
    "krippendorff_alpha",
    "least_clusters_for_flips",
    "leave_one_out",
    "log_odds",
    "mantel_haenszel_difference",
    "mantel_haenszel_ratio",
    "max_t_intervals",
    "mcnemar_mid_p",
    "merit_contrasts",
    "merit_price",
    "mixed_logit",
    "multi_way_cluster",
    "noise_floor",
    "non_inferiority",
    "pair_components",
    "powered_gap",
    "powered_mean",
    "probability_of_any",
    "quantile_interval",
    "random_effects",
    "rate_band",
    "raw_agreement",
    "rouge_l",
    "sentiment_bias_strong",
    "sentiment_bias_weak",
    "shared_member_cluster",
    "shrink",
    "shrink_rates",
    "sign_flip_test",
    "smallest_detectable",
    "specification_curve",
    "spent_share",
    "stereotypical_associations",
    "stratified_t",
    "summarise_toxicity",
    "swapped_excess",
    "template_differences",
    "tost",
    "two_way_cluster",
    "weighted_benjamini_hochberg",
    "weighted_cosine",
    "wild_cluster_test",
    "wilson_interval",
    "word_weights",
]
