"""Likelihood ratio of the arm x group interaction from eight counts, by one cubic equation."""

import numpy as np

from assayhouse.stats.arrays import FloatArray

_STEPS = 60
_CLOSE = 1e-12
"""Newton doubles the digits, so the step after one this small would change none."""


def likelihood_ratio(n: FloatArray, y: FloatArray) -> FloatArray:
    """Return the likelihood ratio of the interaction.

    The model without interaction moves each of the eight cells by the same distance d, up in
    four and down in four, and d solves a cubic with one root between the smallest of each.

    Parameters
    ----------
    n, y : (4, m) arrays
        Subjects and responders; halves are allowed.

    Returns
    -------
    (m,) array
        G^2, at least 0, finite with zero cells too.

    References
    ----------
    .. [1] Bartlett MS (1935), Supplement to the JRSS 2, 248-252.
    """
    f = n - y
    up = np.stack([y[3], f[2], f[1], y[0]])
    down = np.stack([f[3], y[2], y[1], f[0]])
    d = solve_shift(up, down)
    return np.maximum(2 * (_surprise(up, d) + _surprise(down, -d)), 0.0)


def _surprise(observed: FloatArray, shift: FloatArray) -> FloatArray:
    """Return the sum of o log(o / (o + shift)) over the rows, 0 log 0 being 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = -observed * np.log1p(shift / observed)
    parts[observed == 0] = 0.0
    return np.asarray((parts[0] + parts[1]) + (parts[2] + parts[3]))


def solve_shift(up: FloatArray, down: FloatArray) -> FloatArray:
    """Return the d at which prod(up + d) equals prod(down - d), by bracketed Newton.

    Parameters
    ----------
    up, down : (4, m) arrays
        Cells that move up and down.

    Returns
    -------
    (m,) array
        0 where both have an empty cell.

    References
    ----------
    .. [1] Bartlett MS (1935), Supplement to the JRSS 2, 248-252.
    """
    e1, e2, e3, e4 = _symmetric(up)
    g1, g2, g3, g4 = _symmetric(down)
    c3, c2, c1, c0 = e1 + g1, e2 - g2, e3 + g3, e4 - g4
    low, high = -up.min(axis=0), down.min(axis=0)
    d = np.zeros(up.shape[1])
    active = np.flatnonzero((low < high) & (c0 != 0))
    for _ in range(_STEPS):
        if not len(active):
            break
        at, lo, hi = d[active], low[active], high[active]
        value = ((c3[active] * at + c2[active]) * at + c1[active]) * at + c0[active]
        slope = (3 * c3[active] * at + 2 * c2[active]) * at + c1[active]
        lo, hi = np.where(value < 0, at, lo), np.where(value > 0, at, hi)
        with np.errstate(divide="ignore", invalid="ignore"):
            new = at - value / slope
        new = np.where((new > lo) & (new < hi), new, np.where(value == 0, at, 0.5 * (lo + hi)))
        d[active], low[active], high[active] = new, lo, hi
        active = active[np.abs(new - at) > _CLOSE * np.abs(new)]
    return d


def _symmetric(rows: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return the four elementary symmetric functions of four rows."""
    s1, p1 = rows[0] + rows[1], rows[0] * rows[1]
    s2, p2 = rows[2] + rows[3], rows[2] * rows[3]
    return s1 + s2, p1 + p2 + s1 * s2, p1 * s2 + p2 * s1, p1 * p2


def firth(n: FloatArray, y: FloatArray) -> FloatArray:
    """Return the penalised likelihood ratio: that of the counts with one half in each cell."""
    return likelihood_ratio(n + 1, y + 0.5)
