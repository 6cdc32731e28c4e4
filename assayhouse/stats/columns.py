"""Columns as callers give them: lists, arrays or series, with NaN, None or null for missing.

Holds the conversion to float columns; labels are in `factors`. It decides nothing about which
rows a method uses.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from assayhouse.stats.arrays import BoolArray, FloatArray, require_word
from assayhouse.stats.errors import InputError


def as_objects(values: object, *, name: str) -> NDArray[Any]:
    """Return what a caller gave as an array, without turning None into text.

    Parameters
    ----------
    values : array_like
        List, array, or a series with `to_numpy`.
    name : str
        What it is called in the message.

    Returns
    -------
    array
        Of whatever type it was; object for lists.

    Raises
    ------
    InputError
        Rows of unequal length.
    """
    if isinstance(values, np.ma.MaskedArray):
        return np.asarray(np.ma.filled(values.astype(object), None))
    if isinstance(values, np.ndarray):
        return values
    convert = getattr(values, "to_numpy", None)
    if convert is not None:
        return np.asarray(convert())
    try:
        return np.array(values, dtype=object)
    except ValueError:
        message = f"{name} is not an array: its rows differ in length."
        raise InputError(message) from None


def as_column(values: object, *, name: str, n: int | None = None) -> FloatArray:
    """Return a numeric column; missing is NaN.

    Parameters
    ----------
    values : (n,) array_like
        Numbers or truth values; NaN, None and null are missing.
    name : str
        What it is called in the message.
    n : int, optional
        Length it must have.

    Returns
    -------
    (n,) array
        float64, never the caller's own memory.

    Raises
    ------
    InputError
        Not numeric, not one axis, another length, or an infinite value.
    """
    return _as_floats(as_objects(values, name=name), name=name, n=n, dimensions=1)


def as_matrix(values: object, *, name: str, n: int) -> FloatArray:
    """Return numeric columns side by side; missing is NaN.

    Parameters
    ----------
    values : (n,) or (n, k) array_like
        As `as_column`.
    name, n : str, int
        As `as_column`.

    Returns
    -------
    (n, k) array
        float64.

    Raises
    ------
    InputError
        As `as_column`.
    """
    array = as_objects(values, name=name)
    if array.ndim == 1:
        array = array[:, None]
    return _as_floats(array, name=name, n=n, dimensions=2)


def _as_floats(array: NDArray[Any], *, name: str, n: int | None, dimensions: int) -> FloatArray:
    """Return float64 of the right shape without infinite values."""
    if array.ndim != dimensions or (n is not None and len(array) != n):
        wanted = "one row per subject" if n is None else f"{n} rows"
        message = f"{name} has shape {array.shape}; {wanted} and {dimensions} axes are needed."
        raise InputError(message)
    if array.dtype.kind == "O":
        array = np.where(is_missing(array), np.nan, array)
    try:
        numbers = np.array(array, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = None
    if numbers is None or array.dtype.kind not in "biufO" or _holds_text(array):
        message = f"{name} is not numeric."
        raise InputError(message)
    if np.isinf(numbers).any():
        message = f"{name} holds {int(np.isinf(numbers).sum())} infinite values."
        raise InputError(message)
    return numbers


def _holds_text(array: NDArray[Any]) -> bool:
    """Tell text that looks like a number from a number."""
    return array.dtype.kind == "O" and any(isinstance(v, (str, bytes)) for v in array.flat)


def is_missing(array: NDArray[Any]) -> BoolArray:
    """Tell which entries are NaN, None or a missing value of a data frame.

    Parameters
    ----------
    array : array
        Any type.

    Returns
    -------
    array of bool
        Of the same shape.
    """
    if array.dtype.kind == "f":
        return np.asarray(np.isnan(array))
    if array.dtype.kind in "mM":
        return np.asarray(np.isnat(array))
    if array.dtype.kind != "O":
        return np.zeros(array.shape, dtype=bool)
    flags = [_is_null(value) for value in array.flat]
    return np.array(flags, dtype=bool).reshape(array.shape)


def _is_null(value: object) -> bool:
    """Tell a missing value among objects."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, (float, np.floating)) and bool(np.isnan(value))


def as_binary(values: object, *, name: str, n: int | None = None) -> FloatArray:
    """Return a column of 0 and 1; missing is NaN.

    Parameters
    ----------
    values, name, n
        As `as_column`.

    Returns
    -------
    (n,) array
        float64.

    Raises
    ------
    InputError
        As `as_column`, or another value than 0 and 1.
    """
    column = as_column(values, name=name, n=n)
    known = np.isnan(column) | (column == 0) | (column == 1)
    if not known.all():
        message = f"{name} must be 0 or 1; {int((~known).sum())} rows are not."
        raise InputError(message)
    return column


def keep_complete(present: BoolArray, *, missing: str) -> BoolArray:
    """Return which rows a method uses, or refuse the data for the others.

    Parameters
    ----------
    present : (n,) array of bool
        Rows with every value.
    missing : {"drop", "error"}
        What to do about the others.

    Returns
    -------
    (n,) array of bool
        ``present``.

    Raises
    ------
    InputError
        Unknown option, or a missing value with "error".
    """
    require_word(missing, name="missing", known=("drop", "error"))
    if missing == "error" and not present.all():
        message = (
            f"{int((~present).sum())} rows have a missing value. "
            'Leave them out, or say missing="drop".'
        )
        raise InputError(message)
    return present
