"""Covariances of an M-estimate: Huber's three, and the sandwich for errors of unequal spread."""

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray
from assayhouse.stats.basis import Basis, is_singular, solve_each
from assayhouse.stats.irls import FitOptions, RawFit
from assayhouse.stats.psi import compute_slopes

COVARIANCES = ("h1", "h2", "h3", "sandwich")

_ALONE = 1e-9
"""1 - leverage below which a subject's residual is nothing but rounding."""


def compute_covariance(
    basis: Basis, fit: RawFit, options: FitOptions
) -> tuple[FloatArray, BoolArray]:
    """Covariance of the coefficients of X, and where it does not exist.

    Parameters
    ----------
    basis : Basis
        The designs of the fits.
    fit : RawFit
        Robust fits with scales above zero.
    options : FitOptions
        psi, tuning, covariance and variance_ddof are used.

    Returns
    -------
    (b, p, p) array
        NaN where it does not exist: H1 needs a positive mean slope, the others a regular W.
    (b,) array of bool
        True where it does not exist.

    References
    ----------
    .. [1] Huber PJ (1981), Robust Statistics, section 7.6, equations 6.5 to 6.7.
    .. [2] Huber PJ (1967), Proc 5th Berkeley Symp 1, 221-233: the sandwich.
    .. [3] MacKinnon JG, White H (1985), J Econometrics 29, 305-325: its correction by leverage.
    """
    b, p = fit.coefficients.shape
    identity = np.broadcast_to(np.eye(p), (b, p, p))
    if options.covariance == "sandwich":
        with np.errstate(all="ignore"):
            core, undefined = _sandwich_core(basis, fit, options, identity)
    elif options.psi == "ols":
        core = (fit.scale**2)[:, None, None] * identity
        undefined = np.zeros(b, dtype=np.bool_)
    else:
        with np.errstate(all="ignore"):
            core, undefined = _robust_core(basis, fit, options, identity)
    inverse = np.linalg.inv(basis.triangle)
    covariance = inverse @ core @ inverse.transpose(0, 2, 1)
    covariance[undefined] = np.nan
    return covariance, undefined


def _robust_core(
    basis: Basis, fit: RawFit, options: FitOptions, identity: FloatArray
) -> tuple[FloatArray, BoolArray]:
    """H1, H2 or H3 for Q, whose Q'Q is the identity."""
    n = fit.residuals.shape[1]
    p = identity.shape[1]
    u = fit.residuals / fit.scale[:, None]
    slopes = compute_slopes(u, psi=options.psi, tuning=options.tuning)
    pull = fit.weights * u
    mean = slopes.mean(axis=1)
    variance = ((slopes - mean[:, None]) ** 2).sum(axis=1) / (n - options.variance_ddof)
    correction = 1.0 + (p / n) * variance / mean**2
    spread = fit.scale**2 * np.einsum("bn,bn->b", pull, pull) / (n - p)
    undefined = ~(mean > 0)
    if options.covariance == "h1":
        core = (correction**2 * spread / mean**2)[:, None, None] * identity
        return core, undefined
    slope_gram = basis.weighted_gram(slopes)
    undefined |= is_singular(slope_gram, n=n)
    inverse = solve_each(np.where(undefined[:, None, None], identity, slope_gram), identity)
    if options.covariance == "h2":
        core = (correction * spread / mean)[:, None, None] * inverse
        # An indefinite W has an inverse, but no variances to read from it.
        return core, undefined | (np.linalg.eigvalsh(inverse).min(axis=1) <= 0)
    core = (spread / correction)[:, None, None] * (inverse @ inverse)
    return core, undefined


def _sandwich_core(
    basis: Basis, fit: RawFit, options: FitOptions, identity: FloatArray
) -> tuple[FloatArray, BoolArray]:
    """W^-1 Q' diag(v^2) Q W^-1 with v = s psi(u) / (1 - leverage): each subject's own spread.

    A subject who alone decides a coefficient has no residual that could tell anything.
    """
    n = fit.residuals.shape[1]
    leverage = np.einsum("...pn,...pn->...n", basis.rows, basis.rows)
    free = 1.0 - leverage
    inflation = np.where(free > _ALONE, 1.0 / np.maximum(free, _ALONE), 0.0)
    pull = fit.weights * fit.residuals * inflation
    if options.psi == "ols":
        inverse, undefined = identity, np.zeros(len(pull), dtype=np.bool_)
    else:
        u = fit.residuals / fit.scale[:, None]
        gram = basis.weighted_gram(compute_slopes(u, psi=options.psi, tuning=options.tuning))
        undefined = is_singular(gram, n=n)
        inverse = solve_each(np.where(undefined[:, None, None], identity, gram), identity)
    return inverse @ basis.weighted_gram(pull**2) @ inverse, undefined
