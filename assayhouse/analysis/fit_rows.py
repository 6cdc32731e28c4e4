"""Fits of all data sets as a table: one row per adjusted mean and difference, not pooled yet.

Statuses and reasons are decided here, from what holds for a cell and for each of its fits.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from assayhouse.analysis.cell_fits import CellFit
from assayhouse.analysis.cells import WAY_OUT, WHY
from assayhouse.analysis.spec import EffectSpec
from assayhouse.stats.arrays import BoolArray, FloatArray

FIT_SCHEMA: Mapping[str, pl.DataType] = {
    "paramcd": pl.String(),
    "avisitn": pl.Int64(),
    "response": pl.String(),
    "subgroup": pl.String(),
    "term": pl.String(),
    "arm": pl.String(),
    "estimates": pl.List(pl.Float64()),
    "variances": pl.List(pl.Float64()),
    "df_complete": pl.Float64(),
    "m": pl.Int64(),
    "n": pl.Int64(),
    "n_observed": pl.Int64(),
    "n_imputed": pl.Int64(),
    "pct_blq": pl.Float64(),
    "converged_share": pl.Float64(),
    "status": pl.String(),
    "reasons": pl.String(),
}
"""Columns of fits. estimates and variances have one number per data set, null where its fit cannot
be used; they are null altogether where nothing was fitted, or the arm's rows are refused."""

_SETTLED = ("ok", "covariance_undefined")
"""Statuses of fits whose iteration came to its end."""


def lay_out(fits: Sequence[CellFit], spec: EffectSpec) -> pl.DataFrame:
    """Lay out fits of cells, an adjusted mean or difference to a row.

    Parameters
    ----------
    fits : sequence of CellFit
        In any order.
    spec : EffectSpec
        Names the reference arm.

    Returns
    -------
    frame
        Columns of `FIT_SCHEMA`, in the order of the cells.
    """
    rows: list[Mapping[str, object]] = []
    numbers: dict[str, list[FloatArray | None]] = {"estimates": [], "variances": []}
    for fit in fits:
        for row, estimates, variances in _rows(fit, spec):
            rows.append(row)
            numbers["estimates"].append(estimates)
            numbers["variances"].append(variances)
    flat = {name: kind for name, kind in FIT_SCHEMA.items() if name not in numbers}
    listed = [_lists(name, arrays) for name, arrays in numbers.items()]
    return pl.DataFrame(rows, schema=flat, orient="row").with_columns(*listed).select(*FIT_SCHEMA)


def _rows(
    fit: CellFit, spec: EffectSpec
) -> Iterator[tuple[Mapping[str, object], FloatArray | None, FloatArray | None]]:
    status, why = _judge(fit)
    usable = np.array([one == "ok" for one in fit.statuses])
    settled = [one in _SETTLED for one in fit.statuses]
    shared = {
        "paramcd": fit.paramcd,
        "avisitn": fit.visit,
        "response": fit.response,
        "subgroup": fit.subgroup,
        "df_complete": None if np.isnan(fit.df) else fit.df,
        "m": fit.m,
        "n": fit.n,
        "n_observed": fit.n_observed,
        "n_imputed": fit.n_imputed,
        "converged_share": float(np.mean(settled)) if settled else None,
    }
    for term, arm in _terms(fit, spec):
        refused = arm in fit.refused
        of_arm = "blq_majority" if refused else status
        row = shared | {
            "term": term,
            "arm": arm,
            "pct_blq": fit.pct_blq[arm],
            "status": of_arm,
            "reasons": _reasons(of_arm, fit.refused.get(arm, why), fit.note),
        }
        if refused or not fit.statuses:
            yield row, None, None
        else:
            place = fit.labels.index(f"{term}:{arm}")
            yield row, _known(fit.estimates, usable, place), _known(fit.variances, usable, place)


def _known(values: FloatArray, usable: BoolArray, place: int) -> FloatArray:
    return np.where(usable, values[:, place], np.nan)


def _lists(name: str, arrays: Sequence[FloatArray | None]) -> pl.Series:
    """List column of arrays of one length; NaN and no array are null."""
    known = [part for part in arrays if part is not None]
    if not known:
        return pl.Series(name, [None] * len(arrays), dtype=pl.List(pl.Float64()))
    blank = np.full_like(known[0], np.nan)
    every = np.stack([blank if part is None else part for part in arrays])
    lists = pl.Series(name, every).cast(pl.List(pl.Float64()))
    present = pl.Series([part is not None for part in arrays])
    filled = lists.list.eval(pl.element().fill_nan(None)).to_frame()
    return filled.select(pl.when(present).then(name).alias(name))[name]


def _terms(fit: CellFit, spec: EffectSpec) -> Iterator[tuple[str, str]]:
    yield from (("lsmean", arm) for arm in fit.arms)
    yield from (("diff", arm) for arm in fit.arms if arm != spec.reference)


def _judge(fit: CellFit) -> tuple[str, str]:
    """Status of the pooled row: the first that applies to any data set."""
    if fit.status:
        return fit.status, fit.why
    for status, why in WHY.items():
        count = fit.statuses.count(status)
        if count:
            share = f" in {count} of {fit.m} completed data sets" if fit.m > 1 else ""
            return status, f"{why}{share}"
    return "ok", ""


def _reasons(status: str, why: str, note: str) -> str:
    if status == "ok":
        return note
    return " ".join(part for part in (f"{status}: {why}.", WAY_OUT, note) if part)
