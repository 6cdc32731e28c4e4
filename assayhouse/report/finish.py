"""The end of every drawing: what stands around the panels, the files, the finished figure."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from assayhouse.report.figure import DrawnFigure, export
from assayhouse.report.sheet import Sheet, furnish

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure


def finish(
    figure: "Figure",
    sheet: Sheet,
    twin: pl.DataFrame,
    *,
    figure_id: str,
    title: str,
    handles: Sequence["Artist"],
    notes: Sequence[str],
    synthetic: bool,
    tooltips: Mapping[str, str],
    thumbnail_svg: bytes,
) -> DrawnFigure:
    """Furnish a drawing and write it in every format.

    Call inside `assayhouse.report.theme.drawing_settings`.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        All panels are drawn.
    sheet : Sheet
        As the panels were placed.
    twin : polars.DataFrame
        Every drawn value.
    figure_id, title : str
        Name and heading.
    handles, notes, synthetic
        As `assayhouse.report.sheet.furnish`.
    tooltips, thumbnail_svg
        As `assayhouse.report.figure.DrawnFigure`.

    Returns
    -------
    DrawnFigure
        SVG, PNG, PDF, thumbnail and the numeric twin.
    """
    furnish(figure, sheet, title=title, handles=handles, notes=notes, synthetic=synthetic)
    files = export(figure, title=title)
    return DrawnFigure(
        figure_id=figure_id,
        title=title,
        svg=files.svg,
        png=files.png,
        pdf=files.pdf,
        twin=twin,
        tooltips=tooltips,
        thumbnail_svg=thumbnail_svg,
    )
