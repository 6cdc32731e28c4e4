"""Covariate effects on exposure as ratios to the reference subject. Estimates nothing."""

from typing import TYPE_CHECKING

import polars as pl

from assayhouse.report.canvas import canvas
from assayhouse.report.figure import DrawnFigure
from assayhouse.report.frames import require_columns, require_unique
from assayhouse.report.heading import Heading
from assayhouse.report.sheet import Sheet
from assayhouse.report.sketch import SketchPanel, Stroke, sketch
from assayhouse.report.theme import GRID, INK, MUTED, RULE
from assayhouse.report.words import number, slug

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW_HEIGHT = 0.24
COLOUR = "#0067a8"
COLUMNS = (
    *("covariate", "label", "row_order", "n_subjects", "ratio", "ratio_lo", "ratio_hi"),
    *("within_band", "region_lo", "region_hi", "ci_level", "status", "reasons", "method"),
)


def covariate_forest_twin(forest: pl.DataFrame, *, figure_id: str) -> pl.DataFrame:
    """Lay out one row per covariate value.

    Parameters
    ----------
    forest : polars.DataFrame
        ``ard.covariate_forest``.
    figure_id : str
        Name of the figure.

    Returns
    -------
    polars.DataFrame
        In the order of the rows; ``estimate`` is the ratio.

    Raises
    ------
    ReportInputError
        A column is missing or a row repeats.
    """
    require_columns(forest, COLUMNS, name="ard.covariate_forest")
    require_unique(forest, ("covariate", "label"), name="ard.covariate_forest")
    rows = forest.sort("row_order")
    names = [f"pt-{slug(figure_id)}-{rank}" for rank in range(1, rows.height + 1)]
    return rows.select(
        pl.lit(figure_id).alias("figure_id"),
        pl.Series("point_id", names, dtype=pl.String),
        pl.col("covariate").alias("panel"),
        pl.col("label").alias("parameter"),
        pl.lit("ratio").alias("unit"),
        pl.lit("covariate").alias("series"),
        pl.col("ratio").alias("estimate"),
        pl.col("ratio_lo").alias("lower"),
        pl.col("ratio_hi").alias("upper"),
        pl.col("n_subjects").alias("n"),
        "within_band", "region_lo", "region_hi", "ci_level", "status", "reasons", "method",
    )  # fmt: skip


def covariate_tooltips(twin: pl.DataFrame) -> dict[str, str]:
    """Say of each point what it is, by ``point_id``."""
    return {
        str(row["point_id"]): f"{row['parameter']}: {_interval(row)}"
        for row in twin.iter_rows(named=True)
        if row["estimate"] is not None
    }


def plot_covariate_forest(
    forest: pl.DataFrame,
    *,
    heading: Heading,
) -> DrawnFigure:
    """Draw the ratio of exposure for each covariate value.

    Parameters
    ----------
    forest : polars.DataFrame
        ``ard.covariate_forest``.
    heading : Heading
        Name and marks.

    Returns
    -------
    DrawnFigure
        SVG, PNG, PDF, thumbnail and the numeric twin.

    Raises
    ------
    ReportInputError
        A column is missing or a row repeats.
    """
    twin = covariate_forest_twin(forest, figure_id=heading.figure_id)
    sheet = Sheet(
        columns=1, rows=1, panel_width=3.9, panel_height=ROW_HEIGHT * (twin.height + 0.6),
        left=3.4, right=1.75, top=0.95, bottom=0.62,
    )  # fmt: skip
    with canvas(heading, sheet) as page:
        axes = page.panel(0)
        _draw(axes, twin)
        return page.finish(
            twin,
            notes=_notes(twin),
            tooltips=covariate_tooltips(twin),
            thumbnail_svg=sketch(
                (SketchPanel(name="Ratio of exposure", strokes=_strokes(twin)),),
                heading,
            ),
        )


def _draw(axes: "Axes", twin: pl.DataFrame) -> None:
    first = twin.row(0, named=True)
    ends = [0.7, 1.4, *twin["lower"].drop_nulls().to_list(), *twin["upper"].drop_nulls().to_list()]
    axes.set_xscale("log")
    axes.set_xlim(min(ends) / 1.03, max(ends) * 1.03)
    ticks = [tick for tick in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.4, 1.6, 2.0)
             if min(ends) / 1.03 <= tick <= max(ends) * 1.03]  # fmt: skip
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(twin.height + 0.3, -0.3)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_yticks([])
    axes.tick_params(length=2.5, width=0.8, color=RULE, pad=2.0)
    axes.grid(axis="x", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    if first["region_lo"] is not None:
        axes.axvspan(first["region_lo"], first["region_hi"], color="#f0f3f5", zorder=0)
    axes.axvline(1.0, color=MUTED, linewidth=0.9, zorder=1.5)
    axes.set_xlabel("Ratio of exposure to the reference subject (log scale)", size=7.2)
    _write(axes, "Covariate", -3.24, -0.45, weight="bold")
    _write(axes, "n", -0.5, -0.45, weight="bold")
    level = 90.0 if first["ci_level"] is None else 100 * first["ci_level"]
    _write(axes, f"Ratio ({level:.0f} % CI)", 4.05, -0.45, weight="bold")
    for rank, row in enumerate(twin.iter_rows(named=True)):
        _draw_row(axes, row, rank + 0.5)


def _draw_row(axes: "Axes", row: dict[str, object], y: float) -> None:
    _write(axes, str(row["parameter"]), -3.24, y, weight="normal")
    if row["estimate"] is None:
        axes.text(0.5, y, "not available, see the notes", transform=axes.get_yaxis_transform(),
                  ha="center", va="center", size=6.6, color=MUTED)  # fmt: skip
        return
    _write(axes, str(row["n"]), -0.5, y, weight="normal")
    _write(axes, _interval(row), 4.05, y, weight="normal")
    if row["lower"] is not None:
        ends = [float(str(row[name])) for name in ("lower", "upper")]
        axes.plot(ends, [y, y], color=COLOUR, linewidth=1.3, zorder=3, marker="|", markersize=4.5,
                  markeredgewidth=1.1)  # fmt: skip
    (marker,) = axes.plot([float(str(row["estimate"]))], [y], zorder=3.1, color=COLOUR, marker="s",
                          markersize=4.8, markeredgecolor="white", markeredgewidth=0.5)  # fmt: skip
    marker.set_gid(str(row["point_id"]))


def _interval(row: "dict[str, object]") -> str:
    value = number(float(str(row["estimate"])), 2)
    if row["lower"] is None:
        return value
    low, high = (number(float(str(row[name])), 2) for name in ("lower", "upper"))
    return f"{value} ({low} to {high})"


def _write(axes: "Axes", text: str, inches: float, y: float, *, weight: str) -> None:
    width = axes.get_window_extent().width / 72.0
    axes.text(inches / width, y, text, transform=axes.get_yaxis_transform(), ha="left", va="center",
              size=7.4, weight=weight, color=INK)  # fmt: skip


def _notes(twin: pl.DataFrame) -> tuple[str, ...]:
    first = twin.row(0, named=True)
    if first["status"] != "ok":
        return (str(first["reasons"]),)
    band = f"{first['region_lo']:g} to {first['region_hi']:g}"
    outside = twin.filter(~pl.col("within_band"))["parameter"].to_list()
    told = f"Interval not inside: {', '.join(outside)}." if outside else "Every interval is inside."
    shown = (
        "Full model, one covariate changed at a time; numbers at their 5th and 95th percentile, "
        f"levels against the commonest. Grey: {band}, without consequence. {told}"
    )
    return (
        shown,
        f"Method: {first['method']}.",
        *((str(first["reasons"]),) if first["reasons"] else ()),
    )


def _strokes(twin: pl.DataFrame) -> list[Stroke]:
    strokes = [Stroke(colour=RULE, points=((1.0, 0.0), (1.0, -float(twin.height))), width=0.8)]
    for rank, row in enumerate(twin.iter_rows(named=True)):
        if row["estimate"] is None or row["lower"] is None:
            continue
        y = -rank - 0.5
        strokes.append(Stroke(colour=COLOUR, points=((row["lower"], y), (row["upper"], y))))
        strokes.append(Stroke(colour=COLOUR, points=((row["estimate"], y),), width=5.0))
    return strokes
