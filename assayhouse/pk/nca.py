"""Non-compartmental analysis of one concentration-time profile, or of one per group.

Linear up, logarithmic down; terminal slope by the adjusted r squared. No model is fitted here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assayhouse.pk.arrays import FloatArray
from assayhouse.pk.errors import NCAError

NCAResult: TypeAlias = dict[str, float | int | str | None]

_TIE: Final = 1e-4
"""Fits whose adjusted r squared is this close to the best are as good; the longest is taken."""

_TERMINAL: Final = (
    "lambda_z",
    "half_life",
    "r_squared",
    "adj_r_squared",
    "lambda_z_n_points",
    "lambda_z_time_first",
    "lambda_z_time_last",
    "clast_pred",
    "span_ratio",
    "aucinf_obs",
    "auc_pct_extrap",
    "cl_f",
    "vz_f",
)
_OBSERVED: Final = ("auclast", "cmax", "tmax", "tlast", "clast_obs")
_INTEGER: Final = ("lambda_z_n_points",)


@dataclass(frozen=True, slots=True)
class _Line:
    """Log-linear regression over the last points of a profile."""

    n: int
    slope: float
    intercept: float
    r_squared: float
    adj_r_squared: float


def nca(
    time: Sequence[float],
    conc: Sequence[float | None],
    *,
    dose: float | None = None,
    blq: Sequence[bool] | None = None,
    interval: tuple[float, float] = (0.0, math.inf),
    scale: float = 1.0,
    min_points: int = 3,
) -> NCAResult:
    """Analyse one profile; a terminal phase that cannot be trusted is flagged, its values kept.

    ``auclast`` is over ``interval``; everything else is over all samples.

    Parameters
    ----------
    time : (n,) sequence
        Times after the dose, increasing.
    conc : (n,) sequence
        Concentrations; a row with None is left out.
    dose : float, optional
        Amount given, for ``cl_f`` and ``vz_f``.
    blq : (n,) sequence of bool, optional
        Samples below the limit; by default those with a concentration of 0 or less. They count as
        0 before the first and after the last quantifiable one, and not at all between.
    interval : tuple of float
        From when to when ``auclast`` is taken.
    scale : float
        Amount per litre in the unit of the concentrations (mg and ng/mL: 1000).
    min_points : int
        Fewest points of the terminal slope.

    Returns
    -------
    dict
        Areas in concentration times time, ``cl_f`` in litres per time, ``vz_f`` in litres;
        ``flag`` holds codes (no_quantifiable, start_not_sampled, no_lambda_z, adj_r_squared,
        span, extrapolation) with blanks between, or nothing.

    Raises
    ------
    NCAError
        Lengths that differ, times that do not increase, values that are not finite, a negative
        concentration that is not BLQ, or options out of range.

    References
    ----------
    .. [1] Gabrielsson J, Weiner D (2016), Pharmacokinetic and Pharmacodynamic Data Analysis,
       5th edition, section 2.8 (linear up, logarithmic down).
    .. [2] Denney W, Duvvuri S, Buckeridge C (2015), J Pharmacokinet Pharmacodyn 42, S65 (PKNCA:
       choice of the terminal points).

    Examples
    --------
    >>> profile = nca([0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 8.0, 4.0, 2.0, 1.0], dose=10.0)
    >>> round(profile["half_life"], 6), profile["cmax"], profile["lambda_z_n_points"]
    (1.0, 8.0, 3)
    """
    _require_options(dose, interval, scale, min_points)
    t, c, below = _samples(time, conc, blq)
    result: NCAResult = dict.fromkeys((*_OBSERVED, *_TERMINAL))
    quantifiable = np.flatnonzero(~below)
    if not len(quantifiable):
        return result | {"auclast": 0.0, "cmax": 0.0, "flag": "no_quantifiable no_lambda_z"}
    t, c, below = _settle_blq(t, c, below)
    at, last = int(np.argmax(c)), int(np.flatnonzero(~below)[-1])
    result |= {"cmax": float(c[at]), "tmax": float(t[at])}
    result |= {"tlast": float(t[last]), "clast_obs": float(c[last])}
    flags = [] if interval[0] >= t[0] else ["start_not_sampled"]
    result["auclast"] = _auc_last(t, c, below, interval)
    line = _terminal_line(
        t[at + 1 : last + 1], c[at + 1 : last + 1], below[at + 1 : last + 1], min_points
    )
    if line is None:
        return result | {"flag": " ".join([*flags, "no_lambda_z"])}
    whole = _auc_last(t, c, below, (-math.inf, math.inf))
    used = np.flatnonzero(~below)[-line.n :]
    terminal = _terminal(line, float(t[used[0]]), float(t[last]), float(c[last]), whole)
    result |= terminal
    if dose is not None:
        clearance = scale * dose / (whole + float(c[last]) / -line.slope)
        result |= {"cl_f": clearance, "vz_f": clearance / -line.slope}
    return result | {"flag": " ".join([*flags, *_doubts(terminal)])}


def nca_table(
    frame: pl.DataFrame,
    *,
    by: Sequence[str] = ("ID",),
    time: str = "TIME",
    conc: str = "DV",
    dose: str | None = None,
    interval: tuple[float, float] = (0.0, math.inf),
) -> pl.DataFrame:
    """Analyse one profile per group; see `nca`.

    Parameters
    ----------
    frame : polars.DataFrame
        One row per sample.
    by : sequence of str
        Columns whose values together name a profile.
    time, conc : str
        Columns of times and concentrations.
    dose : str, optional
        Column of the amount given, the same in all rows of a profile.
    interval : tuple of float
        As of `nca`.

    Returns
    -------
    polars.DataFrame
        One row per group, in the order of their first rows; the keys of `nca` as columns.

    Raises
    ------
    NCAError
        A column is missing, a dose changes within a group, or a profile cannot be analysed.

    References
    ----------
    .. [1] As of `nca`.
    """
    wanted = [*by, time, conc, *([dose] if dose else [])]
    missing = [name for name in wanted if name not in frame.columns]
    if missing or not by:
        message = f"Columns {', '.join(missing) or 'to group by'} are needed and not there."
        raise NCAError(message)
    keys = list(by)
    rows = []
    for group in frame.partition_by(keys, maintain_order=True):
        amount = _dose_of(group, dose)
        values = nca(group[time].to_list(), group[conc].to_list(), dose=amount, interval=interval)
        rows.append({name: group[name][0] for name in keys} | values)
    return pl.DataFrame(rows, schema=_schema(frame, keys))


def _schema(frame: pl.DataFrame, by: list[str]) -> dict[str, pl.DataType]:
    schema: dict[str, pl.DataType] = {name: frame.schema[name] for name in by}
    for name in (*_OBSERVED, *_TERMINAL):
        schema[name] = pl.Int64() if name in _INTEGER else pl.Float64()
    return schema | {"flag": pl.String()}


def _dose_of(group: pl.DataFrame, dose: str | None) -> float | None:
    if dose is None:
        return None
    values = group[dose].drop_nulls().unique().to_list()
    if len(values) > 1:
        message = f"Column {dose} changes within a profile; one profile has one dose."
        raise NCAError(message)
    return float(values[0]) if values else None


def _require_options(
    dose: float | None, interval: tuple[float, float], scale: float, min_points: int
) -> None:
    if dose is not None and not (math.isfinite(dose) and dose > 0):
        message = "dose must be a finite amount above 0."
        raise NCAError(message)
    if not (math.isfinite(scale) and scale > 0):
        message = "scale must be finite and above 0."
        raise NCAError(message)
    if not interval[0] < interval[1]:
        message = "interval must end after it starts."
        raise NCAError(message)
    if min_points < 3:
        message = "min_points must be 3 or more: two points fit any line."
        raise NCAError(message)


def _samples(
    time: Sequence[float], conc: Sequence[float | None], blq: Sequence[bool] | None
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Read times, concentrations and which are below the limit; rows without a value left out."""
    if len(time) != len(conc) or (blq is not None and len(blq) != len(conc)):
        message = "time, conc and blq must have one entry per sample each."
        raise NCAError(message)
    try:
        t = np.asarray(list(time), dtype=np.float64)
        c = np.asarray([math.nan if value is None else value for value in conc], dtype=np.float64)
    except (TypeError, ValueError):
        message = "time and conc must be numbers."
        raise NCAError(message) from None
    below = c <= 0 if blq is None else np.asarray([bool(value) for value in blq])
    c = np.where(below & (blq is not None), 0.0, c)
    kept = ~np.isnan(c)
    t, c, below = t[kept], c[kept], below[kept]
    if not (np.isfinite(t).all() and np.isfinite(c).all() and (np.diff(t) > 0).all()):
        message = "Times must be finite and increasing, and concentrations finite."
        raise NCAError(message)
    if (~below & (c <= 0)).any():
        message = "A quantifiable concentration must be above 0."
        raise NCAError(message)
    if not len(t):
        message = "The profile has no sample."
        raise NCAError(message)
    return t, c, below


def _settle_blq(
    t: FloatArray, c: FloatArray, below: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """BLQ is 0 before the first and after the last quantifiable sample, and dropped between."""
    place = np.arange(len(t))
    seen = np.flatnonzero(~below)
    kept = ~below | (place < seen[0]) | (place > seen[-1])
    return t[kept], np.where(below, 0.0, c)[kept], below[kept]


def _auc_last(
    t: FloatArray, c: FloatArray, below: NDArray[np.bool_], interval: tuple[float, float]
) -> float:
    """Area from the start of the interval to the last quantifiable sample inside it [1]_."""
    low, high = interval
    inside = np.flatnonzero(~below & (t >= low) & (t <= high))
    if not len(inside):
        return 0.0
    stop = int(inside[-1])
    x, y = t[: stop + 1], c[: stop + 1]
    if low > x[0]:
        x, y = _cut_start(x, y, low)
    width, first, second = np.diff(x), y[:-1], y[1:]
    linear = width * (first + second) / 2
    falls = (second < first) & (second > 0)
    ratio = np.log(np.where(falls, first, 1.0) / np.where(falls, second, 2.0))
    return float(np.where(falls, width * (first - second) / ratio, linear).sum())


def _cut_start(x: FloatArray, y: FloatArray, low: float) -> tuple[FloatArray, FloatArray]:
    """Cut the profile at ``low``, read between two samples by the rule of the areas."""
    after = int(np.searchsorted(x, low))
    if x[after] == low:
        return x[after:], y[after:]
    share = (low - x[after - 1]) / (x[after] - x[after - 1])
    first, second = y[after - 1], y[after]
    if 0 < second < first:
        value = first * (second / first) ** share
    else:
        value = first + share * (second - first)
    return np.concatenate([[low], x[after:]]), np.concatenate([[value], y[after:]])


def _terminal_line(
    t: FloatArray, c: FloatArray, below: NDArray[np.bool_], min_points: int
) -> _Line | None:
    """Find the falling line through the last points with the best adjusted r squared [2]_."""
    x, y = t[~below], np.log(c[~below])
    lines = [_fit_line(x[-n:], y[-n:]) for n in range(min_points, len(x) + 1)]
    falling = [line for line in lines if line.slope < 0]
    if not falling:
        return None
    best = max(line.adj_r_squared for line in falling)
    return max((line for line in falling if line.adj_r_squared > best - _TIE), key=lambda f: f.n)


def _fit_line(x: FloatArray, y: FloatArray) -> _Line:
    dx, dy = x - x.mean(), y - y.mean()
    slope = float(dx @ dy / (dx @ dx))
    spread = float(dy @ dy)
    r_squared = slope * float(dx @ dy) / spread if spread > 0 else 0.0
    n = len(x)
    adjusted = 1 - (1 - r_squared) * (n - 1) / (n - 2)
    return _Line(n, slope, float(y.mean() - slope * x.mean()), r_squared, adjusted)


def _terminal(line: _Line, first: float, last: float, clast: float, auclast: float) -> NCAResult:
    rate = -line.slope
    half_life = math.log(2) / rate
    tail = clast / rate
    return {
        "lambda_z": rate,
        "half_life": half_life,
        "r_squared": line.r_squared,
        "adj_r_squared": line.adj_r_squared,
        "lambda_z_n_points": line.n,
        "lambda_z_time_first": first,
        "lambda_z_time_last": last,
        "clast_pred": math.exp(line.intercept + line.slope * last),
        "span_ratio": (last - first) / half_life,
        "aucinf_obs": auclast + tail,
        "auc_pct_extrap": 100 * tail / (auclast + tail),
    }


def _doubts(terminal: NCAResult) -> list[str]:
    """Why the terminal phase should not be relied on."""
    numbers = {name: float(value) for name, value in terminal.items() if value is not None}
    doubts = {
        "adj_r_squared": numbers["adj_r_squared"] < 0.8,
        "span": numbers["span_ratio"] < 2,
        "extrapolation": numbers["auc_pct_extrap"] > 20,
    }
    return [name for name, doubtful in doubts.items() if doubtful]
