"""Rubin's rules: one answer from the estimates of many completed data sets.

Estimates are pooled on the scale they come on; logs are exponentiated by whoever shows them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.errors import ModelDataError
from assayhouse.stats.arrays import FloatArray, as_finite, require_word
from assayhouse.stats.errors import InputError
from assayhouse.stats.student import two_sided_p, upper_quantile


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledEstimate:
    """Pooled estimates: numbers for one quantity, (k,) arrays for k.

    Parameters
    ----------
    estimate, std_error : float or (k,) array
        Mean of the estimates; square root of the total variance.
    df, statistic, p_value, ci_low, ci_high : float or (k,) array
        Two-sided t test and interval; normal where df are infinite.
    within, between : float or (k,) array
        Mean variance, and variance of the estimates.
    riv, lambda_, fmi : float or (k,) array
        Relative increase of the variance, share of it due to missing values, and fraction of
        missing information.
    mc_error : float or (k,) array
        Standard error of the estimate over repeated imputation, sqrt(between / m).
    m : int
        Number of completed data sets.
    """

    estimate: float | FloatArray
    std_error: float | FloatArray
    df: float | FloatArray
    statistic: float | FloatArray
    p_value: float | FloatArray
    ci_low: float | FloatArray
    ci_high: float | FloatArray
    within: float | FloatArray
    between: float | FloatArray
    riv: float | FloatArray
    lambda_: float | FloatArray
    fmi: float | FloatArray
    mc_error: float | FloatArray
    m: int


def pool_rubin(
    estimates: ArrayLike,
    variances: ArrayLike,
    *,
    df_complete: float | FloatArray = np.inf,
    df_method: str = "barnard_rubin",
    lambda_floor: float = 0.0,
    conf_level: float = 0.95,
) -> PooledEstimate:
    """Pool one estimate per completed data set with Rubin's rules.

    Barnard and Rubin's degrees of freedom do not credit a small trial with more information
    than its complete data would carry; Rubin's of 1987 do, and are what SAS gives by default.

    Parameters
    ----------
    estimates, variances : (m,) or (m, k) array
        Estimates and their squared standard errors, one row per completed data set.
    df_complete : float or (k,) array
        Residual degrees of freedom of the complete data.
    df_method : {"barnard_rubin", "rubin1987"}
        Which degrees of freedom.
    lambda_floor : float
        Smallest lambda used for the degrees of freedom (mice: 1e-4); ``lambda_`` is without it.
    conf_level : float
        Of the interval.

    Returns
    -------
    PooledEstimate
        Numbers where the input is (m,), (k,) arrays where it is (m, k).

    Raises
    ------
    ModelDataError
        Fewer than two data sets, unequal shapes, a value that is not finite, a variance that is
        not above zero.
    InputError
        An option that is unknown or out of range.

    References
    ----------
    .. [1] Rubin DB (1987), Multiple Imputation for Nonresponse in Surveys, equations 3.1.2 to
       3.1.6 (total variance, degrees of freedom) and 3.1.10 (fraction of missing information).
    .. [2] Barnard J, Rubin DB (1999), Biometrika 86(4), 948-955, equations 3 to 5.

    Examples
    --------
    >>> pooled = pool_rubin([1.0, 1.2, 0.8], [0.25, 0.25, 0.25])
    >>> round(pooled.estimate, 3), round(pooled.std_error, 3)
    (1.0, 0.551)
    """
    _check_options(df_complete, df_method, lambda_floor, conf_level)
    q = as_finite(estimates, name="estimates", dimensions=(1, 2))
    u = as_finite(variances, name="variances", dimensions=(1, 2))
    _check_data(q, u)
    m = len(q)
    estimate, within = q.mean(axis=0), u.mean(axis=0)
    # Identical sets must have no variance at all, whatever the mean's last digit.
    between = np.where((q == q[:1]).all(axis=0), 0.0, q.var(axis=0, ddof=1))
    added = (1.0 + 1.0 / m) * between
    total = within + added
    share = added / total
    df = _degrees(
        share,
        within / total,
        m=m,
        df_complete=df_complete,
        df_method=df_method,
        lambda_floor=lambda_floor,
    )
    riv = added / within
    error = np.sqrt(total)
    reach = upper_quantile(conf_level, df) * error
    found = {
        "estimate": estimate,
        "std_error": error,
        "df": df,
        "statistic": estimate / error,
        "p_value": two_sided_p(estimate / error, df),
        "ci_low": estimate - reach,
        "ci_high": estimate + reach,
        "within": within,
        "between": between,
        "riv": riv,
        "lambda_": share,
        "fmi": (riv + 2.0 / (df + 3.0)) / (1.0 + riv),
        "mc_error": np.sqrt(between / m),
    }
    if q.ndim == 1:
        return PooledEstimate(**{name: float(value) for name, value in found.items()}, m=m)
    return PooledEstimate(**found, m=m)


def _degrees(
    share: FloatArray,
    kept: FloatArray,
    *,
    m: int,
    df_complete: float | FloatArray,
    df_method: str,
    lambda_floor: float,
) -> FloatArray:
    """Degrees of freedom; ``kept`` is 1 - share without the rounding."""
    floored = np.maximum(share, lambda_floor)
    with np.errstate(divide="ignore", over="ignore"):
        per_old = floored**2 / (m - 1)
        if df_method == "rubin1987":
            return np.asarray(1.0 / per_old)
        v = np.where(np.isinf(df_complete), 1.0, df_complete)
        observed = (v + 1) / (v + 3) * v * np.minimum(kept, 1.0 - lambda_floor)
        per_observed = np.where(np.isinf(df_complete), 0.0, 1.0 / observed)
        return np.asarray(1.0 / (per_old + per_observed))


def _check_data(estimates: FloatArray, variances: FloatArray) -> None:
    if estimates.shape != variances.shape:
        message = (
            f"estimates have shape {estimates.shape}, variances {variances.shape}; give one "
            "variance per estimate."
        )
        raise ModelDataError(message)
    if len(estimates) < 2:
        message = "One completed data set has no variance between sets; pool two or more."
        raise ModelDataError(message)
    wrong = np.flatnonzero((variances <= 0).reshape(len(variances), -1).any(axis=1))
    if len(wrong):
        message = f"{len(wrong)} completed data sets have a variance that is not above zero."
        raise ModelDataError(message, rows=tuple(int(row) for row in wrong))


def _check_options(
    df_complete: float | FloatArray, df_method: str, lambda_floor: float, conf_level: float
) -> None:
    require_word(df_method, name="df_method", known=("barnard_rubin", "rubin1987"))
    if not np.all(np.asarray(df_complete) > 0):
        message = "df_complete must be above zero."
        raise InputError(message)
    if not 0 <= lambda_floor < 1:
        message = f"lambda_floor={lambda_floor!r} must lie from 0 to below 1."
        raise InputError(message)
    if not 0 < conf_level < 1:
        message = f"conf_level={conf_level!r} must lie between 0 and 1."
        raise InputError(message)
