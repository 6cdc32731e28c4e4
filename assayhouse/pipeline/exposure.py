"""Relations of exposure: by subject, and against the change of every parameter."""

import polars as pl

from assayhouse.analysis.exposure import exposure_relations, predose_exposure
from assayhouse.pipeline.context import BuildContext
from assayhouse.pipeline.population import ANALYSED, analysed_subjects
from assayhouse.pipeline.provenance import stamped, unstamped

METHOD = (
    "mean of the analysed predose concentrations of active subjects, BLQ as half the limit; "
    "no model"
)
RELATION = (
    "Spearman's rho and p; slope of the change on log2 exposure, least squares, active subjects "
    "with exposure; no multiplicity adjustment"
)


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
    return stamped(predose_exposure(samples, subjects), context, method=METHOD)


def exposure_response(context: BuildContext) -> pl.DataFrame:
    """Relate exposure to the change of every parameter at the declared visit."""
    plan = context.declarations.study.plan.pharmacokinetics
    visit = -1 if plan is None else plan.response_visit
    adbm = context.table("adam.adbm", where=ANALYSED).filter(
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
    found = exposure_relations(context.table("ard.exposure"), pl.concat(parts))
    if found.is_empty():
        return context.spec.empty()
    schema = unstamped(context.spec)
    full = found.with_columns(
        [pl.lit(None, dtype=v).alias(k) for k, v in schema.items() if k not in found.columns]
    )
    return stamped(full, context, method=RELATION)
