"""Which relations collect work that is made in parts, in one study."""

from assayhouse.contracts.declarations import Declarations
from dagster_project.defs import cut_points, effect_parts
from dagster_project.defs.parts import Parts


def made_in_parts(declarations: Declarations) -> dict[str, Parts]:
    """Parts by the relation that collects them."""
    every = (cut_points.parts_of(declarations), effect_parts.parts_of(declarations))
    return {parts.relation: parts for parts in every if parts is not None and parts.keys}
