"""Simple exposure without a model, and its relation to the change of each parameter.

The measure is the mean of a subject's predose concentrations at steady state: what sparse samples
support without assumptions. A population model's exposure is another measure beside it.
"""

import numpy as np
import polars as pl

PREDOSE = "mean predose concentration"
OK = "ok"
TOO_FEW = "too_few"
FEWEST = 10
NOT_AVAILABLE = "not_available"
_KEYS = ["exposure_measure", "paramcd", "avisitn", "response"]


def predose_exposure(samples: pl.DataFrame, subjects: pl.DataFrame) -> pl.DataFrame:
    """Average each active subject's analysed predose concentrations; BLQ counts as half the limit.

    Parameters
    ----------
    samples : DataFrame
        usubjid, value (null where below the limit), blq (True or False), lloq, unit.
    subjects : DataFrame
        usubjid, arm, dose_mg (zero: no exposure, left out).

    Returns
    -------
    DataFrame
        usubjid, arm, dose_mg, exposure_measure, exposure_value, unit, n_samples, n_blq, status,
        reasons. A subject with no sample, or none above the limit, has no value and says so.
    """
    active = subjects.filter(pl.col("dose_mg") > 0.0)
    used = (
        samples.with_columns(
            pl.when(pl.col("blq")).then(pl.col("lloq") / 2.0).otherwise(pl.col("value")).alias("v")
        )
        .filter(pl.col("v").is_not_null())
        .sort("usubjid", "v")
        .group_by("usubjid", maintain_order=True)
        .agg(
            pl.col("v").mean().alias("mean"),
            pl.len().alias("n_samples"),
            pl.col("blq").sum().alias("n_blq"),
            pl.col("unit").first(),
        )
    )
    joined = active.join(used, on="usubjid", how="left").with_columns(
        pl.col("n_samples", "n_blq").fill_null(0)
    )
    quantified = pl.col("n_samples") > pl.col("n_blq")
    return joined.with_columns(
        pl.lit(PREDOSE).alias("exposure_measure"),
        pl.when(quantified).then(pl.col("mean")).alias("exposure_value"),
        pl.when(quantified).then(pl.lit(OK)).otherwise(pl.lit("no_exposure")).alias("status"),
        pl.when(quantified)
        .then(pl.lit(""))
        .when(pl.col("n_samples") == 0)
        .then(pl.lit("no analysed predose sample"))
        .otherwise(pl.lit("no sample above the limit of quantification"))
        .alias("reasons"),
    ).drop("mean")


def _relation(x: np.ndarray, y: np.ndarray) -> dict[str, object]:
    from scipy import stats  # noqa: PLC0415 - slow to import

    rank = stats.spearmanr(x, y)
    line = stats.linregress(np.log2(x), y)
    half = float(stats.t.ppf(0.975, len(x) - 2)) * float(line.stderr)
    return {
        "n": len(x),
        "rho": float(rank.statistic),
        "p": float(rank.pvalue),
        "slope": float(line.slope),
        "se": float(line.stderr),
        "ci_lo": float(line.slope) - half,
        "ci_hi": float(line.slope) + half,
        "status": OK,
        "reasons": "",
    }


def exposure_relations(exposures: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """Relate each measure of exposure to the change of each parameter.

    Parameters
    ----------
    exposures : DataFrame
        usubjid, exposure_measure, exposure_value, reasons.
    changes : DataFrame
        usubjid, paramcd, avisitn, response, change, estimate_unit.

    Measures without any value say why, one row per parameter and response.

    Returns
    -------
    DataFrame
        exposure_measure, paramcd, avisitn, response, n, rho, p (Spearman), slope (change per
        doubling of exposure), se, ci_lo, ci_hi, estimate_unit, status, reasons; sorted.
    """
    joined = (
        exposures.filter(pl.col("exposure_value") > 0.0)
        .join(changes, on="usubjid", how="inner")
        .filter(pl.col("change").is_not_null())
        .sort("usubjid")
    )
    rows: list[dict[str, object]] = []
    for values, group in joined.group_by(_KEYS, maintain_order=True):
        x, y = group["exposure_value"].to_numpy(), group["change"].to_numpy()
        identity = dict(zip(_KEYS, values, strict=True))
        identity["estimate_unit"] = group["estimate_unit"].first()
        if len(x) < FEWEST or np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
            reason = f"{len(x)} pairs" if len(x) < FEWEST else "one of the two does not vary"
            rows.append({**identity, "n": len(x), "status": TOO_FEW, "reasons": reason})
            continue
        rows.append({**identity, **_relation(x, y)})
    rows += _without_values(exposures, changes)
    return pl.DataFrame(rows, infer_schema_length=None)


def _without_values(exposures: pl.DataFrame, changes: pl.DataFrame) -> list[dict[str, object]]:
    """Rows of measures of which nobody has a value: each with the reason most subjects give."""
    empty = exposures.group_by("exposure_measure").agg(
        pl.col("exposure_value").is_not_null().any().alias("any"),
        pl.col("reasons").mode().sort().first().alias("reasons"),
    )
    told = empty.filter(~pl.col("any")).select(
        "exposure_measure", "reasons", pl.lit(NOT_AVAILABLE).alias("status"), pl.lit(0).alias("n")
    )
    asked = changes.select("paramcd", "avisitn", "response", "estimate_unit").unique()
    return told.join(asked, how="cross").sort(_KEYS).to_dicts()
