"""Closed forms of arm x group interaction statistics from eight counts; nothing is fitted.

Counts come as two arrays of shape (4, m), cells in the order control/group 0, control/group 1,
active/group 0, active/group 1. Cells are taken to be non-empty; whoever calls masks the others.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import erfc, expit

from assayhouse.stats.arrays import BoolArray, FloatArray

_SIGN = np.array([1.0, -1.0, -1.0, 1.0])
_STEPS = 60
_CLOSE = 1e-12  # Newton doubles the digits, so the step after this one would change none


def p_value(statistic: FloatArray) -> FloatArray:
    """Return the upper tail of chi-square with one degree of freedom.

    Parameters
    ----------
    statistic : array
        At least 0; NaN stays NaN.

    Returns
    -------
    array
        erfc(sqrt(statistic / 2)).
    """
    with np.errstate(invalid="ignore"):
        return np.asarray(erfc(np.sqrt(statistic / 2)), dtype=np.float64)


def find_zero_cells(n: FloatArray, y: FloatArray) -> BoolArray:
    """Tell where any cell has no responder or nobody else.

    Parameters
    ----------
    n, y : (4, m) arrays
        Subjects and responders.

    Returns
    -------
    (m,) array of bool
        Wald is undefined there.
    """
    return np.asarray(((y == 0) | (y == n)).any(axis=0))


def wald_estimate(n: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the log ratio of odds ratios and its variance; NaN with a zero cell.

    Parameters
    ----------
    n, y : (4, m) arrays
        Subjects and responders.

    Returns
    -------
    (beta, variance)
        Both (m,).

    References
    ----------
    .. [1] Woolf B (1955), Annals of Human Genetics 19, 251-253.
    """
    f = n - y
    zero = find_zero_cells(n, y)
    with np.errstate(divide="ignore", invalid="ignore"):
        beta = np.log((y[3] * f[2] * y[0] * f[1]) / (f[3] * y[2] * f[0] * y[1]))
        variance = ((1 / y[0] + 1 / f[0]) + (1 / y[1] + 1 / f[1])) + (
            (1 / y[2] + 1 / f[2]) + (1 / y[3] + 1 / f[3])
        )
    beta[zero] = np.nan
    variance[zero] = np.nan
    return beta, variance


def firth_estimate(n: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return Firth's estimate of the interaction and its variance, always finite.

    Parameters
    ----------
    n, y : (4, m) arrays
        Subjects and responders.

    Returns
    -------
    (beta, variance)
        Both (m,).

    References
    ----------
    .. [1] Firth D (1993), Biometrika 80, 27-38, section 3.
    .. [2] Heinze G, Schemper M (2002), Statistics in Medicine 21, 2409-2419.
    """
    up, f = y + 0.5, n - y + 0.5
    beta = np.log((up[3] * f[2] * up[0] * f[1]) / (f[3] * up[2] * f[0] * up[1]))
    # (n + 1) p (1 - p) with p = (y + 1/2) / (n + 1).
    parts = (n + 1) / (up * f)
    return beta, (parts[0] + parts[1]) + (parts[2] + parts[3])


def glm_estimate(n: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what a default iterated fit prints: its variance is one step behind its estimate.

    Parameters
    ----------
    n, y : (4, m) arrays
        Subjects and responders.

    Returns
    -------
    (beta, variance)
        Both (m,); finite with zero cells too, where they mean nothing.

    References
    ----------
    .. [1] McCullagh P, Nelder JA (1989), Generalized Linear Models, section 2.5.
    """
    rate = y / n
    eta = (2 * rate - 1) * (np.log(3.0) + 4.0 / 3.0)
    weight = 3 * n / 16
    last = -2 * (n.sum(axis=0) * np.log(0.75))
    active = np.arange(n.shape[1])
    for step in range(25):
        part_n, part_y, part_eta = n[:, active], y[:, active], eta[:, active]
        mu, rest = expit(part_eta), expit(-part_eta)
        deviance = _deviance(part_n, part_y, mu, rest)
        going = ~(np.abs(deviance - last) / (np.abs(deviance) + 0.1) < 1e-8)
        if step == 24 or not going.any():
            break
        last = deviance[going]
        active = active[going]
        mu, rest = mu[:, going], rest[:, going]
        weight[:, active] = part_n[:, going] * mu * rest
        eta[:, active] = part_eta[:, going] + (rate[:, active] - mu) / (mu * rest)
    beta = eta[3] - eta[2] - eta[1] + eta[0]
    inverse = 1 / weight
    return beta, (inverse[0] + inverse[1]) + (inverse[2] + inverse[3])


def _deviance(n: FloatArray, y: FloatArray, mu: FloatArray, rest: FloatArray) -> FloatArray:
    """Return the binomial deviance over the four cells."""
    parts = np.where(y > 0, y * np.log(mu), 0.0) + np.where(n > y, (n - y) * np.log(rest), 0.0)
    return np.asarray(-2 * ((parts[0] + parts[1]) + (parts[2] + parts[3])))


def wald(n: FloatArray, y: FloatArray) -> FloatArray:
    """Return b^2 / V of the converged model; NaN with a zero cell."""
    beta, variance = wald_estimate(n, y)
    return beta * beta / variance


def firth_wald(n: FloatArray, y: FloatArray) -> FloatArray:
    """Return b^2 / V of Firth's estimate."""
    beta, variance = firth_estimate(n, y)
    return beta * beta / variance


def wald_glm(n: FloatArray, y: FloatArray) -> FloatArray:
    """Return b^2 / V as a default iterated fit prints it."""
    beta, variance = glm_estimate(n, y)
    return beta * beta / variance


def risk_contrast(n: FloatArray, y: FloatArray) -> FloatArray:
    """Return the squared z of the difference of risk differences, on (y + 1/2) / (n + 1)."""
    p = (y + 0.5) / (n + 1)
    contrast = (p[3] - p[1]) - (p[2] - p[0])
    parts = p * (1 - p) / (n + 1)
    return np.asarray(contrast * contrast / ((parts[0] + parts[1]) + (parts[2] + parts[3])))


def likelihood_ratio(n: FloatArray, y: FloatArray) -> FloatArray:
    """Return the likelihood ratio of the interaction.

    The model without interaction moves each of the eight cells by the same distance d, up in
    four and down in four, and d solves a cubic with one root between the smallest of each.

    Parameters
    ----------
    n, y : (4, m) arrays
        Subjects and responders; halves are allowed.

    Returns
    -------
    (m,) array
        G^2, at least 0, finite with zero cells too.

    References
    ----------
    .. [1] Bartlett MS (1935), Supplement to the JRSS 2, 248-252.
    """
    f = n - y
    up = np.stack([y[3], f[2], f[1], y[0]])
    down = np.stack([f[3], y[2], y[1], f[0]])
    d = solve_shift(up, down)
    return np.maximum(2 * (_surprise(up, d) + _surprise(down, -d)), 0.0)


def _surprise(observed: FloatArray, shift: FloatArray) -> FloatArray:
    """Return the sum of o log(o / (o + shift)) over the rows, 0 log 0 being 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = -observed * np.log1p(shift / observed)
    parts[observed == 0] = 0.0
    return np.asarray((parts[0] + parts[1]) + (parts[2] + parts[3]))


def solve_shift(up: FloatArray, down: FloatArray) -> FloatArray:
    """Return the d at which prod(up + d) equals prod(down - d), by bracketed Newton.

    Parameters
    ----------
    up, down : (4, m) arrays
        Cells that move up and down.

    Returns
    -------
    (m,) array
        0 where both have an empty cell.

    References
    ----------
    .. [1] Bartlett MS (1935), Supplement to the JRSS 2, 248-252.
    """
    e1, e2, e3, e4 = _symmetric(up)
    g1, g2, g3, g4 = _symmetric(down)
    c3, c2, c1, c0 = e1 + g1, e2 - g2, e3 + g3, e4 - g4
    low, high = -up.min(axis=0), down.min(axis=0)
    d = np.zeros(up.shape[1])
    active = np.flatnonzero((low < high) & (c0 != 0))
    for _ in range(_STEPS):
        if not len(active):
            break
        at, lo, hi = d[active], low[active], high[active]
        value = ((c3[active] * at + c2[active]) * at + c1[active]) * at + c0[active]
        slope = (3 * c3[active] * at + 2 * c2[active]) * at + c1[active]
        lo, hi = np.where(value < 0, at, lo), np.where(value > 0, at, hi)
        with np.errstate(divide="ignore", invalid="ignore"):
            new = at - value / slope
        new = np.where((new > lo) & (new < hi), new, np.where(value == 0, at, 0.5 * (lo + hi)))
        d[active], low[active], high[active] = new, lo, hi
        active = active[np.abs(new - at) > _CLOSE * np.abs(new)]
    return d


def _symmetric(rows: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return the four elementary symmetric functions of four rows."""
    s1, p1 = rows[0] + rows[1], rows[0] * rows[1]
    s2, p2 = rows[2] + rows[3], rows[2] * rows[3]
    return s1 + s2, p1 + p2 + s1 * s2, p1 * s2 + p2 * s1, p1 * p2


def firth(n: FloatArray, y: FloatArray) -> FloatArray:
    """Return the penalised likelihood ratio: that of the counts with one half in each cell."""
    return likelihood_ratio(n + 1, y + 0.5)


STATISTICS: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "lrt": likelihood_ratio,
    "wald": wald,
    "firth": firth,
    "firth_wald": firth_wald,
    "rd": risk_contrast,
    "wald_glm": wald_glm,
}

ESTIMATES: dict[str, Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]] = {
    "wald": wald_estimate,
    "firth": firth_estimate,
    "firth_wald": firth_estimate,
    "wald_glm": glm_estimate,
}
