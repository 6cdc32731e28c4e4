"""Which side of a cut is group 1: the sign of arm x marker on the full data.

Only a sign leaves this module. Where a fit has no finite maximum the sign of the score at the
fit without interaction decides.
"""

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray
from assayhouse.stats.batting_direction_cox import cox_interaction
from assayhouse.stats.batting_study import Columns

_STEPS = 100
_FLAT = 1e-9
"""Score below this share of its terms counts as nothing, and nothing means "higher"."""


def find_direction(marker: FloatArray, columns: Columns, *, larger_is_better: bool) -> str:
    """Return "higher" where benefit of the active arm grows with the marker, else "lower".

    Parameters
    ----------
    marker : (n,) array
        NaN where missing.
    columns : Columns
        The other columns.
    larger_is_better : bool
        False turns the sign.

    Returns
    -------
    str
        higher or lower.

    References
    ----------
    .. [1] Huang X et al. (2017), Statistics in Medicine 36, 1414-1428.
    """
    kept = columns.present & ~np.isnan(marker)
    order = np.lexsort(
        (columns.event[kept], columns.response[kept], columns.arm[kept], marker[kept])
    )
    x, arm = marker[kept][order], columns.arm[kept][order]
    y, event = columns.response[kept][order], columns.event[kept][order]
    if not len(x) or x[0] == x[-1]:
        return "higher"
    x = (x - x.mean()) / x.std()
    if columns.endpoint == "binary":
        sign = _binary_sign(x, arm, y)
    elif columns.endpoint == "continuous":
        sign = _slope(x[arm == 1], y[arm == 1]) - _slope(x[arm == 0], y[arm == 0])
    else:
        # A lower hazard is better, so the sign turns.
        sign = -cox_interaction(x, arm, y, event)
    higher = sign >= 0 if larger_is_better else -sign >= 0
    return "higher" if higher else "lower"


def _slope(x: FloatArray, y: FloatArray) -> float:
    """Return the least-squares slope, 0 where the marker does not vary."""
    if not len(x):
        return 0.0
    centred = x - x.mean()
    square = float(np.sum(centred * centred))
    return float(np.sum(centred * (y - y.mean()))) / square if square > 0 else 0.0


def _binary_sign(x: FloatArray, arm: FloatArray, y: FloatArray) -> float:
    """Return a number with the sign of arm x marker in a logistic model."""
    if all(has_finite_fit(x[arm == value], y[arm == value]) for value in (0, 1)):
        # With arm, marker and their product the two arms are separate models.
        both = np.stack([arm == 0, arm == 1]).astype(np.float64)
        slopes = fit_line(x[None], y[None], both)[1]
        return float(slopes[1] - slopes[0])
    return _score_sign(x, arm, y)


def has_finite_fit(x: FloatArray, y: FloatArray) -> bool:
    """Tell whether a logistic line has a finite maximum: the responses overlap.

    Parameters
    ----------
    x, y : (n,) arrays
        Marker and response of one arm.

    Returns
    -------
    bool
        False where responders and others are on different sides of a value, or one is missing.

    References
    ----------
    .. [1] Albert A, Anderson JA (1984), Biometrika 71, 1-10.
    """
    if not (y == 0).any() or not (y == 1).any() or x.min() == x.max():
        return False
    none, some = x[y == 0], x[y == 1]
    return bool(none.max() > some.min() and some.max() > none.min())


def fit_line(x: FloatArray, y: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return intercepts and slopes of logistic lines, one per row.

    Parameters
    ----------
    x, y, weights : (r, n) or (1, n) arrays
        Marker, response and multiplicity; each row has a finite maximum.

    Returns
    -------
    (intercept, slope)
        Both (r,).

    References
    ----------
    .. [1] McCullagh P, Nelder JA (1989), Generalized Linear Models, section 2.5.
    """
    number = len(weights)
    a, b = np.zeros(number), np.zeros(number)
    last = np.full(number, np.inf)
    move_a, move_b = np.zeros(number), np.zeros(number)
    terms = np.empty((6, *weights.shape))
    for _ in range(_STEPS):
        eta = a[:, None] + b[:, None] * x
        small = np.exp(-np.abs(eta))
        mu = np.where(eta >= 0, 1.0, small) / (1 + small)
        np.multiply(weights, np.log1p(small) + np.maximum(eta, 0.0) - y * eta, out=terms[0])
        np.multiply(weights, mu * (1 - mu), out=terms[1])
        np.multiply(terms[1], x, out=terms[2])
        np.multiply(terms[2], x, out=terms[3])
        np.multiply(weights, y - mu, out=terms[4])
        np.multiply(terms[4], x, out=terms[5])
        deviance, w0, w1, w2, s0, s1 = terms.sum(axis=2)
        worse = deviance > last * (1 + 1e-12) + 1e-12
        determinant = w0 * w2 - w1 * w1
        last = np.where(worse, last, deviance)
        # A step too long is taken back by half.
        move_a = np.where(worse, 0.5 * move_a, (w2 * s0 - w1 * s1) / determinant)
        move_b = np.where(worse, 0.5 * move_b, (w0 * s1 - w1 * s0) / determinant)
        a = a + np.where(worse, -move_a, move_a)
        b = b + np.where(worse, -move_b, move_b)
        # Newton's steps square their error: what is left is far below this step.
        if np.max(np.abs(move_a) + np.abs(move_b)) < 1e-8:
            break
    return a, b


def _score_sign(x: FloatArray, arm: FloatArray, y: FloatArray) -> float:
    """Return the score of arm x marker at the fit of arm and marker, 0 where it vanishes."""
    design = np.column_stack([np.ones(len(x)), arm, x])
    beta = np.zeros(3)
    for _ in range(40):
        mu = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        weight = mu * (1 - mu)
        matrix = design.T @ (design * weight[:, None]) + 1e-10 * np.eye(3)
        step = np.linalg.solve(matrix, design.T @ (y - mu))
        beta = np.clip(beta + np.clip(step, -3, 3), -30, 30)
    mu = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
    terms = arm * x * (y - mu)
    score = float(np.sum(terms))
    return 0.0 if abs(score) <= _FLAT * float(np.sum(np.abs(arm * x))) else score


def find_directions(
    x: FloatArray, arm: FloatArray, y: FloatArray, *, larger_is_better: bool
) -> BoolArray:
    """Return `find_direction` of many binary data sets with one arm column.

    Parameters
    ----------
    x, y : (r, n) arrays
        Markers and responses, nothing missing.
    arm : (n,) array
        1 active, 0 control.
    larger_is_better : bool
        As `find_direction`.

    Returns
    -------
    (r,) array of bool
        Whether group 1 lies above.

    References
    ----------
    .. [1] Huang X et al. (2017), Statistics in Medicine 36, 1414-1428.
    """
    centre, spread = x.mean(axis=1, keepdims=True), x.std(axis=1, keepdims=True)
    varies = spread[:, 0] > 0
    z = (x - centre) / np.where(spread > 0, spread, 1.0)
    parts = [(z[:, arm == value], y[:, arm == value]) for value in (0, 1)]
    finite = _overlap(*parts[0]) & _overlap(*parts[1])
    sign = np.zeros(len(x))
    if finite.any():
        slopes = [
            fit_line(one[finite], other[finite], np.ones_like(one[finite]))[1]
            for one, other in parts
        ]
        sign[finite] = slopes[1] - slopes[0]
    for row in np.flatnonzero(~finite & varies):
        sign[row] = _score_sign(z[row], arm, y[row])
    return np.asarray((sign >= 0 if larger_is_better else -sign >= 0) | ~varies)


def _overlap(x: FloatArray, y: FloatArray) -> BoolArray:
    """Return `has_finite_fit` of every row."""
    none, some = np.where(y == 0, x, np.nan), np.where(y == 1, x, np.nan)
    with np.errstate(invalid="ignore"):
        crossed = (np.fmax.reduce(none, axis=1) > np.fmin.reduce(some, axis=1)) & (
            np.fmax.reduce(some, axis=1) > np.fmin.reduce(none, axis=1)
        )
    return np.asarray(crossed & (x.min(axis=1) < x.max(axis=1)))
