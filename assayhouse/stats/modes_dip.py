"""Hartigan's dip: how far a sample is from the nearest unimodal distribution.

Plain loops over arrays, which the compiled module takes as they are; both give the same bits.
"""

import numpy as np

from assayhouse.stats.arrays import FloatArray, IntArray


def dip_sorted(x: FloatArray) -> tuple[float, int, int]:
    """Return the dip of a sorted sample and the ends of its modal interval.

    Parameters
    ----------
    x : (n,) array
        Ascending; ties are allowed.

    Returns
    -------
    (float, int, int)
        Dip, and positions of the first and last value of the modal interval.

    References
    ----------
    .. [1] Hartigan JA, Hartigan PM (1985), Annals of Statistics 13, 70-84, section 5.
    .. [2] Hartigan PM (1985), Applied Statistics 34, 320-325.
    """
    n = len(x)
    low, high = 0, n - 1
    dip = 1.0
    if n < 2 or x[0] == x[n - 1]:
        return dip / (2 * n), low, high
    minorant = np.zeros(n, dtype=np.int64)
    majorant = np.zeros(n, dtype=np.int64)
    _fit_minorant(x, minorant)
    _fit_majorant(x, majorant)
    below = np.zeros(n + 1, dtype=np.int64)
    above = np.zeros(n + 1, dtype=np.int64)
    while True:
        n_below = _walk(minorant, high, low, below)
        n_above = _walk(majorant, low, high, above)
        distance, new_low, new_high = _largest_gap(x, below, n_below, above, n_above)
        if distance < dip:
            break
        inner = max(
            _minorant_gap(x, minorant, new_low, low),
            _majorant_gap(x, majorant, new_high, high),
        )
        dip = max(dip, inner)
        if low == new_low and high == new_high:
            break
        low, high = new_low, new_high
    return dip / (2 * n), low, high


def _fit_minorant(x: FloatArray, back: IntArray) -> None:
    """Write, for each point, the previous corner of the greatest convex minorant up to it."""
    back[0] = 0
    for j in range(1, len(x)):
        back[j] = j - 1
        while True:
            a = back[j]
            b = back[a]
            if a == 0 or (x[j] - x[a]) * (a - b) < (x[a] - x[b]) * (j - a):
                break
            back[j] = b


def _fit_majorant(x: FloatArray, ahead: IntArray) -> None:
    """Write, for each point, the next corner of the least concave majorant from it."""
    n = len(x)
    ahead[n - 1] = n - 1
    for k in range(n - 2, -1, -1):
        ahead[k] = k + 1
        while True:
            a = ahead[k]
            b = ahead[a]
            if a == n - 1 or (x[k] - x[a]) * (a - b) < (x[a] - x[b]) * (k - a):
                break
            ahead[k] = b


def _walk(link: IntArray, start: int, stop: int, out: IntArray) -> int:
    """Write the corners from start to stop and return how many there are."""
    number = 0
    at = start
    out[0] = at
    while (at > stop) if start > stop else (at < stop):
        at = link[at]
        number += 1
        out[number] = at
    return number + 1


def _largest_gap(
    x: FloatArray, below: IntArray, n_below: int, above: IntArray, n_above: int
) -> tuple[float, int, int]:
    """Return the largest distance of majorant and minorant and the interval it leaves.

    ``below`` runs down from the high end, ``above`` up from the low end.
    """
    if n_below == 2 and n_above == 2:
        return 1.0, below[1], above[1]
    best, new_low, new_high = 0.0, below[n_below - 1], above[n_above - 1]
    g, c = n_below - 2, 1
    while True:
        left, right = below[g], above[c]
        if left > right:
            # The majorant has a corner first: distance to the minorant there.
            start = below[g + 1]
            gap = (right - start + 1) - (x[right] - x[start]) * (left - start) / (
                x[left] - x[start]
            )
            c += 1
            if gap >= best:
                best, new_low, new_high = gap, below[g + 1], above[c - 1]
        else:
            start = above[c - 1]
            gap = (x[left] - x[start]) * (right - start) / (x[right] - x[start]) - (
                left - start - 1
            )
            g -= 1
            if gap >= best:
                best, new_low, new_high = gap, below[g + 1], above[c]
        g, c = max(g, 0), min(c, n_above - 1)
        if below[g] == above[c]:
            return best, new_low, new_high


def _minorant_gap(x: FloatArray, link: IntArray, start: int, stop: int) -> float:
    """Return the largest distance of the empirical distribution above its minorant."""
    best = 0.0
    end = start
    while end > stop:
        begin = link[end]
        gap, place = 1.0, 0.0
        if end - begin > 1 and x[end] != x[begin]:
            slope = (end - begin) / (x[end] - x[begin])
            for j in range(begin, end + 1):
                place = (j - begin + 1) - (x[j] - x[begin]) * slope
                gap = max(gap, place)
        best = max(best, gap)
        end = begin
    return best


def _majorant_gap(x: FloatArray, link: IntArray, start: int, stop: int) -> float:
    """Return the largest distance of the empirical distribution below its majorant."""
    best = 0.0
    begin = start
    while begin < stop:
        end = link[begin]
        gap, place = 1.0, 0.0
        if end - begin > 1 and x[end] != x[begin]:
            slope = (end - begin) / (x[end] - x[begin])
            for j in range(begin, end + 1):
                place = (x[j] - x[begin]) * slope - (j - begin - 1)
                gap = max(gap, place)
        best = max(best, gap)
        begin = end
    return best


def dip_rows(samples: FloatArray, out: FloatArray) -> None:
    """Write the dip of each sorted row.

    Parameters
    ----------
    samples : (r, n) array
        Ascending rows.
    out : (r,) array
        Dips.

    References
    ----------
    .. [1] Hartigan PM (1985), Applied Statistics 34, 320-325.
    """
    for row in range(len(samples)):
        out[row] = dip_sorted(samples[row])[0]


FAMILY = (
    _fit_minorant,
    _fit_majorant,
    _walk,
    _largest_gap,
    _minorant_gap,
    _majorant_gap,
    dip_sorted,
    dip_rows,
)
"""Every function here, those that are called before those that call."""
