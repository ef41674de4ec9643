"""Logistic regression with clustered errors."""

import numpy as np
import numpy.typing as npt
import pytest
import statsmodels.api as sm
from scipy import stats
from scipy.special import expit

from audit.errors import NotMeasuredError
from audit.statistics.regression import ClusteredRows, cluster_logit, wild_cluster_test
from probes.seeds import rng

Vector = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


def simulated(
    stream: np.random.Generator, templates: int, repeats: int = 4, *, apart: bool = False
) -> ClusteredRows:
    """Two arms a template without a true effect, or templates of one arm each, and a template covariate."""
    cluster = np.arange(templates).repeat(2)
    group = np.tile([0.0, 1.0], templates)
    if apart:
        group = (cluster < templates // 2).astype(np.float64)
    covariate = stream.standard_normal(templates)[cluster]
    base, slope = 1.2 * stream.standard_normal(templates), 0.5 * stream.standard_normal(templates)
    eta = base[cluster] + 0.4 * covariate + slope[cluster] * (group - 0.5)
    return ClusteredRows(
        outcome=stream.binomial(repeats, expit(eta)) / repeats,
        design=np.column_stack([np.ones(cluster.size), group, covariate]),
        cluster=cluster,
        trials=np.full(cluster.size, repeats),
    )


def dense(rows: ClusteredRows) -> tuple[Vector, Vector, Codes, Vector]:
    """The arrays of rows."""
    y, x, codes, number = rows.outcome, rows.design, rows.cluster, rows.trials
    return np.asarray(y), np.asarray(x), np.asarray(codes, dtype=np.int64), np.asarray(number)


def test_coefficients_are_those_of_statsmodels() -> None:
    """The estimates are those of an independent GEE with independent working correlation."""
    rows = simulated(rng(81, "gee"), 30)
    y, x, codes, number = dense(rows)
    other = sm.GEE(
        y,
        x,
        groups=codes,
        family=sm.families.Binomial(),
        cov_struct=sm.cov_struct.Independence(),
        weights=number,
    ).fit()
    assert cluster_logit(rows).coefficients == pytest.approx(other.params, abs=1e-6)


def test_covariance_is_the_definition() -> None:
    """CR2 and its degrees of freedom agree with dense matrices written down from the definition."""
    rows = simulated(rng(82, "dense"), 8, apart=True)
    y, x, codes, number = dense(rows)
    fit = cluster_logit(rows)
    rates = expit(x @ fit.coefficients)
    root = np.sqrt(number * rates * (1 - rates))
    scaled = root[:, np.newaxis] * x
    inverse = np.linalg.inv(scaled.T @ scaled)
    left_over = np.eye(y.size) - scaled @ inverse @ scaled.T
    residuals = number * (y - rates) / root
    direction = np.array([0.0, 1.0, 0.0])
    meat, forms = np.zeros((3, 3)), []
    for g in range(8):
        members = codes == g
        values, vectors = np.linalg.eigh(left_over[np.ix_(members, members)])
        adjust = vectors @ np.diag(values**-0.5) @ vectors.T
        score = scaled[members].T @ adjust @ residuals[members]
        meat += np.outer(score, score)
        forms.append(left_over[:, members] @ adjust @ scaled[members] @ inverse @ direction)
    eigenvalues = np.linalg.eigvalsh(np.array(forms) @ np.array(forms).T)
    assert fit.covariance == pytest.approx(inverse @ meat @ inverse)
    found = fit.contrast(direction)
    assert found.df == pytest.approx(eigenvalues.sum() ** 2 / (eigenvalues**2).sum())
    assert found.df < 8
    assert found.standard_error == pytest.approx(np.sqrt((inverse @ meat @ inverse)[1, 1]))
    assert (found.n_clusters, fit.n_rows) == (8, 16)


def test_trials_are_repeated_rows() -> None:
    """A share of 4 trials gives what its 4 rows of 0 and 1 give, and the order of rows does not matter."""
    rows = simulated(rng(83, "trials"), 15)
    y, x, codes, number = dense(rows)
    hits = np.concatenate([np.arange(4) < round(4 * one) for one in y])
    shuffled = rng(83, "order").permutation(hits.size)
    long = ClusteredRows(
        outcome=hits[shuffled], design=x.repeat(4, axis=0)[shuffled], cluster=codes.repeat(4)[shuffled]
    )
    one, two = cluster_logit(rows).contrast([0, 1, 0]), cluster_logit(long).contrast([0, 1, 0])
    assert (one.point, one.standard_error) == pytest.approx((two.point, two.standard_error), rel=1e-6)
    tests = [wild_cluster_test(each, [0, 1, 0], flips=999, rng=rng(83, "wild")) for each in (rows, long)]
    assert tests[0].p_value == pytest.approx(tests[1].p_value)
    assert number.sum() == hits.size


def test_a_rare_group_has_few_degrees_of_freedom() -> None:
    """A group seen in 3 of 60 templates has about 2 degrees of freedom, not 59."""
    stream = rng(84, "rare")
    cluster = np.arange(60).repeat(4)
    rare = (cluster < 3).astype(np.float64)
    rows = ClusteredRows(
        outcome=stream.binomial(1, 0.5, 240), design=np.column_stack([np.ones(240), rare]), cluster=cluster
    )
    fit = cluster_logit(rows)
    assert fit.contrast([0, 1]).df < 4
    assert fit.contrast([1, 0]).df > 40


def test_wild_test_is_the_sign_flip_of_a_lone_mean() -> None:
    """For one constant the effective scores are those of the mean: p is the share of signs as extreme."""
    rates = np.array([0.9, 0.8, 0.7, 0.9, 0.6, 0.8, 0.4])
    rows = ClusteredRows(outcome=rates, design=np.ones((7, 1)), cluster=range(7), trials=[10.0] * 7)
    found = wild_cluster_test(rows, [1.0], flips=1000, rng=rng(85, "unused"))
    signs = 1 - 2 * ((np.arange(128)[:, np.newaxis] >> np.arange(7)) & 1)
    sums = np.abs(signs @ (rates - 0.5))
    assert found.exact
    assert found.p_value == pytest.approx(np.mean(sums >= sums[0] - 1e-9))
    shifted = wild_cluster_test(
        rows, [1.0], flips=1000, rng=rng(85, "unused"), null=float(cluster_logit(rows).coefficients[0])
    )
    assert shifted.p_value == pytest.approx(1)


def test_clusters_that_decide_alone_are_not_trusted() -> None:
    """A column that only one cluster has makes its own error unknown: refused, never 0."""
    cluster = np.arange(10).repeat(4)
    alone = (cluster == 0).astype(np.float64)
    rows = ClusteredRows(
        outcome=np.tile([0, 1, 1, 0], 10), design=np.column_stack([np.ones(40), alone]), cluster=cluster
    )
    with pytest.raises(NotMeasuredError, match="no spread between clusters"):
        cluster_logit(rows).contrast([0, 1])


def test_what_has_no_estimate_is_refused() -> None:
    """Separated outcomes, dependent columns and a single cluster are refused."""
    design = np.column_stack([np.ones(8), np.tile([0.0, 1.0], 4)])
    cluster = np.arange(4).repeat(2)
    with pytest.raises(NotMeasuredError, match="separate the outcomes"):
        cluster_logit(ClusteredRows(outcome=np.tile([0, 1], 4), design=design, cluster=cluster))
    with pytest.raises(NotMeasuredError, match="3 columns of the design have rank 2"):
        cluster_logit(
            ClusteredRows(
                outcome=[0, 1, 1, 0] * 2, design=np.column_stack([design, design[:, 1]]), cluster=cluster
            )
        )
    with pytest.raises(NotMeasuredError, match="at least 2 clusters; got 1"):
        cluster_logit(ClusteredRows(outcome=[0, 1, 1, 0] * 2, design=design, cluster=[3] * 8))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ClusteredRows(outcome=[0, 1], design=[1.0, 1.0], cluster=[0, 1]), "shape"),
        (
            ClusteredRows(outcome=[0, 1], design=[[1.0], [float("nan")]], cluster=[0, 1]),
            "design must be finite",
        ),
        (ClusteredRows(outcome=[0, 2], design=[[1.0], [1.0]], cluster=[0, 1]), "outcome must be in"),
        (ClusteredRows(outcome=[0, 1], design=[[1.0], [1.0]], cluster=[0, 1], trials=[1, 0]), "above 0"),
    ],
)
def test_bad_rows_are_refused(rows: ClusteredRows, message: str) -> None:
    """Shapes that do not fit and numbers out of range are refused."""
    with pytest.raises(ValueError, match=message):
        cluster_logit(rows)


def test_bad_weights_are_refused() -> None:
    """Weights of another number, or all 0, are refused."""
    rows = simulated(rng(86, "weights"), 10)
    with pytest.raises(ValueError, match="3 numbers, not all 0"):
        cluster_logit(rows).contrast([1, 0])
    with pytest.raises(ValueError, match="3 numbers, not all 0"):
        wild_cluster_test(rows, [0, 0, 0], flips=99, rng=rng(86, "unused"))


@pytest.mark.parametrize(("templates", "apart"), [(12, False), (12, True), (40, True)])
def test_small_samples_hold_their_level(templates: int, apart: bool) -> None:  # noqa: FBT001 - a parametrised case
    """CR2-t errs about 5 % of the time, the wild test up to 9 %, the plain sandwich with z more."""
    stream = rng(87, "level", templates, int(apart))
    wrong = []
    for _ in range(500):
        rows = simulated(stream, templates, apart=apart)
        y, x, codes, number = dense(rows)
        try:
            fit = cluster_logit(rows)
        except NotMeasuredError:
            continue
        found = fit.contrast([0, 1, 0])
        wild = wild_cluster_test(rows, [0, 1, 0], flips=399, rng=stream)
        scores = np.zeros((templates, 3))
        np.add.at(scores, codes, (number * (y - expit(x @ fit.coefficients)))[:, np.newaxis] * x)
        plain = np.sqrt((fit.information_inverse @ scores.T @ scores @ fit.information_inverse)[1, 1])
        naive = 2 * stats.norm.sf(abs(found.point) / plain)
        wrong.append([found.p_value <= 0.05, wild.p_value <= 0.05, naive <= 0.05])
    robust, by_wild, naive_rate = np.mean(wrong, axis=0)
    assert len(wrong) > 490
    assert 0.015 < robust < 0.085
    assert 0.015 < by_wild < 0.095
    assert naive_rate > robust + 0.01
