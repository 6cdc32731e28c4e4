"""Tipping point: how far imputed values of the active arms must move for a finding to go.

The same imputations are shifted again and again; nothing is drawn anew. Positive and negative
deltas are the caller's choice: a grid goes from the harmless to the harmful end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from assayhouse.analysis.cell_fits import fit_parameter
from assayhouse.analysis.completed import Completed, complete_parameter, shift_completed
from assayhouse.analysis.effects import require_possible
from assayhouse.analysis.fit_rows import lay_out
from assayhouse.analysis.long_form import ParameterData, require_long, split_parameters
from assayhouse.analysis.pooled import Row, pool_fits
from assayhouse.analysis.spec import EffectSpec
from assayhouse.errors import ModelDataError

TIPPING_SCHEMA: Mapping[str, pl.DataType] = {
    "paramcd": pl.String(),
    "avisitn": pl.Int64(),
    "response": pl.String(),
    "subgroup": pl.String(),
    "arm": pl.String(),
    "delta": pl.Float64(),
    "estimate": pl.Float64(),
    "p": pl.Float64(),
    "status": pl.String(),
    "reasons": pl.String(),
    "spec_hash": pl.String(),
}
"""Columns of the result in their order, with their types."""

_KEYS = ("paramcd", "avisitn", "response", "subgroup", "arm")


class _Shifted:
    """Differences of one parameter, visit and response at any delta, each computed once."""

    def __init__(self, data: ParameterData, completed: Completed, spec: EffectSpec) -> None:
        self._data, self._completed, self._spec = data, completed, spec
        self._known: dict[float, dict[tuple[object, object], Row]] = {}

    def rows(self, delta: float) -> dict[tuple[object, object], Row]:
        """Rows by subgroup and arm."""
        if delta not in self._known:
            moved = shift_completed(self._completed, self._data, self._spec, delta)
            fits = lay_out(fit_parameter(self._data, moved, self._spec), self._spec)
            pooled = pool_fits(fits.filter(term="diff"), self._spec)
            self._known[delta] = {
                (row["subgroup"], row["arm"]): row for row in pooled.iter_rows(named=True)
            }
        return self._known[delta]


def tipping_point(
    long: pl.DataFrame,
    spec: EffectSpec,
    *,
    grid: Sequence[float],
    alpha: float = 0.05,
    tolerance: float = 1e-3,
) -> pl.DataFrame:
    """Find for every difference the first delta of a grid at which p exceeds alpha.

    Delta is added on the model's scale (a factor exp(delta) where that is the log) to what is
    missing altogether, in every arm but the reference. Between the grid's point before and that
    one it is refined by bisection.

    Parameters
    ----------
    long : frame
        As in `assayhouse.analysis.effects.estimate_effects`.
    spec : EffectSpec
        With imputation, and without a delta of its own.
    grid : sequence of float
        Deltas in the order in which they are tried, ascending or descending.
    alpha : float
        Two-sided level.
    tolerance : float
        Width at which the bisection ends.

    Returns
    -------
    frame
        `TIPPING_SCHEMA`: delta, with estimate and p there. Status ``not_reached`` where no delta
        of the grid is enough; statuses of the fits as in an analysis of effects.

    Raises
    ------
    ModelDataError
        Data that are not as described, a spec without imputation or with a delta, a grid that
        is not strictly monotone.

    References
    ----------
    .. [1] Yan X, Lee S, Li N (2009), J Biopharm Stat 19, 1085-1098.
    """
    values = _check(spec, grid, alpha, tolerance)
    rows: list[Row] = []
    parameters = split_parameters(require_long(long, spec), spec)
    for data in parameters:
        completed = complete_parameter(data, spec)
        for visit in data.analysed:
            for response in spec.responses:
                only = replace(spec, responses=(response,), visits=(visit,))
                shifted = _Shifted(replace(data, analysed=(visit,)), completed, only)
                rows += [
                    _search(shifted, key, values, alpha, tolerance)
                    for key in shifted.rows(values[0])
                ]
    frame = pl.DataFrame(rows, schema=dict(TIPPING_SCHEMA), orient="row")
    return frame.with_columns(spec_hash=pl.lit(spec.spec_hash())).sort(*_KEYS)


def _search(
    shifted: _Shifted,
    key: tuple[object, object],
    grid: Sequence[float],
    alpha: float,
    tolerance: float,
) -> Row:
    before: float | None = None
    for delta in grid:
        row = shifted.rows(delta)[key]
        if row["status"] != "ok":
            return _result(row, None, str(row["status"]), str(row["reasons"]))
        if _exceeds(row, alpha):
            if before is None:
                reason = "p exceeds alpha at the first delta of the grid."
                return _result(row, delta, "ok", reason)
            return _bisect(shifted, key, (before, delta), alpha, tolerance)
        before = delta
    reason = f"not_reached: p is at most {alpha:g} at every delta of the grid."
    return _result(row, None, "not_reached", reason)


def _bisect(
    shifted: _Shifted,
    key: tuple[object, object],
    ends: tuple[float, float],
    alpha: float,
    tolerance: float,
) -> Row:
    low, high = ends
    while abs(high - low) > tolerance:
        middle = 0.5 * (low + high)
        row = shifted.rows(middle)[key]
        if row["status"] != "ok":
            return _result(row, None, str(row["status"]), str(row["reasons"]))
        low, high = (low, middle) if _exceeds(row, alpha) else (middle, high)
    return _result(shifted.rows(high)[key], high, "ok", "")


def _exceeds(row: Row, alpha: float) -> bool:
    p = row["p"]
    return isinstance(p, float) and p > alpha


def _result(row: Row, delta: float | None, status: str, reasons: str) -> Row:
    found: Row = {name: row[name] for name in _KEYS}
    numbers: Row = {"delta": delta, "status": status, "reasons": reasons}
    if delta is not None:
        numbers |= {"estimate": row["estimate"], "p": row["p"]}
    return found | numbers


def _check(spec: EffectSpec, grid: Sequence[float], alpha: float, tolerance: float) -> list[float]:
    require_possible(spec, given=False)
    values = [float(value) for value in grid]
    steps = np.diff(values)
    wrong = {
        "A tipping point needs imputation; the spec has none.": spec.impute.method == "none",
        "The spec has a delta of its own; leave it out.": spec.impute.delta is not None,
        "grid must hold two or more deltas, ascending or descending.": len(values) < 2
        or not (np.isfinite(values).all() and ((steps > 0).all() or (steps < 0).all())),
        f"alpha={alpha} must lie between 0 and 1.": not 0 < alpha < 1,
        f"tolerance={tolerance} must be above zero.": not tolerance > 0,
    }
    for message, is_wrong in wrong.items():
        if is_wrong:
            raise ModelDataError(message)
    return values
