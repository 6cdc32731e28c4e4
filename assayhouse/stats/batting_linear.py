"""Interaction of arm and group for a continuous response, from counts, sums and squares."""

import numpy as np
from scipy.special import stdtr

from assayhouse.stats.arrays import FloatArray

_NOTHING = 1e-13
"""Residual share of the squares below which a fit is called exact and has no statistic."""


def linear_estimate(
    n: FloatArray, sums: FloatArray, squares: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the difference of differences of means, its variance and the residual squares.

    Parameters
    ----------
    n, sums, squares : (4, m) arrays
        Subjects, sums and sums of squares of the centred response per cell.

    Returns
    -------
    (beta, variance, rss)
        NaN where there are no residual degrees of freedom or no residuals.

    References
    ----------
    .. [1] Searle SR (1971), Linear Models, section 7.2.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = sums / n
        within = squares - sums * mean
        rss = (within[0] + within[1]) + (within[2] + within[3])
        total = (squares[0] + squares[1]) + (squares[2] + squares[3])
        size = (n[0] + n[1]) + (n[2] + n[3])
        rss = np.where((size > 4) & (rss > _NOTHING * total), rss, np.nan)
        beta = (mean[3] - mean[2]) - (mean[1] - mean[0])
        inverse = 1 / n
        spread = (inverse[0] + inverse[1]) + (inverse[2] + inverse[3])
        variance = rss / (size - 4) * spread
    return beta, variance, rss


def linear_statistic(
    n: FloatArray, sums: FloatArray, squares: FloatArray, *, test: str
) -> FloatArray:
    """Return t^2 ("wald") or N log(RSS0 / RSS1) ("lrt") of the interaction.

    Parameters
    ----------
    n, sums, squares : (4, m) arrays
        As `linear_estimate`.
    test : {"wald", "lrt"}
        Which.

    Returns
    -------
    (m,) array
        NaN where undefined.

    References
    ----------
    .. [1] Searle SR (1971), Linear Models, section 7.2.
    """
    beta, variance, _ = linear_estimate(n, sums, squares)
    with np.errstate(divide="ignore", invalid="ignore"):
        square = beta * beta / variance
        if test == "wald":
            return square
        size = (n[0] + n[1]) + (n[2] + n[3])
        return np.asarray(size * np.log1p(square / (size - 4)))


def t_p_value(square: FloatArray, df: FloatArray) -> FloatArray:
    """Return the two-sided p value of t^2.

    Parameters
    ----------
    square : array
        t^2.
    df : array
        Degrees of freedom.

    Returns
    -------
    array
        NaN stays NaN.

    References
    ----------
    .. [1] Student (1908), Biometrika 6, 1-25.
    """
    with np.errstate(invalid="ignore"):
        return np.asarray(2 * stdtr(df, -np.sqrt(square)), dtype=np.float64)
