"""Names for array types and the checks every method makes at its door. No arithmetic."""

from collections.abc import Collection
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assayhouse.errors import ModelDataError
from assayhouse.stats.errors import InputError

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]
StrArray: TypeAlias = NDArray[np.str_]


def as_finite(values: ArrayLike, *, name: str, dimensions: Collection[int]) -> FloatArray:
    """Return values as a float64 array, or say why they cannot be one.

    Parameters
    ----------
    values : array_like
        What the caller gave.
    name : str
        What the array is called in the message.
    dimensions : collection of int
        Numbers of axes that the method can use.

    Returns
    -------
    array
        float64; a view of ``values`` where they were that already.

    Raises
    ------
    ModelDataError
        Not numeric, wrong number of axes, nothing in it, or a value that is not finite.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        message = f"{name} is not an array of numbers; give float64 values of one shape."
        # The cause would print a value, so it stays out of the chain.
        raise ModelDataError(message) from None
    if array.ndim not in dimensions or array.size == 0:
        wanted = " or ".join(str(count) for count in sorted(dimensions))
        message = (
            f"{name} has shape {array.shape}; {wanted} axes and at least one value are needed."
        )
        raise ModelDataError(message)
    require_finite(array, name=name)
    return array


def require_finite(array: FloatArray, *, name: str) -> None:
    """Raise when a value is NaN or infinite.

    Parameters
    ----------
    array : array
        Values of a model.
    name : str
        What the array is called in the message.

    Raises
    ------
    ModelDataError
        With the positions along the first axis of ``array``.
    """
    bad = ~np.isfinite(array)
    if bad.any():
        rows = np.flatnonzero(bad.reshape(len(array), -1).any(axis=1))
        message = (
            f"{name} holds {int(bad.sum())} values that are missing or infinite. "
            "Leave those subjects out, or impute them, before the fit."
        )
        raise ModelDataError(message, rows=tuple(int(row) for row in rows))


def require_word(word: str, *, name: str, known: Collection[str]) -> None:
    """Raise when an option is not one of the words a method knows.

    Parameters
    ----------
    word : str
        What the caller gave.
    name : str
        The option's name.
    known : collection of str
        Words that the method knows.

    Raises
    ------
    InputError
        Names the words to choose from.
    """
    if word not in known:
        message = f"{name}={word!r} is unknown; choose one of {', '.join(sorted(known))}."
        raise InputError(message)


def require_positive(value: float, *, name: str) -> None:
    """Raise when a number is not finite and above zero.

    Parameters
    ----------
    value : float
        What the caller gave.
    name : str
        The option's name.

    Raises
    ------
    InputError
        Names the option.
    """
    if not (np.isfinite(value) and value > 0):
        message = f"{name}={value!r} must be a finite number above zero."
        raise InputError(message)
