"""From fits to results: pooling over completed data sets, all rows of an analysis at once."""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import polars as pl

from assayhouse.analysis.families import adjust_rows
from assayhouse.analysis.fit_rows import FIT_SCHEMA
from assayhouse.analysis.spec import RESULT_COLUMNS, EffectSpec
from assayhouse.errors import ModelDataError
from assayhouse.stats.arrays import FloatArray
from assayhouse.stats.pooling import pool_rubin
from assayhouse.stats.student import two_sided_p, upper_quantile

Row: TypeAlias = dict[str, str | int | float | None]

_TEXT = ("paramcd", "response", "subgroup", "term", "arm", "family", "status", "reasons")
_WHOLE = ("avisitn", "m", "n", "n_observed", "n_imputed")
_SORT = ("paramcd", "avisitn", "response", "subgroup", "term", "arm")
_NUMBERS = (
    *("estimate", "se", "df", "statistic", "ci_lo", "ci_hi", "p"),
    *("fmi", "riv", "lambda", "mc_error"),
)


def _dtype(name: str) -> pl.DataType:
    if name in (*_TEXT, "spec_hash"):
        return pl.String()
    return pl.Int64() if name in _WHOLE else pl.Float64()


RESULT_SCHEMA: Mapping[str, pl.DataType] = {name: _dtype(name) for name in RESULT_COLUMNS}
"""Columns of the result in their order, with their types."""


def pool_fits(fits: pl.DataFrame, spec: EffectSpec) -> pl.DataFrame:
    """Pool the fits of all data sets and adjust for multiplicity: the last stage.

    Parameters
    ----------
    fits : frame
        `FIT_SCHEMA`; all rows of an analysis, because families are declared over them.
    spec : EffectSpec
        Options of pooling and multiplicity; its hash is written to every row.

    Returns
    -------
    frame
        `RESULT_SCHEMA`, sorted; numbers only where the status is "ok".

    Raises
    ------
    ModelDataError
        A frame that is not of fits.

    References
    ----------
    .. [1] Rubin DB (1987), Multiple Imputation for Nonresponse in Surveys, chapter 3.
    """
    if dict(fits.schema) != dict(FIT_SCHEMA):
        message = f"fits must have the columns of fit_completed: {', '.join(FIT_SCHEMA)}."
        raise ModelDataError(message)
    usable = pl.col("status") == "ok"
    parts = [fits.filter(~usable).with_columns(_blank(name) for name in _NUMBERS)]
    pooled = fits.filter(usable).partition_by("m", maintain_order=True)
    parts += [part.with_columns(_pooled(part, spec)) for part in pooled]
    whole = pl.concat(parts, how="diagonal").with_columns(
        _blank("p_adj"),
        pl.lit(None, dtype=pl.String).alias("family"),
        pl.lit(spec.spec_hash()).alias("spec_hash"),
    )
    return adjust_rows(whole.select(RESULT_COLUMNS).sort(*_SORT), spec)


def _blank(name: str) -> pl.Expr:
    return pl.lit(None, dtype=pl.Float64).alias(name)


def _pooled(part: pl.DataFrame, spec: EffectSpec) -> list[pl.Series]:
    """Columns of rows that have one number of data sets, each of them usable."""
    m = int(part["m"][0])
    estimates, variances = _matrix(part["estimates"], m), _matrix(part["variances"], m)
    df = part["df_complete"].to_numpy()
    if m == 1:
        return _single(estimates[0], np.sqrt(variances[0]), df, spec)
    pooled = pool_rubin(
        estimates,
        variances,
        df_complete=df,
        df_method=spec.df_method,
        lambda_floor=spec.lambda_floor,
        conf_level=spec.conf_level,
    )
    return _columns(
        estimate=pooled.estimate,
        se=pooled.std_error,
        df=pooled.df,
        statistic=pooled.statistic,
        ci_lo=pooled.ci_low,
        ci_hi=pooled.ci_high,
        p=pooled.p_value,
        fmi=pooled.fmi,
        riv=pooled.riv,
        mc_error=pooled.mc_error,
        **{"lambda": pooled.lambda_},
    )


def _matrix(lists: pl.Series, m: int) -> FloatArray:
    """(m, rows) array, in the order in which sums over data sets do not depend on the rows."""
    values = lists.explode().to_numpy().reshape(len(lists), m)
    return np.ascontiguousarray(values.T)


def _single(
    estimate: FloatArray, se: FloatArray, df: FloatArray, spec: EffectSpec
) -> list[pl.Series]:
    """T test and interval of one data set."""
    reach = upper_quantile(spec.conf_level, df) * se
    return _columns(
        estimate=estimate,
        se=se,
        df=df,
        statistic=estimate / se,
        ci_lo=estimate - reach,
        ci_hi=estimate + reach,
        p=two_sided_p(estimate / se, df),
    )


def _columns(**columns: float | FloatArray) -> list[pl.Series]:
    return [pl.Series(name, np.asarray(values)) for name, values in columns.items()]
