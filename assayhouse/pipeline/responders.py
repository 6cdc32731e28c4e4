"""Relation adam.adrs: clinical scores in, responses per subject, endpoint and visit out."""

import polars as pl

from assayhouse.contracts.plan import Endpoint
from assayhouse.contracts.study import Study
from assayhouse.derive.responses import derive_responses, widen
from assayhouse.pipeline.context import BuildContext

_SOURCE = ("source_file", "source_line", "sha256", "receipt")


def _expected(dm: pl.DataFrame, visits: pl.DataFrame, endpoint: Endpoint) -> pl.DataFrame:
    """Every treated subject at every visit of the endpoint."""
    treated = dm.filter(pl.col("RFXSTDT").is_not_null()).select("STUDYID", "USUBJID")
    due = visits.filter(pl.col("AVISITN").is_in(endpoint.visits)).select("AVISIT", "AVISITN")
    return treated.join(due, how="cross")


def _assessed(scores: pl.DataFrame) -> pl.DataFrame:
    """Date and source of the assessment at each visit: the first of its rows."""
    return (
        scores.sort("USUBJID", "VISIT", "source_file", "source_line", "RSTESTCD")
        .group_by("USUBJID", "VISIT", maintain_order=True)
        .agg(
            pl.col("RSDTC").first().str.slice(0, 10).str.to_date(strict=False).alias("ADT"),
            pl.col(*_SOURCE).first(),
        )
        .rename({"VISIT": "AVISIT"})
    )


def _baseline(study: Study) -> str:
    return next(visit.AVISIT for visit in study.visits if visit.is_baseline)


def responses(context: BuildContext) -> pl.DataFrame:
    """Decide every declared endpoint."""
    study = context.declarations.study
    scores, dm = context.table("sdtm.rs"), context.table("sdtm.dm")
    visits = context.table("ref.visit_windows")
    long = scores.select(
        "USUBJID",
        pl.col("VISIT").alias("AVISIT"),
        pl.col("RSTESTCD").alias("TESTCD"),
        pl.col("RSSTRESN").alias("number"),
        pl.col("RSSTRESC").alias("text"),
    )
    if long.is_empty():
        return context.spec.empty()
    wide = widen(long, baseline=_baseline(study))
    parts = []
    for endpoint in study.plan.endpoints:
        expected = _expected(dm, visits, endpoint)
        decided = derive_responses(wide, expected.drop("STUDYID"), endpoint)
        parts.append(
            decided.join(expected.select("STUDYID", "USUBJID").unique(), on="USUBJID", how="left")
            .join(_assessed(scores), on=["USUBJID", "AVISIT"], how="left")
            .with_columns(
                pl.lit(endpoint.PARAMCD).alias("PARAMCD"), pl.lit(endpoint.PARAM).alias("PARAM")
            )
        )
    return context.spec.conform(pl.concat(parts)).sort(context.spec.key)
