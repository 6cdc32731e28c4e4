"""Statistics of one cut in compiled code, with cheap upper bounds of the dear ones.

The cells of the cut are in one array ``w``: subjects 0 to 3, responders 4 to 7, others 8 to 11,
in the order arm, group; from 12 on is working memory.
"""
# ruff: noqa: ANN401, PLR0917 - compiled code takes arrays of several types, and by position only

from typing import Any

import numpy as np

from assayhouse.stats.compiled import compiled

LRT, WALD, FIRTH, FIRTH_WALD, RD, WALD_GLM = range(6)
_MARGIN = 1e-4


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
def _shrinking(o: float, p: float, shift: float) -> float:
    """Return an upper bound of -o log(1 - shift / o) - p log(1 - shift / p) for smaller shifts.

    log(1 + t) is at most t (6 + t) / (6 + 4 t) for positive t, here shift / (o - shift).
    """
    first, second = (o - shift) * (6 * o - 2 * shift), (p - shift) * (6 * p - 2 * shift)
    up = o * (6 * o - 5 * shift) * second + p * (6 * p - 5 * shift) * first
    return shift * up / (first * second)


@compiled
def _growing(o: float, p: float, shift: float) -> float:
    """Return an upper bound of -o log(1 + shift / o) - p log(1 + shift / p).

    log(1 + t) is at least 3 t (2 + t) / (6 + 6 t + t^2) for positive t.
    """
    square = shift * shift
    first, second = 6 * o * (o + shift) + square, 6 * p * (p + shift) + square
    up = o * (2 * o + shift) * second + p * (2 * p + shift) * first
    return -3 * shift * up / (first * second)


@compiled
def _less(a: float, b: float) -> float:
    """Return the smaller number, without a branch."""
    return a if a < b else b  # noqa: FURB136 - min asks for NaN as well


@compiled
def _near_root(c3: float, c2: float, c1: float, c0: float) -> float:
    """Return a shift a little beyond the root: two of Halley's steps and a margin."""
    at = -c0 * c1 / (c1 * c1 - c0 * c2)
    value = ((c3 * at + c2) * at + c1) * at + c0
    slope = (3 * c3 * at + 2 * c2) * at + c1
    at -= value * slope / (slope * slope - value * (3 * c3 * at + c2))
    return at * (1 + _MARGIN)


@compiled
def bound_ratios(counts: Any, whole: Any, least: float, half: float, values: Any) -> None:
    """Write an upper bound of the likelihood ratio of each split; NaN where a cell is too small.

    The statistic grows with the size of the shift, so any shift beyond the root bounds it; where
    the shift found is not, the bound is infinite. Every choice is a selection, never a branch.
    """
    below0, hit0, below1, hit1 = counts[0], counts[1], counts[2], counts[3]
    all0, all_hit0, all1, all_hit1 = whole[0], whole[1], whole[2], whole[3]
    for place in range(len(values)):
        n0, y0, n1, y1 = below0[place], hit0[place], below1[place], hit1[place]
        m0, m1, x0, x1 = all0 - n0, all1 - n1, all_hit0 - y0, all_hit1 - y1
        u0, u1, u2, u3 = x1 + half, n1 - y1 + half, m0 - x0 + half, y0 + half
        d0, d1, d2, d3 = m1 - x1 + half, y1 + half, x0 + half, n0 - y0 + half
        e1, e2, e3, e4 = _symmetric(u0, u1, u2, u3)
        g1, g2, g3, g4 = _symmetric(d0, d1, d2, d3)
        c3, c2, c1, c0 = e1 + g1, e2 - g2, e3 + g3, e4 - g4
        least_u = _less(_less(u0, u1), _less(u2, u3))
        least_d = _less(_less(d0, d1), _less(d2, d3))
        at = _near_root(c3, c2, c1, c0)
        value = ((c3 * at + c2) * at + c1) * at + c0
        falls = at < 0
        size = -at if falls else at
        f0, f1, f2, f3 = (u0, u1, u2, u3) if falls else (d0, d1, d2, d3)
        r0, r1, r2, r3 = (d0, d1, d2, d3) if falls else (u0, u1, u2, u3)
        shrinks = _shrinking(f0, f1, size) + _shrinking(f2, f3, size)
        bound = 2 * (shrinks + (_growing(r0, r1, size) + _growing(r2, r3, size)))
        bound = bound if size < (least_u if falls else least_d) else np.inf
        bound = bound if value * c0 <= 0 else np.inf
        bound = bound if at * c0 <= 0 else np.inf
        bound = 0.0 if c0 == 0 else bound
        bound = 0.0 if least_u + least_d == 0 else bound
        bound = bound if n0 >= least else np.nan
        bound = bound if n1 >= least else np.nan
        bound = bound if m0 >= least else np.nan
        values[place] = bound if m1 >= least else np.nan


@compiled
def bound_walds(
    c0: Any,
    c1: Any,
    counts: Any,
    whole: Any,
    least: float,
    half: float,
    logs: Any,
    values: Any,
) -> None:
    """Write b^2 / V of each split, larger by its rounding; NaN where a cell is too small or zero.

    ``logs`` holds the logarithm of every count (plus ``half``); counts as packed words index it.
    """
    low, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    all0, all_hit0 = np.uint64(np.int64(whole[0])), np.uint64(np.int64(whole[1]))
    all1, all_hit1 = np.uint64(np.int64(whole[2])), np.uint64(np.int64(whole[3]))
    for place in range(len(values)):
        n0, y0 = c0[place] & low, c0[place] >> shift
        n1, y1 = c1[place] & low, c1[place] >> shift
        x0, x1 = all_hit0 - y0, all_hit1 - y1
        beta = (logs[x1] - logs[all1 - n1 - x1]) - (logs[y1] - logs[n1 - y1])
        values[place] = beta - ((logs[x0] - logs[all0 - n0 - x0]) - (logs[y0] - logs[n0 - y0]))
    _divide(counts, whole, least, half, values)


@compiled
def _divide(counts: Any, whole: Any, least: float, half: float, values: Any) -> None:
    """Replace the log ratio of odds ratios by its square over its variance, a little enlarged."""
    below0, hit0, below1, hit1 = counts[0], counts[1], counts[2], counts[3]
    all0, all_hit0, all1, all_hit1 = whole[0], whole[1], whole[2], whole[3]
    more = half + half
    for place in range(len(values)):
        n0, y0, n1, y1 = below0[place], hit0[place], below1[place], hit1[place]
        m0, m1, x0, x1 = all0 - n0, all1 - n1, all_hit0 - y0, all_hit1 - y1
        variance = (n0 + more) / ((y0 + half) * (n0 - y0 + half))
        variance += (n1 + more) / ((y1 + half) * (n1 - y1 + half))
        variance += (m0 + more) / ((x0 + half) * (m0 - x0 + half))
        variance += (m1 + more) / ((x1 + half) * (m1 - x1 + half))
        beta = values[place]
        bound = beta * beta / variance * (1 + 1e-9) + 1e-12
        bound = bound if n0 >= least else np.nan
        bound = bound if n1 >= least else np.nan
        bound = bound if m0 >= least else np.nan
        values[place] = bound if m1 >= least else np.nan


@compiled
def loosen_glm(counts: Any, whole: Any, least: float, values: Any) -> None:
    """Turn bounds of Wald into bounds of a default iterated fit.

    The fit stops within a percent of convergence; with a zero cell its statistic is the stopping
    rule's share of the deviance, and the deviance is at most 1.4 per subject.
    """
    for place in range(len(values)):
        n0, n1 = counts[0, place], counts[2, place]
        large = min(n0, n1, whole[0] - n0, whole[2] - n1) >= least
        if large:
            known = values[place] >= 0
            values[place] = 1.05 * values[place] if known else 1e-3 * (whole[0] + whole[2])


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
