"""Influence functions and scales of M-estimation, row by row. No iteration, no regression."""

import numpy as np
from scipy.special import ndtr, ndtri

from assayhouse.stats.arrays import FloatArray

PHI75 = float(ndtri(0.75))
"""Phi^-1(0.75): the median of |z| under the normal distribution, exact."""

MASS_MAD = 0.6745
"""The same constant as MASS::rlm rounds it."""

PROPOSAL2_LIMIT = 1.345
"""k2 of Huber's proposal 2."""

DEFAULT_TUNING = {"huber": 1.345, "bisquare": 4.685, "ols": np.inf}


def compute_weights(u: FloatArray, *, psi: str, tuning: float) -> FloatArray:
    """Compute the weight psi(u)/u of each standardised residual.

    Parameters
    ----------
    u : (b, n) array
        Residuals divided by their scale.
    psi : {"huber", "bisquare"}
        Influence function.
    tuning : float
        k of Huber, c of the bisquare, in units of the scale.

    Returns
    -------
    (b, n) array
        Between 0 and 1.

    References
    ----------
    .. [1] Huber PJ (1973), Ann Stat 1, 799.
    .. [2] Beaton AE, Tukey JW (1974), Technometrics 16, 147.

    Examples
    --------
    >>> compute_weights(np.array([[0.5, 2.69]]), psi="huber", tuning=1.345).tolist()
    [[1.0, 0.5]]
    """
    if psi == "huber":
        return tuning / np.maximum(np.abs(u), tuning)
    inside = np.maximum(1.0 - (u / tuning) ** 2, 0.0)
    return inside * inside


def compute_slopes(u: FloatArray, *, psi: str, tuning: float) -> FloatArray:
    """Compute the derivative psi'(u) of each standardised residual.

    Parameters
    ----------
    u : (b, n) array
        Residuals divided by their scale.
    psi : {"huber", "bisquare"}
        Influence function.
    tuning : float
        k of Huber, c of the bisquare, in units of the scale.

    Returns
    -------
    (b, n) array
        Negative where the bisquare falls again.

    References
    ----------
    .. [1] Huber PJ (1981), Robust Statistics, section 7.6.

    Examples
    --------
    >>> compute_slopes(np.array([[0.5, 2.0]]), psi="huber", tuning=1.345).tolist()
    [[1.0, 0.0]]
    """
    if psi == "huber":
        return (np.abs(u) <= tuning).astype(np.float64)
    t = (u / tuning) ** 2
    return np.where(t < 1.0, (1.0 - t) * (1.0 - 5.0 * t), 0.0)


def median_absolute(residuals: FloatArray) -> FloatArray:
    """Median of the absolute values of each row: the MAD about zero, without its constant.

    Parameters
    ----------
    residuals : (b, n) array
        One row per fit.

    Returns
    -------
    (b,) array
        Mean of the two middle values where n is even.

    Examples
    --------
    >>> median_absolute(np.array([[-3.0, 1.0, 2.0, -8.0]])).tolist()
    [2.5]
    """
    size = residuals.shape[1]
    middle = size // 2
    ordered = np.partition(np.abs(residuals), middle, axis=1)
    upper = ordered[:, middle]
    if size % 2:
        return upper.copy()
    # The value below the upper middle is the largest of those left of it.
    return np.asarray(0.5 * (ordered[:, :middle].max(axis=1) + upper), dtype=np.float64)


def proposal2_step(residuals: FloatArray, scale: FloatArray, *, df: int) -> FloatArray:
    """One step of Huber's proposal 2 from the scale before it.

    Parameters
    ----------
    residuals : (b, n) array
        One row per fit.
    scale : (b,) array
        Scale of the step before.
    df : int
        n - p of the regression.

    Returns
    -------
    (b,) array
        The next scale.

    References
    ----------
    .. [1] Huber PJ (1981), Robust Statistics, section 7.8.
    """
    k2 = PROPOSAL2_LIMIT
    theta = 2.0 * float(ndtr(k2)) - 1.0
    density = np.exp(-0.5 * k2 * k2) / np.sqrt(2.0 * np.pi)
    gamma = theta + k2 * k2 * (1.0 - theta) - 2.0 * k2 * density
    clipped = np.minimum(np.abs(residuals), (k2 * scale)[:, None])
    return np.asarray(np.sqrt(np.einsum("bn,bn->b", clipped, clipped) / (df * gamma)))


def compute_spread(values: FloatArray) -> FloatArray:
    """Yardstick against which a scale counts as collapsed.

    Parameters
    ----------
    values : (b, n) array
        One row per fit.

    Returns
    -------
    (b,) array
        Interquartile range, else range, else largest absolute value: the first above zero.

    Examples
    --------
    >>> compute_spread(np.array([[0.0, 1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 1.0, 1.0, 7.0]])).tolist()
    [2.0, 6.0]
    """
    low, high = np.quantile(values, [0.25, 0.75], axis=1)
    quartiles = high - low
    extent = values.max(axis=1) - values.min(axis=1)
    largest = np.abs(values).max(axis=1)
    return np.asarray(np.where(quartiles > 0, quartiles, np.where(extent > 0, extent, largest)))
