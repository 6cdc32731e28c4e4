"""Relation ard.baseline_means: what the tables of adjusted means show at baseline."""

import polars as pl

from assayhouse.analysis.baseline_means import baseline_means
from assayhouse.pipeline.context import BuildContext
from assayhouse.pipeline.population import BASELINE, analysed_subjects
from assayhouse.pipeline.provenance import stamped

METHOD = "arithmetic mean of the baseline values of treated subjects, not adjusted"


def baseline_means_of_study(context: BuildContext) -> pl.DataFrame:
    """Average the baseline values by parameter and arm."""
    values = (
        context.table("adam.adbm", where=BASELINE)
        .select(usubjid="USUBJID", paramcd="PARAMCD", unit="unit", value="AVAL")
        .join(analysed_subjects(context).select("usubjid", "arm"), on="usubjid", how="inner")
    )
    return stamped(baseline_means(values), context, method=METHOD)
