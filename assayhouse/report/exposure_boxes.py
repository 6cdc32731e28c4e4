"""Exposure by dose as box plots, for all and by baseline level; dose-normalised in an inset.

Takes the boxes of ``ard.exposure_summary`` as they are; estimates nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from assayhouse.report.canvas import canvas
from assayhouse.report.exposure_twin import ALL, BOX, OUTLIER, WHISKERS, ExposureTables, boxes_twin
from assayhouse.report.figure import DrawnFigure
from assayhouse.report.heading import Heading
from assayhouse.report.histogram import dress
from assayhouse.report.sheet import Sheet
from assayhouse.report.sketch import SketchPanel, Stroke, sketch
from assayhouse.report.theme import INK, MUTED, ArmStyle, arm_styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, APART = 0.56, 0.22
LETTERS = "ABCDEFGH"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a box stands and how it looks."""

    x: float
    width: float
    colour: str
    filled: bool


def plot_exposure_boxes(
    tables: ExposureTables,
    *,
    heading: Heading,
) -> DrawnFigure:
    """Draw exposure by dose.

    Parameters
    ----------
    tables : ExposureTables
        Boxes, exposures and what else is said.
    heading : Heading
        Name and marks.

    Returns
    -------
    DrawnFigure
        SVG, PNG, PDF, thumbnail and the numeric twin.

    Raises
    ------
    ReportInputError
        A frame lacks a column.
    """
    twin = boxes_twin(tables, figure_id=heading.figure_id)
    styles = {style.armcd: style for style in arm_styles(tables.arms) if not style.is_reference}
    names = [name for name in twin["panel"].unique(maintain_order=True) if name != tables.inset]
    sheet = Sheet(
        columns=len(names), rows=1, panel_width=3.1, panel_height=3.2, top=0.98, bottom=0.6
    )
    with canvas(heading, sheet) as page:
        for index, name in enumerate(names):
            axes = page.panel(index)
            own = twin.filter(pl.col("panel") == name)
            _panel(axes, own, styles, letter=LETTERS[index])
            if name == ALL and tables.inset:
                _inset(axes, twin.filter(pl.col("panel") == tables.inset), styles)
        return page.finish(
            twin,
            notes=tables.notes(),
            thumbnail_svg=sketch(
                [_small(name, twin.filter(pl.col("panel") == name), styles) for name in names],
                heading,
            ),
        )


def _places(own: pl.DataFrame, styles: dict[str, ArmStyle]) -> dict[tuple[str, str], _Place]:
    """Place the boxes by dose, those of one dose side by side in the order of levels."""
    boxes = own.filter(pl.col("series") == BOX)
    doses = boxes["arm"].unique(maintain_order=True).to_list()
    levels = boxes["level"].unique().sort(descending=True).to_list()
    width = WIDTH / len(levels) if levels else WIDTH
    found = {}
    for rank, arm in enumerate(doses):
        for side, level in enumerate(levels):
            shift = (side - (len(levels) - 1) / 2) * (width + 0.08)
            colour = styles[arm].colour if arm in styles else INK
            found[arm, level] = _Place(
                x=rank + shift, width=width, colour=colour, filled=level != "low"
            )
    return found


def _draw_boxes(axes: "Axes", own: pl.DataFrame, styles: dict[str, ArmStyle]) -> list[str]:
    """Draw every box with whiskers and outliers; return the names of the doses."""
    from matplotlib.patches import Rectangle  # noqa: PLC0415 - late: only a drawing needs it

    places = _places(own, styles)
    for row in own.iter_rows(named=True):
        at = places[row["arm"], row["level"]]
        if row["series"] == OUTLIER:
            axes.plot([at.x], [row["estimate"]], "o", ms=2.6, mfc="none", mec=at.colour, mew=0.8)
        elif row["estimate"] is None and row["series"] == BOX:
            axes.text(at.x, 0.5, "no values", transform=axes.get_xaxis_transform(), rotation=90,
                      size=6.4, color=MUTED, ha="center", va="center")  # fmt: skip
        elif row["series"] == BOX:
            axes.add_patch(
                Rectangle(
                    (at.x - at.width / 2, row["lower"]), at.width, row["upper"] - row["lower"],
                    facecolor=at.colour if at.filled else "white", edgecolor=at.colour,
                    alpha=0.28 if at.filled else 1.0, linewidth=1.0, zorder=2.2,
                )
            )  # fmt: skip
            axes.plot([at.x - at.width / 2, at.x + at.width / 2], [row["estimate"]] * 2,
                      color=at.colour, linewidth=2.2, solid_capstyle="butt", zorder=3)  # fmt: skip
        elif row["series"] == WHISKERS and row["lower"] is not None:
            for end, quartile in (
                (row["lower"], row["near_low"]),
                (row["upper"], row["near_high"]),
            ):
                axes.plot([at.x] * 2, [end, quartile], color=at.colour, lw=0.9, zorder=1.8)
                axes.plot([at.x - APART * at.width, at.x + APART * at.width], [end] * 2,
                          color=at.colour, lw=0.9, zorder=1.8)  # fmt: skip
    return list(dict.fromkeys(arm for arm, _ in places))


def _frame(axes: "Axes", own: pl.DataFrame, arms: Sequence[str], *, size: float) -> None:
    boxes = own.filter(pl.col("series") == BOX)
    doses = dict(boxes.select("arm", "x").unique(maintain_order=True).iter_rows())
    axes.set_xticks(range(len(arms)), [f"{doses[arm]:g}" for arm in arms], size=size)
    axes.set_xlim(-0.6, len(arms) - 0.4)
    highest = pl.concat([own["upper"], own["estimate"]]).drop_nulls().max()
    axes.set_ylim(0, 1.06 * float(str(highest)) if highest is not None else 1.0)
    dress(axes)


def _panel(axes: "Axes", own: pl.DataFrame, styles: dict[str, ArmStyle], *, letter: str) -> None:
    arms = _draw_boxes(axes, own, styles)
    _frame(axes, own, arms, size=7.4)
    first = own.row(0, named=True)
    axes.set_title(f"{letter}  {first['parameter']}", loc="left", size=8.4, weight="bold", pad=5.0)
    axes.set_xlabel("Dose (mg once daily)", size=7.2, labelpad=14)
    axes.set_ylabel(f"{first['response']} ({first['unit']})", size=7.2)
    places = _places(own, styles)
    for row in own.filter(pl.col("series") == BOX).iter_rows(named=True):
        label = f"{row['level']}\n" if row["level"] else ""
        axes.annotate(
            f"{label}n={row['n']}", (places[row["arm"], row["level"]].x, 0), xytext=(0, -13),
            xycoords=("data", "axes fraction"), textcoords="offset points", ha="center", va="top",
            size=5.8, color=MUTED, linespacing=1.0, annotation_clip=False,
        )  # fmt: skip


def _inset(axes: "Axes", own: pl.DataFrame, styles: dict[str, ArmStyle]) -> None:
    inner = axes.inset_axes((0.11, 0.60, 0.42, 0.36))
    arms = _draw_boxes(inner, own, styles)
    _frame(inner, own, arms, size=5.6)
    inner.tick_params(labelsize=5.6, pad=1.0)
    first = own.row(0, named=True)
    inner.set_title(f"{first['response']} ({first['unit']})", size=5.8, pad=2.0, loc="left")


def _small(name: str, own: pl.DataFrame, styles: dict[str, ArmStyle]) -> SketchPanel:
    places, strokes = _places(own, styles), list[Stroke]()
    for row in own.iter_rows(named=True):
        at = places[row["arm"], row["level"]]
        if row["lower"] is None:
            continue
        thick = 6.0 if row["series"] == BOX else 1.0
        ends = ((at.x, row["lower"]), (at.x, row["upper"]))
        strokes.append(Stroke(colour=at.colour, points=ends, width=thick))
    told = own["parameter"][0] if own.height else name
    return SketchPanel(name=str(told), strokes=strokes)
