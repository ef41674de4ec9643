"""Mixed-effects regression of log-odds: when a model's log-probabilities of yes and no are at hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt

import numpy as np
import numpy.typing as npt

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
    from scipy.optimize import minimize  # noqa: PLC0415 - a third of a second, for what is rarely asked

    y, x, codes = _checked(outcome, design, cluster, varying)
    z = x[:, list(varying)]
    sums = _sums(y, x, z, codes)
    q = z.shape[1]
    rows, columns = np.tril_indices(q)
    found = minimize(
        lambda entries: _profile(_lower(entries, q), sums).deviance,
        np.eye(q)[rows, columns],
        method="L-BFGS-B",
        bounds=[(0.0, None) if i == j else (None, None) for i, j in zip(rows, columns, strict=True)],
    )
    factor = _lower(found.x, q)
    best = _profile(factor, sums)
    inner = np.eye(q) + factor.T @ sums.zz @ factor
    residual = sums.zw @ np.append(-best.coefficients, 1.0)
    effects = np.linalg.solve(inner, (residual @ factor)[:, :, np.newaxis])[:, :, 0] @ factor.T
    n_clusters = sums.zz.shape[0]
    return MixedFit(
        coefficients=best.coefficients,
        covariance=np.asarray(best.variance * np.linalg.inv(best.information), dtype=np.float64),
        heterogeneity=best.variance * (factor @ factor.T),
        residual_variance=best.variance,
        cluster_effects=effects,
        n_clusters=n_clusters,
        df=float(n_clusters - max(1, _constant_within(x, codes))),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sums:
    """All that the likelihood needs: inner products of W = [X y], and those with Z by cluster."""

    n: int
    ww: Matrix
    zz: Matrix
    zw: Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class _Profile:
    """The restricted likelihood and what maximises it at one relative factor."""

    deviance: float
    """-2 restricted log-likelihood, up to a constant."""
    coefficients: Vector
    variance: float
    information: Matrix
    """X'V^-1X, with V relative to the residual variance."""


def _sums(y: Vector, x: Matrix, z: Matrix, codes: Codes) -> _Sums:
    w = np.column_stack([x, y])
    order = np.argsort(codes, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(codes))[:-1]])
    columns = z[order][:, :, np.newaxis]
    return _Sums(
        n=y.size,
        ww=w.T @ w,
        zz=np.add.reduceat(columns * z[order][:, np.newaxis, :], starts, axis=0),
        zw=np.add.reduceat(columns * w[order][:, np.newaxis, :], starts, axis=0),
    )


def _profile(factor: Matrix, sums: _Sums) -> _Profile:
    """W'V^-1W = W'W - sum of S'S with S = C^-1 L'Z'W and CC' = I + L'Z'ZL in each cluster."""
    p = sums.ww.shape[0] - 1
    inner = np.linalg.cholesky(np.eye(factor.shape[0]) + factor.T @ sums.zz @ factor)
    solved = np.linalg.solve(inner, factor.T @ sums.zw).reshape(-1, p + 1)
    product = sums.ww - solved.T @ solved
    # The factor of X'V^-1X, beside it what the coefficients solve for.
    outer = np.linalg.cholesky(product[:p, :p])
    right = np.linalg.solve(outer, product[:p, p])
    n_free = sums.n - p
    # At an exact fit rounding may leave less than nothing.
    variance = max(float(product[p, p] - right @ right), _ROUNDING * float(sums.ww[p, p])) / n_free
    volume = np.log(np.diagonal(inner, axis1=1, axis2=2)).sum() + np.log(np.diagonal(outer)).sum()
    return _Profile(
        deviance=n_free * log(variance) + 2 * float(volume),
        coefficients=np.linalg.solve(outer.T, right),
        variance=variance,
        information=product[:p, :p],
    )


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
    # The small triangle of a QR decomposition has the rank of X and, in its corner, the residual.
    triangle: Matrix = np.asarray(np.linalg.qr(np.column_stack([x, y]), mode="r"), dtype=np.float64)
    rank = int(np.linalg.matrix_rank(triangle[:p, :p])) if y.size > p else 0
    if rank < p or float(triangle[p, p]) ** 2 <= _ROUNDING * float(y @ y):
        raise NotMeasuredError("the columns of the design are linearly dependent, or fit the rows exactly")
    return y, x, codes.astype(np.int64)
