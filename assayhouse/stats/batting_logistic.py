"""Logistic fits of grouped data, many at once by Newton's steps.

Sums over units are taken one by one, so a fit has the same bits in any batch.
"""

from dataclasses import dataclass

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray

SETTLED = 1e-11
"""Change of the deviance, relative, after which two more steps are made."""

ALIASED = 1e-13
"""Share of a column's information below which it is a combination of earlier columns."""

MAX_STEPS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Newton:
    """A batch of fits of one model.

    Parameters
    ----------
    beta : (p, m) array
        Coefficients.
    deviance : (m,) array
        At the end.
    pivot, step : (m,) arrays
        Information of the last column given the others, and its last step.
    aliased : (m,) array of bool
        The last column is a combination of the others.
    """

    beta: FloatArray
    deviance: FloatArray
    pivot: FloatArray
    step: FloatArray
    aliased: BoolArray


def fit_logistic(design: FloatArray, n: FloatArray, y: FloatArray, start: FloatArray) -> Newton:
    """Return maximum likelihood fits by Newton's steps, halved where the deviance rises.

    Parameters
    ----------
    design : (u, p) array
        Columns of the units.
    n, y : (u, m) arrays
        Subjects and responders.
    start : (p, m) array
        Coefficients to start from.

    Returns
    -------
    Newton
        Fits; a deviance that falls without end is followed until it moves no more.

    References
    ----------
    .. [1] McCullagh P, Nelder JA (1989), Generalized Linear Models, section 2.5.
    """
    m = n.shape[1]
    beta, last = start.copy(), np.full(m, np.inf)
    move = np.zeros_like(beta)
    pivot, step = np.zeros(m), np.zeros(m)
    aliased = np.zeros(m, dtype=bool)
    left = np.full(m, -1)
    active = np.arange(m)
    for turn in range(MAX_STEPS):
        at_n, at_y = n[:, active], y[:, active]
        deviance, weight, residual = _evaluate(design, at_n, at_y, beta[:, active])
        worse = deviance > last[active] * (1 + 1e-12) + 1e-12
        # A step too long is taken back by half before anything else is decided.
        move[:, active[worse]] *= 0.5
        beta[:, active[worse]] -= move[:, active[worse]]
        good = active[~worse]
        deviance, weight, residual = deviance[~worse], weight[:, ~worse], residual[:, ~worse]
        settled = np.abs(last[good] - deviance) <= SETTLED * (np.abs(deviance) + 0.1)
        last[good] = deviance
        left[good] = np.where(left[good] >= 0, left[good] - 1, np.where(settled, 2, -1))
        new, last_pivot, alias = _newton_step(design, weight, residual)
        if turn == 0:
            aliased[good] = alias
        going = left[good] != 0
        pivot[good], step[good] = last_pivot, new[-1]
        move[:, good] = new
        beta[:, good[going]] += new[:, going]
        active = active[left[active] != 0]
        if not len(active):
            break
    return Newton(beta=beta, deviance=last, pivot=pivot, step=step, aliased=aliased)


def _evaluate(
    design: FloatArray, n: FloatArray, y: FloatArray, beta: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the deviance less that of the saturated units, the weights and the residuals."""
    deviance = np.zeros(n.shape[1])
    weight, residual = np.empty_like(n), np.empty_like(n)
    for one, row in enumerate(design):
        eta = np.zeros(n.shape[1])
        for part, value in enumerate(row):
            if value != 0:
                eta += value * beta[part]
        small = np.exp(-np.abs(eta))
        high, tiny = 1 / (1 + small), small / (1 + small)
        positive = eta >= 0
        mu = np.where(positive, high, tiny)
        weight[one] = n[one] * (high * tiny)
        residual[one] = y[one] - n[one] * mu
        # -2 [y log mu + (n - y) log(1 - mu)]
        less = np.where(positive, n[one] - y[one], y[one])
        deviance += 2 * (n[one] * np.log1p(small) + less * np.abs(eta))
    return deviance, weight, residual


def _newton_step(
    design: FloatArray, weight: FloatArray, residual: FloatArray
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return the step, the last pivot and where the last column is aliased."""
    p, m = design.shape[1], weight.shape[1]
    score = np.zeros((p, m))
    information = np.zeros((p, p, m))
    for one, row in enumerate(design):
        for i in np.flatnonzero(row):
            score[i] += row[i] * residual[one]
            scaled = row[i] * weight[one]
            for j in np.flatnonzero(row[: i + 1]):
                information[i, j] += row[j] * scaled
    return solve_pivots(information, score)


def solve_pivots(
    information: FloatArray, score: FloatArray
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Solve symmetric systems by L D L', leaving out columns that depend on earlier ones.

    Parameters
    ----------
    information : (p, p, m) array
        Lower triangles.
    score : (p, m) array
        Right-hand sides.

    Returns
    -------
    (step, pivot, aliased)
        (p, m), and for the last column (m,) its D and whether it was left out.

    References
    ----------
    .. [1] Golub GH, Van Loan CF (2013), Matrix Computations, section 4.1.
    """
    p, m = score.shape
    lower = np.zeros_like(information)
    pivot, keep = np.zeros((p, m)), np.zeros((p, m), dtype=bool)
    inverse, forward = np.zeros((p, m)), np.zeros((p, m))
    for i in range(p):
        pivot[i] = information[i, i]
        forward[i] = score[i]
        for j in range(i):
            value = information[i, j].copy()
            for k in range(j):
                value -= lower[i, k] * pivot[k] * lower[j, k]
            lower[i, j] = value * inverse[j]
            pivot[i] -= lower[i, j] * lower[i, j] * pivot[j]
            forward[i] -= lower[i, j] * forward[j]
        keep[i] = pivot[i] > ALIASED * information[i, i]
        pivot[i] = np.where(keep[i], pivot[i], 0.0)
        inverse[i] = np.divide(1.0, pivot[i], out=np.zeros(m), where=keep[i])
    step = np.zeros((p, m))
    for i in range(p - 1, -1, -1):
        step[i] = forward[i] * inverse[i]
        for k in range(i + 1, p):
            step[i] -= np.where(keep[i], lower[k, i] * step[k], 0.0)
    return step, pivot[-1], ~keep[-1]
