"""Gaussian kernel densities without binning: their turning points and critical bandwidths.

Everything works on sums scaled by the largest exponent at the place, because plain exponentials
underflow between far values and invent turning points.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray

_PER_BANDWIDTH = 5
_REACH = 3.0
_NEAR_TOUCH = 1e-2
_POLISH = 60
_BLOCK = 1 << 21
_HERMITE: tuple[Callable[[FloatArray, FloatArray], FloatArray], ...] = (
    lambda z, _: z,
    lambda _, square: square - 1,
    lambda z, square: z * (square - 3),
    lambda _, square: square * (square - 6) + 3,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Distinct values with their counts.

    Parameters
    ----------
    values : (u,) array
        Ascending.
    counts : (u,) array
        How often each occurs.
    """

    values: FloatArray
    counts: FloatArray

    @staticmethod
    def of(x: FloatArray) -> "Sample":
        """Return the sample of an array without NaN."""
        values, counts = np.unique(x, return_counts=True)
        return Sample(values=values, counts=counts.astype(np.float64))


def derivatives(sample: Sample, h: float, at: FloatArray, *, order: int = 2) -> FloatArray:
    """Return h^j times the j-th derivative of the density, up to a positive factor per place.

    Parameters
    ----------
    sample : Sample
        Data.
    h : float
        Bandwidth.
    at : (m,) array
        Places.
    order : int
        Highest derivative, at most 4.

    Returns
    -------
    (order, m) array
        First derivative first.

    References
    ----------
    .. [1] Silverman BW (1981), JRSS B 43, 97-99.
    """
    out = np.empty((order, len(at)))
    step = max(_BLOCK // max(len(sample.values), 1), 1)
    for start in range(0, len(at), step):
        part = slice(start, start + step)
        z = (sample.values - at[part, None]) / h
        square = z * z
        kernel = np.exp(0.5 * (square.min(axis=1, keepdims=True) - square)) * sample.counts
        for j in range(order):
            out[j, part] = (_HERMITE[j](z, square) * kernel).sum(axis=1)
    return out


def density(sample: Sample, h: float, at: FloatArray) -> FloatArray:
    """Return the density itself.

    Parameters
    ----------
    sample, h, at
        As `derivatives`.

    Returns
    -------
    (m,) array
        Per unit of the data.

    References
    ----------
    .. [1] Silverman BW (1986), Density Estimation, eq. 2.2a.
    """
    z = (sample.values - at[:, None]) / h
    total = (np.exp(-0.5 * z * z) * sample.counts).sum(axis=1)
    return np.asarray(total / (sample.counts.sum() * h * np.sqrt(2 * np.pi)))


def _places(sample: Sample, h: float) -> FloatArray:
    """Return places dense enough that the slope turns at most once between two of them.

    In a gap of many bandwidths the slope crosses zero once, so its middle needs no places.
    """
    values, reach, step = sample.values, _REACH * h, h / _PER_BANDWIDTH
    gaps = np.diff(values)
    inner = np.minimum(gaps, 2 * reach)
    number = np.maximum(np.ceil(inner / step).astype(np.int64), 1)
    first = np.repeat(np.cumsum(number) - number, number)
    share = (np.arange(number.sum()) - first) / np.repeat(number, number)
    offset = share * np.repeat(inner, number)
    far = np.repeat(gaps - inner, number)
    places = np.repeat(values[:-1], number) + offset + np.where(offset >= reach, far, 0.0)
    ends = [values[-1:], values[-1:] + step]
    return np.concatenate([values[:1] - step, places, *ends])


def _slopes(sample: Sample, h: float) -> tuple[FloatArray, FloatArray]:
    """Return places and slopes, with every turning point that the even places might miss."""
    places = _places(sample, h)
    slope, bend, third = derivatives(sample, h, places, order=3)
    # Where the bend itself turns without crossing, the slope may cross three times.
    hidden = _turning(bend, third)
    hidden = hidden[_may_touch(places, bend, third, hidden, h)]
    if len(hidden):
        places, slope, bend = _insert(sample, h, places, (slope, bend), hidden, order=2)
    dips = _turning(slope, bend)
    dips = dips[_may_touch(places, slope, bend, dips, h)]
    if len(dips):
        places, slope, bend = _insert(sample, h, places, (slope, bend), dips, order=1)
    known = slope != 0
    return places[known], slope[known]


def _turning(values: FloatArray, rate: FloatArray) -> IntArray:
    """Return intervals in which values of one sign come closest to zero."""
    left, right = values[:-1], values[1:]
    above = (left >= 0) & (right >= 0) & (rate[:-1] < 0) & (rate[1:] > 0)
    below = (left <= 0) & (right <= 0) & (rate[:-1] > 0) & (rate[1:] < 0)
    return np.flatnonzero(above | below)


def _insert(
    sample: Sample,
    h: float,
    places: FloatArray,
    known: tuple[FloatArray, FloatArray],
    at: IntArray,
    *,
    order: int,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return places, slope and bend with the zeros of a derivative in the given intervals."""
    extra = _polish(sample, h, places[at], places[at + 1], order=order)
    more = derivatives(sample, h, extra)
    together = np.concatenate([places, extra])
    rank = np.argsort(together, kind="stable")
    slope, bend = (np.concatenate(pair)[rank] for pair in zip(known, more, strict=True))
    return together[rank], slope, bend


def _may_touch(
    places: FloatArray, slope: FloatArray, bend: FloatArray, dips: IntArray, h: float
) -> BoolArray:
    """Tell whether values could reach zero inside intervals, from their tangents at the ends."""
    width = (places[dips + 1] - places[dips]) / h
    left = np.abs(slope[dips]) - np.abs(bend[dips]) * width
    right = np.abs(slope[dips + 1]) - np.abs(bend[dips + 1]) * width
    scale = np.abs(slope[dips]) + np.abs(bend[dips]) * width
    return np.asarray(np.minimum(left, right) <= _NEAR_TOUCH * scale)


def _polish(
    sample: Sample, h: float, low: FloatArray, high: FloatArray, *, order: int
) -> FloatArray:
    """Return the zero of a derivative in each interval: slope (0) or bend (1)."""
    low, high = low.copy(), high.copy()
    rising = derivatives(sample, h, high, order=order + 1)[order] > 0
    at = 0.5 * (low + high)
    for _ in range(_POLISH):
        values = derivatives(sample, h, at, order=order + 2)
        above = (values[order] > 0) == rising
        low, high = np.where(above, low, at), np.where(above, at, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            new = at - h * values[order] / values[order + 1]
        inside = (new >= low) & (new <= high)
        new = np.where(inside, new, 0.5 * (low + high))
        moved = np.abs(new - at)
        at = new
        if (moved <= 4e-16 * np.maximum(np.abs(at), h)).all():
            break
    return np.asarray(at)


def count_modes(sample: Sample, h: float) -> int:
    """Return the number of modes.

    Parameters
    ----------
    sample, h
        As `derivatives`.

    Returns
    -------
    int
        At least 1.

    References
    ----------
    .. [1] Silverman BW (1981), JRSS B 43, 97-99.
    """
    _, slope = _slopes(sample, h)
    return int(((slope[:-1] > 0) & (slope[1:] < 0)).sum())


def find_turns(sample: Sample, h: float) -> tuple[FloatArray, FloatArray]:
    """Return turning points of the density, and +1 for a mode, -1 for an antimode.

    Parameters
    ----------
    sample, h
        As `derivatives`.

    Returns
    -------
    (locations, signs)
        Ascending.

    References
    ----------
    .. [1] Silverman BW (1981), JRSS B 43, 97-99.
    """
    places, slope = _slopes(sample, h)
    at = np.flatnonzero((slope[:-1] > 0) != (slope[1:] > 0))
    found = _polish(sample, h, places[at], places[at + 1], order=0)
    return found, np.where(slope[at] > 0, 1.0, -1.0)


def critical_h(sample: Sample, k: int, *, rtol: float, guess: float | None = None) -> float:
    """Return the smallest bandwidth with at most k modes.

    Parameters
    ----------
    sample : Sample
        Data.
    k : int
        Modes allowed.
    rtol : float
        Relative accuracy where bisection must do.
    guess : float, optional
        Where to start.

    Returns
    -------
    float
        NaN with fewer than k + 1 distinct values.

    References
    ----------
    .. [1] Silverman BW (1981), JRSS B 43, 97-99.
    """
    if len(sample.values) <= k:
        return float("nan")
    span = float(sample.values[-1] - sample.values[0])
    low, high = _bracket(sample, k, span if guess is None else guess, span)
    tried = 0.3
    while high - low > rtol * high:
        if high - low <= tried * high:
            exact = _solve_merge(sample, k, low, high)
            if exact is not None:
                return exact
            tried /= 5
        middle = float(np.sqrt(low * high))
        if not low < middle < high:
            break
        if count_modes(sample, middle) > k:
            low = middle
        else:
            high = middle
    return high


def _bracket(sample: Sample, k: int, start: float, span: float) -> tuple[float, float]:
    """Return a bandwidth with more than k modes and a larger one with at most k."""
    high = min(start, span)
    if count_modes(sample, high) > k:
        while True:
            low, high = high, min(high * 1.25, span)
            # At the range of the data every kernel is concave between them: one mode.
            if high >= span or count_modes(sample, high) <= k:
                return low, high
    ratio = 1.25
    while True:
        low = high / ratio
        if count_modes(sample, low) > k:
            return low, high
        high, ratio = low, min(ratio * 1.25, 2.0)


def _solve_merge(sample: Sample, k: int, low: float, high: float) -> float | None:
    """Return the bandwidth at which a mode meets an antimode, checked on both sides."""
    turns, _ = find_turns(sample, low)
    best = None
    for pair in np.argsort(np.diff(turns))[:3]:
        h = _newton_merge(sample, low, 0.5 * (turns[pair] + turns[pair + 1]))
        if h is None or not low * (1 - 1e-6) <= h <= high * (1 + 1e-6):
            continue
        if count_modes(sample, h * (1 + 1e-7)) <= k < count_modes(sample, h * (1 - 1e-7)):
            best = h
            break
    return best


def _newton_merge(sample: Sample, h: float, at: float) -> float | None:
    """Solve slope = bend = 0 for place and bandwidth; the density obeys the heat equation."""
    for _ in range(40):
        d1, d2, d3, d4 = (float(v[0]) for v in derivatives(sample, h, np.array([at]), order=4))
        determinant = d2 * d4 - d3 * d3
        if determinant == 0 or not np.isfinite(determinant):
            return None
        move = (-d1 * d4 + d2 * d3) / determinant
        grow = (-d2 * d2 + d1 * d3) / determinant
        if abs(move) > 1 or abs(grow) > 0.5:
            return None
        at, h = at + h * move, h * float(np.exp(grow))
        if abs(grow) < 1e-15 and abs(move) < 1e-10:
            return h
    return h if abs(grow) < 1e-12 else None
