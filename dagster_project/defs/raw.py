"""Raw layer: one asset per layout, the rows of all its visible deliveries as sent."""

import dagster as dg

from assayhouse.contracts.declarations import Declarations
from assayhouse.pipeline.delivery import visible_receipts
from assayhouse.warehouse.lake import Lake
from dagster_project import automation, metadata
from dagster_project.partitions import intake_key
from dagster_project.resources import StudyHome


def raw_version(lake: Lake, relation: str) -> str:
    """Content of what is visible of a raw relation."""
    return lake.visible_hash(relation, visible_receipts(lake.home)) or "none"


def raw_asset(declarations: Declarations, relation: str) -> dg.AssetsDefinition:
    """Asset of one raw relation. Intake writes the rows; this asset says what is visible now."""
    spec, study_spec = declarations.tables[relation], declarations.study
    layout = declarations.layout_of(relation)

    @dg.asset(
        key=metadata.asset_key(relation),
        deps=[intake_key(layout.layout)],
        group_name=spec.layer,
        kinds={"deltalake"},
        code_version=layout.version,
        description=metadata.described(
            spec, study=study_spec.study_id, synthetic=study_spec.synthetic
        ),
        metadata=metadata.declared(declarations, relation),
        automation_condition=automation.on_delivery(),
    )
    def rows(study: StudyHome) -> dg.MaterializeResult:
        lake = Lake(study.home, study.declarations)
        head = lake.head(relation)
        return dg.MaterializeResult(
            data_version=dg.DataVersion(raw_version(lake, relation)),
            metadata={} if head is None else metadata.committed(head),
        )

    return rows
