"""M-estimation of linear regressions, many at once: Huber, bisquare and least squares.

Holds the iteration, its covariances and what makes a fit unusable. It does not hold adjusted
means (`contrasts`), pooling over imputations (`pooling`) or any choice of a model.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.errors import ModelDataError
from assayhouse.stats.arrays import (
    FloatArray,
    IntArray,
    StrArray,
    as_finite,
    require_positive,
    require_word,
)
from assayhouse.stats.basis import Basis, build_basis
from assayhouse.stats.errors import InputError
from assayhouse.stats.irls import FitOptions, RawFit, fit_least_squares, fit_robust
from assayhouse.stats.psi import DEFAULT_TUNING, MASS_MAD, PHI75
from assayhouse.stats.sandwich import COVARIANCES, compute_covariance

__all__ = ["MASS_MAD", "MIN_DF", "PHI75", "MFit", "m_regression"]

MIN_DF = 10
"""Residual degrees of freedom below which a fit is refused."""

_PART_RESIDUALS = 1 << 16
"""Residuals in one pass over a shared design: small enough for the cache."""

_PART_PRODUCTS = 1 << 20
"""Stored products in one pass over designs of their own (8 MiB)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MFit:
    """Robust fits of a batch; numbers of a fit whose status is not "ok" are not to be used.

    Parameters
    ----------
    coefficients : (b, p) array
        In the units of the response per unit of the column.
    covariance : (b, p, p) array
        Of the coefficients.
    std_errors : (b, p) array
        Square roots of its diagonal.
    scale : (b,) array
        Residual scale in the units of the response.
    weights : (b, n) array
        psi(u)/u of the last step, 0 to 1.
    iterations : (b,) array of int
        Steps made; 0 for least squares and for fits refused before the first.
    status : (b,) array of str
        ok, rank_deficient, too_few, scale_collapsed, not_converged or covariance_undefined.
    df : int
        n - p.
    """

    coefficients: FloatArray
    covariance: FloatArray
    std_errors: FloatArray
    scale: FloatArray
    weights: FloatArray
    iterations: IntArray
    status: StrArray
    df: int


def m_regression(
    design: ArrayLike,
    response: ArrayLike,
    *,
    psi: str = "huber",
    tuning: float | None = None,
    scale: str = "mad",
    mad_constant: float = PHI75,
    covariance: str = "h1",
    variance_ddof: int = 0,
    tolerance: float = 1e-10,
    max_iterations: int = 2000,
) -> MFit:
    """Fit one or many linear regressions by M-estimation.

    A fit that cannot be used says so in its status; only data of the wrong shape or with
    missing values raise. The numbers of a problem do not depend on which others are fitted
    with it.

    Parameters
    ----------
    design : (n, p) or (b, n, p) array
        Columns of the model, the intercept among them; (n, p) is shared by all responses.
    response : (n,) or (b, n) array
        (n,) is one problem.
    psi : {"huber", "bisquare", "ols"}
        Influence function.
    tuning : float, optional
        k of Huber (1.345) or c of the bisquare (4.685).
    scale : {"mad", "proposal2"}
        MAD about zero, or Huber's proposal 2 started at MAD / 0.6745.
    mad_constant : float
        Divisor of the MAD: `PHI75`, or `MASS_MAD` for agreement with MASS::rlm.
    covariance : {"h1", "h2", "h3", "sandwich"}
        Huber's asymptotic covariances, which take the errors of all subjects for equally spread,
        or the sandwich, which does not.
    variance_ddof : int
        The variance of psi' has the divisor n - variance_ddof.
    tolerance : float
        Largest change of the residuals, relative to their length, that ends the iteration.
    max_iterations : int
        Steps after which a fit is "not_converged".

    Returns
    -------
    MFit
        One entry per problem, in the order given.

    Raises
    ------
    ModelDataError
        A value that is not finite, or shapes that do not belong together.
    InputError
        An option that is unknown or out of range.

    References
    ----------
    .. [1] Huber PJ (1981), Robust Statistics, sections 7.6 (H1 to H3) and 7.8 (proposal 2).
    .. [2] Venables WN, Ripley BD (2002), Modern Applied Statistics with S, section 6.5.
    .. [3] MacKinnon JG, White H (1985), J Econometrics 29, 305-325 (HC3, for the sandwich).

    Examples
    --------
    >>> x = np.arange(12.0)
    >>> y = 2.0 * x + np.tile([1.0, -1.0, 0.5, -0.5], 3)
    >>> y[11] = 90.0
    >>> fit = m_regression(np.column_stack([np.ones(12), x]), y)
    >>> fit.status.tolist(), fit.df, round(float(fit.coefficients[0, 1]), 2)
    (['ok'], 10, 2.08)
    """
    options = _check_options(
        FitOptions(
            psi=psi,
            tuning=DEFAULT_TUNING.get(psi, np.nan) if tuning is None else tuning,
            scale=scale,
            mad_constant=mad_constant,
            covariance=covariance,
            variance_ddof=variance_ddof,
            tolerance=tolerance,
            max_iterations=max_iterations,
        )
    )
    x, y = _check_shapes(design, response)
    fit = _refused_fit(y, p=x.shape[-1])
    if y.shape[1] < x.shape[-1]:
        return fit
    for part in _parts(x, y):
        basis, full_rank = build_basis(x if x.ndim == 2 else x[part])
        full_rank = np.broadcast_to(full_rank, len(part))
        if fit.df < MIN_DF:
            fit.status[part[full_rank]] = "too_few"
        else:
            _fit_part(fit, part[full_rank], basis.take(full_rank), y, options)
    return fit


def _fit_part(
    fit: MFit, part: IntArray, basis: Basis, response: FloatArray, options: FitOptions
) -> None:
    """Fit the problems of one part, all of full rank, and write them to their places."""
    if not len(part):
        return
    raw = _fit_raw(basis, response[part], options)
    covariance, undefined = compute_covariance(basis, raw, options)
    triangle = np.broadcast_to(basis.triangle, covariance.shape)
    fit.coefficients[part] = np.linalg.solve(triangle, raw.coefficients[:, :, None])[:, :, 0]
    fit.covariance[part] = covariance
    variances = np.diagonal(covariance, axis1=1, axis2=2)
    fit.std_errors[part] = np.sqrt(np.maximum(variances, 0.0))
    fit.scale[part] = raw.scale
    fit.weights[part] = raw.weights
    fit.iterations[part] = raw.iterations
    # The first that applies, in the order of the method's description.
    fit.status[part] = np.select(
        [raw.singular, raw.collapsed, ~raw.converged, undefined],
        ["rank_deficient", "scale_collapsed", "not_converged", "covariance_undefined"],
        default="ok",
    )


def _fit_raw(basis: Basis, response: FloatArray, options: FitOptions) -> RawFit:
    if options.psi == "ols":
        return fit_least_squares(basis, response)
    return fit_robust(basis, response, options)


def _parts(design: FloatArray, response: FloatArray) -> Iterator[IntArray]:
    """Positions of the problems held in memory at once; how they are cut changes no number."""
    b, n = response.shape
    p = design.shape[-1]
    if design.ndim == 2:
        size = max(1, _PART_RESIDUALS // n)
    else:
        size = max(1, _PART_PRODUCTS // (n * p * (p + 1) // 2))
    for first in range(0, b, size):
        yield np.arange(first, min(first + size, b))


def _check_options(options: FitOptions) -> FitOptions:
    require_word(options.psi, name="psi", known=DEFAULT_TUNING)
    require_word(options.scale, name="scale", known=("mad", "proposal2"))
    require_word(options.covariance, name="covariance", known=COVARIANCES)
    if options.psi != "ols":
        require_positive(options.tuning, name="tuning")
    require_positive(options.mad_constant, name="mad_constant")
    require_positive(options.tolerance, name="tolerance")
    require_positive(options.max_iterations, name="max_iterations")
    if options.variance_ddof not in {0, 1}:
        message = f"variance_ddof={options.variance_ddof!r} must be 0 or 1."
        raise InputError(message)
    return options


def _check_shapes(design: ArrayLike, response: ArrayLike) -> tuple[FloatArray, FloatArray]:
    x = as_finite(design, name="design", dimensions=(2, 3))
    y = as_finite(response, name="response", dimensions=(1, 2))
    y = y[None] if y.ndim == 1 else y
    if x.shape[-2] != y.shape[1] or (x.ndim == 3 and len(x) != len(y)):
        message = (
            f"design has shape {x.shape} and response {y.shape}; give one row of the design per "
            "subject of the response, and one design per response or one for all."
        )
        raise ModelDataError(message)
    return x, np.ascontiguousarray(y)


def _refused_fit(response: FloatArray, *, p: int) -> MFit:
    """Every problem without numbers, as those without a regular design stay."""
    b, n = response.shape
    return MFit(
        coefficients=np.full((b, p), np.nan),
        covariance=np.full((b, p, p), np.nan),
        std_errors=np.full((b, p), np.nan),
        scale=np.full(b, np.nan),
        weights=np.full((b, n), np.nan),
        iterations=np.zeros(b, dtype=np.int64),
        status=np.full(b, "rank_deficient", dtype="<U20"),
        df=n - p,
    )
