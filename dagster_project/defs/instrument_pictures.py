"""Pictures of instrument files on the page of the relation that is reduced from them."""

import base64

import dagster as dg

from assayhouse.contracts.declarations import Declarations
from dagster_project.metadata import Metadata
from dagster_project.resources import StudyHome

MAX_BYTES = 50_000


def shape_of_files(declarations: Declarations, relation: str) -> str | None:
    """Shape of the instrument files that a relation is reduced from, and of nothing else."""
    shapes = tuple(declarations.tables[relation].mapped)
    if len(shapes) != 1:
        return None
    layouts = [layout for layout, _ in declarations.mappings(shapes[0])]
    of_files = layouts and all(layout.instrument is not None for layout in layouts)
    return shapes[0] if of_files else None


def instrument_metadata(study: StudyHome, relation: str) -> Metadata:
    """Pictures of the files that came last; nothing for other relations."""
    declarations = study.declarations
    shape = shape_of_files(declarations, relation)
    if shape is None:
        return {}
    from assayhouse.pipeline.instrument_pictures import pictures_of  # noqa: PLC0415 - slow
    from assayhouse.pipeline.publication import serves_sealed  # noqa: PLC0415 - slow
    from assayhouse.pipeline.relations import reading  # noqa: PLC0415 - slow

    sealed = declarations.side(relation) == "sealed"
    if sealed and not serves_sealed(study.home, declarations):
        note = "Kept on the sealed side; shown here after unblinding."
        return {"pictures": dg.MetadataValue.text(note)}
    with reading(study.home, declarations, relation) as context:
        pictures = pictures_of(study.home, declarations, context.mapped, (shape,))
    found: Metadata = {}
    for picture in pictures:
        if len(picture.svg) >= MAX_BYTES:
            note = "Too large for this page: see the report."
            found[picture.picture_id] = dg.MetadataValue.text(note)
            continue
        encoded = base64.b64encode(picture.svg).decode()
        text = f"![{picture.title}](data:image/svg+xml;base64,{encoded})"
        found[picture.picture_id] = dg.MetadataValue.md(text)
    return found
