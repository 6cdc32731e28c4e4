"""Time course by arm of the adjusted mean change from baseline, one panel per parameter.

The form of a trial's pharmacodynamic figures: means with standard errors, labelled with the
difference against the reference arm. Takes results as they are; estimates nothing.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from assayhouse.report import panel
from assayhouse.report.figure import DrawnFigure, export
from assayhouse.report.footnotes import footnotes
from assayhouse.report.theme import INK, MUTED, WARNING, ArmStyle, arm_styles, drawing_settings
from assayhouse.report.thumbnail import thumbnail
from assayhouse.report.twin import time_course_twin

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS_PER_INCH = 72.0
SYNTHETIC_MARK = "SYNTHETIC DATA"
LEFT, RIGHT, BETWEEN_X, BETWEEN_Y = 0.78, 0.14, 0.76, 0.72
NOTE_SIZE, NOTE_STEP = 7.0, 0.142


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """Sizes in inches: the grid of panels and what stands above and below it."""

    columns: int
    rows: int
    panel_width: float
    panel_height: float
    top: float
    bottom: float

    @property
    def width(self) -> float:
        return LEFT + RIGHT + self.columns * self.panel_width + (self.columns - 1) * BETWEEN_X

    @property
    def height(self) -> float:
        inner = self.rows * self.panel_height + (self.rows - 1) * BETWEEN_Y
        return self.top + self.bottom + inner

    def place(self, index: int) -> tuple[float, float, float, float]:
        """Return left, bottom, width and height of a panel as fractions of the page."""
        row, column = divmod(index, self.columns)
        left = LEFT + column * (self.panel_width + BETWEEN_X)
        lower = self.height - self.top - self.panel_height
        lower -= row * (self.panel_height + BETWEEN_Y)
        return (
            left / self.width,
            lower / self.height,
            self.panel_width / self.width,
            self.panel_height / self.height,
        )


def plot_time_course(
    effects: pl.DataFrame,
    *,
    arms: pl.DataFrame,
    parameters: pl.DataFrame,
    visits: pl.DataFrame,
    paramcds: Sequence[str],
    title: str,
    synthetic: bool,
    watermark: str | None = None,
    figure_id: str = "time_course",
) -> DrawnFigure:
    """Draw the time course of each parameter by arm.

    A row that was refused, or is not there, is a gap with a footnote, never a zero.

    Parameters
    ----------
    effects : polars.DataFrame
        ``ard.effects``: points are response ``chg``, term ``lsmean``; labels are response
        ``pchg``, term ``diff``; subgroup ``all``.
    arms, parameters, visits : polars.DataFrame
        ``ref.arms``, ``ref.parameters``, ``ref.visit_windows``. AVISITN is the week.
    paramcds : sequence of str
        Panels, in reading order.
    title : str
        Heading of the figure.
    synthetic : bool
        Whether the data are simulated; the figure then says so.
    watermark : str or None
        Text across every panel, for example for scrambled arms.
    figure_id : str
        Name of the figure; seeds the identifiers in the SVG.

    Returns
    -------
    DrawnFigure
        SVG, PNG, PDF, thumbnail and the numeric twin.

    Raises
    ------
    ReportInputError
        A frame lacks a column, a key repeats, an arm or a parameter is not declared.
    """
    styles = arm_styles(arms)
    twin = time_course_twin(
        effects,
        styles=styles,
        parameters=parameters,
        visits=visits,
        paramcds=paramcds,
        figure_id=figure_id,
    )
    with drawing_settings(figure_id):
        page, figure = _empty_page(twin, n_panels=len(paramcds))
        drawn: set[str] = set()
        for index, code in enumerate(paramcds):
            axes = figure.add_axes(page.place(index))
            drawn |= panel.draw(axes, twin.filter(pl.col("panel") == code), styles=styles)
            if watermark:
                panel.stamp(axes, watermark)
        twin = twin.with_columns(label_drawn=pl.col("point_id").is_in(list(drawn)))
        notes = _wrapped(footnotes(twin, effects, styles=styles), page.width)
        page = _with_notes(figure, page, len(notes))
        _furnish(figure, page, title=title, styles=styles, notes=notes, synthetic=synthetic)
        files = export(figure, title=title)
    return DrawnFigure(
        figure_id=figure_id,
        title=title,
        svg=files.svg,
        png=files.png,
        pdf=files.pdf,
        twin=twin,
        thumbnail_svg=thumbnail(
            twin, styles=styles, title=title, synthetic=synthetic, watermark=watermark
        ),
    )


def _empty_page(twin: pl.DataFrame, *, n_panels: int) -> "tuple[_Page, Figure]":
    from matplotlib.figure import Figure  # noqa: PLC0415 - late: only a drawing needs matplotlib

    columns = n_panels if n_panels <= 2 else (2 if n_panels == 4 else 3)
    visits = twin["avisitn"].n_unique()
    page = _Page(
        columns=columns,
        rows=-(-n_panels // columns),
        panel_width=min(4.3, 3.05 + 0.16 * max(0, visits - 4)),
        panel_height=2.15,
        top=1.08,
        bottom=0.52,
    )
    figure = Figure(figsize=(page.width, page.height), dpi=POINTS_PER_INCH, facecolor="white")
    return page, figure


def _with_notes(figure: "Figure", page: _Page, n_lines: int) -> _Page:
    """Make room below the panels: their size in inches, and so every label, stays as it was."""
    grown = _Page(
        columns=page.columns,
        rows=page.rows,
        panel_width=page.panel_width,
        panel_height=page.panel_height,
        top=page.top,
        bottom=page.bottom + 0.12 + n_lines * NOTE_STEP,
    )
    figure.set_size_inches(grown.width, grown.height)
    for index, axes in enumerate(figure.axes):
        axes.set_position(grown.place(index))
    return grown


def _wrapped(notes: Sequence[str], width: float) -> tuple[str, ...]:
    letters = int((width - 0.4) * POINTS_PER_INCH / (NOTE_SIZE * 0.545))
    return tuple(line for note in notes for line in textwrap.wrap(note, letters))


def _furnish(
    figure: "Figure",
    page: _Page,
    *,
    title: str,
    styles: Sequence[ArmStyle],
    notes: Sequence[str],
    synthetic: bool,
) -> None:
    def up(inches_from_top: float) -> float:
        return 1 - inches_from_top / page.height

    left = 0.16 / page.width
    room = page.width - (1.9 if synthetic else 0.3)
    heading = textwrap.wrap(title, int(room * POINTS_PER_INCH / (11.5 * 0.62)))[:2]
    figure.text(
        left, up(0.16), "\n".join(heading), va="top", size=11.5, weight="bold", linespacing=1.15
    )
    if synthetic:
        figure.text(
            1 - 0.18 / page.width,
            up(0.16),
            SYNTHETIC_MARK,
            ha="right",
            va="top",
            size=9.5,
            weight="bold",
            color=WARNING,
            bbox={"boxstyle": "square,pad=0.35", "fc": "white", "ec": WARNING, "lw": 1.1},
        )
    _legend(figure, page, styles=styles, left=left, y=up(0.56))
    for line, text in enumerate(reversed(notes)):
        lower = (0.14 + line * NOTE_STEP) / page.height
        figure.text(left, lower, text, size=NOTE_SIZE, va="bottom", color=MUTED)


def _legend(
    figure: "Figure", page: _Page, *, styles: Sequence[ArmStyle], left: float, y: float
) -> None:
    from matplotlib.lines import Line2D  # noqa: PLC0415 - late: only a drawing needs matplotlib

    handles = [Line2D([], [], label=style.label, **panel.line_look(style)) for style in styles]
    widest = max(len(style.label) for style in styles)
    per_entry = 0.62 + widest * 8.0 * 0.6 / POINTS_PER_INCH
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(left, y),
        ncols=max(1, min(len(styles), int((page.width - 0.3) / per_entry))),
        frameon=False,
        fontsize=8.0,
        labelcolor=INK,
        handlelength=2.2,
        columnspacing=1.8,
        borderaxespad=0.0,
        borderpad=0.0,
    )
