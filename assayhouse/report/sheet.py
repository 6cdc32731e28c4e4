"""The sheet a figure stands on: grid of panels, heading, mark, legend, notes. Knows no data."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assayhouse.report.theme import INK, MUTED, WARNING

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

POINTS_PER_INCH = 72.0
SYNTHETIC_MARK = "SYNTHETIC DATA"
NOTE_SIZE, NOTE_STEP = 7.0, 0.142


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Sizes in inches: the grid of panels and what stands around it.

    Parameters
    ----------
    columns, rows : int
        Panels across and down.
    panel_width, panel_height : float
        Size of one panel.
    top, bottom, left, right : float
        Room around the grid.
    between_x, between_y : float
        Room between panels.
    """

    columns: int
    rows: int
    panel_width: float
    panel_height: float
    top: float = 1.08
    bottom: float = 0.52
    left: float = 0.78
    right: float = 0.14
    between_x: float = 0.76
    between_y: float = 0.72

    @property
    def width(self) -> float:
        """Width of the sheet."""
        inner = self.columns * self.panel_width + (self.columns - 1) * self.between_x
        return self.left + self.right + inner

    @property
    def height(self) -> float:
        """Height of the sheet."""
        inner = self.rows * self.panel_height + (self.rows - 1) * self.between_y
        return self.top + self.bottom + inner

    def place(self, index: int) -> tuple[float, float, float, float]:
        """Return left, bottom, width and height of a panel as fractions of the sheet."""
        row, column = divmod(index, self.columns)
        left = self.left + column * (self.panel_width + self.between_x)
        lower = self.height - self.top - self.panel_height
        lower -= row * (self.panel_height + self.between_y)
        return (
            left / self.width,
            lower / self.height,
            self.panel_width / self.width,
            self.panel_height / self.height,
        )


def empty_figure(sheet: Sheet) -> "Figure":
    """Return a blank drawing of the sheet's size, at 72 dots per inch.

    Parameters
    ----------
    sheet : Sheet
        Sizes.

    Returns
    -------
    matplotlib.figure.Figure
        White, without panels.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - late: only a drawing needs matplotlib

    return Figure(figsize=(sheet.width, sheet.height), dpi=POINTS_PER_INCH, facecolor="white")


def furnish(
    figure: "Figure",
    sheet: Sheet,
    *,
    title: str,
    handles: Sequence["Artist"],
    notes: Sequence[str],
    synthetic: bool,
) -> None:
    """Write heading, mark, legend and notes; the sheet grows downwards by what the notes need.

    Panels keep their size in inches, and so every label in them its place.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Its axes stand in the sheet's order.
    sheet : Sheet
        As the panels were placed.
    title : str
        Heading.
    handles : sequence of matplotlib artists
        Entries of the legend, each with its label; none gives no legend.
    notes : sequence of str
        Unwrapped, in order.
    synthetic : bool
        Whether to write the mark.
    """
    lines = wrapped(notes, sheet.width)
    grown = replace(sheet, bottom=sheet.bottom + 0.12 + len(lines) * NOTE_STEP)
    figure.set_size_inches(grown.width, grown.height)
    for index, axes in enumerate(figure.axes):
        axes.set_position(grown.place(index))
    _head(figure, grown, title=title, synthetic=synthetic)
    if handles:
        _legend(figure, grown, handles)
    for line, text in enumerate(reversed(lines)):
        lower = (0.14 + line * NOTE_STEP) / grown.height
        figure.text(0.16 / grown.width, lower, text, size=NOTE_SIZE, va="bottom", color=MUTED)


def wrapped(notes: Sequence[str], width: float) -> tuple[str, ...]:
    """Break notes into lines of a sheet's width.

    Parameters
    ----------
    notes : sequence of str
        Unwrapped.
    width : float
        Inches.

    Returns
    -------
    tuple of str
        Lines in order.
    """
    letters = int((width - 0.4) * POINTS_PER_INCH / (NOTE_SIZE * 0.545))
    return tuple(line for note in notes for line in textwrap.wrap(note, letters))


def _head(figure: "Figure", sheet: Sheet, *, title: str, synthetic: bool) -> None:
    top = 1 - 0.16 / sheet.height
    room = sheet.width - (1.9 if synthetic else 0.3)
    heading = textwrap.wrap(title, int(room * POINTS_PER_INCH / (11.5 * 0.62)))[:2]
    figure.text(
        0.16 / sheet.width, top, "\n".join(heading),
        va="top", size=11.5, weight="bold", linespacing=1.15,
    )  # fmt: skip
    if synthetic:
        figure.text(
            1 - 0.18 / sheet.width, top, SYNTHETIC_MARK,
            ha="right", va="top", size=9.5, weight="bold", color=WARNING,
            bbox={"boxstyle": "square,pad=0.35", "fc": "white", "ec": WARNING, "lw": 1.1},
        )  # fmt: skip


def _legend(figure: "Figure", sheet: Sheet, handles: Sequence["Artist"]) -> None:
    widest = max(len(str(handle.get_label())) for handle in handles)
    per_entry = 0.62 + widest * 8.0 * 0.6 / POINTS_PER_INCH
    figure.legend(
        handles=list(handles),
        loc="upper left",
        bbox_to_anchor=(0.16 / sheet.width, 1 - 0.56 / sheet.height),
        ncols=max(1, min(len(handles), int((sheet.width - 0.3) / per_entry))),
        frameon=False,
        fontsize=8.0,
        labelcolor=INK,
        handlelength=2.2,
        columnspacing=1.8,
        borderaxespad=0.0,
        borderpad=0.0,
    )
