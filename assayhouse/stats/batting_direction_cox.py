"""Cox model of arm, marker and their product, for the sign of the product only."""

import numpy as np

from assayhouse.stats.arrays import FloatArray

_LIMIT = 15.0
"""Coefficient, per standard deviation of the marker, beyond which there is no finite maximum."""


def cox_interaction(x: FloatArray, arm: FloatArray, time: FloatArray, event: FloatArray) -> float:
    """Return a number with the sign of arm x marker on the log hazard.

    Parameters
    ----------
    x, arm, time, event : (n,) arrays
        Marker in standard deviations, arm, time, 1 for an event.

    Returns
    -------
    float
        The coefficient, or its score where there is no finite maximum.

    References
    ----------
    .. [1] Cox DR (1972), JRSS B 34, 187-220.
    .. [2] Efron B (1977), JASA 72, 557-565, section 3.
    """
    if not event.any():
        return 0.0
    design = np.column_stack([arm, x, arm * x])
    beta, settled = _fit(design, time, event)
    if settled:
        return float(beta[2])
    small, _ = _fit(design[:, :2], time, event)
    _, score, _ = _evaluate(design, time, event, np.append(small, 0.0))
    return 0.0 if abs(score[2]) <= 1e-9 * event.sum() else float(score[2])


def _fit(design: FloatArray, time: FloatArray, event: FloatArray) -> tuple[FloatArray, bool]:
    """Return coefficients and whether they are a finite maximum."""
    beta = np.zeros(design.shape[1])
    step: FloatArray = np.zeros_like(beta)
    value = -np.inf
    for _ in range(100):
        found, score, information = _evaluate(design, time, event, beta)
        if found < value - 1e-10 * abs(value):
            step = step / 2
            beta = beta - step
            continue
        value = found
        step = np.asarray(np.linalg.lstsq(information, score, rcond=1e-12)[0], dtype=np.float64)
        beta = beta + step
        if np.max(np.abs(beta)) > _LIMIT:
            return np.clip(beta, -_LIMIT, _LIMIT), False
        if np.max(np.abs(step)) < 1e-9:
            return beta, bool(np.linalg.matrix_rank(information) == len(beta))
    return beta, False


def _evaluate(
    design: FloatArray, time: FloatArray, event: FloatArray, beta: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Return log partial likelihood, score and information with Efron's ties."""
    order = np.argsort(-time, kind="stable")
    z, t, died = design[order], time[order], event[order] == 1
    p = z.shape[1]
    eta = z @ beta
    risk = np.exp(eta)
    parts = np.column_stack(
        [
            risk,
            risk[:, None] * z,
            (risk[:, None, None] * z[:, :, None] * z[:, None, :]).reshape(-1, p * p),
        ]
    )
    times, at = np.unique(-t[died], return_inverse=True)
    upto = np.searchsorted(-t, times, side="right") - 1
    total = np.cumsum(parts, axis=0)[upto]
    tied = np.zeros_like(total)
    np.add.at(tied, at, parts[died])
    n_tied = np.bincount(at)
    term = np.repeat(np.arange(len(times)), n_tied)
    share = (np.arange(len(term)) - (np.cumsum(n_tied) - n_tied)[term]) / n_tied[term]
    sums = total[term] - share[:, None] * tied[term]
    mean = sums[:, 1 : p + 1] / sums[:, :1]
    square = (sums[:, p + 1 :] / sums[:, :1]).sum(axis=0).reshape(p, p)
    value = float(eta[died].sum() - np.log(sums[:, 0]).sum())
    return value, z[died].sum(axis=0) - mean.sum(axis=0), square - mean.T @ mean
