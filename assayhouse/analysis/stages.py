"""The stages of an effect analysis one by one, each a table that can be kept and looked at.

`estimate_effects` is `pool_fits(fit_completed(long, impute_long(long, spec), spec), spec)` without
the tables in between: same rows, same numbers. A changed option of pooling needs the last stage
only, a changed option of the fit the last two.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from assayhouse.analysis.cell_fits import CellFit, fit_parameter
from assayhouse.analysis.completed import Completed, complete_parameter
from assayhouse.analysis.effects import require_possible
from assayhouse.analysis.fit_rows import FIT_SCHEMA, lay_out
from assayhouse.analysis.imputed_rows import IMPUTED_SCHEMA, list_imputed, place_imputed
from assayhouse.analysis.long_form import ParameterData, require_long, split_parameters
from assayhouse.analysis.pooled import pool_fits
from assayhouse.analysis.spec import EffectSpec
from assayhouse.errors import ModelDataError

__all__ = [
    "COMPLETED_SCHEMA",
    "FIT_SCHEMA",
    "IMPUTED_SCHEMA",
    "completed_sets",
    "fit_completed",
    "impute_long",
    "options_of_stage",
    "pool_fits",
]

COMPLETED_SCHEMA: Mapping[str, pl.DataType] = {
    "paramcd": pl.String(),
    "imp": pl.Int64(),
    "usubjid": pl.String(),
    "avisitn": pl.Int64(),
    "aval": pl.Float64(),
    "imputed": pl.Boolean(),
}
"""Columns of completed data sets written out."""

_OF_IMPUTATION = ("reference", "strata", "population", "blq_rule", "impute")
_OF_POOLING = ("df_method", "lambda_floor", "conf_level", "multiplicity", "family")


def options_of_stage(spec: EffectSpec, stage: str) -> dict[str, object]:
    """Options that have a part in a stage: equal options and equal data give equal tables.

    Parameters
    ----------
    spec : EffectSpec
        All options.
    stage : {"imputation", "fit", "pooling"}
        The stage; what goes before it counts.

    Returns
    -------
    dict
        As in `EffectSpec.to_dict`.
    """
    every = spec.to_dict()
    if stage == "imputation":
        return {name: every[name] for name in _OF_IMPUTATION}
    if stage == "fit":
        return {name: value for name, value in every.items() if name not in _OF_POOLING}
    return every


def impute_long(long: pl.DataFrame, spec: EffectSpec) -> pl.DataFrame:
    """Impute what is missing: the first stage.

    Parameters
    ----------
    long : frame
        As in `estimate_effects`.
    spec : EffectSpec
        ``impute``, ``strata``, ``reference`` and ``blq_rule`` are used.

    Returns
    -------
    frame
        `IMPUTED_SCHEMA`: one row per value that is missing, with its draws or the reason why it
        has none. `completed_sets` writes the data sets out.

    Raises
    ------
    ModelDataError
        Data that are not as described, or a spec without imputation.
    """
    _require_imputation(spec)
    parts = [pl.DataFrame(schema=dict(IMPUTED_SCHEMA))]
    parts += [
        list_imputed(data, complete_parameter(data, spec))
        for data in split_parameters(require_long(long, spec), spec)
    ]
    return pl.concat(parts)


def completed_sets(long: pl.DataFrame, imputed: pl.DataFrame, spec: EffectSpec) -> pl.DataFrame:
    """Write completed data sets out, one row per value.

    Parameters
    ----------
    long : frame
        As in `estimate_effects`.
    imputed : frame
        From `impute_long` of the same data and options.
    spec : EffectSpec
        As in `impute_long`.

    Returns
    -------
    frame
        `COMPLETED_SCHEMA`; fit to be given to `estimate_effects` as ``completed``. Visits that
        could not be completed are absent.

    Raises
    ------
    ModelDataError
        Data that are not as described, or imputed values of other data.
    """
    _require_imputation(spec)
    parts = [pl.DataFrame(schema=dict(COMPLETED_SCHEMA))]
    parts += [
        _completed_frame(data, place_imputed(data, imputed, spec))
        for data in split_parameters(require_long(long, spec), spec)
    ]
    return pl.concat(parts)


def fit_completed(long: pl.DataFrame, imputed: pl.DataFrame, spec: EffectSpec) -> pl.DataFrame:
    """Fit every completed data set: the second stage.

    Parameters
    ----------
    long : frame
        As in `estimate_effects`.
    imputed : frame
        From `impute_long` of the same data and options; not looked at where the spec analyses
        what was observed.
    spec : EffectSpec
        Options of the fit; those of pooling have no part in it.

    Returns
    -------
    frame
        `FIT_SCHEMA`, sorted by parameter, visit, response, subgroup, term and arm.

    Raises
    ------
    ModelDataError
        Data that are not as described, or imputed values of other data.
    """
    require_possible(spec, given=False)
    fits: list[CellFit] = []
    for data in split_parameters(require_long(long, spec), spec):
        observed = spec.population == "observed_at_visit"
        completed = None if observed else place_imputed(data, imputed, spec)
        fits += fit_parameter(data, completed, spec)
    return lay_out(fits, spec).sort("paramcd", "avisitn", "response", "subgroup", "term", "arm")


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
