"""Peaks of one channel: where they are, how high, and from where to where."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.errors import ModelDataError

FloatArray: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
IntArray: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.int64]]

RISE = 0.5
"""Least rise over the higher neighbouring valley, as a share of ``min_height``."""

SHOULDER = 0.02
"""Least rise over the higher neighbouring valley, as a share of the peak's own height."""

NOISE = 4.0
"""Least rise over the higher neighbouring valley, in standard deviations of the noise."""

FOOT = 0.02
"""A peak begins and ends where the signal falls to this share of its height, or in a valley."""

WIDEST = 80
"""Scans on either side in which the foot of a peak is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """Peaks in order of their scans.

    Parameters
    ----------
    scan : (k,) array of int
        Row of the apex, counted from 0; the first of a flat top.
    height : (k,) array
        Signal at the apex.
    area : (k,) array
        Sum of the signal from begin to end, in signal units times scans.
    begin, end : (k,) array of int
        First and last row of the peak.
    """

    scan: IntArray
    height: FloatArray
    area: FloatArray
    begin: IntArray
    end: IntArray


def find_peaks(signal: ArrayLike, *, min_height: float = 50.0) -> Peaks:
    """Find the peaks of one channel.

    Parameters
    ----------
    signal : (n_scans,) array
        Relative fluorescence units.
    min_height : float
        Lower signals are no peaks.

    Returns
    -------
    Peaks
        Every local maximum that is high enough and rises over the valleys beside it.

    Raises
    ------
    ModelDataError
        The signal is not one row of finite numbers, or ``min_height`` is not above zero.
    """
    import scipy.signal  # noqa: PLC0415 - slow to import

    values = np.asarray(signal, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all() or not min_height > 0:
        message = "give one channel, (n_scans,) finite numbers, and a min_height above zero."
        raise ModelDataError(message)
    # A floor on both sides makes a peak at the very edge one too.
    floor = float(values.min(initial=0.0)) - 1.0
    padded = np.concatenate([[floor], values, [floor]])
    middles, flat = scipy.signal.find_peaks(padded, height=min_height, plateau_size=1)
    rise, _, _ = scipy.signal.peak_prominences(padded, middles, wlen=2 * WIDEST + 1)
    least = max(RISE * min_height, NOISE * _noise(values))
    enough = rise >= np.maximum(least, SHOULDER * padded[middles])
    tops = flat["left_edges"] - 1
    return _measure(values, tops[enough].astype(np.int64))


def _noise(values: FloatArray) -> float:
    """Spread of the signal, from its smaller steps, which peaks hardly touch."""
    steps = np.abs(np.diff(values))
    # Three tenths of the steps of white noise are below 0.385 * sqrt(2) of its spread.
    return float(np.quantile(steps, 0.3)) / 0.545 if len(steps) else 0.0


def _measure(values: FloatArray, scan: IntArray) -> Peaks:
    begin, end = np.empty_like(scan), np.empty_like(scan)
    for place, apex in enumerate(scan):
        left = max(apex - WIDEST, 0 if place == 0 else int(scan[place - 1]))
        last = len(values) - 1 if place == len(scan) - 1 else int(scan[place + 1])
        right = min(apex + WIDEST, last)
        foot = FOOT * values[apex]
        begin[place] = apex - _reach(values[left : apex + 1][::-1], foot)
        end[place] = apex + _reach(values[apex : right + 1], foot)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    return Peaks(
        scan=scan, height=values[scan], area=sums[end + 1] - sums[begin], begin=begin, end=end
    )


def _reach(slope: FloatArray, foot: float) -> int:
    """Count steps from the apex down to the foot, or to the valley before the next apex."""
    below = np.flatnonzero(slope <= foot)
    return int(below[0]) if len(below) else int(np.argmin(slope))
