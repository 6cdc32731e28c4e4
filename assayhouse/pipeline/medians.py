"""Relation ard.median_changes: median per cent changes, overall and by baseline level."""

import polars as pl

from assayhouse.analysis.median_changes import median_changes
from assayhouse.pipeline.context import BuildContext
from assayhouse.pipeline.effects import long_form
from assayhouse.pipeline.population import ANALYSED, method_by_parameter, subset_levels
from assayhouse.pipeline.provenance import stamped

METHOD = (
    "median and quartiles (type 7) of per cent change, observed cases; Hodges-Lehmann shift and "
    "Wilcoxon rank-sum test against the reference arm (normal approximation, tie and continuity "
    "correction); signed-rank test within the arm; no multiplicity adjustment"
)


def median_changes_of_study(context: BuildContext) -> pl.DataFrame:
    """Describe per cent changes by arm, visit and subgroup."""
    study = context.declarations.study
    subgroups = study.plan.subgroups
    adbm = context.table("adam.adbm", where=ANALYSED)
    long = long_form(adbm, context.table("adam.adsl"), study)
    if long.is_empty():
        return context.spec.empty()
    levels = subset_levels(context.table("adam.subset_flags"), subgroups)
    found = median_changes(
        long.join(levels, on="usubjid", how="left"),
        reference=study.reference_arm,
        subgroups=subgroups,
    )
    method = method_by_parameter(METHOD, context.table("ref.parameters"), study)
    return stamped(found, context, method=method)
