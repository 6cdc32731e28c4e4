"""Pictures of drawn figures on the asset's page; sealed ones only after unblinding."""

import base64

import dagster as dg
import polars as pl

from assayhouse.contracts.table_spec import TableSpec
from assayhouse.warehouse.lake import Lake
from dagster_project.metadata import Metadata

MAX_BYTES = 50_000
THUMBNAIL, DRAWING = "thumbnail", "svg"
_COLUMNS = {"figure_id", "format", "title", "file_name"}


def holds_figures(spec: TableSpec) -> bool:
    """Whether the relation is a register of drawn files."""
    return set(spec.columns) >= _COLUMNS


def figure_metadata(lake: Lake, relation: str) -> Metadata:
    """Thumbnail and path of every figure in a register of files; nothing for other relations."""
    if not holds_figures(lake.declarations.tables[relation]):
        return {}
    from assayhouse.pipeline.publication import serves_sealed  # noqa: PLC0415 - slow

    side = lake.declarations.side(relation)
    if side == "sealed" and not serves_sealed(lake.home, lake.declarations):
        note = "Drawn and kept on the sealed side; shown here after unblinding."
        return {"figure": dg.MetadataValue.text(note)}
    files = lake.scan(relation).filter(pl.col("format").is_in([THUMBNAIL, DRAWING])).collect()
    folder = lake.home.figures(side)
    found: Metadata = {}
    for row in files.sort("figure_id", "format").iter_rows(named=True):
        path = folder / row["file_name"]
        if row["format"] == DRAWING:
            found[f"{row['figure_id']}_file"] = dg.MetadataValue.path(str(path))
        elif path.stat().st_size < MAX_BYTES:
            found[row["figure_id"]] = picture(row["title"], path.read_bytes())
    return found


def picture(title: str, svg: bytes) -> dg.MarkdownMetadataValue:
    """Show a small SVG in place."""
    encoded = base64.b64encode(svg).decode()
    return dg.MetadataValue.md(f"![{title}](data:image/svg+xml;base64,{encoded})")
