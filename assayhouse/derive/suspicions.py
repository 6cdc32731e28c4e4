"""Names what probably happened where a reported value differs from its instrument file.

A name is a suspicion to ask the laboratory about, never a correction. What fits none of the known
errors is called unexplained.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TypeAlias

import polars as pl

SWAPPED, DILUTION, SEX_FACTOR = "swapped wells", "wrong dilution", "wrong sex factor"
EDITED, UNEXPLAINED = "edited result", "unexplained"
DIFFER, AGREE, LOG2 = "differ", "agree", "log2"
_SWAP_SHARE = 0.8
_FEWEST_AGREEING = 2
_SPECIMEN = ["layout", "PLATE", "basis", "REFID"]
_Row: TypeAlias = Mapping[str, object]
_Value: TypeAlias = tuple[float, float]
_Who: TypeAlias = tuple[tuple[object, ...], object]


def ratio_of(reported: float, recomputed: float, scale: object) -> float:
    """Divide a reported by a recomputed value; values on a log2 scale are compared as ratios."""
    if scale == LOG2:
        return float(2.0 ** (reported - recomputed))
    return reported / recomputed if recomputed else math.inf


def suspects(rows: pl.DataFrame) -> pl.DataFrame:
    """Keep the values of specimens of which one differs: all that names are found from.

    Parameters
    ----------
    rows : DataFrame
        As in `name_suspicions`.

    Returns
    -------
    DataFrame
        Its rows of these specimens (on their plate, in their layout and basis), in their order.
    """
    off = rows.filter(pl.col("verdict") == DIFFER).select(_SPECIMEN).unique()
    return rows.join(off, on=_SPECIMEN, how="semi", nulls_equal=True, maintain_order="left")


def count_agreeing(rows: pl.DataFrame) -> dict[object, int]:
    """Count the values that agree, by arrival number of the instrument file (None: no file)."""
    agreeing = rows.filter(pl.col("verdict") == AGREE)
    return dict(agreeing.group_by("instrument_receipt").len().iter_rows())


def name_suspicions(
    rows: pl.DataFrame, *, agreeing: Mapping[object, int] | None = None
) -> pl.Series:
    """Name the suspicion of every differing value.

    Parameters
    ----------
    rows : DataFrame
        Compared values: basis, layout, REFID, TESTCD, PLATE, instrument_receipt, reported,
        recomputed, scale, verdict, tolerance_pct, dilution_ratios and factor_ratios (lists:
        reported over right value, had another dilution or copy factor been used).
    agreeing : mapping or None
        From `count_agreeing` over everything, where ``rows`` are the `suspects` alone.

    Returns
    -------
    Series
        ``suspicion``: null where a value agrees or could not be recomputed. Two specimens of a
        layout whose values are each other's were swapped; a ratio that another dilution or copy
        factor explains is named after it; a single value that is off in a file whose others agree
        was edited.
    """
    names: list[str | None] = [None] * rows.height
    counts = count_agreeing(rows) if agreeing is None else agreeing
    listed = list(suspects(rows.with_row_index("__row")).iter_rows(named=True))
    swapped = _swapped(listed)
    for row in listed:
        if row["verdict"] == DIFFER:
            names[row["__row"]] = _name(row, swapped, counts)
    return pl.Series("suspicion", names, dtype=pl.String)


def _name(row: _Row, swapped: set[_Who], agreeing: Mapping[object, int]) -> str:
    if _who(row) in swapped:
        return SWAPPED
    if _explains(row, "dilution_ratios"):
        return DILUTION
    if _explains(row, "factor_ratios"):
        return SEX_FACTOR
    alone = agreeing.get(row["instrument_receipt"], 0) >= _FEWEST_AGREEING
    return EDITED if alone else UNEXPLAINED


def _where(row: _Row) -> tuple[object, ...]:
    """Among which specimens one may have been taken for another: those of a plate or layout."""
    return row["layout"], row["PLATE"], row["basis"]


def _who(row: _Row) -> _Who:
    return _where(row), row["REFID"]


def _number(row: _Row, name: str) -> float:
    value = row[name]
    return float(value) if isinstance(value, int | float) else math.nan


def _near(ratio: float, row: _Row, wanted: float = 1.0) -> bool:
    return abs(ratio / wanted - 1.0) <= _number(row, "tolerance_pct") / 100.0


def _explains(row: _Row, name: str) -> bool:
    candidates = row[name]
    if not isinstance(candidates, Sequence):
        return False
    found = ratio_of(_number(row, "reported"), _number(row, "recomputed"), row["scale"])
    return any(
        isinstance(wanted, float) and not _near(wanted, row) and _near(found, row, wanted)
        for wanted in candidates
        if wanted
    )


def _swapped(rows: Sequence[_Row]) -> set[_Who]:
    """Specimens whose values are those of another one, and the other's theirs."""
    values: dict[_Who, dict[object, _Row]] = {}
    off: dict[tuple[object, ...], set[object]] = {}
    for row in rows:
        if math.isfinite(_number(row, "reported")) and math.isfinite(_number(row, "recomputed")):
            values.setdefault(_who(row), {})[row["TESTCD"]] = row
        if row["verdict"] == DIFFER:
            off.setdefault(_where(row), set()).add(row["REFID"])
    found: set[_Who] = set()
    for place, specimens in off.items():
        for one, two in combinations(sorted(specimens, key=str), 2):
            if _are_exchanged(values.get((place, one), {}), values.get((place, two), {})):
                found |= {(place, one), (place, two)}
    return found


def _are_exchanged(one: Mapping[object, _Row], two: Mapping[object, _Row]) -> bool:
    common = [key for key in one if key in two]
    fitting = sum(_crosses(one[key], two[key]) for key in common)
    return bool(common) and fitting >= max(1.0, _SWAP_SHARE * len(common))


def _crosses(one: _Row, two: _Row) -> bool:
    crossed: tuple[_Value, _Value] = (
        (_number(one, "reported"), _number(two, "recomputed")),
        (_number(two, "reported"), _number(one, "recomputed")),
    )
    return all(_near(ratio_of(*pair, one["scale"]), one) for pair in crossed)
