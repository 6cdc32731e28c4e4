"""Least squares of any model a caller writes: the optimiser under the curves, open to proof."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.stats.arrays import FloatArray, as_finite
from assayhouse.stats.errors import InputError
from assayhouse.stats.least_squares import (
    Problem,
    compute_std_errors,
    differences,
    minimise_stubbornly,
)
from assayhouse.stats.signal_weights import compute_weights


@dataclass(frozen=True, slots=True, kw_only=True)
class NonlinearFit:
    """Least-squares fit of a model that the caller wrote.

    Parameters
    ----------
    parameters : (p,) array
        Estimates.
    std_errors : (p,) array
        Their standard errors; NaN where the information is singular.
    rss : float
        Weighted residual sum of squares.
    status : str
        "ok", or "failed": the end is no regular minimum and its numbers are not to be used.
    """

    parameters: FloatArray
    std_errors: FloatArray
    rss: float
    status: str


def fit_nonlinear(
    model: Callable[[FloatArray, FloatArray], ArrayLike],
    x: ArrayLike,
    y: ArrayLike,
    start: ArrayLike,
    *,
    weights: ArrayLike | None = None,
) -> NonlinearFit:
    """Fit any model by weighted least squares: the optimiser under `fit_curve`.

    Parameters
    ----------
    model : callable
        ``model(x, parameters)`` with parameters (p,) to (n,) values.
    x : array
        Handed to the model as it is.
    y : (n,) array
        Observations.
    start : (p,) array
        Where to begin; only its neighbourhood is searched.
    weights : (n,) array, optional
        Of the squared residuals.

    Returns
    -------
    NonlinearFit
        Status "failed" where no regular minimum was reached.

    Raises
    ------
    ModelDataError
        A value that is not finite, or shapes that do not belong together.
    InputError
        The model does not return one number per observation.

    References
    ----------
    .. [1] Moré JJ (1978), The Levenberg-Marquardt algorithm: implementation and theory, LNM 630.
    .. [2] Bates DM, Watts DG (1988), Nonlinear Regression Analysis, eq. 2.18 (standard errors).

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 3.0, 4.0])
    >>> fit = fit_nonlinear(lambda x, p: p[0] * np.exp(p[1] * x), x, 2 * np.exp(0.5 * x), [1, 1])
    >>> fit.status, fit.parameters.round(8).tolist()
    ('ok', [2.0, 0.5])
    """
    observed = as_finite(y, name="y", dimensions=(1,))
    first = as_finite(start, name="start", dimensions=(1,))
    given = np.asarray(x, dtype=np.float64)
    root = (
        np.ones_like(observed) if weights is None else np.sqrt(compute_weights(weights, observed))
    )

    def fitted(parameters: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            value = np.asarray(model(given, parameters), dtype=np.float64)
        if value.shape != observed.shape:
            message = f"the model returns shape {value.shape} for {observed.shape} observations."
            raise InputError(message)
        return value

    size = np.where(first == 0, 1.0, np.abs(first))
    problem = Problem(
        residuals=lambda parameters: (fitted(parameters) - observed) * root,
        jacobian=lambda parameters: differences(fitted, parameters, size) * root[:, None],
        lower=np.full(first.shape, -np.inf),
        upper=np.full(first.shape, np.inf),
    )
    end = minimise_stubbornly(problem, first)
    errors = np.full(first.shape, np.nan)
    if end.settled:
        errors = compute_std_errors(problem.jacobian(end.parameters), end.rss)
    return NonlinearFit(
        parameters=end.parameters,
        std_errors=errors,
        rss=end.rss,
        status="ok" if end.settled else "failed",
    )
