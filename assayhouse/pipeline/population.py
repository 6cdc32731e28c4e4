"""Who is analysed, in the small frames that the analyses take."""

import polars as pl

from assayhouse.contracts.study import Study
from assayhouse.pipeline.context import BuildContext

OVERALL = "all"

ANALYSED, BASELINE = "ANL01FL = 'Y'", "ABLFL = 'Y'"
"""Records of ADBM that are analysed at a visit, and those that are a baseline."""


def analysed_subjects(context: BuildContext) -> pl.DataFrame:
    """Treated subjects with their arm: usubjid, arm, one text column per stratum."""
    study = context.declarations.study
    adsl = context.table("adam.adsl")
    return (
        adsl.filter(pl.col("SAFFL") == "Y", pl.col("ARMCD").is_not_null())
        .select(
            pl.col("USUBJID").alias("usubjid"),
            pl.col("ARMCD").alias("arm"),
            *(pl.col(name).fill_null("") for name in study.strata),
        )
        .sort("usubjid")
    )


def with_enough_baseline(adbm: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Leave out, of the parameters that ask for it, who had less at baseline or no baseline."""
    for paramcd, least in study.plan.base_at_least.items():
        adbm = adbm.filter((pl.col("PARAMCD") != paramcd) | (pl.col("BASE") >= least))
    return adbm


def method_by_parameter(method: str, parameters: pl.DataFrame, study: Study) -> pl.Expr:
    """Add to a method, for rows of a parameter that asks for a baseline, who is analysed."""
    told = pl.lit(method)
    for row in parameters.filter(pl.col("PARAMCD").is_in(list(study.plan.base_at_least))).iter_rows(
        named=True
    ):
        least = study.plan.base_at_least[row["PARAMCD"]]
        who = f"; {row['PARAM']}: subjects with a baseline of at least {least:g} {row['unit']}"
        added = pl.when(pl.col("paramcd") == row["PARAMCD"]).then(pl.lit(who.rstrip()))
        told = told + added.otherwise(pl.lit(""))
    return told


def arms_in_order(context: BuildContext) -> list[str]:
    """Codes of the arms in declared order."""
    return [arm.ARMCD for arm in context.declarations.study.arms]


def responses_of(context: BuildContext, endpoint: str, visit: int | None = None) -> pl.DataFrame:
    """Responses of an endpoint: usubjid, endpoint, avisitn, response (1, 0 or null)."""
    found = context.table("adam.adrs").filter(pl.col("PARAMCD") == endpoint)
    if visit is not None:
        found = found.filter(pl.col("AVISITN") == visit)
    return found.select(
        pl.col("USUBJID").alias("usubjid"),
        pl.col("PARAMCD").alias("endpoint"),
        pl.col("AVISITN").alias("avisitn"),
        pl.col("AVAL").alias("response"),
    ).sort("avisitn", "usubjid")


def baselines(context: BuildContext, paramcd: str) -> pl.DataFrame:
    """Baseline values of one parameter: usubjid, value."""
    return (
        context.table("adam.adbm", where=BASELINE)
        .filter(pl.col("PARAMCD") == paramcd)
        .select(pl.col("USUBJID").alias("usubjid"), pl.col("AVAL").alias("value"))
        .sort("usubjid")
    )


def subset_levels(flags: pl.DataFrame, cut_offs: tuple[str, ...]) -> pl.DataFrame:
    """One text column per cut-off with the subject's level, null where unknown."""
    chosen = flags.filter(pl.col("cut_off").is_in(cut_offs))
    if chosen.is_empty():
        return pl.DataFrame(schema={"usubjid": pl.String, **dict.fromkeys(cut_offs, pl.String)})
    wide = chosen.pivot(
        on="cut_off", index="USUBJID", values="level", aggregate_function="first"
    ).rename({"USUBJID": "usubjid"})
    absent = [pl.lit(None, dtype=pl.String).alias(c) for c in cut_offs if c not in wide.columns]
    return wide.with_columns(absent).select("usubjid", *cut_offs)
