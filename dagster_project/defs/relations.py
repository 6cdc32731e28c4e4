"""Layers ref to report: one asset per relation, all made from its declaration by one factory."""

import dagster as dg

from assayhouse.contracts.declarations import Declarations
from assayhouse.pipeline.relations import build_relation
from assayhouse.warehouse.lake import Lake
from dagster_project import automation, checks, metadata
from dagster_project.defs.collected import made_in_parts
from dagster_project.defs.convergence import convergence_metadata
from dagster_project.defs.figures import figure_metadata
from dagster_project.defs.instrument_pictures import instrument_metadata
from dagster_project.defs.population import population_metadata
from dagster_project.defs.verdicts import verdict_metadata
from dagster_project.resources import StudyHome


def _parents(declarations: Declarations, relation: str) -> list[dg.AssetKey]:
    """Assets that a relation is made after: its parents, and the parts that it waits for."""
    found = [metadata.asset_key(parent) for parent in declarations.parents(relation)]
    parts = made_in_parts(declarations).get(relation)
    return found if parts is None or not parts.awaited else [*found, parts.key]


def relation_asset(declarations: Declarations, relation: str) -> dg.AssetsDefinition:
    """Asset of one relation: build, commit, ask its plausibility rules."""
    spec, study_spec = declarations.tables[relation], declarations.study

    @dg.asset(
        key=metadata.asset_key(relation),
        deps=_parents(declarations, relation),
        group_name=spec.layer,
        kinds=metadata.kinds(declarations, relation),
        code_version=spec.code_version,
        description=metadata.described(
            spec, study=study_spec.study_id, synthetic=study_spec.synthetic
        ),
        metadata=metadata.declared(declarations, relation),
        check_specs=checks.table_specs(declarations, relation),
        automation_condition=automation.on_changed_content(),
    )
    def build(study: StudyHome) -> dg.MaterializeResult:
        commit = build_relation(study.home, study.declarations, relation)
        lake = Lake(study.home, study.declarations)
        return dg.MaterializeResult(
            data_version=dg.DataVersion(commit.content_hash),
            metadata={
                **metadata.committed(commit),
                **figure_metadata(lake, relation),
                **instrument_metadata(study, relation),
                **convergence_metadata(lake, relation),
                **population_metadata(lake, relation),
                **verdict_metadata(lake, relation),
            },
            check_results=checks.table_results(lake, relation),
        )

    return build
