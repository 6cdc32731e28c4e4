"""Counts and pictures of the stages of the effects on their pages; sealed ones in counts only."""

import dagster as dg

from assayhouse.warehouse.lake import Lake
from dagster_project.defs.figures import picture
from dagster_project.metadata import Metadata


def convergence_metadata(lake: Lake, relation: str) -> Metadata:
    """How imputations and fits went; nothing for relations that are no stage of the effects."""
    from assayhouse.pipeline import convergence as facts  # noqa: PLC0415 - slow
    from assayhouse.pipeline.publication import serves_sealed  # noqa: PLC0415 - slow

    declared = lake.declarations
    if not facts.tells_convergence(declared.tables[relation]):
        return {}
    sealed = declared.side(relation) == "sealed"
    told = facts.convergence(
        lake.scan(relation).collect(),
        synthetic=declared.study.synthetic,
        counts_only=sealed and not serves_sealed(lake.home, declared),
    )
    found: Metadata = dict(told.counts)
    found |= {name: dg.MetadataValue.float(value) for name, value in told.numbers.items()}
    if told.picture is not None:
        found["convergence"] = picture("convergence", told.picture)
    return found
