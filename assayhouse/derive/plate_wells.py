"""Concentrations of a plate from its own standards: curves fitted anew, every well read off them.

Uses nothing of what the laboratory reports but the counts of the wells. The combination of
signals is that of ``quantification``.
"""

import numpy as np
import polars as pl

from assayhouse.contracts.instrument_file import PlatePlan
from assayhouse.derive.quantification import derive_well_concentrations
from assayhouse.instruments.plates import PlateRun
from assayhouse.stats.curves import CurveFit, fit_curve

BLANK, MASKED = "BLANK", "MASKED"
NO_SIGNALS = "SIGNAL MISSING"
_LEAST_STANDARDS = 4
_IDENTITY = ("PLATE", "TESTCD", "well", "well_type", "REFID", "expected_conc", "state")


def signal_names(plan: PlatePlan) -> tuple[str, ...]:
    """Columns of the signals, in the declared order."""
    return tuple(f"signal_{place}" for place in range(1, len(plan.signals) + 1))


def wide_wells(run: PlateRun, plan: PlatePlan) -> pl.DataFrame:
    """Put the signals of a well side by side, background subtracted once where the file has one.

    Parameters
    ----------
    run : PlateRun
        One row per well, analyte and kind of signal.
    plan : PlatePlan
        Which kinds of signal count, and what the analytes are called.

    Returns
    -------
    DataFrame
        PLATE, TESTCD, well, well_type, REFID, expected_conc, state, signal_1 ...
    """
    net = pl.col("signal") - pl.col("background").fill_null(0.0)
    named = run.wells.filter(pl.col("signal_kind").is_in(list(plan.signals))).select(
        pl.col("plate").alias("PLATE"),
        pl.col("analyte").replace(plan.analytes).alias("TESTCD"),
        "well",
        pl.col("type").alias("well_type"),
        pl.coalesce("sample", "type").alias("REFID"),
        pl.when(pl.col("type") == BLANK)
        .then(0.0)
        .otherwise("expected_conc")
        .alias("expected_conc"),
        "state",
        "signal_kind",
        net.alias("net"),
    )
    parts = [
        pl.col("net").filter(pl.col("signal_kind") == kind).first().alias(name)
        for kind, name in zip(plan.signals, signal_names(plan), strict=True)
    ]
    return named.group_by(_IDENTITY, maintain_order=True).agg(parts)


def fit_plate_curves(wells: pl.DataFrame, plan: PlatePlan) -> pl.DataFrame:
    """Fit the curve of every plate, analyte and signal to the standards and blanks of the plate.

    Parameters
    ----------
    wells : DataFrame
        From :func:`wide_wells`.
    plan : PlatePlan
        Model and weights.

    Returns
    -------
    DataFrame
        PLATE, TESTCD, signal (1 ...), a, b, c, d, g, status; null parameters where a fit failed.
    """
    usable = wells.filter(
        pl.col("well_type").is_in(["STD", BLANK])
        & (pl.col("expected_conc") >= 0)
        & (pl.col("state") != "masked")
    )
    rows = []
    for key, part in usable.partition_by("PLATE", "TESTCD", as_dict=True).items():
        for place, name in enumerate(signal_names(plan), start=1):
            fit = _fit(part.filter(pl.col(name) > 0), name, plan)
            row = {"PLATE": key[0], "TESTCD": key[1], "signal": float(place)}
            parameters = dict.fromkeys("abcdg")
            if fit is not None and fit.status != "failed":
                parameters = {letter: getattr(fit, letter) for letter in "abcdg"}
            status = "failed" if fit is None else fit.status
            rows.append({**row, **parameters, "status": status})
    schema = {"PLATE": pl.String, "TESTCD": pl.String, "signal": pl.Float64}
    schema |= dict.fromkeys("abcdg", pl.Float64) | {"status": pl.String}
    return pl.DataFrame(rows, schema=schema)


def _fit(standards: pl.DataFrame, signal: str, plan: PlatePlan) -> CurveFit | None:
    if standards["expected_conc"].n_unique() < _LEAST_STANDARDS:
        return None
    return fit_curve(
        standards["expected_conc"].to_numpy(),
        standards[signal].to_numpy(),
        model=plan.model,
        weights=plan.weights,
    )


def derive_plate_wells(run: PlateRun, plan: PlatePlan) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read every well of a plate off curves fitted to its standards.

    Parameters
    ----------
    run : PlateRun
        The plate export.
    plan : PlatePlan
        How it is reduced.

    Returns
    -------
    wells : DataFrame
        :func:`wide_wells` with concentration (as the plate saw it), dilution (the assay's),
        recovery_pct of standards and controls, and status: why there is no number.
    curves : DataFrame
        :func:`fit_plate_curves`.
    """
    wells = wide_wells(run, plan)
    curves = fit_plate_curves(wells, plan)
    counted = wells.filter(pl.col("state") != "masked")
    found = derive_well_concentrations(
        counted.select("PLATE", "TESTCD", "well", "REFID", *signal_names(plan)), curves
    ).select("PLATE", "TESTCD", "well", "concentration", "why")
    joined = wells.join(found, on=["PLATE", "TESTCD", "well"], how="left", maintain_order="left")
    expected = pl.when(pl.col("expected_conc") > 0).then(pl.col("expected_conc"))
    masked = pl.when(pl.col("state") == "masked").then(pl.lit(MASKED))
    full = joined.with_columns(
        (100.0 * pl.col("concentration") / expected).alias("recovery_pct"),
        pl.col("TESTCD")
        .replace_strict(plan.dilutions, default=1.0, return_dtype=pl.Float64)
        .alias("dilution"),
        masked.otherwise(pl.col("why")).alias("status"),
    )
    return full.drop("why", "state"), curves


def curve_points(curve: CurveFit, low: float, high: float, *, count: int = 60) -> np.ndarray:
    """Concentrations and signals of a curve between two concentrations, (2, count)."""
    x = np.geomspace(low, high, count)
    return np.stack([x, curve.predict(x)])
