"""Cuts of the bootstrap samples of a cut-point search, with interval, median and verdict.

Takes the search as it is; judges nothing itself.
"""

import math
from collections.abc import Mapping

import polars as pl

from assayhouse.report.bins import Bin, count_in_bins, outline
from assayhouse.report.canvas import canvas
from assayhouse.report.errors import ReportInputError
from assayhouse.report.figure import DrawnFigure
from assayhouse.report.frames import require_columns, require_unique
from assayhouse.report.heading import Heading
from assayhouse.report.histogram import ABOVE, draw_bars
from assayhouse.report.sheet import Sheet
from assayhouse.report.sketch import SketchPanel, Stroke, sketch
from assayhouse.report.theme import INK, WARNING
from assayhouse.report.words import number, p_text

MEDIAN = "median"
TWIN = {
    "panel": pl.String, "parameter": pl.String, "series": pl.String, "x": pl.Float64,
    "bin_low": pl.Float64, "bin_high": pl.Float64, "estimate": pl.Float64, "lower": pl.Float64,
    "upper": pl.Float64, "n": pl.Int64, "p": pl.Float64, "label": pl.String, "status": pl.String,
    "method": pl.String,
}  # fmt: skip


def found_of(cut_points: pl.DataFrame, marker: str) -> dict[str, object]:
    """Return the row of one marker.

    Parameters
    ----------
    cut_points : polars.DataFrame
        ``ard.cut_points``.
    marker : str
        Parameter code.

    Returns
    -------
    dict
        The row.

    Raises
    ------
    ReportInputError
        A column is missing, or the marker has not exactly one row.
    """
    needed = ("marker", "threshold", "direction", "ci_lo", "ci_hi", "n", "n_boot", "n_failed",
              "p_adjusted", "verdict", "status", "method")  # fmt: skip
    require_columns(cut_points, needed, name="ard.cut_points")
    require_unique(cut_points, ("marker",), name="ard.cut_points")
    rows = cut_points.filter(pl.col("marker") == marker)
    if rows.height != 1:
        message = f"ard.cut_points holds no search of {marker}. Nothing was drawn."
        raise ReportInputError(message)
    return rows.row(0, named=True)


def side_of(found: Mapping[str, object]) -> str:
    """Return where the group of interest lies, above or below a threshold.

    Parameters
    ----------
    found : mapping
        Row of ``ard.cut_points``.

    Returns
    -------
    str
        above or below.
    """
    return "below" if found["direction"] == "lower" else "above"


def cut_point_twin(
    bootstrap: pl.DataFrame, cut_points: pl.DataFrame, *, marker: str, figure_id: str
) -> pl.DataFrame:
    """Count the cuts of the bootstrap samples in bins.

    Parameters
    ----------
    bootstrap, cut_points : polars.DataFrame
        ``ard.cut_point_bootstrap``, ``ard.cut_points``.
    marker : str
        Parameter code.
    figure_id : str
        Name of the figure.

    Returns
    -------
    polars.DataFrame
        One row per bin, and one of series ``median`` with threshold, interval, p and verdict.
    """
    require_columns(bootstrap, ("marker", "replicate", "cut"), name="ard.cut_point_bootstrap")
    found = found_of(cut_points, marker)
    cuts = bootstrap.filter(pl.col("marker") == marker)["cut"].drop_nulls().drop_nans().sort()
    threshold = found["threshold"]
    common = {"panel": marker, "parameter": marker, "status": found["status"],
              "method": found["method"]}  # fmt: skip
    rows: list[dict[str, object]] = []
    if isinstance(threshold, float) and math.isfinite(threshold):
        rows = [
            {**common, "series": "cuts", "x": one.middle, "bin_low": one.low, "bin_high": one.high,
             "estimate": float(one.count), "n": cuts.len()}
            for one in count_in_bins(cuts.to_list(), anchor=threshold, wanted=80)
        ]  # fmt: skip
    rows.append(
        {**common, "series": MEDIAN, "x": threshold, "lower": found["ci_lo"],
         "upper": found["ci_hi"], "n": found["n"], "p": found["p_adjusted"],
         "label": found["verdict"]}
    )  # fmt: skip
    frame = pl.DataFrame([{name: row.get(name) for name in TWIN} for row in rows], schema=TWIN)
    return frame.select(pl.lit(figure_id).alias("figure_id"), pl.all())


def plot_cut_point(
    bootstrap: pl.DataFrame,
    cut_points: pl.DataFrame,
    *,
    marker: str,
    heading: Heading,
) -> DrawnFigure:
    """Draw where the bootstrap samples put the cut, and say what that is worth.

    Parameters
    ----------
    bootstrap, cut_points : polars.DataFrame
        ``ard.cut_point_bootstrap``, ``ard.cut_points``.
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
        A frame lacks a column, or the marker was not searched.
    """
    twin = cut_point_twin(bootstrap, cut_points, marker=marker, figure_id=heading.figure_id)
    found = found_of(cut_points, marker)
    sheet = Sheet(columns=1, rows=1, panel_width=7.6, panel_height=2.6, top=0.95, bottom=0.52)
    with canvas(heading, sheet) as page:
        axes = page.panel(0)
        line = twin.row(-1, named=True)
        bins = _bins(twin)
        if bins:
            axes.axvspan(line["lower"], line["upper"], color=WARNING, alpha=0.09, linewidth=0)
            label = f"median {number(line['x'], 3)}\n95 % of the cuts: "
            label += f"{number(line['lower'], 3)} to {number(line['upper'], 3)}"
            draw_bars(axes, bins, cut=line["x"], title=f"Cuts of {found['n_boot']} samples",
                      across=f"Cut of {marker}", up="Bootstrap samples",
                      cut_label=label)  # fmt: skip
        else:
            axes.set_axis_off()
            axes.text(0.5, 0.5, "no cut was found", transform=axes.transAxes, ha="center")
        return page.finish(
            twin,
            notes=_notes(found),
            thumbnail_svg=sketch(
                (_small(marker, bins, line["x"]),),
                heading,
            ),
        )


def _bins(twin: pl.DataFrame) -> list[Bin]:
    return [
        Bin(low=row["bin_low"], high=row["bin_high"], count=int(row["estimate"]))
        for row in twin.filter(pl.col("series") != MEDIAN).iter_rows(named=True)
    ]


def _small(marker: str, bins: list[Bin], cut: float | None) -> SketchPanel:
    if not bins or cut is None:
        return SketchPanel(name=marker, strokes=())
    top = max(float(one.count) for one in bins)
    line = Stroke(colour=INK, points=((cut, 0.0), (cut, top)), width=1.2)
    return SketchPanel(name=marker, strokes=(Stroke(colour=ABOVE, points=outline(bins)), line))


def _notes(found: dict[str, object]) -> tuple[str, ...]:
    p = found["p_adjusted"]
    words = p_text(p if isinstance(p, float) else None)
    scatter = (
        f"{found['n']} subjects; {found['n_failed']} of {found['n_boot']} samples without an "
        f"admissible cut; p of the whole search: {words}. The shaded interval shows how far the "
        "cuts scatter; it is no confidence interval for a true cut."
    )
    return (str(found["verdict"]), scatter, f"Method: {found['method']}.")
