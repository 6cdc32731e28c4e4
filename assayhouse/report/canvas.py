"""A drawing from its first panel to its files: sheet, panels, marks, notes, formats."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from assayhouse.report.figure import DrawnFigure, export
from assayhouse.report.heading import Heading
from assayhouse.report.panel import stamp
from assayhouse.report.sheet import Sheet, empty_figure, furnish
from assayhouse.report.theme import drawing_settings

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Canvas:
    """A figure that is being drawn.

    Parameters
    ----------
    heading : Heading
        Name and marks.
    sheet : Sheet
        Sizes.
    figure : matplotlib.figure.Figure
        The drawing.
    """

    heading: Heading
    sheet: Sheet
    figure: "Figure"
    _panels: list["Axes"] = field(default_factory=list)

    def panel(self, index: int) -> "Axes":
        """Open the panel at a place of the sheet, in reading order."""
        axes = self.figure.add_axes(self.sheet.place(index))
        self._panels.append(axes)
        return axes

    def finish(
        self,
        twin: pl.DataFrame,
        *,
        notes: Sequence[str],
        thumbnail_svg: bytes,
        handles: Sequence["Artist"] = (),
        tooltips: Mapping[str, str] | None = None,
    ) -> DrawnFigure:
        """Stamp and furnish the drawing and write it in every format.

        Parameters
        ----------
        twin : polars.DataFrame
            Every drawn value.
        notes, handles
            As `assayhouse.report.sheet.furnish`.
        thumbnail_svg, tooltips
            As `assayhouse.report.figure.DrawnFigure`; no tooltips by default.

        Returns
        -------
        DrawnFigure
            SVG, PNG, PDF, thumbnail and the numeric twin.
        """
        title = self.heading.title
        if self.heading.watermark:
            for axes in self._panels:
                stamp(axes, self.heading.watermark)
        furnish(
            self.figure,
            self.sheet,
            title=title,
            handles=handles,
            notes=notes,
            synthetic=self.heading.synthetic,
        )
        files = export(self.figure, title=title)
        return DrawnFigure(
            figure_id=self.heading.figure_id,
            title=title,
            svg=files.svg,
            png=files.png,
            pdf=files.pdf,
            twin=twin,
            tooltips={} if tooltips is None else tooltips,
            thumbnail_svg=thumbnail_svg,
        )


@contextmanager
def canvas(heading: Heading, sheet: Sheet) -> Iterator[Canvas]:
    """Begin a drawing; matplotlib's settings hold until the block ends.

    Parameters
    ----------
    heading : Heading
        Name and marks.
    sheet : Sheet
        Sizes.

    Yields
    ------
    Canvas
        Without panels.
    """
    with drawing_settings(heading.figure_id):
        yield Canvas(heading, sheet, empty_figure(sheet))
