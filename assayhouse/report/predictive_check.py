"""Visual predictive check: quantiles of the samples beside those of simulated trials.

Takes ``ard.predictive_check`` as it is; simulates and estimates nothing.
"""

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assayhouse.report.canvas import canvas
from assayhouse.report.figure import DrawnFigure
from assayhouse.report.frames import require_columns, require_unique
from assayhouse.report.goodness import SOURCES, plain_ticks
from assayhouse.report.heading import Heading
from assayhouse.report.histogram import dress
from assayhouse.report.sheet import Sheet
from assayhouse.report.sketch import SketchPanel, Stroke, sketch
from assayhouse.report.theme import INK, MUTED

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

BELOW = -1.0
COLUMNS = (
    *("pk_source", "bin", "quantile", "AFRLT", "of_samples", "sim_low", "sim_median", "sim_high"),
    *("n_replicates", "method"),
)
_BANDS = {0.05: "#b8c6d1", 0.5: "#e3b79a", 0.95: "#b8c6d1", BELOW: "#b8c6d1"}
_HOURS_PER_WEEK = 168.0


def predictive_check_twin(check: pl.DataFrame, *, unit: str, figure_id: str) -> pl.DataFrame:
    """Lay out every quantile of every bin.

    Parameters
    ----------
    check : polars.DataFrame
        ``ard.predictive_check``.
    unit : str
        Of the concentrations.
    figure_id : str
        Name of the figure.

    Returns
    -------
    polars.DataFrame
        ``estimate`` is of the samples, ``difference`` the median of the simulated trials,
        ``lower`` and ``upper`` their interval.

    Raises
    ------
    ReportInputError
        A column is missing or a row repeats.
    """
    require_columns(check, COLUMNS, name="ard.predictive_check")
    require_unique(check, ("pk_source", "bin", "quantile"), name="ard.predictive_check")
    share = pl.col("quantile") == BELOW
    return check.sort("pk_source", "quantile", "bin").select(
        pl.lit(figure_id).alias("figure_id"),
        (pl.col("pk_source") + pl.when(share).then(pl.lit(" below limit")).otherwise(pl.lit("")))
        .alias("panel"),
        pl.col("pk_source").alias("parameter"),
        pl.when(share).then(pl.lit("1")).otherwise(pl.lit(unit)).alias("unit"),
        pl.col("quantile").cast(pl.String).alias("series"),
        pl.col("AFRLT").alias("x"),
        pl.col("of_samples").alias("estimate"),
        pl.col("sim_median").alias("difference"),
        pl.col("sim_low").alias("lower"),
        pl.col("sim_high").alias("upper"),
        pl.when(pl.col("of_samples").is_null()).then(pl.lit("below limit")).otherwise(pl.lit("ok"))
        .alias("status"),
        "bin", "quantile", "n_replicates", "method",
    )  # fmt: skip


def plot_predictive_check(
    check: pl.DataFrame,
    *,
    unit: str,
    heading: Heading,
) -> DrawnFigure:
    """Draw quantiles and the share below the limit, earlier studies and trial apart.

    Parameters
    ----------
    check : polars.DataFrame
        ``ard.predictive_check``.
    unit : str
        Of the concentrations.
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
    twin = predictive_check_twin(check, unit=unit, figure_id=heading.figure_id)
    sources = [name for name in SOURCES if name in twin["parameter"].to_list()]
    sheet = Sheet(columns=len(sources), rows=2, panel_width=3.8, panel_height=2.2, top=1.25)
    with canvas(heading, sheet) as page:
        for index in range(2 * len(sources)):
            axes = page.panel(index)
            source, is_share = sources[index % len(sources)], index >= len(sources)
            chosen = (pl.col("quantile") == BELOW) == is_share
            own = twin.filter((pl.col("parameter") == source) & chosen)
            _panel(axes, own, source=source, unit=unit, is_share=is_share)
        shown = (
            "Bands: 95 % interval of the 5 %, 50 % and 95 % quantile of "
            f"{check['n_replicates'][0]} simulated trials; line and points: the samples, brought "
            "to the median prediction of their bin. A quantile among samples below the limit has "
            "no point, nor a band where more than 2.5 % of the trials have it there. Bins hold "
            "about equally many samples and stand at equal distance."
        )
        notes = (
            shown,
            f"Method: {check['method'][0]}.",
        )
        return page.finish(
            twin,
            handles=_handles(),
            notes=notes,
            thumbnail_svg=check_sketch(check, heading),
        )


def _handles() -> "list[Artist]":
    from matplotlib.lines import Line2D  # noqa: PLC0415 - late: only a drawing needs matplotlib
    from matplotlib.patches import Patch  # noqa: PLC0415 - as above

    return [
        Line2D([], [], color=INK, marker="o", ms=3.5, lw=1.1, label="Samples"),
        Patch(color=_BANDS[0.5], label="Simulated, median"),
        Patch(color=_BANDS[0.05], label="Simulated, 5 % and 95 % (below: share under the limit)"),
    ]


def _panel(axes: "Axes", own: pl.DataFrame, *, source: str, unit: str, is_share: bool) -> None:
    for (quantile,), rows in own.group_by("quantile", maintain_order=True):
        level = float(str(quantile))
        shown = rows.sort("bin")
        x = shown["bin"].to_list()
        low, high = (shown[name].cast(pl.Float64).to_numpy() for name in ("lower", "upper"))
        axes.fill_between(
            x, low, high,
            color=_BANDS.get(level, MUTED), alpha=0.75, linewidth=0, zorder=1.5,
        )  # fmt: skip
        seen = shown["estimate"].cast(pl.Float64).to_numpy()
        axes.plot(
            x, seen if is_share else np.where(seen > 0.0, seen, np.nan), color=INK, marker="o",
            markersize=3.0,
            linewidth=1.1 if level in (0.5, BELOW) else 0.8, zorder=3,
            linestyle="-" if level in (0.5, BELOW) else (0, (4, 2.5)),
        )  # fmt: skip
    times = own.unique("bin", keep="first").sort("bin")
    axes.set_xticks(times["bin"].to_list(), [_when(value) for value in times["x"].to_list()])
    axes.set_xlabel("Median time of the bin from the first dose", size=7.2, labelpad=1.5)
    name = SOURCES[source][0]
    axes.set_title(
        f"{name}: share below the limit" if is_share else name, loc="left", size=8.4,
        weight="bold", pad=5.0,
    )  # fmt: skip
    if is_share:
        axes.set_ylabel("Share of the samples", size=7.2)
        axes.set_ylim(bottom=0)
    else:
        axes.set_yscale("log")
        axes.set_ylabel(f"Prediction-corrected concentration ({unit})", size=7.2)
    plain_ticks(axes)
    dress(axes)


def _when(hours: float) -> str:
    """Write a time: hours within four weeks, then weeks."""
    return f"{hours:.3g} h" if hours < 3 * _HOURS_PER_WEEK else f"wk {hours / _HOURS_PER_WEEK:.1f}"


def check_sketch(check: pl.DataFrame, heading: Heading) -> bytes:
    """Draw the quantiles small, for an asset's page.

    Parameters
    ----------
    check : polars.DataFrame
        ``ard.predictive_check``.
    heading : Heading
        Name and marks.

    Returns
    -------
    bytes
        An SVG document of a few kilobytes.
    """
    panels = []
    known_sources = set(check["pk_source"].to_list())
    for source, (name, colour) in SOURCES.items():
        if source not in known_sources:
            continue
        own = check.filter((pl.col("pk_source") == source) & (pl.col("quantile") != BELOW))
        strokes = []
        for (_quantile,), rows in own.sort("quantile", "bin").group_by(
            "quantile", maintain_order=True
        ):
            for column, pen, width in (("of_samples", INK, 1.8), ("sim_low", colour, 0.9),
                                       ("sim_high", colour, 0.9)):  # fmt: skip
                known = rows.filter(pl.col(column) > 0)
                points = zip(known["bin"].to_list(), known[column].log().to_list(), strict=True)
                strokes.append(Stroke(colour=pen, points=tuple(points), width=width))
        panels.append(SketchPanel(name=name, strokes=[one for one in strokes if one.points]))
    return sketch(panels, heading)
