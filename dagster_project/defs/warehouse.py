"""The publication: binds the tables, swaps the warehouse files, writes report and morning page."""

import dagster as dg

from assayhouse.contracts.declarations import Declarations
from dagster_project import automation, metadata
from dagster_project.resources import StudyHome

KEY = dg.AssetKey(["warehouse", "publication"])
POOL = "duckdb_writer"


def publication_asset(declarations: Declarations) -> dg.AssetsDefinition:
    """Asset that serves what has been built."""

    @dg.asset(
        key=KEY,
        deps=[metadata.asset_key(relation) for relation in declarations.tables],
        group_name="warehouse",
        kinds={"duckdb", "python"},
        code_version="1",
        description="One publication binds the tables; warehouse files and report follow from it.",
        automation_condition=automation.on_changed_content(),
        pool=POOL,
    )
    def publication(study: StudyHome) -> dg.MaterializeResult:
        from assayhouse.pipeline.night import write_morning  # noqa: PLC0415 - slow
        from assayhouse.pipeline.publication import publish  # noqa: PLC0415 - slow

        at, who = study.now, study.who
        done = publish(study.home, study.declarations, at=at, who=who, reason="night")
        if done.is_new:
            write_morning(study.home, study.declarations, at=at)
        return dg.MaterializeResult(
            data_version=dg.DataVersion(done.publication.content_hash),
            metadata={
                "publication": done.publication.number,
                "new": done.is_new,
                "relations": len(done.publication.relations),
                "report": dg.MetadataValue.path(str(done.report_folder)),
            },
        )

    return publication
