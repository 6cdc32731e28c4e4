"""Texts of cells: numbers and times as laboratories print them, and rows made of columns."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from assayhouse.simulate.layouts import Row
from assayhouse.simulate.levels import decimals
from assayhouse.simulate.streams import FloatArray, IntArray
from assayhouse.simulate.subjects import BoolArray

TimeArray = npt.NDArray[np.datetime64]
Texts = Sequence[str]


def time_texts(times: TimeArray) -> list[str]:
    """Print times as ``2018-05-03T08:10``."""
    return [str(each) for each in times.astype("datetime64[m]")]


def fixed_texts(values: FloatArray, places: int) -> list[str]:
    """Print numbers with a fixed count of decimals."""
    return [f"{value:.{places}f}" for value in values.tolist()]


def significant_texts(values: FloatArray) -> list[str]:
    """Print positive numbers, rounded already, with their four significant digits."""
    digits = np.maximum(decimals(values), 0).astype(np.int64).tolist()
    return [f"{value:.{place}f}" for value, place in zip(values.tolist(), digits, strict=True)]


def whole_texts(values: FloatArray | IntArray) -> list[str]:
    """Print whole numbers."""
    return [str(value) for value in values.astype(np.int64).tolist()]


def where_texts(condition: BoolArray, yes: Texts | str, no: Texts | str) -> list[str]:
    """Choose between two texts, cell by cell."""
    size = len(condition)
    first = [yes] * size if isinstance(yes, str) else yes
    second = [no] * size if isinstance(no, str) else no
    rows = zip(condition.tolist(), first, second, strict=True)
    return [one if which else other for which, one, other in rows]


def table_rows(columns: Sequence[str], cells: Mapping[str, Texts | str], *, size: int) -> list[Row]:
    """Make rows from columns: one text stands for the whole column, an absent one is empty."""
    filled = []
    for column in columns:
        texts = cells.get(column, "")
        filled.append([texts] * size if isinstance(texts, str) else texts)
    return [list(row) for row in zip(*filled, strict=True)]


def interleave(blocks: Sequence[list[Row]]) -> list[Row]:
    """Order rows by specimen, then by the order of the blocks."""
    return [row for group in zip(*blocks, strict=True) for row in group]
