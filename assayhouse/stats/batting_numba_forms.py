"""Statistics of one cut in compiled code, with cheap upper bounds of the dear ones.

The cells of the cut are in one array ``w``: subjects 0 to 3, responders 4 to 7, others 8 to 11,
in the order arm, group; from 12 on is working memory.
"""
# ruff: noqa: ANN401, PLR0917 - compiled code takes arrays of several types, and by position only

from typing import Any

import numpy as np

from assayhouse.stats.compiled import compiled

LRT, WALD, FIRTH, FIRTH_WALD, RD, WALD_GLM = range(6)
_MARGIN = 1e-3


@compiled
def _symmetric(a: float, b: float, c: float, d: float) -> tuple[float, float, float, float]:
    """Return the elementary symmetric functions of four numbers."""
    s1, p1, s2, p2 = a + b, a * b, c + d, c * d
    return s1 + s2, p1 + p2 + s1 * s2, p1 * s2 + p2 * s1, p1 * p2


@compiled
def _cubic(w: Any) -> tuple[float, float, float, float, float, float]:
    """Return the coefficients of the shift's equation and the interval of its root."""
    e1, e2, e3, e4 = _symmetric(w[12], w[13], w[14], w[15])
    g1, g2, g3, g4 = _symmetric(w[16], w[17], w[18], w[19])
    low, high = -min(w[12], w[13], w[14], w[15]), min(w[16], w[17], w[18], w[19])
    return e1 + g1, e2 - g2, e3 + g3, e4 - g4, low, high


@compiled
def _solve(c3: float, c2: float, c1: float, c0: float, low: float, high: float) -> float:
    """Return the root by bracketed Newton from 0."""
    if not low < high or c0 == 0:
        return 0.0
    at = 0.0
    for _ in range(60):
        value = ((c3 * at + c2) * at + c1) * at + c0
        slope = (3 * c3 * at + 2 * c2) * at + c1
        if value < 0:
            low = at
        elif value > 0:
            high = at
        new = at - value / slope
        if not low < new < high:
            new = at if value == 0 else 0.5 * (low + high)
        moved = abs(new - at)
        at = new
        if moved <= 1e-12 * abs(new):
            break
    return at


@compiled
def _surprise(w: Any, at: int, shift: float) -> float:
    """Return the sum of o log(o / (o + shift)), 0 log 0 being 0."""
    first = second = third = fourth = 0.0
    if w[at + 0] != 0:
        first = -w[at + 0] * np.log1p(shift / w[at + 0])
    if w[at + 1] != 0:
        second = -w[at + 1] * np.log1p(shift / w[at + 1])
    if w[at + 2] != 0:
        third = -w[at + 2] * np.log1p(shift / w[at + 2])
    if w[at + 3] != 0:
        fourth = -w[at + 3] * np.log1p(shift / w[at + 3])
    return (first + second) + (third + fourth)


@compiled
def _exact_lrt(w: Any) -> float:
    """Return the likelihood ratio."""
    c3, c2, c1, c0, low, high = _cubic(w)
    d = _solve(c3, c2, c1, c0, low, high)
    return max(2 * (_surprise(w, 12, d) + _surprise(w, 16, -d)), 0.0)


@compiled
def _bound_terms(w: Any, at: int, shift: float) -> float:
    """Return an upper bound of `_surprise` from rational functions only."""
    total = 0.0
    for cell in range(4):
        o = w[at + cell]
        if o == 0:
            continue
        if shift >= 0:
            # A Pade approximant lies below log(1 + t) for positive t.
            total -= 3 * shift * o * (2 * o + shift) / (6 * o * o + 6 * o * shift + shift * shift)
        else:
            u = -shift / o
            total += o * (u + u * u * (0.5 + u / (3 * (1 - u))))
    return total


@compiled
def _near_root(c3: float, c2: float, c1: float, c0: float) -> float:
    """Return a shift a little beyond the root: two of Halley's steps and a margin."""
    at = -c0 * c1 / (c1 * c1 - c0 * c2)
    value = ((c3 * at + c2) * at + c1) * at + c0
    slope = (3 * c3 * at + 2 * c2) * at + c1
    at -= value * slope / (slope * slope - value * (3 * c3 * at + c2))
    return at * (1 + _MARGIN)


@compiled
def bound_near(
    u0: float, u1: float, u2: float, u3: float, d0: float, d1: float, d2: float, d3: float
) -> float:
    """Return an upper bound of the likelihood ratio of small shifts, or -1 where it is none.

    The statistic grows with the size of the shift, so any shift beyond the root bounds it.
    Shifts of at most half of the smallest cell need two divisions more: log(1 + t) is at least
    t - t^2/2 for positive t, and -log(1 - u) at most u + u^2/2 + 2 u^3/3 up to one half.
    """
    e1, e2, e3, e4 = _symmetric(u0, u1, u2, u3)
    g1, g2, g3, g4 = _symmetric(d0, d1, d2, d3)
    least = min(u0, u1, u2, u3, d0, d1, d2, d3)
    c3, c2, c1, c0 = e1 + g1, e2 - g2, e3 + g3, e4 - g4
    if c0 == 0:
        return 0.0
    at = _near_root(c3, c2, c1, c0)
    value = ((c3 * at + c2) * at + c1) * at + c0
    size = abs(at)
    if not 2 * size <= least or value * c0 > 0 or at * c0 > 0:
        return -1.0
    grows, falls = e3 / e4, g3 / g4
    cubes = falls * falls - 2 * g2 / g4
    if at < 0:
        cubes = grows * grows - 2 * e2 / e4
    return size * size * (grows + falls + 4 * size * cubes / 3)


@compiled
def bound_far(w: Any, half: float) -> float:
    """Return an upper bound of the likelihood ratio for any shift, or infinity without one."""
    _arrange(w, half)
    c3, c2, c1, c0, low, high = _cubic(w)
    if not low < high or c0 == 0:
        return 0.0
    at = _near_root(c3, c2, c1, c0)
    value = ((c3 * at + c2) * at + c1) * at + c0
    if not (low < at < high) or value * c0 > 0 or at * c0 > 0:
        return np.inf
    return 2 * (_bound_terms(w, 12, at) + _bound_terms(w, 16, -at))


@compiled
def _ratio(w: Any, hit: int, other: int) -> float:
    """Return the log ratio of odds ratios."""
    up = w[hit + 3] * w[other + 2] * w[hit] * w[other + 1]
    return float(np.log(up / (w[other + 3] * w[hit + 2] * w[other] * w[hit + 1])))


@compiled
def _wald(w: Any) -> float:
    """Return b^2 / V; NaN with a zero cell."""
    for cell in range(4):
        if w[4 + cell] == 0 or w[8 + cell] == 0:
            return np.nan
    beta = _ratio(w, 4, 8)
    variance = ((1 / w[4] + 1 / w[8]) + (1 / w[5] + 1 / w[9])) + (
        (1 / w[6] + 1 / w[10]) + (1 / w[7] + 1 / w[11])
    )
    return float(beta * beta / variance)


@compiled
def _firth_wald(w: Any) -> float:
    """Return b^2 / V of Firth's estimate."""
    for cell in range(4):
        w[12 + cell], w[16 + cell] = w[4 + cell] + 0.5, w[8 + cell] + 0.5
    beta = _ratio(w, 12, 16)
    variance = ((w[0] + 1) / (w[12] * w[16]) + (w[1] + 1) / (w[13] * w[17])) + (
        (w[2] + 1) / (w[14] * w[18]) + (w[3] + 1) / (w[15] * w[19])
    )
    return float(beta * beta / variance)


@compiled
def risk(w: Any) -> float:
    """Return the squared z of the difference of risk differences."""
    for cell in range(4):
        w[12 + cell] = (w[4 + cell] + 0.5) / (w[cell] + 1)
    contrast = (w[15] - w[13]) - (w[14] - w[12])
    variance = (w[12] * (1 - w[12]) / (w[0] + 1) + w[13] * (1 - w[13]) / (w[1] + 1)) + (
        w[14] * (1 - w[14]) / (w[2] + 1) + w[15] * (1 - w[15]) / (w[3] + 1)
    )
    return float(contrast * contrast / variance)


@compiled
def _glm(w: Any) -> float:
    """Return b^2 / V as a default iterated fit prints it."""
    size = w[0] + w[1] + w[2] + w[3]
    last = -2 * (size * np.log(0.75))
    for cell in range(4):
        w[12 + cell] = (2 * (w[4 + cell] / w[cell]) - 1) * (np.log(3.0) + 4.0 / 3.0)
        w[16 + cell] = 3 * w[cell] / 16
    for step in range(25):
        deviance = 0.0
        for cell in range(4):
            # The larger of the two chances from one exponential, both logarithms from one.
            eta = w[12 + cell]
            size = np.log1p(np.exp(-abs(eta)))
            deviance += 2 * (w[cell] * size + (w[8 + cell] if eta > 0 else w[4 + cell]) * abs(eta))
        if abs(deviance - last) / (abs(deviance) + 0.1) < 1e-8 or step == 24:
            break
        last = deviance
        for cell in range(4):
            small = np.exp(-abs(w[12 + cell]))
            high, low = 1 / (1 + small), small / (1 + small)
            mu = high if w[12 + cell] > 0 else low
            w[16 + cell] = w[cell] * high * low
            w[12 + cell] += (w[4 + cell] / w[cell] - mu) / (high * low)
    beta = w[15] - w[14] - w[13] + w[12]
    variance = (1 / w[16] + 1 / w[17]) + (1 / w[18] + 1 / w[19])
    return float(beta * beta / variance)


@compiled
def _arrange(w: Any, half: float) -> None:
    """Write the cells that move up and those that move down."""
    w[12], w[13], w[14], w[15] = w[7] + half, w[10] + half, w[9] + half, w[4] + half
    w[16], w[17], w[18], w[19] = w[11] + half, w[6] + half, w[5] + half, w[8] + half


@compiled
def settle(test: int, w: Any) -> float:
    """Return the exact statistic of the cells at hand."""
    if test in (LRT, FIRTH):
        _arrange(w, 0.5 if test == FIRTH else 0.0)
        return _exact_lrt(w)
    if test == WALD:
        return _wald(w)
    return _glm(w) if test == WALD_GLM else _firth_wald(w)
