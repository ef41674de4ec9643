"""Mixed-effects regression of log-odds."""

import numpy as np
import numpy.typing as npt
import pytest
import statsmodels.api as sm
from scipy import stats

from audit.errors import NotMeasuredError
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.mixed import log_odds, mixed_logit
from probes.seeds import rng

Vector = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


def simulated(
    stream: np.random.Generator, templates: int, rows: int, *, slope_sd: float = 0.5, effect: float = 0.0
) -> tuple[Vector, Vector, Codes]:
    """Log-odds of two groups under templates with effects of their own; the group alternates."""
    cluster: Codes = np.arange(templates).repeat(rows)
    group = np.tile(np.arange(rows) % 2, templates).astype(np.float64)
    base = 1.5 * stream.standard_normal(templates)[cluster]
    slope = effect + slope_sd * stream.standard_normal(templates)[cluster]
    y = base + slope * group + 0.4 * stream.standard_normal(cluster.size)
    return np.asarray(y), np.column_stack([np.ones(cluster.size), group]), cluster


def test_fit_is_that_of_statsmodels() -> None:
    """Coefficients, errors and variances of unbalanced data agree with an independent REML."""
    y, x, cluster = simulated(rng(91, "reml"), 25, 6, effect=0.3)
    kept = rng(91, "kept").uniform(size=y.size) < 0.8
    y, x, cluster = y[kept], x[kept], cluster[kept]
    other = sm.MixedLM(y, x, groups=cluster, exog_re=x).fit(reml=True, method=["lbfgs"])
    found = mixed_logit(y, x, cluster, varying=[0, 1])
    assert found.coefficients == pytest.approx(other.fe_params, abs=1e-4)
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx(other.bse_fe, rel=2e-3)
    assert found.heterogeneity == pytest.approx(np.asarray(other.cov_re), abs=5e-3)
    assert found.residual_variance == pytest.approx(other.scale, rel=2e-3)
    theirs = np.array([np.asarray(other.random_effects[code]) for code in np.unique(cluster)])
    assert found.cluster_effects == pytest.approx(theirs, abs=5e-3)


def test_balanced_designs_are_the_paired_t() -> None:
    """With equal rows in every template the group's effect is cluster-t on the templates' differences."""
    y, x, cluster = simulated(rng(92, "paired"), 40, 4, effect=0.3)
    found = mixed_logit(y, x, cluster, varying=[0, 1]).contrast([0, 1])
    by_template = y.reshape(40, 4)
    differences = by_template[:, 1::2].mean(axis=1) - by_template[:, ::2].mean(axis=1)
    single = cluster_t_interval(differences)
    assert (found.point, found.df) == pytest.approx((single.point, 39))
    assert found.standard_error == pytest.approx(single.standard_error, rel=1e-4)
    assert found.p_value == pytest.approx(single.p_value, rel=1e-3)


def test_heterogeneity_is_found() -> None:
    """Slopes that differ with a standard deviation of 0.8 are seen to; equal ones come out near 0."""
    for sd in (0.8, 0.0):
        y, x, cluster = simulated(rng(93, "slopes"), 150, 8, slope_sd=sd)
        found = mixed_logit(y, x, cluster, varying=[0, 1])
        assert np.sqrt(found.heterogeneity[1, 1]) == pytest.approx(sd, abs=0.13)
        assert found.cluster_effects.shape == (150, 2)
        assert np.linalg.eigvalsh(found.heterogeneity).min() >= -1e-12


def test_columns_between_templates_cost_degrees_of_freedom() -> None:
    """A covariate of the template takes one degree of freedom; a column that varies within takes none."""
    y, x, cluster = simulated(rng(94, "between"), 30, 4)
    domain = (cluster < 15).astype(np.float64)
    found = mixed_logit(y, np.column_stack([x, domain]), cluster, varying=[0, 1])
    assert (found.df, found.n_clusters) == (28.0, 30)
    assert found.contrast([0, 0, 1]).df == 28


def test_log_odds_are_differences_of_logarithms() -> None:
    """Scaling both probabilities changes nothing, and values that are no probabilities are refused."""
    yes, no = np.log([0.5, 0.01]), np.log([0.25, 0.04])
    assert log_odds(yes, no) == pytest.approx(np.log([2.0, 0.25]))
    assert log_odds(yes - 1, no - 1) == pytest.approx(log_odds(yes, no))
    for bad in ([0.1, -1.0], [-1.0]):
        with pytest.raises(ValueError, match="logarithms of probabilities"):
            log_odds(bad, no)
    with pytest.raises(ValueError, match="finite"):
        log_odds([-np.inf, -1.0], no)


def test_what_cannot_be_fitted_is_refused() -> None:
    """Too few rows a template, exact fits, dependent columns and single templates are refused."""
    y, x, cluster = simulated(rng(95, "refused"), 10, 2)
    with pytest.raises(NotMeasuredError, match="more than 2 rows; got 2"):
        mixed_logit(y, x, cluster, varying=[0, 1])
    with pytest.raises(NotMeasuredError, match="linearly dependent, or fit"):
        mixed_logit(x[:, 1], x, cluster, varying=[0])
    with pytest.raises(NotMeasuredError, match="linearly dependent, or fit"):
        mixed_logit(y, np.column_stack([x, x[:, 1]]), cluster, varying=[0])
    with pytest.raises(NotMeasuredError, match="at least 2 clusters; got 1"):
        mixed_logit(y, x, np.zeros(20, dtype=int), varying=[0])


def test_bad_arguments_are_refused() -> None:
    """Shapes that do not fit, infinite columns, unknown or repeated columns and unfit weights are refused."""
    y, x, cluster = simulated(rng(96, "bad"), 10, 4)
    with pytest.raises(ValueError, match="shape"):
        mixed_logit(y[1:], x, cluster, varying=[0])
    with pytest.raises(ValueError, match="design must be finite"):
        mixed_logit(y, np.where(x > 0, np.inf, 1.0), cluster, varying=[0])
    for varying in ([], [0, 0], [2]):
        with pytest.raises(ValueError, match="varying must name columns from 0 to 1"):
            mixed_logit(y, x, cluster, varying=varying)
    fit = mixed_logit(y, x, cluster, varying=[0, 1])
    for weights in ([1.0], [0.0, 0.0]):
        with pytest.raises(ValueError, match="2 numbers, not all 0"):
            fit.contrast(weights)


@pytest.mark.parametrize("slope_sd", [0.5, 0.0])
def test_slopes_that_vary_hold_their_level(slope_sd: float) -> None:
    """Letting the slope vary errs about 5 %; leaving that out errs far more where slopes differ."""
    stream = rng(97, "level", int(10 * slope_sd))
    wrong = []
    for _ in range(200):
        y, x, cluster = simulated(stream, 30, 8, slope_sd=slope_sd)
        right = mixed_logit(y, x, cluster, varying=[0, 1]).contrast([0, 1])
        fixed = mixed_logit(y, x, cluster, varying=[0])
        z = fixed.coefficients[1] / np.sqrt(fixed.covariance[1, 1])
        wrong.append([right.p_value <= 0.05, 2 * stats.norm.sf(abs(z)) <= 0.05])
    right_rate, fixed_rate = np.mean(wrong, axis=0)
    assert right_rate < 0.1
    assert slope_sd == 0 or (right_rate > 0.015 and fixed_rate > 0.2)
