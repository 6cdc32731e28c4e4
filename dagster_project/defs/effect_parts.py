"""Imputed values and fits of the effects: one partition per group of parameters, by assay.

``ard.effects_imputed`` and ``ard.effects_fits`` collect them, each as a stage of its own.
"""

from collections.abc import Callable, Sequence

import dagster as dg

from assayhouse.contracts.declarations import Declarations
from dagster_project.defs.parts import Parts
from dagster_project.metadata import Metadata
from dagster_project.resources import StudyHome

RELATION, FITS = "ard.effects_imputed", "ard.effects_fits"
KEY = dg.AssetKey(["ard", "effects_parts"])


def parts_of(declarations: Declarations) -> Parts | None:
    """Take the groups of the study's parameters, where it has effects."""
    if RELATION not in declarations.tables:
        return None
    return Parts(
        relation=RELATION,
        key=KEY,
        parents=tuple(name for name in declarations.parents(FITS) if name != RELATION),
        keys=tuple(declarations.effect_groups),
        description="Imputed values and fits of the effects, one partition per assay. Only "
        "parameters whose data or options have changed are made again, and a stopped run goes on "
        "where it stopped. What is missing when the relations are made is made then.",
        work=_make,
        awaited=False,
    )


def _make(study: StudyHome, wanted: Sequence[str], tell: Callable[[str], None]) -> Metadata:
    from assayhouse.pipeline.effect_stages import run_groups  # noqa: PLC0415 - slow

    done = run_groups(study.home, study.declarations, wanted, tell=tell)
    made = {group: changed for group, (_, changed) in done.items()}
    parameters = sum(number for number, _ in done.values())
    return {
        "asked": parameters,
        "made": sum(made.values()),
        "kept": parameters - sum(made.values()),
        "made_by_group": dg.MetadataValue.json(made),
    }
