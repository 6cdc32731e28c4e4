"""Limits of a stratified difference of two proportions, from counts and weights.

Every function takes strata in which both arms have subjects and weights that sum to one.
What is done about empty strata, and the tables, are in `proportions`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from assayhouse.stats.arrays import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Strata:
    """Counts of strata that can be used.

    Parameters
    ----------
    y1, n1, y0, n0 : (K,) arrays
        Responders and subjects of the active arm and of control.
    weights : (K,) array
        Sum to one.
    """

    y1: FloatArray
    n1: FloatArray
    y0: FloatArray
    n0: FloatArray
    weights: FloatArray

    def difference(self) -> float:
        """Return the weighted difference of the rates."""
        return float(np.sum(self.weights * (self.y1 / self.n1 - self.y0 / self.n0)))


def wilson_limits(y: FloatArray, n: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return Wilson's limits; NaN where there is nobody.

    Parameters
    ----------
    y, n, z : arrays that broadcast
        Responders, subjects and normal quantile.

    Returns
    -------
    (lower, upper)
        0 and 1 exactly where nobody or everybody responds.

    References
    ----------
    .. [1] Wilson EB (1927), JASA 22, 209-212.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = y / n
        square = z * z / n
        centre = (rate + square / 2) / (1 + square)
        half = z * np.sqrt(rate * (1 - rate) / n + square / (4 * n)) / (1 + square)
        lower = np.where(y == 0, np.where(n == 0, np.nan, 0.0), centre - half)
        upper = np.where(y == n, np.where(n == 0, np.nan, 1.0), centre + half)
    return lower, upper


def newcombe_limits(strata: Strata, z: float) -> tuple[float, float]:
    """Return the hybrid score limits of Yan and Su.

    Parameters
    ----------
    strata : Strata
        Counts and weights.
    z : float
        Normal quantile.

    Returns
    -------
    (float, float)
        Lower and upper limit.

    References
    ----------
    .. [1] Yan X, Su XG (2010), Statistics in Biopharmaceutical Research 2, 329-335, eq. 2-5.
    .. [2] Newcombe RG (1998), Statistics in Medicine 17, 873-890, method 10.
    """
    low1, high1, share1 = _pooled_wilson(strata.y1, strata.n1, strata.weights, z)
    low0, high0, share0 = _pooled_wilson(strata.y0, strata.n0, strata.weights, z)
    difference = strata.difference()
    down = np.sqrt(share1 * low1 * (1 - low1) + share0 * high0 * (1 - high0))
    up = np.sqrt(share0 * low0 * (1 - low0) + share1 * high1 * (1 - high1))
    return difference - z * float(down), difference + z * float(up)


def _pooled_wilson(
    y: FloatArray, n: FloatArray, weights: FloatArray, z: float
) -> tuple[float, float, float]:
    """Return one arm's weighted Wilson limits and the sum of w^2/n."""
    rate = y / n
    spread = np.sqrt(rate * (1 - rate) / n)
    total = float(np.sum(weights * spread))
    quantile = z if total == 0 else z * float(np.sqrt(np.sum((weights * spread) ** 2))) / total
    low, high = wilson_limits(y, n, np.full(len(y), quantile))
    clipped = [min(max(float(np.sum(weights * limit)), 0.0), 1.0) for limit in (low, high)]
    return clipped[0], clipped[1], float(np.sum(weights**2 / n))


def wald_limits(strata: Strata, z: float) -> tuple[float, float]:
    """Return the limits from binomial variances.

    Parameters
    ----------
    strata, z
        As `newcombe_limits`.

    Returns
    -------
    (float, float)
        Lower and upper limit.

    References
    ----------
    .. [1] Mehrotra DV, Railkar R (2000), Statistics in Medicine 19, 811-825.
    """
    rate1, rate0 = strata.y1 / strata.n1, strata.y0 / strata.n0
    variance = rate1 * (1 - rate1) / strata.n1 + rate0 * (1 - rate0) / strata.n0
    half = z * float(np.sqrt(np.sum(strata.weights**2 * variance)))
    return strata.difference() - half, strata.difference() + half


def sato_limits(strata: Strata, z: float) -> tuple[float, float]:
    """Return the limits from Sato's variance of the Mantel-Haenszel difference.

    Parameters
    ----------
    strata, z
        As `newcombe_limits`.

    Returns
    -------
    (float, float)
        Lower and upper limit.

    References
    ----------
    .. [1] Sato T (1989), Biometrics 45, 1323-1324.
    """
    y1, n1, y0, n0 = strata.y1, strata.n1, strata.y0, strata.n0
    size = n1 + n0
    p = (n1**2 * y0 - n0**2 * y1 + n1 * n0 * (n0 - n1) / 2) / size**2
    q = (y1 * (n0 - y0) + y0 * (n1 - y1)) / (2 * size)
    difference = strata.difference()
    variance = (difference * np.sum(p) + np.sum(q)) / np.sum(n1 * n0 / size) ** 2
    half = z * float(np.sqrt(max(float(variance), 0.0)))
    return difference - half, difference + half


def miettinen_nurminen_limits(strata: Strata, z: float) -> tuple[float, float]:
    """Return the stratified score limits with fixed weights.

    Parameters
    ----------
    strata, z
        As `newcombe_limits`.

    Returns
    -------
    (float, float)
        Lower and upper limit.

    References
    ----------
    .. [1] Miettinen O, Nurminen M (1985), Statistics in Medicine 4, 213-226, eq. 9 and 21.
    """
    estimate = strata.difference()

    def excess(delta: float, sign: float) -> float:
        variance = _restricted_variance(strata, delta)
        return sign * (estimate - delta) - z * float(np.sqrt(np.sum(strata.weights**2 * variance)))

    lower = _root(lambda delta: excess(delta, 1.0), estimate, -1.0)
    upper = _root(lambda delta: excess(delta, -1.0), estimate, 1.0)
    return lower, upper


def _root(excess: Callable[[float], float], inside: float, edge: float) -> float:
    """Return where a score leaves the interval between the estimate and the edge."""
    if inside == edge or excess(edge) <= 0:
        return edge
    return float(brentq(excess, inside, edge, xtol=1e-15, rtol=1e-14))


def _restricted_variance(strata: Strata, delta: float) -> FloatArray:
    """Return the variance of each difference under the given true difference (eq. 9)."""
    n1, n0 = strata.n1, strata.n0
    size, total = n1 + n0, strata.y1 + strata.y0
    l3 = size
    l2 = (n1 + 2 * n0) * delta - size - total
    l1 = (n0 * delta - size - 2 * strata.y0) * delta + total
    l0 = strata.y0 * delta * (1 - delta)
    q = l2**3 / (3 * l3) ** 3 - l1 * l2 / (6 * l3**2) + l0 / (2 * l3)
    p = np.where(q >= 0, 1.0, -1.0) * np.sqrt(np.maximum((l2 / (3 * l3)) ** 2 - l1 / (3 * l3), 0.0))
    ratio = np.divide(q, p**3, out=np.zeros_like(q), where=p != 0)
    angle = (np.pi + np.arccos(np.clip(ratio, -1.0, 1.0))) / 3
    rate0 = np.clip(2 * p * np.cos(angle) - l2 / (3 * l3), 0.0, 1.0)
    rate1 = np.clip(rate0 + delta, 0.0, 1.0)
    variance = rate1 * (1 - rate1) / n1 + rate0 * (1 - rate0) / n0
    return np.asarray(variance * size / (size - 1))
