"""Time course by arm of the adjusted mean change from baseline, one panel per parameter.

The form of a trial's pharmacodynamic figures: means with standard errors, labelled with the
difference against the reference arm. Takes results as they are; estimates nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from assayhouse.report import panel
from assayhouse.report.canvas import canvas
from assayhouse.report.figure import DrawnFigure
from assayhouse.report.footnotes import footnotes
from assayhouse.report.heading import Heading
from assayhouse.report.inline import tooltips
from assayhouse.report.sheet import Sheet
from assayhouse.report.theme import ArmStyle, arm_styles
from assayhouse.report.thumbnail import thumbnail
from assayhouse.report.twin import time_course_twin

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_time_course(
    effects: pl.DataFrame,
    *,
    arms: pl.DataFrame,
    parameters: pl.DataFrame,
    visits: pl.DataFrame,
    paramcds: Sequence[str],
    heading: Heading,
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
    heading : Heading
        Name and marks.

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
        figure_id=heading.figure_id,
    )
    return draw_course(
        twin,
        styles=styles,
        sheet=_sheet(twin, n_panels=len(paramcds)),
        heading=heading,
        notes=lambda drawn: footnotes(drawn, effects, styles=styles),
        tips=tooltips,
    )


def draw_course(
    twin: pl.DataFrame,
    *,
    styles: Sequence[ArmStyle],
    sheet: Sheet,
    heading: Heading,
    notes: Callable[[pl.DataFrame], Sequence[str]],
    tips: Callable[[pl.DataFrame], Mapping[str, str]],
    add: Callable[["Axes", pl.DataFrame], None] | None = None,
) -> DrawnFigure:
    """Draw panels of lines by arm from their numbers.

    Parameters
    ----------
    twin : polars.DataFrame
        In the form of `assayhouse.report.twin.time_course_twin`.
    styles : sequence of ArmStyle
        The arms, in dose order.
    sheet : Sheet
        Sizes.
    heading : Heading
        Name and marks.
    notes, tips : callable
        Notes under the figure, from the twin with ``label_drawn`` set; tooltips by point.
    add : callable or None
        What is drawn into a panel beside its lines.

    Returns
    -------
    DrawnFigure
        SVG, PNG, PDF, thumbnail and the numeric twin.
    """
    with canvas(heading, sheet) as page:
        drawn: set[str] = set()
        for index, code in enumerate(twin["panel"].unique(maintain_order=True)):
            axes, points = page.panel(index), twin.filter(pl.col("panel") == code)
            drawn |= panel.draw(axes, points, styles=styles)
            if add is not None:
                add(axes, points)
        twin = twin.with_columns(label_drawn=pl.col("point_id").is_in(list(drawn)))
        return page.finish(
            twin,
            handles=panel.arm_handles(styles),
            notes=notes(twin),
            tooltips=tips(twin),
            thumbnail_svg=thumbnail(twin, heading=heading, styles=styles),
        )


def _sheet(twin: pl.DataFrame, *, n_panels: int) -> Sheet:
    columns = n_panels if n_panels <= 2 else (2 if n_panels == 4 else 3)
    visits = twin["avisitn"].n_unique()
    return Sheet(
        columns=columns,
        rows=-(-n_panels // columns),
        panel_width=min(4.3, 3.05 + 0.16 * max(0, visits - 4)),
        panel_height=2.15,
    )
