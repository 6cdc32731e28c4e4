"""Rank tests with their shift: rank sum of two samples, signed rank of one.

Normal approximation with the correction for ties; nothing exact, nothing permuted. Missing
values and adjustment for many comparisons are the caller's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from assayhouse.stats.arrays import FloatArray, as_finite
from assayhouse.stats.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class RankResult:
    """Two samples compared by ranks.

    Parameters
    ----------
    w : float
        Pairs in which the active value is the larger; ties count one half.
    p_value : float
        Two-sided; 1 when all values are the same.
    hl_shift : float
        Median of all differences active - control.
    ci_low, ci_high : float
        Interval of the shift; infinite on a side where the samples are too small for an end.
    median_active, median_control : float
        In the units of the values.
    quartiles_active, quartiles_control : (float, float)
        First and third quartile, type 7.
    n_active, n_control : int
        Sizes.
    """

    w: float
    p_value: float
    hl_shift: float
    ci_low: float
    ci_high: float
    median_active: float
    median_control: float
    quartiles_active: tuple[float, float]
    quartiles_control: tuple[float, float]
    n_active: int
    n_control: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRank:
    """One sample against zero.

    Parameters
    ----------
    v : float
        Sum of the ranks of the positive values.
    p_value : float
        Two-sided; 1 when every value is zero.
    n_zero : int
        Zeros, which were left out.
    """

    v: float
    p_value: float
    n_zero: int


def rank_comparison(
    active: ArrayLike, control: ArrayLike, *, continuity: bool = True, conf_level: float = 0.95
) -> RankResult:
    """Compare two samples by the Wilcoxon rank-sum test and the Hodges-Lehmann shift.

    The shift is the exact median of all pairwise differences, and the interval has pairwise
    differences as its ends; programs that search the root of a step function differ by a
    fraction of its width.

    Parameters
    ----------
    active, control : (n,) arrays
        Values in one unit.
    continuity : bool
        Continuity correction, of the test and of the interval alike.
    conf_level : float
        Of the interval.

    Returns
    -------
    RankResult
        Test, shift with its interval, medians and quartiles.

    Raises
    ------
    ModelDataError
        An empty sample, or a value that is missing or infinite.
    InputError
        conf_level not between 0 and 1.

    References
    ----------
    .. [1] Hollander M, Wolfe DA, Chicken E (2014), Nonparametric Statistical Methods, 3rd ed.,
       section 4.1 (equation 4.13, ties), section 4.2 (shift), section 4.3 (interval).
    .. [2] Hodges JL, Lehmann EL (1963), Ann Math Stat 34, 598-611.

    Examples
    --------
    >>> result = rank_comparison([5.0, 7.0, 9.0], [1.0, 2.0, 6.0])
    >>> result.w, result.hl_shift, round(result.p_value, 4)
    (8.0, 4.0, 0.1904)
    """
    if not 0 < conf_level < 1:
        message = f"conf_level={conf_level!r} must lie between 0 and 1."
        raise InputError(message)
    x = as_finite(active, name="active", dimensions=(1,))
    y = as_finite(control, name="control", dimensions=(1,))
    ranks, ties = _rank(np.concatenate([x, y]))
    w = float(ranks[: len(x)].sum()) - len(x) * (len(x) + 1) / 2
    differences = np.sort(np.subtract.outer(x, y), axis=None)
    low, high = _invert(x, y, differences, conf_level=conf_level, continuity=continuity)
    return RankResult(
        w=w,
        p_value=_p_value(w - len(x) * len(y) / 2, _spread(len(x), len(y), ties), continuity),
        hl_shift=float(np.median(differences)),
        ci_low=low,
        ci_high=high,
        median_active=float(np.median(x)),
        median_control=float(np.median(y)),
        quartiles_active=_quartiles(x),
        quartiles_control=_quartiles(y),
        n_active=len(x),
        n_control=len(y),
    )


def signed_rank(values: ArrayLike, *, continuity: bool = True) -> SignedRank:
    """Test by Wilcoxon's signed ranks whether a sample lies about zero.

    Parameters
    ----------
    values : (n,) array
        Changes in one unit; zeros are left out.
    continuity : bool
        Continuity correction.

    Returns
    -------
    SignedRank
        Statistic and two-sided p.

    Raises
    ------
    ModelDataError
        No value, or one that is missing or infinite.

    References
    ----------
    .. [1] Hollander M, Wolfe DA, Chicken E (2014), Nonparametric Statistical Methods, 3rd ed.,
       section 3.1 (equation 3.12, ties).

    Examples
    --------
    >>> signed_rank([0.0, 1.0, 2.0, -3.0, 4.0])
    SignedRank(v=7.0, p_value=0.5838824207703652, n_zero=1)
    """
    given = as_finite(values, name="values", dimensions=(1,))
    kept = given[given != 0]
    n = len(kept)
    ranks, ties = _rank(np.abs(kept))
    v = float(ranks[kept > 0].sum())
    variance = n * (n + 1) * (2 * n + 1) / 24 - ties / 48
    p_value = _p_value(v - n * (n + 1) / 4, float(np.sqrt(variance)), continuity)
    return SignedRank(v=v, p_value=p_value, n_zero=len(given) - n)


def _rank(values: FloatArray) -> tuple[FloatArray, float]:
    """Mean ranks, and the sum of t^3 - t over groups of t tied values."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    size = counts.astype(np.float64)
    middle = np.cumsum(size) - (size - 1) / 2
    return middle[place], float((size**3 - size).sum())


def _spread(n: int, k: int, ties: float) -> float:
    """Return the standard deviation of w without any difference, given the ties."""
    total = n + k
    variance = n * k / 12 * ((total + 1) - ties / (total * max(total - 1, 1)))
    return float(np.sqrt(max(variance, 0.0)))


def _p_value(distance: float, spread: float, continuity: bool) -> float:  # noqa: FBT001
    if distance == 0 or spread == 0:
        return 1.0
    reach = max(abs(distance) - (0.5 if continuity else 0.0), 0.0)
    return float(2 * ndtr(-reach / spread))


def _invert(
    x: FloatArray, y: FloatArray, differences: FloatArray, *, conf_level: float, continuity: bool
) -> tuple[float, float]:
    """Differences at which the statistic of (x - d, y) steps across +z and -z.

    Between two neighbouring differences no shifted value ties with one of the other sample, so
    only ties within a sample count, and after the k-th difference w is n_x n_y - k.
    """
    pairs = len(differences)
    spread = _spread(len(x), len(y), _rank(x)[1] + _rank(y)[1])
    reach = float(ndtri(0.5 + conf_level / 2)) * spread + (0.5 if continuity else 0.0)
    # w - pairs/2 = pairs/2 - k, which must be <= reach: the first such k.
    first = int(np.ceil(pairs / 2 - reach))
    if first < 1:
        return -np.inf, np.inf
    return float(differences[first - 1]), float(differences[pairs - first])


def _quartiles(values: FloatArray) -> tuple[float, float]:
    low, high = np.quantile(values, [0.25, 0.75])
    return float(low), float(high)
