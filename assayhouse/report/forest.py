"""Forest plot: response differences of one arm from the reference, overall and by subset.

Takes the rows of ``ard.subsets`` as they are; estimates nothing.
"""

from typing import TYPE_CHECKING

import polars as pl

from assayhouse.report.canvas import canvas
from assayhouse.report.figure import DrawnFigure
from assayhouse.report.forest_rows import (
    OVERALL,
    as_number,
    counts_text,
    forest_notes,
    forest_tooltips,
    forest_twin,
    interval_text,
    pair_styles,
)
from assayhouse.report.heading import Heading
from assayhouse.report.sheet import Sheet
from assayhouse.report.sketch import SketchPanel, Stroke, sketch
from assayhouse.report.theme import GRID, INK, MUTED, RULE, ArmStyle
from assayhouse.report.words import p_text, stars

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW_HEIGHT = 0.25


def plot_forest(
    subsets: pl.DataFrame,
    *,
    arms: pl.DataFrame,
    arm: str,
    visit: int,
    heading: Heading,
) -> DrawnFigure:
    """Draw the differences in response rate, overall and within subsets.

    Parameters
    ----------
    subsets, arms : polars.DataFrame
        ``ard.subsets``, ``ref.arms``.
    arm : str
        ARMCD of the active arm.
    visit : int
        AVISITN.
    heading : Heading
        Name and marks.

    Returns
    -------
    DrawnFigure
        SVG, PNG, PDF, thumbnail and the numeric twin.

    Raises
    ------
    ReportInputError
        A frame lacks a column, a subset repeats, or the arm is not declared.
    """
    twin = forest_twin(subsets, arms=arms, arm=arm, visit=visit, figure_id=heading.figure_id)
    active, reference = pair_styles(arms, arm)
    sheet = Sheet(
        columns=1, rows=1, panel_width=3.9, panel_height=ROW_HEIGHT * (twin.height + 0.6),
        left=4.1, right=2.35, top=1.0, bottom=0.62,
    )  # fmt: skip
    with canvas(heading, sheet) as page:
        axes = page.panel(0)
        _draw(axes, twin, active, reference)
        notes = forest_notes(twin, active, reference)
        return page.finish(
            twin,
            notes=notes,
            tooltips=forest_tooltips(twin),
            thumbnail_svg=sketch(
                (
                    SketchPanel(
                        name=f"{active.label} minus {reference.label}",
                        strokes=_strokes(twin, active),
                    ),
                ),
                heading,
            ),
        )


def _draw(axes: "Axes", twin: pl.DataFrame, active: ArmStyle, reference: ArmStyle) -> None:
    ends = [0.0, *twin["lower"].drop_nulls().to_list(), *twin["upper"].drop_nulls().to_list()]
    room = 0.05 * ((max(ends) - min(ends)) or 1.0)
    axes.set_xlim(min(ends) - room, max(ends) + room)
    axes.set_ylim(twin.height + 0.3, -0.3)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_yticks([])
    axes.tick_params(length=2.5, width=0.8, color=RULE, pad=2.0)
    axes.grid(axis="x", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.axvline(0.0, color=MUTED, linewidth=0.9, zorder=1.5)
    axes.set_xlabel(
        f"Difference in response rate, {active.label} minus {reference.label} (percentage points)",
        size=7.2, labelpad=2.5,
    )  # fmt: skip
    heads = (
        ("Subset", -3.94, "left"), (f"{active.label}\nresponders/n", -1.5, "center"),
        (f"{reference.label}\nresponders/n", -0.55, "center"),
        ("Difference, %\n(95 % CI)", 4.05, "left"), ("p", 5.75, "left"),
    )  # fmt: skip
    for text, inches, side in heads:
        _write(axes, text, inches, -0.45, side, weight="bold", va="bottom")
    for rank, row in enumerate(twin.iter_rows(named=True)):
        _draw_row(axes, row, rank + 0.5, active)


def _draw_row(axes: "Axes", row: dict[str, object], y: float, style: ArmStyle) -> None:
    weight = "bold" if row["panel"] == OVERALL else "normal"
    p = as_number(row["p"])
    for text, inches, side in (
        (str(row["parameter"]), -3.94, "left"),
        (counts_text(row, "active"), -1.5, "center"),
        (counts_text(row, "reference"), -0.55, "center"),
        (interval_text(row), 4.05, "left"),
        (f"{p_text(p)} {stars(p)}".strip(), 5.75, "left"),
    ):
        _write(axes, text, inches, y, side, weight=weight)
    if row["estimate"] is None:
        axes.text(
            0.5, y, "not estimated, see the notes",
            transform=axes.get_yaxis_transform(), ha="center", va="center", size=6.6, color=MUTED,
        )  # fmt: skip
        return
    ends = [float(str(row[name])) for name in ("lower", "upper")]
    axes.plot(
        ends, [y, y], color=style.colour, linewidth=1.3, zorder=3,
        marker="|", markersize=4.5, markeredgewidth=1.1,
    )  # fmt: skip
    (marker,) = axes.plot(
        [float(str(row["estimate"]))], [y], zorder=3.1, color=style.colour,
        marker="D" if row["panel"] == OVERALL else style.marker, markersize=5.4,
        markeredgecolor="white", markeredgewidth=0.5,
    )  # fmt: skip
    marker.set_gid(str(row["point_id"]))


def _write(
    axes: "Axes", text: str, inches: float, y: float, ha: str, *, weight: str, va: str = "center"
) -> None:
    width = axes.get_window_extent().width / 72.0
    axes.text(
        inches / width, y, text, transform=axes.get_yaxis_transform(), ha=ha, va=va,
        size=7.4, weight=weight, color=INK, linespacing=1.15,
    )  # fmt: skip


def _strokes(twin: pl.DataFrame, style: ArmStyle) -> list[Stroke]:
    strokes = [Stroke(colour=RULE, points=((0.0, 0.0), (0.0, -float(twin.height))), width=0.8)]
    for rank, row in enumerate(twin.iter_rows(named=True)):
        if row["estimate"] is None:
            continue
        y = -rank - 0.5
        strokes.append(
            Stroke(colour=style.colour, points=((row["lower"], y), (row["upper"], y)), width=1.2)
        )
        strokes.append(Stroke(colour=style.colour, points=((row["estimate"], y),), width=5.0))
    return strokes
