"""Bootstrap chunks of the cut-point search: one partition per marker and chunk.

``ard.cut_point_bootstrap`` collects the chunks.
"""

from collections.abc import Callable, Sequence

import dagster as dg

from assayhouse.contracts.declarations import Declarations
from dagster_project.defs.parts import Parts
from dagster_project.metadata import Metadata
from dagster_project.resources import StudyHome

RELATION = "ard.cut_point_bootstrap"
KEY = dg.AssetKey(["ard", "cut_point_chunks"])


def parts_of(declarations: Declarations) -> Parts | None:
    """Chunks of the study's search, where it declares one."""
    search = declarations.study.plan.cut_points
    if search is None:
        return None
    return Parts(
        relation=RELATION,
        key=KEY,
        parents=declarations.parents(RELATION),
        keys=tuple(search.parts),
        description="Cuts of the bootstrap samples, one partition per marker and chunk. "
        "A stopped run goes on with the chunks that are missing.",
        work=_make,
    )


def _make(study: StudyHome, wanted: Sequence[str], tell: Callable[[str], None]) -> Metadata:
    from assayhouse.pipeline.cut_points import run_chunks  # noqa: PLC0415 - slow

    made = run_chunks(study.home, study.declarations, wanted, tell=tell)
    return {"asked": len(wanted), "made": len(made), "kept": len(wanted) - len(made)}
