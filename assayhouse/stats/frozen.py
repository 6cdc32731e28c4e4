"""What every result of a statistical method is: frozen, read-only, and ready for JSON."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

_PLAIN = frozenset({type(None), bool, int, str})
Scalar = TypeVar("Scalar", bound=np.generic)


def freeze(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """Return a read-only array that shares nothing writable with the caller.

    Parameters
    ----------
    array : array
        Any array.

    Returns
    -------
    array
        A contiguous copy that refuses assignment.
    """
    copy = np.array(array, order="C", copy=True)
    copy.setflags(write=False)
    return copy


def jsonable(value: object) -> object:
    """Return a value as JSON knows it; what is not finite becomes None.

    Parameters
    ----------
    value : object
        Field of a result.

    Returns
    -------
    object
        Numbers, text, lists and dictionaries only.
    """
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Frozen):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {str(key): jsonable(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray):
        return jsonable(value.tolist())
    if isinstance(value, (list, tuple)):
        return [jsonable(entry) for entry in value]
    return _jsonable_scalar(value)


def _jsonable_scalar(value: object) -> object:
    """Return a number or a word without NumPy's type around it."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


class Frozen:
    """Base of results: `to_dict` for every one of them."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values.

        Returns
        -------
        dict
            Arrays are nested lists; NaN and infinity are None.
        """
        return {
            entry.name: jsonable(getattr(self, entry.name))
            for entry in fields(self)  # type: ignore[arg-type]
        }
