"""Leaps towards the fixed point of Huber's M-estimation with the MAD about zero as its scale.

The iteration of `irls` comes closer by a factor per step, which may be near one. Its equations are
linear piece by piece, so a step of Newton's method, a leap, goes the way that remains once the
piece is found. Whether a fit is done is judged by the iteration alone. There are no leaps for the
bisquare: it has several solutions, and which one is meant is what the iteration comes to.
"""

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray
from assayhouse.stats.basis import Basis, solve_each
from assayhouse.stats.psi import compute_slopes, compute_weights

NEAR = 0.03
"""Length of a step, in scales, below which a leap is tried: where the solution is settled."""

FALLING = 0.97
"""Largest ratio of a step's length to the one before at which an iteration counts as falling."""

LANDED = 0.5
"""Largest ratio of the step after a leap to the one before it; a leap beyond it is taken back."""

_REACH = 5.0
"""Longest leap, as a multiple of the way that the iteration has ahead of it."""


def may_leap(moved: FloatArray, rate: FloatArray, scale: FloatArray) -> BoolArray:
    """Tell for which problems a leap is worth trying: steps are short and become shorter.

    Parameters
    ----------
    moved : (b,) array
        Length of the last step of the iteration.
    rate : (b,) array
        Its ratio to the step before.
    scale : (b,) array
        Residual scale.

    Returns
    -------
    (b,) array of bool
        Worth it.

    References
    ----------
    .. [1] Dennis JE, Schnabel RB (1983), Numerical Methods for Unconstrained Optimization and
       Nonlinear Equations, section 5.1 (a local method starts near the solution).
    """
    return np.asarray((moved <= NEAR * scale) & (rate <= FALLING))


def leap(
    basis: Basis,
    residuals: FloatArray,
    *,
    tuning: float,
    mad_constant: float,
    way: FloatArray,
) -> FloatArray:
    """Leap of the residuals; none where it would lead away.

    With s = MAD(r) / c the equations are Q' s psi(r / s) = 0. The MAD moves with the one or two
    residuals in the middle; residuals beyond k s move with it.

    Parameters
    ----------
    basis : Basis
        Of the problems.
    residuals : (b, n) array
        Where the iteration stands.
    tuning, mad_constant
        As in `assayhouse.stats.robust.m_regression`.
    way : (b,) array
        Length that the iteration still has to go, by its own rate.

    Returns
    -------
    (b, n) array
        To be added to the residuals; zero where no step is made.

    References
    ----------
    .. [1] Huber PJ (1981), Robust Statistics, section 7.8.
    """
    n = residuals.shape[1]
    middle = np.arange((n - 1) // 2, n // 2 + 1)
    sizes = np.abs(residuals)
    order = np.argpartition(sizes, middle, axis=1)[:, middle]
    scale = np.take_along_axis(sizes, order, axis=1).mean(axis=1) / mad_constant
    u = residuals / scale[:, None]
    value = compute_weights(u, psi="huber", tuning=tuning) * u
    slope = compute_slopes(u, psi="huber", tuning=tuning)
    pull = basis.project(value - u * slope)
    gram = basis.weighted_gram(slope)
    turn = _middle_rows(basis, residuals, order) / mad_constant
    matrix = gram + pull[:, :, None] * turn[:, None, :]
    step = solve_each(matrix, (scale[:, None] * basis.project(value))[:, :, None])[:, :, 0]
    length = np.sqrt(np.einsum("bp,bp->b", step, step))
    good = length <= _REACH * way
    return np.where(good[:, None], -basis.predict(np.where(good[:, None], step, 0.0)), 0.0)


def _middle_rows(basis: Basis, residuals: FloatArray, order: IntArray) -> FloatArray:
    """Mean over the middle residuals of sign times row of Q: how the median moves."""
    signs = np.sign(np.take_along_axis(residuals, order, axis=1))
    if basis.shared:
        rows = basis.rows[:, order].transpose(1, 0, 2)
    else:
        rows = np.take_along_axis(basis.rows, order[:, None, :], axis=2)
    return np.asarray(np.einsum("bm,bpm->bp", signs, rows) / order.shape[1])
