"""One concentration from several signals of a well, each weighed by what it can tell."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.errors import ModelDataError
from assayhouse.stats.arrays import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined:
    """One concentration per well from several signals of it.

    Parameters
    ----------
    value : (n,) array
        Combined concentration; NaN where no signal was in range.
    weights : (k, n) array
        Weight of each signal's logarithm, (slope / CV)^2; 0 where it was left out.
    """

    value: FloatArray
    weights: FloatArray


def combine_signals(concentrations: ArrayLike, slopes: ArrayLike, cvs: ArrayLike) -> Combined:
    """Combine the concentrations that several signals of one well give (Erenna: DE, EP, TP).

    Parameters
    ----------
    concentrations : (k, n) array
        One row per signal; NaN where a signal is out of its range.
    slopes : (k, n) array
        d log y / d log x of each signal's curve at that concentration; see `CurveFit.log_slope`.
    cvs : (k, n) or (k,) array
        Coefficient of variation of the signal, as a fraction or in percent, the same throughout.

    Returns
    -------
    Combined
        log x = sum(w log x_k) / sum(w), with w = slope^2 / CV^2.

    Raises
    ------
    ModelDataError
        Shapes that do not belong together, or a CV that is not positive where it is needed.

    References
    ----------
    .. [1] Taylor JR (1997), An Introduction to Error Analysis, eq. 7.10: weights of inverse
       variance, with var(log x) = CV^2 / slope^2 by propagation of error (eq. 3.23).

    Examples
    --------
    >>> both = combine_signals([[4.0], [9.0]], [[1.0], [1.0]], [0.1, 0.1])
    >>> both.value.round(6).tolist()
    [6.0]
    """
    x = np.asarray(concentrations, dtype=np.float64)
    slope = np.asarray(slopes, dtype=np.float64)
    cv = np.asarray(cvs, dtype=np.float64)
    cv = cv[:, None] if cv.ndim == 1 else cv
    if x.ndim != 2 or slope.shape != x.shape or cv.shape not in {x.shape, (len(x), 1)}:
        message = (
            f"concentrations of shape {x.shape}, slopes of {slope.shape} and CVs of {cv.shape} do "
            "not belong together; give one row per signal and one column per well."
        )
        raise ModelDataError(message)
    cv = np.broadcast_to(cv, x.shape)
    used = np.isfinite(x) & (x > 0) & np.isfinite(slope) & (slope != 0)
    if not np.all(cv[used] > 0):
        message = "a CV is missing or not above zero where its signal is in range."
        raise ModelDataError(message)
    weights = np.zeros_like(x)
    weights[used] = (slope[used] / cv[used]) ** 2
    total = weights.sum(axis=0)
    logs = np.zeros_like(x)
    logs[used] = np.log(x[used])
    with np.errstate(invalid="ignore"):
        value = np.exp((weights * logs).sum(axis=0) / total)
    return Combined(value=value, weights=weights)
