"""Covariate forest, predictions, predictive check of population runs, as tables. Draws nothing."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import polars as pl

from assayhouse.analysis.pk_events import event_table
from assayhouse.analysis.pk_runs import Run
from assayhouse.analysis.pk_tables import NOT_AVAILABLE, OK, unavailable
from assayhouse.pk import covariate_forest, vpc

Diagnostic: TypeAlias = Callable[[pl.DataFrame, Run], pl.DataFrame | None]


def forest_rows(
    rows: pl.DataFrame,
    run: Run,
    *,
    parameter: str,
    level: float,
    band: tuple[float, float],
) -> pl.DataFrame:
    """Tabulate ratios of exposure to the reference subject, one covariate at a time."""
    if run.usable is None:
        return pl.DataFrame(
            {
                "covariate": ["none"],
                "label": ["none"],
                "row_order": [1],
                "status": [NOT_AVAILABLE],
                "reasons": [unavailable(run)],
            }
        )
    events = event_table(rows, subject_rule=run.subject_rule)
    found = covariate_forest(run.usable, events, parameter=parameter, level=level, band=band)
    return forest_frame(found, level=level, band=band, notes=run.notes)


def forest_frame(
    found: pl.DataFrame, *, level: float, band: tuple[float, float], notes: str = ""
) -> pl.DataFrame:
    """Bring ratios of `assayhouse.pk.covariate_forest` into the columns of ard.covariate_forest."""
    return found.select(
        pl.col("COVARIATE").alias("covariate"),
        pl.col("LABEL").alias("label"),
        pl.col("VALUE").alias("covariate_value"),
        pl.int_range(1, pl.len() + 1).alias("row_order"),
        pl.col("N").alias("n_subjects"),
        pl.col("RATIO").alias("ratio"),
        pl.col("LOW").alias("ratio_lo"),
        pl.col("HIGH").alias("ratio_hi"),
        pl.col("WITHIN_BAND").alias("within_band"),
        pl.lit(band[0]).alias("region_lo"),
        pl.lit(band[1]).alias("region_hi"),
        pl.lit(level).alias("ci_level"),
        pl.lit(OK).alias("status"),
        pl.lit(notes).alias("reasons"),
    )


_PREDICTIONS = {
    "TIME": "AFRLT", "DV": "DV", "BLQ": "BLQFN", "LLOQ": "ALLOQ", "PRED": "pred",
    "IPRED": "ipred", "IWRES": "iwres", "CWRES": "cwres",
}  # fmt: skip


def prediction_rows(rows: pl.DataFrame, run: Run) -> pl.DataFrame | None:
    """Tabulate the samples of a run with predictions and residuals; None where it failed."""
    result = run.usable
    if result is None or result.predictions is None:
        return None
    since = pl.Series("hours_since_dose", result.time_after_dose, dtype=pl.Float64)
    source = rows.group_by("USUBJID", maintain_order=True).agg(pl.col("pk_source").first())
    told = prediction_frame(result.predictions.with_columns(since))
    joined = told.join(source, on="USUBJID", how="left", maintain_order="left")
    return joined.with_columns(
        pl.int_range(1, pl.len() + 1).over("USUBJID").cast(pl.Int64).alias("ASEQ")
    )


def prediction_frame(predictions: pl.DataFrame) -> pl.DataFrame:
    """Bring predictions of a fit into the columns of ard.population_predictions."""
    return predictions.rename({"ID": "USUBJID", **_PREDICTIONS})


def check_rows(rows: pl.DataFrame, run: Run, *, replicates: int, seed: int) -> pl.DataFrame | None:
    """Check a run by simulated trials, prediction-corrected; None where it failed."""
    if run.usable is None:
        return None
    events = event_table(rows, subject_rule=run.subject_rule)
    found = vpc(run.usable, events, n=replicates, seed=seed, stratify="SOURCE")
    return check_frame(found, replicates=replicates)


def check_frame(found: pl.DataFrame, *, replicates: int) -> pl.DataFrame:
    """Bring a predictive check of a fit into the columns of ard.predictive_check."""
    names: Mapping[str, str] = {
        "STRATUM": "pk_source",
        "BIN": "bin",
        "TIME": "AFRLT",
        "QUANTILE": "quantile",
        "OBSERVED": "of_samples",
        "SIM_LOW": "sim_low",
        "SIM_MEDIAN": "sim_median",
        "SIM_HIGH": "sim_high",
    }
    return found.rename(names).with_columns(pl.lit(replicates).alias("n_replicates"))
