"""The stages of an effect analysis one by one, each a table that can be kept and looked at.

`estimate_effects` is `pool_fits(fit_completed(long, impute_long(long, spec), spec), spec)` without
the tables in between: same rows, same numbers. A changed option of pooling needs the last stage
only, a changed option of the fit the last two.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from assayhouse.analysis.cell_fits import CellFit, fit_parameter
from assayhouse.analysis.completed import Completed, complete_parameter
from assayhouse.analysis.effects import finish_rows, require_possible
from assayhouse.analysis.given_sets import place_completed, require_completed
from assayhouse.analysis.long_form import ParameterData, require_long, split_parameters
from assayhouse.analysis.pooled import pool_cells
from assayhouse.analysis.spec import EffectSpec
from assayhouse.errors import ModelDataError

COMPLETED_SCHEMA: Mapping[str, pl.DataType] = {
    "paramcd": pl.String(),
    "imp": pl.Int64(),
    "usubjid": pl.String(),
    "avisitn": pl.Int64(),
    "aval": pl.Float64(),
    "imputed": pl.Boolean(),
}
"""Columns of completed data sets."""

FIT_SCHEMA: Mapping[str, pl.DataType] = {
    "paramcd": pl.String(),
    "avisitn": pl.Int64(),
    "response": pl.String(),
    "subgroup": pl.String(),
    "imp": pl.Int64(),
    "term": pl.String(),
    "arm": pl.String(),
    "estimate": pl.Float64(),
    "variance": pl.Float64(),
    "df": pl.Float64(),
    "fit_status": pl.String(),
    "m": pl.Int64(),
    "n": pl.Int64(),
    "n_observed": pl.Int64(),
    "n_imputed": pl.Int64(),
    "cell": pl.String(),
}
"""Columns of fits: one row per data set, adjusted mean and difference.

``cell`` is JSON with what holds for all data sets of a cell: refusals, BLQ shares, notes. A cell
that nothing could be fitted in has one row, without imp, term, arm and numbers.
"""

_KEYS = ("paramcd", "avisitn", "response", "subgroup")


def impute_long(long: pl.DataFrame, spec: EffectSpec) -> pl.DataFrame:
    """Impute what is missing: the first stage.

    Parameters
    ----------
    long : frame
        As in `estimate_effects`.
    spec : EffectSpec
        ``impute``, ``strata`` and ``blq_rule`` are used.

    Returns
    -------
    frame
        `COMPLETED_SCHEMA`; fit to be given to `estimate_effects` as ``completed``. Visits that
        could not be completed are absent.

    Raises
    ------
    ModelDataError
        Data that are not as described, or a spec without imputation.
    """
    _require_imputation(spec)
    parts = [pl.DataFrame(schema=dict(COMPLETED_SCHEMA))]
    parameters = split_parameters(require_long(long, spec), spec)
    parts += [_completed_frame(data, complete_parameter(data, spec)) for data in parameters]
    return pl.concat(parts)


def fit_completed(long: pl.DataFrame, completed: pl.DataFrame, spec: EffectSpec) -> pl.DataFrame:
    """Fit every completed data set: the second stage.

    Parameters
    ----------
    long : frame
        As in `estimate_effects`.
    completed : frame
        From `impute_long`, or of the same columns (``imputed`` is not needed).
    spec : EffectSpec
        Options of the fit; those of pooling have no part in it.

    Returns
    -------
    frame
        `FIT_SCHEMA`, sorted by its keys.

    Raises
    ------
    ModelDataError
        Data that are not as described.
    """
    require_possible(spec, given=True)
    sets = require_completed(completed)
    parts = [pl.DataFrame(schema=dict(FIT_SCHEMA))]
    for data in split_parameters(require_long(long, spec), spec):
        given = place_completed(data, sets, spec=spec)
        parts += [_fit_frame(fit) for fit in fit_parameter(data, given, spec)]
    return pl.concat(parts).sort(*_KEYS, "imp", maintain_order=True)


def pool_fits(fits: pl.DataFrame, spec: EffectSpec) -> pl.DataFrame:
    """Pool the fits of all data sets: the last stage.

    Parameters
    ----------
    fits : frame
        From `fit_completed`.
    spec : EffectSpec
        Options of pooling and multiplicity; its hash is written to every row.

    Returns
    -------
    frame
        As from `estimate_effects`.

    Raises
    ------
    ModelDataError
        A frame that is not from `fit_completed`.
    """
    if dict(fits.schema) != dict(FIT_SCHEMA):
        message = f"fits must have the columns of fit_completed: {', '.join(FIT_SCHEMA)}."
        raise ModelDataError(message)
    parts = fits.partition_by(*_KEYS, maintain_order=True)
    return finish_rows(pool_cells([_to_fit(part) for part in parts], spec), spec)


def _require_imputation(spec: EffectSpec) -> None:
    require_possible(spec, given=False)
    if spec.impute.method == "none":
        message = 'impute.method="none" has nothing to impute; estimate_effects analyses it.'
        raise ModelDataError(message)


def _completed_frame(data: ParameterData, completed: Completed) -> pl.DataFrame:
    population = np.flatnonzero(np.isfinite(data.base))
    visits = np.array(
        [v for v in range(len(data.visits)) if v not in completed.lacking], dtype=np.int64
    )
    m, n, k = completed.m, len(population), len(visits)
    values = completed.values[:, population][:, :, visits]
    imputed = np.isnan(data.value)[np.ix_(population, visits)]
    return pl.DataFrame(
        {
            "paramcd": [data.paramcd] * (m * n * k),
            "imp": np.repeat(np.arange(1, m + 1), n * k),
            "usubjid": np.tile(np.repeat(data.subject[population], k), m).tolist(),
            "avisitn": np.tile(np.asarray(data.visits, dtype=np.int64)[visits], m * n),
            "aval": values.reshape(-1),
            "imputed": np.tile(imputed.reshape(-1), m),
        },
        schema=dict(COMPLETED_SCHEMA),
    )


def _fit_frame(fit: CellFit) -> pl.DataFrame:
    shared: dict[str, Any] = {
        "paramcd": fit.paramcd,
        "avisitn": fit.visit,
        "response": fit.response,
        "subgroup": fit.subgroup,
        "df": None if np.isnan(fit.df) else fit.df,
        "m": fit.m,
        "n": fit.n,
        "n_observed": fit.n_observed,
        "n_imputed": fit.n_imputed,
        "cell": _describe(fit),
    }
    blank = dict.fromkeys(("imp", "term", "arm", "estimate", "variance", "fit_status"))
    if not fit.statuses:
        return pl.DataFrame([shared | blank], schema=dict(FIT_SCHEMA), orient="row")
    size = len(fit.labels)
    terms = [label.split(":", 1) for label in fit.labels]
    columns: dict[str, Any] = {
        "imp": np.repeat(np.arange(1, fit.m + 1), size),
        "term": [term for term, _ in terms] * fit.m,
        "arm": [arm for _, arm in terms] * fit.m,
        "estimate": fit.estimates.reshape(-1),
        "variance": fit.variances.reshape(-1),
        "fit_status": np.repeat(np.asarray(fit.statuses), size).tolist(),
    }
    frame = pl.DataFrame(columns).with_columns(
        pl.lit(value, dtype=FIT_SCHEMA[name]).alias(name) for name, value in shared.items()
    )
    return frame.select(pl.col(name).cast(kind) for name, kind in FIT_SCHEMA.items())


def _describe(fit: CellFit) -> str:
    return json.dumps(
        {
            "arms": list(fit.arms),
            "refused": dict(fit.refused),
            "pct_blq": dict(fit.pct_blq),
            "status": fit.status,
            "why": fit.why,
            "note": fit.note,
        },
        sort_keys=True,
    )


def _to_fit(part: pl.DataFrame) -> CellFit:
    first = part.row(0, named=True)
    cell = json.loads(first["cell"])
    fitted = first["imp"] is not None
    size = part["imp"].eq(first["imp"]).sum() if fitted else 0
    shape = (first["m"], size) if fitted else (0, 0)
    return CellFit(
        paramcd=first["paramcd"],
        visit=first["avisitn"],
        response=first["response"],
        subgroup=first["subgroup"],
        arms=tuple(cell["arms"]),
        refused=cell["refused"],
        pct_blq=cell["pct_blq"],
        status=cell["status"],
        why=cell["why"],
        note=cell["note"],
        m=first["m"],
        n=first["n"],
        n_observed=first["n_observed"],
        n_imputed=first["n_imputed"],
        df=np.nan if first["df"] is None else first["df"],
        labels=tuple(_labels(part, size)) if fitted else (),
        statuses=tuple(part["fit_status"].gather_every(size)) if fitted else (),
        estimates=_matrix(part["estimate"], shape),
        variances=_matrix(part["variance"], shape),
    )


def _labels(part: pl.DataFrame, size: int) -> Iterator[str]:
    for row in part.head(size).select("term", "arm").rows():
        yield ":".join(row)


def _matrix(column: pl.Series, shape: Sequence[int]) -> "np.ndarray[Any, np.dtype[np.float64]]":
    if not shape[0]:
        return np.empty((0, 0))
    return np.asarray(column.fill_null(float("nan")).to_numpy(), dtype=np.float64).reshape(shape)
