"""A finished figure and its bytes. Knows formats, not what is drawn."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from assayhouse.report.pdf_fonts import outlines_only

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CREATOR = "assayhouse"
PNG_DPI = 170


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnFigure:
    """One figure in every format, with the numbers it shows.

    Equal inputs give equal bytes: no file holds a date, and identifiers inside the SVG are
    derived from ``figure_id``.

    Parameters
    ----------
    figure_id : str
        Name of the figure, used for files and links.
    title : str
        Heading of the figure.
    svg, png, pdf : bytes
        The figure; text in the SVG stays text.
    twin : polars.DataFrame
        Every drawn value, one row per point.
    tooltips : mapping of str to str
        What a point of the SVG says in a page, by ``point_id``.
    thumbnail_svg : bytes
        A small picture without labels, below 50 kB, for a catalogue or an asset's metadata.
    """

    figure_id: str
    title: str
    svg: bytes
    png: bytes
    pdf: bytes
    twin: pl.DataFrame
    tooltips: Mapping[str, str]
    thumbnail_svg: bytes

    def files(self) -> dict[str, bytes]:
        """Give the three full-size files by their names."""
        forms = (("svg", self.svg), ("png", self.png), ("pdf", self.pdf))
        return {f"{self.figure_id}.{suffix}": content for suffix, content in forms}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exports:
    """The three full-size formats of one drawing.

    Parameters
    ----------
    svg, png, pdf : bytes
        File contents.
    """

    svg: bytes
    png: bytes
    pdf: bytes


def export(figure: "Figure", *, title: str) -> Exports:
    """Write a drawing as SVG, PNG and PDF without any date.

    Call inside `assayhouse.report.theme.drawing_settings`, which fixes fonts and identifiers.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The drawing.
    title : str
        Title in the documents' own metadata.

    Returns
    -------
    Exports
        The bytes of each format.
    """
    svg, png, pdf = io.BytesIO(), io.BytesIO(), io.BytesIO()
    named = {"Title": title, "Creator": CREATOR}
    figure.savefig(svg, format="svg", metadata=named | {"Date": None})
    with outlines_only():
        figure.savefig(
            pdf, format="pdf", metadata=named | {"Producer": CREATOR, "CreationDate": None}
        )
    figure.savefig(png, format="png", dpi=PNG_DPI, metadata={"Title": title, "Software": CREATOR})
    return Exports(svg=svg.getvalue(), png=png.getvalue(), pdf=pdf.getvalue())
