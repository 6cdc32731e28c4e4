"""Student's t with any degrees of freedom, infinite ones included, without scipy.stats."""

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from assayhouse.stats.arrays import FloatArray


def two_sided_p(statistic: FloatArray, df: FloatArray) -> FloatArray:
    """Two-sided p of a t statistic.

    Parameters
    ----------
    statistic, df : arrays of one shape
        Infinite df are the normal distribution.

    Returns
    -------
    array
        NaN where an argument is.

    References
    ----------
    .. [1] Johnson NL, Kotz S, Balakrishnan N (1995), Continuous Univariate Distributions, vol. 2,
       chapter 28.

    Examples
    --------
    >>> np.round(two_sided_p(np.array([1.96, 1.96]), np.array([np.inf, 10.0])), 4).tolist()
    [0.05, 0.0784]
    """
    lower = -np.abs(statistic)
    finite = np.where(np.isinf(df), 1.0, df)
    return np.asarray(2.0 * np.where(np.isinf(df), ndtr(lower), stdtr(finite, lower)))


def upper_quantile(level: float, df: FloatArray) -> FloatArray:
    """Return the quantile beyond which half of what a two-sided interval leaves out lies.

    Parameters
    ----------
    level : float
        Confidence level.
    df : array
        Infinite df are the normal distribution.

    Returns
    -------
    array
        Multiples of a standard error.

    References
    ----------
    .. [1] Johnson NL, Kotz S, Balakrishnan N (1995), Continuous Univariate Distributions, vol. 2,
       chapter 28.

    Examples
    --------
    >>> np.round(upper_quantile(0.95, np.array([np.inf, 10.0])), 3).tolist()
    [1.96, 2.228]
    """
    share = 0.5 + level / 2.0
    finite = np.where(np.isinf(df), 1.0, df)
    return np.asarray(np.where(np.isinf(df), ndtri(share), stdtrit(finite, share)))
