"""Bootstrap chunks of the cut-point search: one partition per marker and chunk, one run for all.

A stopped run goes on where it stopped, because every chunk is kept by itself; two runs at once
share the work. ``ard.cut_point_bootstrap`` collects the chunks.
"""

import warnings

import dagster as dg

from assayhouse.contracts.declarations import Declarations
from dagster_project import metadata
from dagster_project.resources import StudyHome

__all__ = ["KEY", "RELATION", "chunks_asset", "whole_range"]

RELATION = "ard.cut_point_bootstrap"
KEY = dg.AssetKey(["ard", "cut_point_chunks"])
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def chunk_keys(declarations: Declarations) -> list[str]:
    """Partition keys of the study's search; none where it declares no search."""
    search = declarations.study.plan.cut_points
    return [] if search is None else list(search.parts)


def whole_range(declarations: Declarations) -> dict[str, str]:
    """Tags of a run over every partition."""
    keys = chunk_keys(declarations)
    return dict(zip(RANGE, (keys[0], keys[-1]), strict=True))


def chunks_asset(declarations: Declarations) -> list[dg.AssetsDefinition]:
    """Asset of the chunks, where the study declares a search."""
    keys = chunk_keys(declarations)
    if not keys:
        return []

    with warnings.catch_warnings():
        # The pins in requirements.lock hold the version in which this was tried.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return [_asset(declarations, keys)]


def _asset(declarations: Declarations, keys: list[str]) -> dg.AssetsDefinition:
    @dg.asset(
        key=KEY,
        deps=[metadata.asset_key(parent) for parent in declarations.parents(RELATION)],
        group_name="ard",
        kinds={"python", "file"},
        code_version=declarations.tables[RELATION].code_version,
        description="Cuts of the bootstrap samples, one partition per marker and chunk. "
        "A stopped run goes on with the chunks that are missing.",
        metadata={"side": declarations.side(RELATION), "chunks": len(keys)},
        partitions_def=dg.StaticPartitionsDefinition(keys),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def chunks(context: dg.AssetExecutionContext, study: StudyHome) -> dg.MaterializeResult:
        from assayhouse.pipeline.cut_points import run_chunks  # noqa: PLC0415 - slow

        wanted = list(context.partition_keys)
        made = run_chunks(study.home, study.declarations, wanted, tell=context.log.info)
        return dg.MaterializeResult(
            metadata={"asked": len(wanted), "made": len(made), "kept": len(wanted) - len(made)}
        )

    return chunks
