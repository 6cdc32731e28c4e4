"""Relations of exposure: by subject, and against the change of every parameter."""

import polars as pl

from assayhouse.analysis import pk_tables
from assayhouse.analysis.exposure import PREDOSE, exposure_relations, predose_exposure
from assayhouse.pipeline.context import BuildContext
from assayhouse.pipeline.population import (
    ANALYSED,
    analysed_subjects,
    method_by_parameter,
    with_enough_baseline,
)
from assayhouse.pipeline.population_pk import plan_of, runs_of
from assayhouse.pipeline.provenance import stamped, unstamped

METHOD = (
    "mean predose concentration: of the analysed ones, BLQ as half the limit, no model; the other "
    "measures: individual (empirical Bayes) estimates of the population model, dose / (CL/F)"
)
SUMMARY = "box plots: linear quartiles, whiskers within 1.5 interquartile ranges; geometric CV"
DOSES = (
    "log exposure on log dose, least squares, t interval; region of Smith (2000); exponent of the "
    "dose on clearance from the population model"
)
RELATED = (PREDOSE, pk_tables.AUC)
RELATION = (
    "Spearman's rho and p; slope of the change on log2 exposure, least squares, active subjects "
    "with exposure; no multiplicity adjustment"
)


_WHO = ("usubjid", "arm", "dose_mg")


def exposure(context: BuildContext) -> pl.DataFrame:
    """Compute each active subject's exposure."""
    plan = context.declarations.study.plan.pharmacokinetics
    doses = context.table("ref.arms").select(pl.col("ARMCD").alias("arm"), "dose_mg")
    subjects = analysed_subjects(context).select("usubjid", "arm").join(doses, on="arm")
    samples = (
        context.table("adam.adpc")
        .filter(
            pl.col("ANL01FL") == "Y", pl.col("PARAMCD") == ("" if plan is None else plan.analyte)
        )
        .select(
            pl.col("USUBJID").alias("usubjid"),
            pl.col("AVAL").alias("value"),
            pl.col("blq_fl").eq("Y").alias("blq"),
            "lloq",
            "unit",
        )
    )
    if samples.is_empty():
        return context.spec.empty()
    parts = [predose_exposure(samples, subjects)]
    if context.declarations.study.plan.population_pk is not None and (runs := runs_of(context)):
        rows = context.table("adam.adppk")
        parts.append(pk_tables.exposure_rows(rows, runs, subjects.select(*_WHO)))
    columns = [pl.col(name).cast(kind) for name, kind in unstamped(context.spec).items()]
    return stamped(pl.concat(part.select(columns) for part in parts), context, method=METHOD)


def exposure_summary(context: BuildContext) -> pl.DataFrame:
    """Summarise exposure by dose, for all and by the levels of the declared subgroups."""
    exposures = context.table("ard.exposure")
    if pk_tables.AUC not in exposures["exposure_measure"]:
        return context.spec.empty()
    plan = context.declarations.study.plan
    levels = pl.DataFrame(schema={"usubjid": pl.String, "cut_off": pl.String, "level": pl.String})
    if plan.cut_offs:
        flags = context.table("adam.subset_flags").filter(pl.col("cut_off").is_in(plan.subgroups))
        levels = flags.select(pl.col("USUBJID").alias("usubjid"), "cut_off", "level")
    return stamped(pk_tables.exposure_boxes(exposures, levels), context, method=SUMMARY)


def dose_proportionality(context: BuildContext) -> pl.DataFrame:
    """Ask whether exposure follows the dose, in either population."""
    exposures, runs = context.table("ard.exposure"), runs_of(context)
    if not runs or exposures.is_empty():
        return context.spec.empty()
    found = pk_tables.dose_rows(exposures, runs, level=plan_of(context).level)
    schema = unstamped(context.spec)
    absent = [pl.lit(None, dtype=v).alias(k) for k, v in schema.items() if k not in found.columns]
    return stamped(found.with_columns(absent), context, method=DOSES)


def exposure_response(context: BuildContext) -> pl.DataFrame:
    """Relate exposure to the change of every parameter at the declared visit."""
    plan = context.declarations.study.plan.pharmacokinetics
    visit = -1 if plan is None else plan.response_visit
    study = context.declarations.study
    adbm = with_enough_baseline(context.table("adam.adbm", where=ANALYSED), study).filter(
        pl.col("AVISITN") == visit, pl.col("ABLFL").is_null()
    )
    parts = [
        adbm.filter(pl.col(column).is_not_null()).select(
            pl.col("USUBJID").alias("usubjid"),
            pl.col("PARAMCD").alias("paramcd"),
            pl.col("AVISITN").alias("avisitn"),
            pl.lit(response).alias("response"),
            pl.col(column).alias("change"),
            (pl.lit("%") if response == "pchg" else pl.col("unit")).alias("estimate_unit"),
        )
        for response, column in (("chg", "CHG"), ("pchg", "PCHG"))
    ]
    exposures = context.table("ard.exposure").filter(pl.col("exposure_measure").is_in(RELATED))
    found = exposure_relations(exposures, pl.concat(parts))
    if found.is_empty():
        return context.spec.empty()
    schema = unstamped(context.spec)
    full = found.with_columns(
        [pl.lit(None, dtype=v).alias(k) for k, v in schema.items() if k not in found.columns]
    )
    method = method_by_parameter(RELATION, context.table("ref.parameters"), study)
    return stamped(full, context, method=method)
