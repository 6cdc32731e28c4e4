"""Copies of a qPCR run: standard curve of each target, wells read off it, replicates judged."""

import math

import numpy as np
import polars as pl

from assayhouse.contracts.instrument_file import QpcrPlan
from assayhouse.instruments.qpcr import QpcrRun, StandardCurve, combine_replicates, standard_curve

NO_CURVE, NOT_DETECTED, SPREAD = "NO STANDARD CURVE", "NOT DETECTED", "REPLICATES DISAGREE"
TOO_FEW, NO_REFERENCE = "TOO FEW REFERENCE COPIES", "NO REFERENCE"
_STATUS = {"not_detected": NOT_DETECTED, "failed": SPREAD}


def run_curves(run: QpcrRun) -> dict[tuple[str, str], StandardCurve]:
    """Fit the standard curve of every run and target."""
    standards = run.wells.filter((pl.col("type") == "STD") & (pl.col("state") == "ok"))
    return {
        (str(key[0]), str(key[1])): standard_curve(
            part["quantity"].cast(pl.Float64).fill_null(math.nan).to_numpy(),
            part["cq"].fill_null(math.nan).to_numpy(),
        )
        for key, part in standards.partition_by("run", "target", as_dict=True).items()
    }


def derive_qpcr_wells(run: QpcrRun, plan: QpcrPlan) -> pl.DataFrame:
    """Read the copies of every specimen's wells off the standard curve of their target.

    Parameters
    ----------
    run : QpcrRun
        Wells with Cq; standards with their quantities.
    plan : QpcrPlan
        Targets, reference and the rule for replicates.

    Returns
    -------
    DataFrame
        One row per specimen's well: PLATE (run), well, REFID, TESTCD (null for the reference),
        target, cq, copies, used_fl (Y, N), curve_slope, efficiency, r_squared, status (null where
        the well has copies that count).
    """
    tests = {target: testcd for testcd, target in plan.targets.items()}
    curves = run_curves(run)
    wanted = [*tests, plan.reference]
    unknown = run.wells.filter((pl.col("type") == "UNK") & pl.col("target").is_in(wanted))
    parts = [_replicates(part, curves, plan) for part in _groups(unknown)]
    if not parts:
        return pl.DataFrame(schema=SCHEMA)
    named = pl.concat(parts).with_columns(
        pl.col("target").replace_strict(tests, default=None, return_dtype=pl.String).alias("TESTCD")
    )
    return named.select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())


SCHEMA = {
    "PLATE": pl.String,
    "well": pl.String,
    "REFID": pl.String,
    "TESTCD": pl.String,
    "target": pl.String,
    "cq": pl.Float64,
    "copies": pl.Float64,
    "used_fl": pl.String,
    "curve_slope": pl.Float64,
    "efficiency": pl.Float64,
    "r_squared": pl.Float64,
    "status": pl.String,
}


def _groups(wells: pl.DataFrame) -> list[pl.DataFrame]:
    return wells.partition_by("run", "sample", "target", maintain_order=True)


def _replicates(
    part: pl.DataFrame, curves: dict[tuple[str, str], StandardCurve], plan: QpcrPlan
) -> pl.DataFrame:
    """Wells of one specimen and target."""
    curve = curves.get((str(part["run"][0]), str(part["target"][0])))
    there = pl.when(pl.col("state") == "ok").then(pl.col("cq"))
    cq = part.select(there.fill_null(math.nan)).to_series().to_numpy()
    wells = combine_replicates(cq, max_spread=plan.max_spread)
    copies = np.full(len(cq), math.nan) if curve is None else curve.copies(cq)
    status = _STATUS.get(wells.status) if curve is not None else NO_CURVE
    if curve is not None and curve.status != "ok":
        status = f"CURVE {curve.status.upper().replace('_', ' ')}"
    return part.select(
        pl.col("run").alias("PLATE"),
        "well",
        pl.col("sample").alias("REFID"),
        "target",
        "cq",
        pl.Series("copies", copies).fill_nan(None),
        pl.Series("used_fl", np.where(wells.used, "Y", "N")),
        pl.lit(None if curve is None else curve.slope).alias("curve_slope"),
        pl.lit(None if curve is None else curve.efficiency).alias("efficiency"),
        pl.lit(None if curve is None else curve.r_squared).alias("r_squared"),
        pl.lit(status, dtype=pl.String).alias("status"),
    )


def derive_copies(wells: pl.DataFrame) -> pl.DataFrame:
    """Combine the wells of each specimen to copies of its target and of its reference.

    Parameters
    ----------
    wells : DataFrame
        From :func:`derive_qpcr_wells`, of one or more files (receipt), with least_reference: a
        specimen with fewer copies of the reference in all its wells has no result; factor_f and
        factor_m.

    Returns
    -------
    DataFrame
        receipt, PLATE, REFID, TESTCD, target, reference (mean copies of the wells that count),
        factor_f, factor_m and why: what stands in the way of a number.
    """
    keys = ["receipt", "PLATE", "REFID"]
    counted = pl.when(pl.col("used_fl") == "Y").then(pl.col("copies"))
    targets = (
        wells.filter(pl.col("TESTCD").is_not_null())
        .group_by(*keys, "TESTCD")
        .agg(
            counted.mean().alias("target"),
            pl.col("factor_f", "factor_m", "least_reference").first(),
            pl.col("status").drop_nulls().first().alias("why"),
        )
    )
    references = (
        wells.filter(pl.col("TESTCD").is_null())
        .group_by(keys)
        .agg(
            counted.mean().alias("reference"),
            counted.sum().alias("total"),
            pl.col("status").drop_nulls().first().alias("reference_why"),
        )
    )
    joined = targets.join(references, on=keys, how="left")
    few = pl.when(pl.col("total") < pl.col("least_reference")).then(pl.lit(TOO_FEW))
    none = pl.when(pl.col("reference").is_null()).then(pl.lit(NO_REFERENCE))
    why = pl.coalesce("why", "reference_why", few, none)
    return (
        joined.with_columns(why.alias("why"))
        .drop("total", "reference_why", "least_reference")
        .sort(*keys, "TESTCD")
    )
