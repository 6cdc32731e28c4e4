"""Every asset of a study, generated from its declarations; names no relation by hand."""

import dagster as dg

from assayhouse.contracts.declarations import Declarations
from assayhouse.pipeline.relations import derived
from dagster_project.defs.collected import made_in_parts
from dagster_project.defs.intake import layout_asset, records_asset
from dagster_project.defs.raw import raw_asset
from dagster_project.defs.relations import relation_asset
from dagster_project.defs.warehouse import publication_asset
from dagster_project.resources import StudyHome


def assets(declarations: Declarations) -> list[dg.AssetsDefinition]:
    """Every asset of a study: its layouts' intake, its relations, and the publication."""
    raw = [name for name, spec in declarations.tables.items() if spec.layer == "raw"]
    return [
        *(layout_asset(declarations, layout) for layout in declarations.layout_order()),
        records_asset(declarations),
        *(raw_asset(declarations, relation) for relation in raw),
        *(relation_asset(declarations, relation) for relation in derived(declarations)),
        *(parts.asset(declarations) for parts in made_in_parts(declarations).values()),
        publication_asset(declarations),
    ]


def asset_job(study: StudyHome) -> dg.JobDefinition:
    """Job over every asset, of which a run selects what it makes; steps share one process."""
    definitions = dg.Definitions(
        assets=assets(study.declarations),
        resources={"study": study},
        executor=dg.in_process_executor,
    )
    return definitions.resolve_implicit_global_asset_job_def()
