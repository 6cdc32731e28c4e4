"""Size standards: which peaks are their fragments, and the sizes that follow for other peaks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.errors import ModelDataError
from assayhouse.instruments.ladder_path import LARGEST_BEND, find_path
from assayhouse.instruments.peaks import FloatArray, IntArray, Peaks

_TO_300 = (20, 40, 60, 80, 100, 114, 120, 140, 160, 180, 200, 214, 220, 240, 250, 260, 280, 300)
_TO_600 = (
    *_TO_300,
    314,
    320,
    340,
    360,
    380,
    400,
    414,
    420,
    440,
    460,
    480,
    500,
    514,
    520,
    540,
    560,
    580,
    600,
)
_500 = (35, 50, 75, 100, 139, 150, 160, 200, 250, 300, 340, 350, 400, 450, 490, 500)
_400 = (50, 60, 90, 100, 120, 150, 160, 180, 190, 200, 220, 240, 260, 280, 290, 300, 320, 340)
_TO_900 = (614, 620, 640, 660, 680, 700, 714, 720, 740, 760, 780, 800, 820, 840, 850, 860, 880, 900)
_TO_1200 = (*_TO_900, 920, 940, 960, 980, 1000, 1020, 1040, 1060, 1080, 1100, 1120, 1160, 1200)

LADDERS: Mapping[str, tuple[float, ...]] = {
    name: tuple(float(size) for size in sizes)
    for name, sizes in {
        "GS600LIZ": _TO_600[2:],
        "GS600LIZ_20": _TO_600,
        "GS500LIZ": _500,
        "GS500ROX": _500,
        "GS350ROX": tuple(size for size in _500 if size <= 350),
        "GS400HD": (*_400, 360, 380, 400),
        "GS120LIZ": (15, 20, 25, 35, 50, 62, 80, 110, 120),
        "GS1200LIZ": (*_TO_600, *_TO_1200),
    }.items()
}
"""Fragments of the usual size standards in base pairs, as their makers list them."""

LOW_SIGNAL = 200.0
"""Median height of a ladder's peaks below which it is flagged."""

MOST_FRAGMENTS = 200
"""Longer ladders are cut, so that the search stays short."""

_KEPT = 40
FEWEST_SHARE = 0.7
"""Share of the expected fragments that must be found."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Fragments of a size standard found in one channel.

    Parameters
    ----------
    scan : (m,) array
        Scans of the fragments, rising.
    size_bp : (m,) array
        Their sizes in base pairs.
    quality : float
        0 to 1: the share of the expected fragments found, less what their spacing is uneven.
    flags : tuple of str
        sizing_failed, low_signal.
    """

    scan: ArrayLike
    size_bp: ArrayLike
    quality: float = 1.0
    flags: tuple[str, ...] = ()


def ladder_sizes(name: str) -> tuple[float, ...] | None:
    """Fragments of the standard that a file names, for example ``GS600LIZ(60-600)+Normalization``.

    Parameters
    ----------
    name : str
        As in the file; what follows a bracket limits the range, the rest does not count.
    """
    word = re.sub(r"[^A-Z0-9]", "", re.split(r"[(+]", name.upper())[0])
    limits = re.search(r"\((\d+)\s*-\s*(\d+)\)", name)
    known = {key.replace("_20", "20"): key for key in LADDERS}
    key = known.get(re.sub(r"(V\d+|_V\d+)$", "", word))
    if key is None:
        return None
    sizes = LADDERS["GS600LIZ_20" if key == "GS600LIZ" and limits else key]
    if limits is None:
        return sizes
    return tuple(size for size in sizes if int(limits[1]) <= size <= int(limits[2]))


def match_ladder(peaks: Peaks, sizes_bp: ArrayLike) -> Ladder:
    """Find the fragments of a size standard among the peaks of its channel.

    Parameters
    ----------
    peaks : Peaks
        Of the ladder's channel.
    sizes_bp : (n,) array
        Expected fragments, as in ``LADDERS``.

    Returns
    -------
    Ladder
        Empty, of quality 0 and flagged sizing_failed where no assignment is consistent; flagged
        low_signal where the median height of its peaks is below 200.
    """
    sizes = np.unique(np.asarray(sizes_bp, dtype=np.float64).ravel())
    sizes = sizes[np.isfinite(sizes) & (sizes > 0)][:MOST_FRAGMENTS]
    least = max(3, int(np.ceil(FEWEST_SHARE * len(sizes))))
    chosen = _candidates(peaks, len(sizes))
    scans, heights = peaks.scan[chosen].astype(np.float64), peaks.height[chosen]
    fragments, places = find_path(scans, np.log(np.maximum(heights, 1e-9)), sizes)
    uneven = _unevenness(scans[places], sizes[fragments])
    if len(places) < least or uneven > LARGEST_BEND or not _stands_out(heights, places):
        nothing = np.empty(0)
        return Ladder(nothing.astype(np.int64), nothing, 0.0, ("sizing_failed",))
    low = ("low_signal",) if float(np.median(heights[places])) < LOW_SIGNAL else ()
    quality = len(places) / len(sizes) / (1.0 + (uneven / LARGEST_BEND) ** 2)
    return Ladder(peaks.scan[chosen][places].astype(np.int64), sizes[fragments], quality, low)


def _candidates(peaks: Peaks, n_sizes: int) -> IntArray:
    """Positions of the highest peaks, in order of their scans."""
    count = min(len(peaks.scan), 2 * n_sizes + _KEPT)
    highest = np.argsort(-np.asarray(peaks.height), kind="stable")[:count]
    return highest[np.argsort(np.asarray(peaks.scan)[highest], kind="stable")].astype(np.int64)


def _unevenness(scans: FloatArray, sizes: FloatArray) -> float:
    """Median change, as a logarithm, of the scans per base pair from gap to gap."""
    if len(scans) < 3:
        return 0.0
    return float(np.median(np.abs(np.diff(np.log(np.diff(scans) / np.diff(sizes))))))


def _stands_out(heights: FloatArray, places: IntArray) -> bool:
    """Whether peaks as high as the ladder's are mostly the ladder's, where the ladder lies."""
    middle = float(np.median(heights[places]))
    inside = heights[places[0] : places[-1] + 1]
    alike, own = (
        int(np.sum((some > middle / 2.0) & (some < middle * 2.0)))
        for some in (inside, heights[places])
    )
    return alike <= 1.3 * own


def size_fragments(
    scans: ArrayLike, ladder: Ladder, *, method: str = "local_southern"
) -> FloatArray:
    """Size fragments by the local Southern method.

    Parameters
    ----------
    scans : (k,) array
        Where the fragments passed.
    ladder : Ladder
        Of the same capillary.
    method : {"local_southern"}
        Mean of the two curves L = a / (m - m0) + c through three neighbouring ladder points.

    Returns
    -------
    (k,) array
        Base pairs; NaN outside the ladder, and everywhere when sizing failed.

    Raises
    ------
    ModelDataError
        Unknown method, or a ladder whose sizes do not rise with its scans.

    References
    ----------
    .. [1] Elder JK, Southern EM (1983), Anal Biochem 128, 227-231: the local method.
    """
    if method != "local_southern":
        message = f"method={method!r} is unknown; local_southern is known."
        raise ModelDataError(message)
    m = np.atleast_1d(np.asarray(scans, dtype=np.float64))
    at = np.asarray(ladder.scan, dtype=np.float64)
    size = np.asarray(ladder.size_bp, dtype=np.float64)
    sized = np.full(m.shape, np.nan)
    if len(at) < 3 or "sizing_failed" in ladder.flags:
        return sized
    if at.shape != size.shape or not (np.all(np.diff(at) > 0) and np.all(np.diff(size) > 0)):
        message = "the ladder's sizes must rise with its scans, one size per scan."
        raise ModelDataError(message)
    inside = (m >= at[0]) & (m <= at[-1])
    left = np.clip(np.searchsorted(at, m[inside], side="right") - 1, 0, len(at) - 2)
    # Three points that begin one before the interval, and three that begin with it.
    before = np.clip(left - 1, 0, len(at) - 3)
    after = np.clip(left, 0, len(at) - 3)
    sized[inside] = (
        _southern(m[inside], at, size, before) + _southern(m[inside], at, size, after)
    ) / 2.0
    return sized


def _southern(m: FloatArray, at: FloatArray, size: FloatArray, first: IntArray) -> FloatArray:
    """L = a / (m - m0) + c through three points, by its cross ratio: a straight line is no case."""
    m1, m2, m3 = at[first], at[first + 1], at[first + 2]
    l1, l2, l3 = size[first], size[first + 1], size[first + 2]
    one = (m - m1) * (m2 - m3) * (l2 - l1)
    three = (m - m3) * (m2 - m1) * (l2 - l3)
    return np.asarray((l1 * three - l3 * one) / (three - one), dtype=np.float64)
