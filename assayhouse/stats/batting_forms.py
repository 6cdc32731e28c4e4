"""Closed forms of arm x group interaction statistics from eight counts; nothing is fitted.

Counts come as two arrays of shape (4, m), cells in the order control/group 0, control/group 1,
active/group 0, active/group 1. Cells are taken to be non-empty; whoever calls masks the others.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import erfc, expit

from assayhouse.stats.arrays import BoolArray, FloatArray
from assayhouse.stats.batting_lrt import firth, likelihood_ratio

_SIGN = np.array([1.0, -1.0, -1.0, 1.0])


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
