"""Imputed values as a table: what is missing, its draws, and why it has none.

What was observed is not repeated for every data set: it is in the data.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from assayhouse.analysis.completed import Completed
from assayhouse.analysis.long_form import ParameterData
from assayhouse.analysis.spec import EffectSpec
from assayhouse.errors import ModelDataError
from assayhouse.stats.arrays import IntArray

IMPUTED_SCHEMA: Mapping[str, pl.DataType] = {
    "paramcd": pl.String(),
    "avisitn": pl.Int64(),
    "usubjid": pl.String(),
    "draws": pl.List(pl.Float64()),
    "no_draws": pl.String(),
}
"""Columns of imputed values: a row per parameter, visit and subject with a base whose value is
missing, or drawn because it lies below its limit. Without draws there is a reason."""


def list_imputed(data: ParameterData, completed: Completed) -> pl.DataFrame:
    """List what is imputed of one parameter.

    Parameters
    ----------
    data : ParameterData
        The parameter.
    completed : Completed
        From `complete_parameter`.

    Returns
    -------
    frame
        `IMPUTED_SCHEMA`, sorted by visit and subject.
    """
    subject, visit = _missing(data)
    draws = np.ascontiguousarray(completed.values[:, subject, visit].T)
    listed = pl.Series(draws).cast(pl.List(pl.Float64())) if len(visit) else pl.Series([])
    reasons = [completed.lacking.get(int(column), "") for column in visit]
    frame = pl.DataFrame(
        {
            "paramcd": [data.paramcd] * len(visit),
            "avisitn": np.asarray(data.visits, dtype=np.int64)[visit],
            "usubjid": data.subject[subject].tolist(),
            "draws": listed,
            "no_draws": reasons,
        },
        schema=dict(IMPUTED_SCHEMA),
    )
    return frame.with_columns(draws=pl.when(pl.col("no_draws") == "").then("draws"))


def place_imputed(data: ParameterData, imputed: pl.DataFrame, spec: EffectSpec) -> Completed:
    """Bring the imputed values of one parameter to completed data sets.

    Parameters
    ----------
    data : ParameterData
        The parameter.
    imputed : frame
        `IMPUTED_SCHEMA`, of this parameter among others.
    spec : EffectSpec
        ``impute.m``.

    Returns
    -------
    Completed
        Observed values as they are.

    Raises
    ------
    ModelDataError
        The rows are not those that the data lack, or have another number of draws.
    """
    subject, visit = _missing(data)
    part = imputed.filter(paramcd=data.paramcd).sort("avisitn", "usubjid")
    same = len(part) == len(visit) and (
        part["usubjid"].to_list() == data.subject[subject].tolist()
        and (part["avisitn"].to_numpy() == np.asarray(data.visits)[visit]).all()
    )
    lengths = part["draws"].list.len().drop_nulls()
    if not same or not (lengths == spec.impute.m).all():
        message = (
            f"The imputed values of {data.paramcd} are not those that these data lack, or not "
            f"{spec.impute.m} each: impute these data with these options first."
        )
        raise ModelDataError(message)
    population = np.isfinite(data.base)
    values = np.repeat(data.value[None], spec.impute.m, axis=0)
    values[:, ~population] = np.nan
    drawn = part["draws"].is_not_null().to_numpy()
    flat = part["draws"].drop_nulls().explode().to_numpy().reshape(-1, spec.impute.m)
    values[:, subject[drawn], visit[drawn]] = flat.T
    lacking = dict(zip(visit[~drawn].tolist(), part["no_draws"].filter(~drawn), strict=True))
    values[:, :, list(lacking)] = np.nan
    return Completed(values=values, lacking=lacking)


def _missing(data: ParameterData) -> tuple[IntArray, IntArray]:
    """Subjects and visits, by position, of what the population lacks; sorted by visit."""
    lacks = np.isnan(data.value) & np.isfinite(data.base)[:, None]
    visit, subject = np.nonzero(lacks.T)
    return subject.astype(np.int64), visit.astype(np.int64)
