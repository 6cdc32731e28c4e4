"""Relation adam.adrs: clinical scores in, responses per subject, endpoint and visit out."""

import polars as pl

from assayhouse.contracts.plan import Endpoint
from assayhouse.contracts.study import Study
from assayhouse.derive.responses import derive_responses, widen
from assayhouse.derive.visits import analysed_records
from assayhouse.pipeline.context import BuildContext

_SOURCE = ("source_file", "source_line", "sha256", "receipt")


def _expected(dm: pl.DataFrame, visits: pl.DataFrame, endpoint: Endpoint) -> pl.DataFrame:
    """Every treated subject at every visit of the endpoint."""
    treated = dm.filter(pl.col("RFXSTDT").is_not_null()).select("STUDYID", "USUBJID")
    due = visits.filter(pl.col("AVISITN").is_in(endpoint.visits)).select("AVISIT", "AVISITN")
    return treated.join(due, how="cross")


def _scores(context: BuildContext) -> pl.DataFrame:
    """Clinical scores in the names of the rule of visits."""
    return context.table("sdtm.rs").select(
        "USUBJID",
        "VISIT",
        *_SOURCE,
        pl.col("RSTESTCD").alias("TESTCD"),
        pl.col("RSSEQ").alias("SEQ"),
        pl.col("RSDTC").alias("DTC"),
        pl.col("RSBLFL").alias("BLFL"),
        pl.col("RSSTRESN").alias("number"),
        pl.col("RSSTRESC").alias("text"),
    )


def _assessed(scores: pl.DataFrame) -> pl.DataFrame:
    """Date and source of the assessment at each visit: of the nearest, the first of its rows."""
    order = ("USUBJID", "AVISIT", "days_off", "source_file", "source_line", "TESTCD")
    return (
        scores.sort(*order, nulls_last=True)
        .group_by("USUBJID", "AVISIT", maintain_order=True)
        .agg(pl.col("ADT", *_SOURCE).first())
    )


def _baseline(study: Study) -> str:
    return next(visit.AVISIT for visit in study.visits if visit.is_baseline)


def responses(context: BuildContext) -> pl.DataFrame:
    """Decide every declared endpoint."""
    study = context.declarations.study
    scores, dm = _scores(context), context.table("sdtm.dm")
    if scores.is_empty():
        return context.spec.empty()
    visits = context.table("ref.visit_windows")
    analysed = analysed_records(
        scores,
        dm.select("USUBJID", pl.col("RFXSTDT").alias("first_dose")),
        visits,
        visit_rule=study.visit_rule,
        baseline_rule=study.baseline_rule,
    )
    wide = widen(
        analysed.select("USUBJID", "AVISIT", "TESTCD", "number", "text"), baseline=_baseline(study)
    )
    parts = []
    for endpoint in study.plan.endpoints:
        expected = _expected(dm, visits, endpoint)
        decided = derive_responses(wide, expected.drop("STUDYID"), endpoint)
        parts.append(
            decided.join(expected.select("STUDYID", "USUBJID").unique(), on="USUBJID", how="left")
            .join(_assessed(analysed), on=["USUBJID", "AVISIT"], how="left")
            .with_columns(
                pl.lit(endpoint.PARAMCD).alias("PARAMCD"), pl.lit(endpoint.PARAM).alias("PARAM")
            )
        )
    return context.spec.conform(pl.concat(parts)).sort(context.spec.key)
