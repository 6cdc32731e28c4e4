"""Response rate of the subjects beyond each threshold, per arm, with bands over all thresholds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray, require_word
from assayhouse.stats.batting_cells import Cells, Splits, count_cells, find_splits, present_ties
from assayhouse.stats.batting_checks import read_candidates, require_count
from assayhouse.stats.batting_search import Draws, read_resamples
from assayhouse.stats.batting_study import Study, read_columns, read_study
from assayhouse.stats.frozen import Frozen, freeze
from assayhouse.stats.proportions import normal_quantile, wilson
from assayhouse.stats.resampling import Rng, resolve_seed

_WORK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseCurve(Frozen):
    """Response rates beyond thresholds; row 0 is control, row 1 active.

    Parameters
    ----------
    thresholds : (T,) array
        Ascending.
    n, y : (2, T) arrays of int
        Subjects beyond the threshold, and responders among them.
    rate, lower, upper : (2, T) arrays
        Rate and Wilson's pointwise limits; NaN where nobody is left.
    band_lower, band_upper : (2, T) arrays
        Limits that hold at all thresholds of an arm together; NaN for pointwise curves and
        where fewer than ``min_n`` subjects are left.
    difference : (T,) array
        Active minus control.
    seed : int, optional
        Of the bootstrap; None where rows were given.
    """

    thresholds: FloatArray
    n: IntArray
    y: IntArray
    rate: FloatArray
    lower: FloatArray
    upper: FloatArray
    band_lower: FloatArray
    band_upper: FloatArray
    difference: FloatArray
    seed: int | None


def response_curve(
    x: ArrayLike,
    arm: ArrayLike,
    response: ArrayLike,
    *,
    thresholds: ArrayLike | None = None,
    direction: str = "higher",
    bands: str = "simultaneous",
    conf_level: float = 0.95,
    n_boot: int = 1000,
    min_n: int = 5,
    rng: Rng = None,
    resamples: ArrayLike | None = None,
    missing: str = "drop",
) -> ResponseCurve:
    """Return the response rate above (or below) every threshold, for each arm.

    Parameters
    ----------
    x, arm, response : (n,) array_like
        Marker; 1 active, 0 control; 0 or 1.
    thresholds : (T,) array_like, optional
        Default: the distinct values without the last.
    direction : {"higher", "lower"}
        Who counts: x > threshold or x < threshold.
    bands : {"simultaneous", "pointwise"}
        Whether the bootstrap bands are made.
    conf_level : float
        Coverage aimed at.
    n_boot : int
        Replicates.
    min_n : int
        Subjects of an arm that a threshold needs to be in its band.
    rng : int, Generator or None
        Seed.
    resamples : (B, n) array_like of int, optional
        0-based rows; overrides ``n_boot`` and ``rng``.
    missing : {"drop", "error"}
        What to do about rows with a missing value.

    Returns
    -------
    ResponseCurve
        The bands widen every limit by the same number of standard errors: the quantile of the
        largest studentised deviation, variance (y + 1/2)(f + 1/2)/(n + 1)^3.

    Raises
    ------
    InputError
        A rule of the door is broken.

    References
    ----------
    .. [1] Wilson EB (1927), JASA 22, 209-212.
    .. [2] Efron B, Tibshirani RJ (1993), An Introduction to the Bootstrap, section 12.5.

    Examples
    --------
    >>> found = response_curve([1, 2, 3, 4], [0, 1, 0, 1], [0, 0, 1, 1], bands="pointwise")
    >>> found.thresholds.tolist(), found.rate[1].tolist()
    ([1.0, 2.0, 3.0], [0.5, 1.0, 1.0])
    """
    require_word(direction, name="direction", known=("higher", "lower"))
    require_word(bands, name="bands", known=("simultaneous", "pointwise"))
    normal_quantile(conf_level)
    least = require_count(min_n, name="min_n", least=0)
    study = read_study(x, read_columns(arm, response, missing=missing))
    higher = direction == "higher"
    given = None if thresholds is None else read_candidates(thresholds)
    original = study.original()
    splits = _read_splits(study, original, given, higher=higher)
    n, y = _beyond(study, original, splits, higher=higher)
    n, y = n[:, 0], y[:, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = np.where(n > 0, y / n, np.nan)
    lower, upper = wilson(y, n, conf_level=conf_level)
    draws = _read_draws(len(study.marker), n_boot, rng, resamples)
    band = np.full((2, 2, n.shape[1]), np.nan)
    if bands == "simultaneous":
        usable = n >= max(least, 1)
        reach = _band_reach(
            study, splits, rate, usable, draws, conf_level=conf_level, higher=higher
        )
        half = reach[:, None] * _spread(n, y)
        band[0] = np.where(usable, np.clip(rate - half, 0, 1), np.nan)
        band[1] = np.where(usable, np.clip(rate + half, 0, 1), np.nan)
    return ResponseCurve(
        thresholds=freeze(splits.cuts[0]),
        n=freeze(n),
        y=freeze(y),
        rate=freeze(rate),
        lower=freeze(lower),
        upper=freeze(upper),
        band_lower=freeze(band[0]),
        band_upper=freeze(band[1]),
        difference=freeze(rate[1] - rate[0]),
        seed=draws.seed,
    )


def _read_splits(
    study: Study, weights: IntArray, given: FloatArray | None, *, higher: bool
) -> Splits:
    """Return thresholds as splits, one row."""
    found = find_splits(
        study,
        present_ties(study, weights),
        candidates="all" if given is None else "values",
        candidate_values=given,
        higher=higher,
    )
    valid = found.valid[0]
    return Splits(cuts=found.cuts[:, valid], low=found.low[:, valid], valid=found.valid[:, valid])


def _read_draws(n: int, n_boot: int, rng: Rng, resamples: ArrayLike | None) -> Draws:
    """Return the replicates of the bands."""
    if resamples is not None:
        rows = read_resamples(resamples, n=n)
        return Draws(n_rows=n, n_boot=len(rows), seed=None, label="x", groups=None, rows=rows)
    number = require_count(n_boot, name="n_boot", least=1)
    return Draws(n_rows=n, n_boot=number, seed=resolve_seed(rng), label="x", groups=None, rows=None)


def _beyond(
    study: Study, weights: IntArray, splits: Splits, *, higher: bool
) -> tuple[IntArray, IntArray]:
    """Return subjects and responders of group 1, (2 arms, b, T)."""
    shape = (len(weights), splits.low.shape[1])
    wide = Splits(
        cuts=np.broadcast_to(splits.cuts, shape),
        low=np.broadcast_to(splits.low, shape),
        valid=np.broadcast_to(splits.valid, shape),
    )
    cells: Cells = count_cells(study, weights, wide, higher=higher)
    return cells.n[1::2], np.asarray(cells.y[1::2], dtype=np.int64)


def _spread(n: IntArray, y: IntArray) -> FloatArray:
    """Return the standard error that is above zero for every count."""
    return np.asarray(np.sqrt((y + 0.5) * (n - y + 0.5) / (n + 1.0) ** 3))


def _band_reach(
    study: Study,
    splits: Splits,
    rate: FloatArray,
    usable: BoolArray,
    draws: Draws,
    *,
    conf_level: float,
    higher: bool,
) -> FloatArray:
    """Return, per arm, the quantile of the largest studentised deviation over thresholds."""
    largest = np.full((2, draws.n_boot), np.nan)
    step = max(_WORK // max(len(study.marker), 1), 1)
    for start in range(0, draws.n_boot, step):
        stop = min(start + step, draws.n_boot)
        weights = study.weigh(draws.take(start, stop))
        n, y = _beyond(study, weights, splits, higher=higher)
        with np.errstate(invalid="ignore", divide="ignore"):
            deviation = np.abs(y / n - rate[:, None]) / _spread(n, y)
        deviation[~(usable[:, None] & (n > 0))] = -np.inf
        largest[:, start:stop] = deviation.max(axis=2, initial=-np.inf)
    reach = np.full(2, np.nan)
    for arm in (0, 1):
        known = largest[arm][np.isfinite(largest[arm])]
        if len(known):
            reach[arm] = np.quantile(known, conf_level)
    return reach
