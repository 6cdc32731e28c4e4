"""Relation ard.baseline_associations: baseline values against scores and medication."""

import polars as pl

from assayhouse.analysis.associations import rank_correlation, with_and_without
from assayhouse.contracts.plan import Factor
from assayhouse.errors import DeclarationError
from assayhouse.pipeline.context import BuildContext
from assayhouse.pipeline.population import BASELINE
from assayhouse.pipeline.provenance import stamped, unstamped

METHOD = (
    "Spearman's rho (Fisher interval) for scores; Hodges-Lehmann shift with rank-sum test for "
    "medication at the first dose; observed baselines; no multiplicity adjustment"
)


def at_first_dose(medication: pl.DataFrame, dm: pl.DataFrame, factor: Factor) -> pl.DataFrame:
    """Say of every treated subject whether the declared medication ran on the first dosing day.

    Raises
    ------
    DeclarationError
        The declared condition cannot be evaluated over the medication records.
    """
    treated = dm.filter(pl.col("RFXSTDT").is_not_null()).select(
        "USUBJID", pl.col("RFXSTDT").cast(pl.String).alias("first_dose")
    )
    try:
        meant = medication.filter(pl.sql_expr(factor.where))
    except pl.exceptions.PolarsError as error:
        message = f"factor {factor.factor}: `{factor.where}` cannot be evaluated. Correct it."
        raise DeclarationError(message) from error
    started = pl.col("CMSTDTC").is_null() | (
        pl.col("CMSTDTC").str.slice(0, 10) <= pl.col("first_dose")
    )
    going_on = pl.col("CMENDTC").is_null() | (
        pl.col("CMENDTC").str.slice(0, 10) >= pl.col("first_dose")
    )
    having = meant.join(treated, on="USUBJID", how="inner").filter(started & going_on)
    return treated.select(
        "USUBJID", pl.col("USUBJID").is_in(having["USUBJID"].to_list()).alias("factor")
    )


def _wide(base_records: pl.DataFrame) -> pl.DataFrame:
    base = base_records.select("USUBJID", "PARAMCD", "AVAL")
    return base.pivot(on="PARAMCD", index="USUBJID", values="AVAL", aggregate_function="first")


def baseline_associations(context: BuildContext) -> pl.DataFrame:
    """Compare every declared parameter with every declared score and medication."""
    plan = context.declarations.study.plan
    parameters = context.declarations.parameters
    wide, dm = _wide(context.table("adam.adbm", where=BASELINE)), context.table("sdtm.dm")
    medication = context.table("sdtm.cm") if plan.factors else pl.DataFrame()
    factors = {f.factor: at_first_dose(medication, dm, f) for f in plan.factors}
    rows: list[dict[str, object]] = []
    for paramcd in plan.association_parameters:
        if paramcd not in wide.columns:
            continue
        for other in (name for name in plan.association_with if name in wide.columns):
            label = parameters[other].PARAM
            found = rank_correlation(wide[paramcd], wide[other])
            rows.append({"paramcd": paramcd, "factor_id": other, "label": label, **found})
        for factor in plan.factors:
            joined = wide.select("USUBJID", paramcd).join(factors[factor.factor], on="USUBJID")
            found = with_and_without(joined[paramcd], joined["factor"])
            found["estimate_unit"] = parameters[paramcd].unit
            rows.append(
                {"paramcd": paramcd, "factor_id": factor.factor, "label": factor.label, **found}
            )
    if not rows:
        return context.spec.empty()
    schema = unstamped(context.spec)
    return stamped(pl.DataFrame(rows, schema=schema), context, method=METHOD)
