"""Response rate of the subjects beyond each threshold of a marker, by arm, with bands.

Takes ``ard.response_curves`` as it is; estimates nothing.
"""

import math
from typing import TYPE_CHECKING

import polars as pl

from assayhouse.report import panel
from assayhouse.report.canvas import canvas
from assayhouse.report.cut_point import found_of, side_of
from assayhouse.report.errors import ReportInputError
from assayhouse.report.figure import DrawnFigure
from assayhouse.report.frames import require_columns, require_unique
from assayhouse.report.heading import Heading
from assayhouse.report.histogram import dress
from assayhouse.report.sheet import Sheet
from assayhouse.report.sketch import SketchPanel, Stroke, sketch
from assayhouse.report.theme import INK, ArmStyle, arm_styles
from assayhouse.report.words import methods_told, number, slug

if TYPE_CHECKING:
    from matplotlib.axes import Axes

THRESHOLD = "threshold"
COLUMNS = ("marker", "endpoint", "avisitn", "arm", "threshold", "n", "y", "rate_pct", "rate_lo",
           "rate_hi", "band_lo", "band_hi", "method")  # fmt: skip


def response_curve_twin(
    curves: pl.DataFrame,
    cut_points: pl.DataFrame,
    *,
    arms: pl.DataFrame,
    marker: str,
    figure_id: str,
) -> pl.DataFrame:
    """Lay out the curve of every arm, and the threshold that the search found.

    Parameters
    ----------
    curves, cut_points, arms : polars.DataFrame
        ``ard.response_curves``, ``ard.cut_points``, ``ref.arms``.
    marker : str
        Parameter code.
    figure_id : str
        Name of the figure.

    Returns
    -------
    polars.DataFrame
        One row per arm and threshold, ``lower`` and ``upper`` being the simultaneous band; a
        last row of series ``threshold``, whose ``side`` says who counts.

    Raises
    ------
    ReportInputError
        A column is missing, a key repeats, or the marker has no curve.
    """
    require_columns(curves, COLUMNS, name="ard.response_curves")
    rows = curves.filter(pl.col("marker") == marker)
    require_unique(rows, ("arm", "threshold"), name="ard.response_curves")
    if rows.is_empty():
        message = f"ard.response_curves holds no curve of {marker}. Nothing was drawn."
        raise ReportInputError(message)
    looks = pl.DataFrame(
        [(style.armcd, style.label, style.order) for style in arm_styles(arms)],
        schema={"arm": pl.String, "arm_label": pl.String, "arm_order": pl.Int64}, orient="row",
    )  # fmt: skip
    points = (
        rows.join(looks, on="arm", how="inner")
        .sort("arm_order", "threshold")
        .select(
            pl.lit(figure_id).alias("figure_id"),
            pl.col("marker").alias("panel"),
            pl.col("marker").alias("parameter"),
            pl.lit("%").alias("unit"),
            pl.lit("curve").alias("series"),
            *("arm", "arm_label", "arm_order", "avisitn", "endpoint"),
            pl.col("threshold").alias("x"),
            pl.col("rate_pct").fill_nan(None).alias("estimate"),
            pl.col("band_lo").fill_nan(None).alias("lower"),
            pl.col("band_hi").fill_nan(None).alias("upper"),
            *("rate_lo", "rate_hi", "n", "y", "method"),
            pl.when(pl.col("rate_pct").fill_nan(None).is_null())
            .then(pl.lit("absent"))
            .otherwise(pl.lit("ok"))
            .alias("status"),
        )
    )
    found = found_of(cut_points, marker)
    last = pl.DataFrame(
        {
            "figure_id": figure_id, "panel": marker, "parameter": marker, "series": THRESHOLD,
            "x": found["threshold"], "label": found["verdict"], "status": found["status"],
            "side": side_of(found),
        },
        schema_overrides={"x": pl.Float64},
    )  # fmt: skip
    both = pl.concat([points, last], how="diagonal")
    names = [f"pt-{slug(figure_id)}-{rank}" for rank in range(1, both.height + 1)]
    return both.with_columns(pl.Series("point_id", names, dtype=pl.String))


def plot_response_curve(
    curves: pl.DataFrame,
    cut_points: pl.DataFrame,
    *,
    arms: pl.DataFrame,
    marker: str,
    heading: Heading,
) -> DrawnFigure:
    """Draw the response rate against the threshold of a marker.

    Parameters
    ----------
    curves, cut_points, arms : polars.DataFrame
        ``ard.response_curves``, ``ard.cut_points``, ``ref.arms``.
    marker : str
        Parameter code.
    heading : Heading
        Name and marks.

    Returns
    -------
    DrawnFigure
        SVG, PNG, PDF, thumbnail and the numeric twin.

    Raises
    ------
    ReportInputError
        A frame lacks a column, a key repeats, or the marker has no curve.
    """
    twin = response_curve_twin(
        curves, cut_points, arms=arms, marker=marker, figure_id=heading.figure_id
    )
    shown = set(twin["arm"].drop_nulls().to_list())
    styles = [style for style in arm_styles(arms) if style.armcd in shown]
    sheet = Sheet(columns=1, rows=1, panel_width=7.6, panel_height=3.2)
    with canvas(heading, sheet) as page:
        axes = page.panel(0)
        for style in styles:
            _draw_arm(axes, twin.filter(pl.col("arm") == style.armcd), style)
        _frame(axes, twin, marker)
        return page.finish(
            twin,
            handles=panel.arm_handles(styles),
            notes=_notes(twin),
            tooltips=response_curve_tooltips(twin),
            thumbnail_svg=sketch(
                (SketchPanel(name=marker, strokes=_strokes(twin, styles)),),
                heading,
            ),
        )


def _draw_arm(axes: "Axes", points: pl.DataFrame, style: ArmStyle) -> None:
    gaps = points.with_columns(pl.col("estimate", "lower", "upper").fill_null(math.nan))
    across = gaps["x"].to_list()
    axes.fill_between(
        across, gaps["lower"].to_list(), gaps["upper"].to_list(),
        color=style.colour, alpha=0.13, linewidth=0, zorder=2 + 0.1 * style.order,
    )  # fmt: skip
    axes.plot(
        across, gaps["estimate"].to_list(),
        color=style.colour, linewidth=1.4, zorder=3 + 0.1 * style.order,
    )  # fmt: skip
    look = panel.line_look(style) | {"markersize": 2.6, "markeredgewidth": 0.0}
    for row in points.filter(pl.col("estimate").is_not_null()).iter_rows(named=True):
        (marker,) = axes.plot(
            [row["x"]], [row["estimate"]], zorder=3.05 + 0.1 * style.order, **look
        )
        marker.set_gid(row["point_id"])


def _frame(axes: "Axes", twin: pl.DataFrame, marker: str) -> None:
    axes.set_ylim(-2, 102)
    dress(axes)
    found = twin.row(-1, named=True)
    axes.set_xlabel(f"Threshold of {marker}", size=7.2, labelpad=1.5)
    axes.set_ylabel(f"Responders among subjects {found['side']} the threshold (%)", size=7.2)
    value = found["x"]
    if value is None:
        return
    axes.axvline(value, color=INK, linewidth=1.0, linestyle=(0, (4, 2.5)), zorder=2.5)
    left, right = axes.get_xlim()
    to_the_right = value < left + 0.75 * (right - left)
    axes.annotate(
        f"threshold {number(value, 3)}", (value, 101), xytext=(4 if to_the_right else -4, 0),
        textcoords="offset points", ha="left" if to_the_right else "right", va="top", size=7.0,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
    )  # fmt: skip


def response_curve_tooltips(twin: pl.DataFrame) -> dict[str, str]:
    """Write the tooltip of every point of a curve.

    Parameters
    ----------
    twin : polars.DataFrame
        From `response_curve_twin`.

    Returns
    -------
    dict of str to str
        Text by ``point_id``.
    """
    found, side = {}, twin.row(-1, named=True)["side"]
    for row in twin.filter(pl.col("estimate").is_not_null()).iter_rows(named=True):
        where = f"marker = '{row['panel']}' and arm = '{row['arm']}' and threshold = {row['x']!r}"
        responders = f"{row['y']} of {row['n']} responded, {number(row['estimate'], 1)} %"
        alone, band = _interval(row, "rate_lo", "rate_hi"), _interval(row, "lower", "upper")
        lines = (
            f"{row['arm_label']}, {side} {number(row['x'], 3)}: {responders}",
            f"95 % limits at this threshold {alone}, band {band}",
            f"select * from ard.response_curves where {where}",  # noqa: S608 - shown, not run
        )
        found[str(row["point_id"])] = "\n".join(lines)
    return found


def _interval(row: dict[str, float | None], low: str, high: str) -> str:
    return f"{number(row[low], 1)} to {number(row[high], 1)}"


def _strokes(twin: pl.DataFrame, styles: list[ArmStyle]) -> list[Stroke]:
    strokes = [Stroke(colour=INK, points=((x, 0.0), (x, 100.0)), width=0.8)
               for x in twin.tail(1)["x"].drop_nulls().to_list()]  # fmt: skip
    for style in styles:
        rows = twin.filter(pl.col("arm") == style.armcd, pl.col("estimate").is_not_null())
        if rows.height:
            points = list(zip(rows["x"].to_list(), rows["estimate"].to_list(), strict=True))
            strokes.append(Stroke(colour=style.colour, points=points))
    return strokes


def _notes(twin: pl.DataFrame) -> tuple[str, ...]:
    last = twin.row(-1, named=True)
    methods = methods_told(twin["method"])
    told = (
        f"Each point: responders among the subjects {last['side']} that threshold; points share "
        "subjects, so neighbours are not independent. Shaded: simultaneous 95 % band."
    )
    notes = [
        told,
        f"Dashed: the threshold found by the search. {last['label']}",
    ]
    return tuple([*notes, f"Method: {methods}."] if methods else notes)
