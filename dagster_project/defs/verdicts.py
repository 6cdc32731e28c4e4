"""How many values agree with their recomputation, on the page of the relation that says so."""

from assayhouse.warehouse.lake import Lake
from dagster_project.metadata import Metadata, counted


def verdict_metadata(lake: Lake, relation: str) -> Metadata:
    """Count by basis, verdict and why; nothing for relations without verdicts on values."""
    from assayhouse.pipeline.recomputed import count_verdicts, has_verdicts  # noqa: PLC0415 - slow

    if not has_verdicts(lake.declarations.tables[relation]):
        return {}
    return {"verdicts": counted(count_verdicts(lake.scan(relation)))}
