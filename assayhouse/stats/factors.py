"""Labels as codes, whatever type they have."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assayhouse.stats.arrays import IntArray
from assayhouse.stats.columns import as_objects, is_missing
from assayhouse.stats.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """Labels as codes.

    Parameters
    ----------
    codes : (n,) array of int
        Position of a row's label among the levels; -1 where it is missing.
    levels : tuple
        Distinct labels in ascending order; tuples where several columns make the label.
    """

    codes: IntArray
    levels: tuple[Any, ...]


def factorise(values: ArrayLike, *, n: int, name: str) -> Factor:
    """Return labels as codes in ascending order of the labels.

    Parameters
    ----------
    values : (n,) or (n, k) array_like
        Labels, or columns whose distinct rows are the labels.
    n : int
        Rows expected.
    name : str
        What it is called in the message.

    Returns
    -------
    Factor
        Codes; -1 where any column of a row is missing.

    Raises
    ------
    InputError
        Another length or more than two axes.
    """
    array = as_objects(values, name=name)
    if array.ndim not in (1, 2) or len(array) != n:
        message = f"{name} has shape {array.shape}; {n} rows and one or two axes are needed."
        raise InputError(message)
    if array.ndim == 1:
        return _factorise_one(array)
    columns = [_factorise_one(array[:, part]) for part in range(array.shape[1])]
    stacked = np.column_stack([column.codes for column in columns])
    complete = (stacked >= 0).all(axis=1)
    codes = np.full(n, -1, dtype=np.int64)
    rows, codes[complete] = np.unique(stacked[complete], axis=0, return_inverse=True)
    levels = tuple(
        tuple(column.levels[code] for column, code in zip(columns, row, strict=True))
        for row in rows.tolist()
    )
    return Factor(codes=codes, levels=levels)


def _factorise_one(array: NDArray[Any]) -> Factor:
    """Return codes of one column of labels."""
    known = ~is_missing(array)
    codes = np.full(len(array), -1, dtype=np.int64)
    if array.dtype.kind != "O":
        levels, codes[known] = np.unique(array[known], return_inverse=True)
        return Factor(codes=codes, levels=tuple(levels.tolist()))
    ordered = sorted(set(array[known].tolist()), key=_label_order)
    place = {label: position for position, label in enumerate(ordered)}
    codes[known] = [place[label] for label in array[known].tolist()]
    return Factor(codes=codes, levels=tuple(ordered))


def _label_order(label: object) -> tuple[int, float, str]:
    """Order numbers among themselves before words."""
    if isinstance(label, (bool, int, float, np.number)):
        return (0, float(label), "")
    return (1, 0.0, str(label))
