"""Mixed-effects regression of log-odds: when a model's log-probabilities of yes and no are at hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from audit.errors import NotMeasuredError
from audit.statistics.arguments import Codes, Vector, check_clusters, finite_vector
from audit.statistics.intervals import ClusterEstimate, t_estimate

__all__ = ["MixedFit", "log_odds", "mixed_logit"]

Matrix = npt.NDArray[np.float64]

_ROUNDING = 1e-20
"""Residual squares, as a fraction of all squares, below which the columns fit the rows exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedFit:
    """Mean effects over templates, and how much templates differ in them."""

    coefficients: Vector
    """Mean over templates of each column's effect, in log-odds, shape (p,)."""
    covariance: Matrix
    """Of the coefficients, shape (p, p)."""
    heterogeneity: Matrix
    """Covariance over templates of the effects that vary, in squared log-odds, shape (q, q)."""
    residual_variance: float
    """Within templates, in squared log-odds."""
    cluster_effects: Matrix
    """Best predictor of each template's deviation from the mean effects, shape (T, q), by ascending code."""
    n_clusters: int
    df: float
    """Templates less the columns that do not vary within them."""

    def contrast(self, weights: npt.ArrayLike, *, level: float = 0.95) -> ClusterEstimate:
        """A weighted sum of the mean effects with its t interval.

        Args:
            weights: One number a column, not all 0, shape (p,).
            level: Nominal coverage, a fraction in (0, 1).

        Returns:
            The sum in log-odds, neutral 0.

        Raises:
            ValueError: `weights` has another shape, is all 0 or not finite, or `level` is outside (0, 1).
        """
        direction = finite_vector("weights", weights)
        if direction.shape != self.coefficients.shape or not direction.any():
            raise ValueError(f"weights must be {self.coefficients.size} numbers, not all 0; got {weights!r}")
        return t_estimate(
            float(direction @ self.coefficients),
            sqrt(float(direction @ self.covariance @ direction)),
            self.df,
            n_clusters=self.n_clusters,
            level=level,
            method=f"mixed-effects logit, REML (df {self.df:g})",
        )


def log_odds(log_yes: npt.ArrayLike, log_no: npt.ArrayLike) -> Vector:
    """Log-odds of yes against no from their log-probabilities, whatever else the model might have said.

    log(p_yes / (p_yes + p_no)) - log(p_no / (p_yes + p_no)) = log p_yes - log p_no.

    Not where an endpoint gives only the likeliest tokens and one answer is not among them: that value is
    missing, and putting a small number for it would decide the result.

    Args:
        log_yes: Natural logarithm of the probability of the favourable answer, at most 0, shape (n,).
        log_no: That of the unfavourable answer, shape (n,).

    Returns:
        Shape (n,), in log-odds.

    Raises:
        ValueError: The shapes differ, a value is above 0 or not finite.

    Source:
        Tamkin et al. (2023), arXiv:2312.03689, section 3.2.

    >>> log_odds(np.log([0.6, 0.2]), np.log([0.3, 0.2])).round(3).tolist()
    [0.693, 0.0]
    """
    yes, no = finite_vector("log_yes", log_yes), finite_vector("log_no", log_no)
    if yes.shape != no.shape or (yes > 0).any() or (no > 0).any():
        raise ValueError(
            "log_yes and log_no must have one shape and be logarithms of probabilities, at most 0"
        )
    return yes - no


def mixed_logit(
    outcome: npt.ArrayLike, design: npt.ArrayLike, cluster: npt.ArrayLike, *, varying: Sequence[int]
) -> MixedFit:
    """Mean effects on the log-odds where every template has effects of its own, by REML.

    y_t = X_t b + Z_t u_t + e_t with Z the columns `varying`, u_t ~ N(0, s^2 D) for each template and
    e ~ N(0, s^2 I). Let the constant and every group column vary: without slope heterogeneity
    the error of a group's effect is stated far too small. b is the generalised least squares estimate at
    the D that maximises the restricted likelihood (D = L L', by its factor, so it never has a
    negative variance); t with as many degrees of freedom as templates less the columns constant
    within them.

    Use it with at least 30 templates and log-odds that are roughly normal. Not for answers of 0 and 1:
    `cluster_logit`. An effect on log-odds is not one on the answers: report it beside the
    difference of decisions, never in its place.

    Args:
        outcome: Log-odds, such as from `log_odds`, shape (n,).
        design: Columns of the regression, the constant among them, shape (n, p).
        cluster: Code of each row's template, shape (n,).
        varying: Numbers of the columns whose effect varies over templates, at least one.

    Returns:
        The fit; ask it for contrasts.

    Raises:
        NotMeasuredError: Too few templates, no template with more rows than `varying` columns,
            linearly dependent columns, or columns that fit the rows exactly.
        ValueError: The shapes do not fit, a number is not finite, or `varying` names no column or one twice.

    Source:
        Laird & Ware (1982), Biometrics 38:963-974; profiled restricted likelihood: Bates, Maechler,
        Bolker & Walker (2015), J. Statistical Software 67(1), eq. 39-42; the design: Tamkin et al.
        (2023), arXiv:2312.03689, section 3.3.

    >>> y = [0.1, 1.2, 0.3, 0.9, -0.5, 0.9, -0.2, 0.6, 1.1, 1.7, 0.8, 2.0]
    >>> fit = mixed_logit(y, [[1, 0], [1, 1]] * 6, np.repeat(range(3), 4), varying=[0, 1])
    >>> fit.coefficients.round(3).tolist(), fit.df
    ([0.267, 0.95], 2.0)
    """
    y, x, codes = _checked(outcome, design, cluster, varying)
    z = x[:, list(varying)]
    sums = _sums(y, x, z, codes)
    q = z.shape[1]
    rows, columns = np.tril_indices(q)
    found = minimize(
        lambda entries: _profile(_lower(entries, q), sums)[0],
        np.eye(q)[rows, columns],
        method="L-BFGS-B",
        bounds=[(0.0, None) if i == j else (None, None) for i, j in zip(rows, columns, strict=True)],
    )
    factor = _lower(found.x, q)
    _, beta, variance, information = _profile(factor, sums)
    inner = np.eye(q) + factor.T @ sums.zz @ factor
    residual = sums.zy - sums.zx @ beta
    effects = np.linalg.solve(inner, (residual @ factor)[:, :, np.newaxis])[:, :, 0] @ factor.T
    n_clusters = sums.zz.shape[0]
    return MixedFit(
        coefficients=beta,
        covariance=np.asarray(variance * np.linalg.inv(information), dtype=np.float64),
        heterogeneity=variance * (factor @ factor.T),
        residual_variance=variance,
        cluster_effects=effects,
        n_clusters=n_clusters,
        df=float(n_clusters - max(1, _constant_within(x, codes))),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sums:
    """All that the likelihood needs: inner products, those with Z by cluster."""

    n: int
    xx: Matrix
    xy: Vector
    yy: float
    zz: Matrix
    zx: Matrix
    zy: Matrix


def _sums(y: Vector, x: Matrix, z: Matrix, codes: Codes) -> _Sums:
    order = np.argsort(codes, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(codes))[:-1]])

    def by_cluster(products: Matrix) -> Matrix:
        return np.asarray(np.add.reduceat(products[order], starts, axis=0))

    return _Sums(
        n=y.size,
        xx=x.T @ x,
        xy=x.T @ y,
        yy=float(y @ y),
        zz=by_cluster(z[:, :, np.newaxis] * z[:, np.newaxis, :]),
        zx=by_cluster(z[:, :, np.newaxis] * x[:, np.newaxis, :]),
        zy=by_cluster(z * y[:, np.newaxis]),
    )


def _profile(factor: Matrix, sums: _Sums) -> tuple[float, Vector, float, Matrix]:
    """-2 restricted log-likelihood (up to a constant), coefficients, residual variance, X'V^-1X.

    V^-1 = I - Z L (I + L'Z'ZL)^-1 L'Z' within each cluster.
    """
    inner = np.eye(factor.shape[0]) + factor.T @ sums.zz @ factor
    x_side = np.linalg.solve(inner, factor.T @ sums.zx)
    left = factor.T @ sums.zx
    y_side = sums.zy @ factor
    information = sums.xx - np.einsum("tqi,tqj->ij", left, x_side)
    right = sums.xy - np.einsum("tq,tqi->i", y_side, x_side)
    y_solved = np.linalg.solve(inner, y_side[:, :, np.newaxis])[:, :, 0]
    total = sums.yy - float((y_side * y_solved).sum())
    beta = np.linalg.solve(information, right)
    n_free = sums.n - beta.size
    # At an exact fit rounding may leave less than nothing.
    variance = max(total - float(right @ beta), _ROUNDING * sums.yy) / n_free
    volume = float(np.linalg.slogdet(inner)[1].sum() + np.linalg.slogdet(information)[1])
    return n_free * log(variance) + volume, beta, variance, information


def _lower(entries: Vector, q: int) -> Matrix:
    factor = np.zeros((q, q))
    factor[np.tril_indices(q)] = entries
    return factor


def _constant_within(x: Matrix, codes: Codes) -> int:
    """Number of columns that have one value within every cluster."""
    _, first = np.unique(codes, return_index=True)
    return int((x == x[first][codes]).all(axis=0).sum())


def _checked(
    outcome: npt.ArrayLike, design: npt.ArrayLike, cluster: npt.ArrayLike, varying: Sequence[int]
) -> tuple[Vector, Matrix, Codes]:
    y = finite_vector("outcome", outcome)
    x = np.asarray(design, dtype=np.float64)
    names = np.asarray(cluster, dtype=np.int64)
    if x.ndim != 2 or not x.shape[:1] == y.shape == names.shape:  # noqa: PLR2004 - rows by columns
        raise ValueError(
            "design must have the shape (n, p), and outcome and cluster (n,); "
            f"got {x.shape}, {y.shape} and {names.shape}"
        )
    if not np.isfinite(x).all():
        raise ValueError("design must be finite")
    p, q = x.shape[1], len(set(varying))
    if not 0 < q == len(varying) or not set(varying) <= set(range(p)):
        raise ValueError(f"varying must name columns from 0 to {p - 1}, each once; got {list(varying)!r}")
    _, codes, counts = np.unique(names, return_inverse=True, return_counts=True)
    check_clusters("a mixed regression", counts.size - max(0, _constant_within(x, codes) - 1))
    if counts.max() <= q:
        raise NotMeasuredError(
            f"a mixed regression needs a template with more than {q} rows; got {counts.max()}"
        )
    rest = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    if np.linalg.matrix_rank(x) < p or float(rest @ rest) <= _ROUNDING * max(float(y @ y), 1e-300):
        raise NotMeasuredError("the columns of the design are linearly dependent, or fit the rows exactly")
    return y, x, codes.astype(np.int64)
