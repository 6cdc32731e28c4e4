"""Exposure at steady state by subject, its summary by group, and whether it follows the dose.

What a response does with exposure is in `response`. Nothing is fitted to concentrations here.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from assayhouse.pk.arrays import FloatArray
from assayhouse.pk.errors import PKError
from assayhouse.pk.proportionality import (
    DoseProportionality,
    dose_proportionality,
    require_columns,
)
from assayhouse.pk.response import exposure_response, join_response
from assayhouse.pk.result import FitResult
from assayhouse.pk.steady import steady_state

__all__ = [
    "DoseProportionality",
    "dose_proportionality",
    "exposure",
    "exposure_response",
    "exposure_summary",
    "join_response",
]

_COLUMNS = {
    "ID": pl.String,
    "DOSE": pl.Float64,
    "TAU": pl.Float64,
    "CL_F": pl.Float64,
    "AUCSS": pl.Float64,
    "CAVG": pl.Float64,
    "CMAXSS": pl.Float64,
    "TMAXSS": pl.Float64,
    "CTROUGH": pl.Float64,
    "BLQ_ONLY": pl.Boolean,
}
_WHISKER = 1.5


def exposure(
    result: FitResult, dosing: pl.DataFrame, *, placebo: Sequence[str] = ()
) -> pl.DataFrame:
    """Exposure of each subject at steady state, from its empirical Bayes estimates.

    Parameters
    ----------
    result : FitResult
        A fit that has not failed.
    dosing : polars.DataFrame
        ID, DOSE in the unit of AMT, TAU in the unit of TIME.
    placebo : sequence of str
        Subjects without drug; they follow with exposure 0.

    Returns
    -------
    polars.DataFrame
        ID, DOSE, TAU, CL_F (L per time), AUCSS (concentration times time), CAVG, CMAXSS, TMAXSS
        (from the dose), CTROUGH, and whether a subject has no quantifiable sample.

    Raises
    ------
    FitFailedError
        The fit has FAILED.
    PKError
        A subject has no estimate, or a dose that cannot be.

    References
    ----------
    .. [1] Gibaldi M, Perrier D (1982), Pharmacokinetics, 2nd edition, chapter 3.
    """
    result.require_ok()
    if result.ebe is None or result.predictions is None:
        message = "The fit has no individual parameters."
        raise PKError(message)
    doses = _checked_dosing(dosing, placebo)
    joined = doses.join(result.ebe, on="ID", how="left", maintain_order="left")
    if joined["CL"].null_count():
        message = f"{joined['CL'].null_count()} subjects of dosing have no individual parameters."
        raise PKError(message)
    quantifiable = result.predictions.filter(pl.col("BLQ") == 0)["ID"].unique().to_list()
    parameters = joined.select(result.spec.structural).to_numpy().T
    dose, tau = joined["DOSE"].to_numpy(), joined["TAU"].to_numpy()
    found = steady_state(result.spec.structure, parameters, dose, tau, result.scale)
    auc = result.scale * dose / joined["CL"].to_numpy()
    treated = joined.select(
        "ID",
        "DOSE",
        "TAU",
        pl.col("CL").alias("CL_F"),
        pl.Series("AUCSS", auc),
        pl.Series("CAVG", auc / tau),
        pl.Series("CMAXSS", found.cmax),
        pl.Series("TMAXSS", found.tmax),
        pl.Series("CTROUGH", found.ctrough),
        (~pl.col("ID").is_in(quantifiable)).alias("BLQ_ONLY"),
    )
    return pl.concat([treated, _placebo_rows(placebo)])


def _checked_dosing(dosing: pl.DataFrame, placebo: Sequence[str]) -> pl.DataFrame:
    missing = [name for name in ("ID", "DOSE", "TAU") if name not in dosing.columns]
    if missing:
        message = f"dosing lacks {', '.join(missing)}."
        raise PKError(message)
    doses = dosing.select(
        pl.col("ID").cast(pl.String),
        pl.col("DOSE").cast(pl.Float64, strict=False),
        pl.col("TAU").cast(pl.Float64, strict=False),
    )
    good = (pl.col("DOSE") >= 0) & (pl.col("TAU") > 0) & pl.col("DOSE").is_finite()
    wrong = doses.filter(~(good & pl.col("TAU").is_finite()).fill_null(value=False))
    if wrong.height:
        message = f"{wrong.height} rows of dosing have no dose from 0 or no interval above 0."
        raise PKError(message)
    both = set(doses["ID"]) & {str(name) for name in placebo}
    if both:
        message = f"{len(both)} subjects are named both in dosing and as placebo."
        raise PKError(message)
    return doses


def _placebo_rows(placebo: Sequence[str]) -> pl.DataFrame:
    n = len(placebo)
    values: dict[str, list[Any]] = {name: [0.0] * n for name in _COLUMNS}
    values["ID"] = [str(name) for name in placebo]
    for name in ("TAU", "CL_F", "TMAXSS"):
        values[name] = [None] * n
    values["BLQ_ONLY"] = [False] * n
    return pl.DataFrame(values, schema=_COLUMNS)


def exposure_summary(
    exposure: pl.DataFrame, *, by: Sequence[str] = ("DOSE",), column: str = "AUCSS"
) -> pl.DataFrame:
    """Box plot and geometric numbers per group.

    Parameters
    ----------
    exposure : polars.DataFrame
        One row per subject.
    by : sequence of str
        Columns whose values together name a group.
    column : str
        What is summarised; missing values are left out.

    Returns
    -------
    polars.DataFrame
        One row per group, sorted: N, MEDIAN, Q1, Q3 (linear), whiskers at the most extreme values
        within 1.5 interquartile ranges, N_OUTLIERS, GEOMEAN and GEOCV_PCT (of values above 0;
        null where there are none), MIN, MAX.

    Raises
    ------
    PKError
        A column is missing.

    References
    ----------
    .. [1] Tukey JW (1977), Exploratory Data Analysis, section 2C.
    """
    require_columns(exposure, (*by, column))
    kept = exposure.filter(pl.col(column).is_not_null())
    rows = []
    for group in kept.sort(list(by), maintain_order=True).partition_by(
        list(by), maintain_order=True
    ):
        values = group[column].cast(pl.Float64).to_numpy()
        rows.append({name: group[name][0] for name in by} | _box(values))
    numbers: dict[str, Any] = dict.fromkeys(_box(np.ones(2)), pl.Float64)
    counts = {"N": pl.Int64, "N_OUTLIERS": pl.Int64}
    schema = {name: exposure.schema[name] for name in by} | numbers | counts
    return pl.DataFrame(rows, schema=schema)


def _box(values: FloatArray) -> dict[str, Any]:
    q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75])
    reach = _WHISKER * (q3 - q1)
    inside = values[(values >= q1 - reach) & (values <= q3 + reach)]
    logs = np.log(values[values > 0])
    spread = float(logs.std(ddof=1)) if len(logs) > 1 else None
    return {
        "N": len(values),
        "MEDIAN": float(median),
        "Q1": float(q1),
        "Q3": float(q3),
        "WHISKER_LOW": float(inside.min()),
        "WHISKER_HIGH": float(inside.max()),
        "N_OUTLIERS": len(values) - len(inside),
        "GEOMEAN": float(np.exp(logs.mean())) if len(logs) else None,
        "GEOCV_PCT": None if spread is None else 100 * math.sqrt(math.expm1(spread**2)),
        "MIN": float(values.min()),
        "MAX": float(values.max()),
    }
