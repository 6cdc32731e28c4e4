"""Work that is kept in parts: one partition per part, one run for all.

A stopped run goes on where it stopped, because every part is kept by itself; two runs at once
share the work.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dagster as dg

from assayhouse.contracts.declarations import Declarations
from dagster_project import metadata
from dagster_project.resources import StudyHome

_RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
Work = Callable[[StudyHome, Sequence[str], Callable[[str], None]], metadata.Metadata]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Parts of the work that a relation collects.

    Parameters
    ----------
    relation : str
        Relation that collects them.
    key : AssetKey
        Asset of the parts.
    parents : tuple of str
        Relations that they are made from.
    keys : tuple of str
        Partitions; none where the study has no such work.
    description : str
        What they are.
    awaited : bool
        Whether the relation is made after its parts; otherwise it makes those that are missing.
    work : callable
        Makes the named parts of a study and says how many it made.
    """

    relation: str
    key: dg.AssetKey
    parents: tuple[str, ...]
    keys: tuple[str, ...]
    description: str
    work: Work
    awaited: bool = True

    @property
    def whole_range(self) -> dict[str, str]:
        """Tags of a run over every partition."""
        return dict(zip(_RANGE, (self.keys[0], self.keys[-1]), strict=True))

    def asset(self, declarations: Declarations) -> dg.AssetsDefinition:
        """Asset of the parts."""
        with warnings.catch_warnings():
            # The pins in requirements.lock hold the version in which this was tried.
            warnings.simplefilter("ignore", dg.BetaWarning)
            return _asset(self, declarations)


def _asset(parts: Parts, declarations: Declarations) -> dg.AssetsDefinition:
    @dg.asset(
        key=parts.key,
        deps=[metadata.asset_key(parent) for parent in parts.parents],
        group_name="ard",
        kinds={"python", "file"},
        code_version=declarations.tables[parts.relation].code_version,
        description=parts.description,
        metadata={"side": declarations.side(parts.relation), "parts": len(parts.keys)},
        partitions_def=dg.StaticPartitionsDefinition(list(parts.keys)),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def made(context: dg.AssetExecutionContext, study: StudyHome) -> dg.MaterializeResult:
        wanted = list(context.partition_keys)
        return dg.MaterializeResult(metadata=parts.work(study, wanted, context.log.info))

    return made
