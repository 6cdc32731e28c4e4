"""Analysis data in long form, checked and brought to arrays, one parameter at a time.

Whatever the order of the rows and whichever other parameters are in the frame, the arrays of
a parameter are the same. Nothing is estimated here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from assayhouse.analysis.spec import EffectSpec
from assayhouse.errors import ModelDataError, TableRowsError
from assayhouse.stats.arrays import BoolArray, FloatArray, IntArray, StrArray

_TYPES: Mapping[str, pl.DataType] = {
    "usubjid": pl.String(),
    "arm": pl.String(),
    "paramcd": pl.String(),
    "avisitn": pl.Int64(),
    "aval": pl.Float64(),
    "base": pl.Float64(),
    "blq": pl.Boolean(),
    "lloq": pl.Float64(),
}
_ROW = "row number"
_BLQ_DIVISOR = {"lloq/2": 2.0, "lloq/sqrt2": float(np.sqrt(2.0)), "censored": float("nan")}
"""What an lloq is divided by; a censored value has no stand-in and is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterData:
    """One parameter: subjects in sorted order, their visits side by side.

    Parameters
    ----------
    paramcd : str
        The parameter.
    arms : tuple of str
        Arms that the parameter has at any visit, and the reference, sorted.
    visits : tuple of int
        Visits that the parameter has, sorted: all of them inform an imputation.
    analysed : tuple of int
        Visits to analyse, sorted; one that the parameter lacks has nobody observed.
    subject, arm, base : (n,) arrays
        base is NaN where missing.
    value, lloq : (n, visits) arrays
        value is NaN where missing and follows the BLQ rule; lloq is NaN but for BLQ values.
    observed, blq : (n, visits) arrays of bool
        Measured, BLQ included; below the limit.
    factors, subgroups : mapping of str to (n,) array of str
        Levels; "" is a subject without a level of a subgroup.
    """

    paramcd: str
    arms: tuple[str, ...]
    visits: tuple[int, ...]
    analysed: tuple[int, ...]
    subject: StrArray
    arm: StrArray
    base: FloatArray
    value: FloatArray
    lloq: FloatArray
    observed: BoolArray
    blq: BoolArray
    factors: Mapping[str, StrArray]
    subgroups: Mapping[str, StrArray]

    def at(self, visit: int) -> int | None:
        """Position of a visit, or None where the parameter does not have it.

        Parameters
        ----------
        visit : int
            AVISITN.

        Returns
        -------
        int or None
            Along the second axis of value.
        """
        return self.visits.index(visit) if visit in self.visits else None


def require_long(long: pl.DataFrame, spec: EffectSpec) -> pl.DataFrame:
    """Check data in long form against a spec and sort them.

    Parameters
    ----------
    long : frame
        One row per subject, parameter and visit after baseline.
    spec : EffectSpec
        Names strata, subgroups, the reference arm and the BLQ rule.

    Returns
    -------
    frame
        The columns needed, in their types, sorted by parameter, visit and subject.

    Raises
    ------
    ModelDataError
        With the rows concerned, counted from 0.
    """
    frame = _typed(long, spec).with_row_index(_ROW)
    keys = ("usubjid", "arm", "paramcd", "avisitn", *spec.strata)
    for name in keys:
        _refuse(frame, pl.col(name).is_null(), f"{name} is missing; fill it or leave the row out.")
    for name in ("aval", "base"):
        text = f"{name} is not finite; a missing value is null."
        _refuse(frame, ~pl.col(name).is_finite(), text)
    observed = pl.col("aval").is_not_null()
    _refuse(frame, observed & pl.col("blq").is_null(), "blq is missing for an observed value.")
    no_limit = ~(pl.col("lloq").is_finite() & (pl.col("lloq") > 0)).fill_null(value=False)
    text = "a value below the limit of quantification needs its lloq, above zero."
    _refuse(frame, observed & pl.col("blq") & no_limit, text)
    repeated = pl.struct("usubjid", "paramcd", "avisitn").is_duplicated()
    _refuse(frame, repeated, "more than one row for a subject, parameter and visit; keep one.")
    for name in ("arm", "base", *spec.strata, *spec.subgroups):
        varies = pl.col(name).n_unique().over("usubjid", "paramcd") > 1
        _refuse(frame, varies, f"{name} differs between the rows of a subject and parameter.")
    arms = sorted(frame["arm"].unique().to_list())
    if spec.reference not in arms:
        message = f"The reference arm {spec.reference!r} is not in the data; arms are {arms}."
        raise ModelDataError(message)
    return frame.sort("paramcd", "avisitn", "usubjid")


def split_parameters(frame: pl.DataFrame, spec: EffectSpec) -> list[ParameterData]:
    """Cut checked data into the arrays of each parameter.

    Parameters
    ----------
    frame : frame
        From `require_long`.
    spec : EffectSpec
        Names strata, subgroups, visits and the BLQ rule.

    Returns
    -------
    list of ParameterData
        Sorted by parameter.
    """
    parts = frame.partition_by("paramcd", maintain_order=True)
    return [_to_arrays(part, spec) for part in parts]


def _to_arrays(part: pl.DataFrame, spec: EffectSpec) -> ParameterData:
    subject, first, row = np.unique(_texts(part["usubjid"]), return_index=True, return_inverse=True)
    visits, column = np.unique(part["avisitn"].to_numpy(), return_inverse=True)
    wide = _Wide(shape=(len(subject), len(visits)), row=row, column=column)
    observed = part["aval"].is_not_null()
    blq = (part["blq"].fill_null(value=False) & observed).to_numpy()
    lloq = np.where(blq, _floats(part["lloq"]), np.nan)
    stand_in = lloq / _BLQ_DIVISOR[spec.blq_rule]
    once = part[first.tolist()]
    return ParameterData(
        paramcd=str(part["paramcd"][0]),
        arms=tuple(sorted({*once["arm"].to_list(), spec.reference})),
        visits=tuple(int(visit) for visit in visits),
        analysed=tuple(
            int(visit) for visit in sorted(visits if spec.visits is None else spec.visits)
        ),
        subject=subject,
        arm=_texts(once["arm"]),
        base=_floats(once["base"]),
        value=wide.floats(np.where(blq, stand_in, _floats(part["aval"]))),
        lloq=wide.floats(lloq),
        observed=wide.flags(observed.to_numpy()),
        blq=wide.flags(blq),
        factors={name: _texts(once[name]) for name in spec.strata},
        subgroups={name: _texts(once[name].fill_null("")) for name in spec.subgroups},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wide:
    """Where each row of the long form stands beside the others of its subject."""

    shape: tuple[int, int]
    row: IntArray
    column: IntArray

    def floats(self, values: FloatArray) -> FloatArray:
        placed = np.full(self.shape, np.nan)
        placed[self.row, self.column] = values
        return placed

    def flags(self, values: BoolArray) -> BoolArray:
        placed = np.zeros(self.shape, dtype=np.bool_)
        placed[self.row, self.column] = values
        return placed


def _floats(column: pl.Series) -> FloatArray:
    return np.asarray(column.fill_null(float("nan")).to_numpy(), dtype=np.float64)


def _texts(column: pl.Series) -> StrArray:
    return np.asarray(column.to_list(), dtype=np.str_)


def _typed(long: pl.DataFrame, spec: EffectSpec) -> pl.DataFrame:
    types = dict(_TYPES) | dict.fromkeys((*spec.strata, *spec.subgroups), pl.String())
    missing = [name for name in types if name not in long.columns]
    if missing:
        # Without a header the names are a subject's values, so they are counted, not told.
        message = (
            f"The data have no column {', '.join(missing)}; their first line holds "
            f"{long.width} names, and must name the columns."
        )
        raise ModelDataError(message)
    try:
        frame = long.select(pl.col(name).cast(kind) for name, kind in types.items())
    except pl.exceptions.PolarsError:
        wanted = ", ".join(f"{name} {kind}" for name, kind in types.items())
        # The cause would print values that cannot be read, so it stays out of the chain.
        message = f"A column is not of its type and cannot be cast to it: {wanted}."
        raise ModelDataError(message) from None
    if long["avisitn"].dtype.is_float():
        whole = (long["avisitn"] == frame["avisitn"]).fill_null(value=True)
        numbered = frame.with_row_index(_ROW)
        _refuse(numbered, ~pl.lit(whole), "avisitn must be a whole number in every row.")
    return frame


def _refuse(frame: pl.DataFrame, condition: pl.Expr, text: str) -> None:
    rows: Sequence[int] = frame.filter(condition)[_ROW].to_list()
    if rows:
        raise TableRowsError(text, rows=tuple(rows))
