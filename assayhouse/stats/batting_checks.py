"""Checks of single options of a cut-point search."""

import numpy as np

from assayhouse.stats.arrays import FloatArray
from assayhouse.stats.columns import as_column
from assayhouse.stats.errors import InputError


def require_count(value: object, *, name: str, least: int) -> int:
    """Return a whole-number option.

    Parameters
    ----------
    value : object
        What the caller gave.
    name : str
        The option's name.
    least : int
        Smallest value allowed.

    Returns
    -------
    int
        The value.

    Raises
    ------
    InputError
        No integer, or below ``least``.
    """
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or int(value) < least:  # type: ignore[call-overload]
        message = f"{name} must be an integer of at least {least}."
        raise InputError(message)
    return int(value)  # type: ignore[call-overload, no-any-return]


def require_share(value: object) -> float:
    """Return `min_share`.

    Parameters
    ----------
    value : object
        What the caller gave.

    Returns
    -------
    float
        In [0, 1).

    Raises
    ------
    InputError
        Outside [0, 1) or no number.
    """
    if not isinstance(value, (int, float, np.number)) or not 0 <= float(value) < 1:
        message = "min_share must be at least 0 and below 1."
        raise InputError(message)
    return float(value)


def read_candidates(values: object) -> FloatArray:
    """Return given candidate cuts, ascending and distinct.

    Parameters
    ----------
    values : (C,) array_like
        Cuts.

    Returns
    -------
    (C,) array
        Finite.

    Raises
    ------
    InputError
        Nothing in it, or a value that is missing or infinite.
    """
    column = as_column(values, name="candidates")
    if not len(column) or np.isnan(column).any():
        message = "candidates must hold at least one cut, and no missing value."
        raise InputError(message)
    return np.unique(column)
