"""Normal distribution cut at limits: draws from uniform numbers, and moments of a sample."""

import numpy as np
from scipy.special import log_ndtr, ndtri_exp

from assayhouse.stats.arrays import FloatArray

_SMALLEST = 2.0**-54
_ROUNDS = 40


def draw_truncated(
    mean: FloatArray, sd: FloatArray, lower: FloatArray, upper: FloatArray, uniform: FloatArray
) -> FloatArray:
    """Draw from normal distributions between limits, by inversion in the logarithm.

    Parameters
    ----------
    mean, sd, lower, upper, uniform : arrays that broadcast
        Limits are infinite where there is none; uniform from 0 to 1.

    Returns
    -------
    array
        Never beyond a limit, however far that lies in the tail.

    References
    ----------
    .. [1] Robert CP (1995), Stat Comput 5, 121-125.

    Examples
    --------
    >>> zero, one = np.zeros(1), np.ones(1)
    >>> draw_truncated(zero, one, np.array([-np.inf]), zero, np.array([0.5])).round(4).tolist()
    [-0.6745]
    """
    unit = np.where(sd > 0, sd, 1.0)
    a, b = (lower - mean) / unit, (upper - mean) / unit
    # In the upper tail the mirror image keeps the digits.
    mirror = a > 0
    low, high = np.where(mirror, -b, a), np.where(mirror, -a, b)
    log_low, log_high = log_ndtr(low), log_ndtr(high)
    u = np.maximum(uniform, _SMALLEST)
    z = ndtri_exp(log_high + np.log(u + (1.0 - u) * np.exp(log_low - log_high)))
    drawn = mean + np.where(mirror, -z, z) * np.where(sd > 0, sd, 0.0)
    return np.asarray(np.clip(drawn, lower, upper), dtype=np.float64)


def fit_censored(values: FloatArray, lower: FloatArray, upper: FloatArray) -> tuple[float, float]:
    """Mean and standard deviation of a normal sample of which some values lie beyond limits.

    Parameters
    ----------
    values : (n,) array
        NaN where only limits are known.
    lower, upper : (n,) arrays
        Limits of those; infinite where there is none.

    Returns
    -------
    (float, float)
        Mean and standard deviation after a fixed number of EM steps.

    References
    ----------
    .. [1] Dempster AP, Laird NM, Rubin DB (1977), JRSS B 39, 1-22, section 4.2.

    Examples
    --------
    >>> seen = np.array([1.0, 2.0, 3.0])
    >>> open_end = np.full(3, np.inf)
    >>> [round(value, 3) for value in fit_censored(seen, -open_end, open_end)]
    [2.0, 0.816]
    """
    hidden = np.isnan(values)
    nearest = np.where(np.isfinite(upper), upper, lower)
    filled = np.where(hidden, nearest, values)
    mean, sd = float(filled.mean()), float(filled.std())
    for _ in range(_ROUNDS if hidden.any() and sd > 0 else 0):
        first, second = _moments(lower[hidden], upper[hidden], mean, sd)
        filled[hidden] = first
        mean = float(filled.mean())
        spread = np.square(filled - mean)
        spread[hidden] += second
        sd = float(np.sqrt(spread.mean()))
    return mean, sd


def _moments(
    lower: FloatArray, upper: FloatArray, mean: float, sd: float
) -> tuple[FloatArray, FloatArray]:
    """Mean and variance between limits."""
    a, b = np.clip((lower - mean) / sd, -30, 30), np.clip((upper - mean) / sd, -30, 30)
    log_density = -0.5 * np.log(2 * np.pi)
    mirror = a > 0
    low, high = np.where(mirror, -b, a), np.where(mirror, -a, b)
    log_share = log_ndtr(high) + np.log1p(-np.exp(log_ndtr(low) - log_ndtr(high)))
    at_a = np.exp(log_density - 0.5 * a * a - log_share)
    at_b = np.exp(log_density - 0.5 * b * b - log_share)
    shift = at_a - at_b
    variance = 1.0 + a * at_a - b * at_b - shift * shift
    return mean + sd * shift, sd * sd * np.clip(variance, 0.0, 1.0)
