"""The model of the parametric null: arm, marker, its square and strata, no interaction."""

from dataclasses import dataclass

import numpy as np

from assayhouse.stats.arrays import FloatArray
from assayhouse.stats.batting_study import Study
from assayhouse.stats.errors import InputError

_RIDGE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class PrognosticModel:
    """Responses without interaction: arm, marker, its square, strata.

    Parameters
    ----------
    mean : (n,) array
        Chance of a response, or expected response.
    spread : float
        Residual standard deviation of a continuous response.
    """

    mean: FloatArray
    spread: float


def fit_prognostic(study: Study) -> PrognosticModel:
    """Return the fitted model of the parametric null.

    Parameters
    ----------
    study : Study
        Original data; binary or continuous.

    Returns
    -------
    PrognosticModel
        Rows that are not used have a mean of 0.

    Raises
    ------
    InputError
        Survival, for which no parametric null is defined.

    References
    ----------
    .. [1] Efron B, Tibshirani RJ (1993), An Introduction to the Bootstrap, section 6.5.
    .. [2] Hoerl AE, Kennard RW (1970), Technometrics 12, 55-67 (ridge).
    """
    columns, kept = study.columns, study.kept
    if columns.endpoint == "survival":
        message = 'null="parametric" does not exist for endpoint="survival"; use "permutation".'
        raise InputError(message)
    x, y = study.marker[kept], columns.response[kept]
    spread = float(x.std())
    z = (x - x.mean()) / (spread if spread > 0 else 1.0)
    strata = columns.stratum[kept]
    dummies = [strata == level for level in np.unique(strata)[1:]]
    design = np.column_stack([np.ones(len(x)), columns.arm[kept], z, z * z, *dummies])
    fitted = _ridge_linear(design, y)
    residual = float(np.sqrt(np.sum((y - fitted) ** 2) / max(len(y) - design.shape[1], 1)))
    if columns.endpoint == "binary":
        fitted = _ridge_logistic(design, y)
    mean = np.zeros(len(kept))
    mean[kept] = fitted
    return PrognosticModel(mean=mean, spread=residual)


def _ridge_linear(design: FloatArray, y: FloatArray) -> FloatArray:
    """Return fitted values of a least-squares fit."""
    matrix = design.T @ design + _RIDGE * np.eye(design.shape[1])
    return np.asarray(design @ np.linalg.solve(matrix, design.T @ y))


def _ridge_logistic(design: FloatArray, y: FloatArray) -> FloatArray:
    """Return fitted chances of a logistic fit, kept finite by the ridge."""
    beta = np.zeros(design.shape[1])
    for _ in range(200):
        mu = 1 / (1 + np.exp(-np.clip(design @ beta, -35, 35)))
        score = design.T @ (y - mu) - _RIDGE * beta
        matrix = design.T @ (design * (mu * (1 - mu))[:, None]) + _RIDGE * np.eye(len(beta))
        step = np.clip(np.linalg.solve(matrix, score), -2, 2)
        beta = beta + step
        if np.max(np.abs(step)) < 1e-10:
            break
    return np.asarray(1 / (1 + np.exp(-np.clip(design @ beta, -35, 35))))
