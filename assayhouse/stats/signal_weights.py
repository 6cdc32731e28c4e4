"""Weights of squared residuals, made from the observed signals or given."""

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.errors import ModelDataError
from assayhouse.stats.arrays import FloatArray, as_finite, require_word


def compute_weights(weights: str | ArrayLike, signal: FloatArray) -> FloatArray:
    """Compute the weights of squared residuals.

    Parameters
    ----------
    weights : {"1/y2", "1/y", "none"} or (n,) array
        What the caller asked for.
    signal : (n,) array
        Observed signals.

    Raises
    ------
    ModelDataError
        Weights of the wrong shape, or a signal they cannot be made from.
    InputError
        An unknown word.

    References
    ----------
    .. [1] Bates DM, Watts DG (1988), Nonlinear Regression Analysis, section 1.4.
    """
    if not isinstance(weights, str):
        values = as_finite(weights, name="weights", dimensions=(1,))
        if values.shape != signal.shape or np.any(values < 0) or not np.any(values > 0):
            message = "weights must be one number per signal, not negative and not all zero."
            raise ModelDataError(message)
        return values
    require_word(weights, name="weights", known=("1/y2", "1/y", "none"))
    if weights == "none":
        return np.ones_like(signal)
    unusable = signal == 0 if weights == "1/y2" else signal <= 0
    if unusable.any():
        rows = tuple(int(row) for row in np.flatnonzero(unusable))
        message = (
            f"weights={weights!r} cannot be made from {len(rows)} signals that are zero"
            f"{'' if weights == '1/y2' else ' or negative'}; leave them out, give signals before "
            "background subtraction, or choose other weights."
        )
        raise ModelDataError(message, rows=rows)
    return signal**-2.0 if weights == "1/y2" else 1.0 / signal
