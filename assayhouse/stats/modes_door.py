"""What every function on modes checks at its door, and the constants they share."""

import numpy as np
from numpy.typing import ArrayLike

from assayhouse.stats.arrays import FloatArray
from assayhouse.stats.columns import as_column
from assayhouse.stats.errors import InputError

RTOL = 1e-10
"""Relative accuracy of critical bandwidths where bisection must do."""

ABOVE = 1 + 1e-6
"""Factor above a critical bandwidth at which the merged pair is gone."""

LABEL = "modes"
NAN = float("nan")
_LEAST_N = 10
_LEAST_DISTINCT = 4
Pair = tuple[float, float]


def read_values(x: ArrayLike) -> FloatArray:
    """Return the values that are not missing."""
    column = as_column(x, name="x")
    return column[~np.isnan(column)]


def require_whole(value: object, *, name: str, least: int) -> int:
    """Return a whole-number option."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or int(value) < least:  # type: ignore[call-overload]
        message = f"{name} must be an integer of at least {least}."
        raise InputError(message)
    return int(value)  # type: ignore[call-overload, no-any-return]


def read_tail(conf_level: float) -> float:
    """Return half of what lies outside an interval."""
    if not 0 < conf_level < 1:
        message = f"conf_level={conf_level!r} must lie strictly between 0 and 1."
        raise InputError(message)
    return (1 - conf_level) / 2


def too_few(values: FloatArray) -> bool:
    """Tell whether a test of modes says nothing."""
    return len(values) < _LEAST_N or len(np.unique(values)) < _LEAST_DISTINCT


def percentiles(found: FloatArray, tail: float) -> Pair:
    """Return percentiles of what exists."""
    known = found[~np.isnan(found)]
    if not len(known):
        return (NAN, NAN)
    low, high = np.quantile(known, [tail, 1 - tail])
    return (float(low), float(high))
