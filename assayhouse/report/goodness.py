"""Goodness of fit of a population model: samples against predictions, residuals. Estimates nothing.

Takes ``ard.population_predictions`` as it is.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assayhouse.report.canvas import canvas
from assayhouse.report.figure import DrawnFigure
from assayhouse.report.frames import require_columns
from assayhouse.report.heading import Heading
from assayhouse.report.histogram import dress
from assayhouse.report.sheet import Sheet
from assayhouse.report.sketch import SketchPanel, Stroke, sketch
from assayhouse.report.theme import MUTED

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

COLUMNS = ("pk_source", "AFRLT", "DV", "BLQFN", "pred", "ipred", "cwres", "method")
SOURCES = {
    "earlier": ("Earlier studies", "#c24a00"),
    "trial": ("This trial", "#0067a8"),
    "all": ("Samples", "#0067a8"),
}
"""Where samples come from, each with its name and colour; ``all``: nobody says."""
_FEW = 40
"""Points of a source in the small picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plot:
    """One panel: which column against which, and how."""

    name: str
    title: str
    x: str
    y: str
    across: str
    up: str
    residual: bool


_PLOTS = (
    _Plot(name="pred", title="Sample against population prediction", x="pred", y="DV",
          across="Population prediction", up="Sample", residual=False),
    _Plot(name="ipred", title="Sample against individual prediction", x="ipred", y="DV",
          across="Individual prediction", up="Sample", residual=False),
    _Plot(name="time", title="Residual against time", x="AFRLT", y="cwres",
          across="Time from the first dose (h)", up="Conditional weighted residual",
          residual=True),
    _Plot(name="cwres", title="Residual against prediction", x="pred", y="cwres",
          across="Population prediction", up="Conditional weighted residual", residual=True),
)  # fmt: skip


def goodness_twin(predictions: pl.DataFrame, *, unit: str, figure_id: str) -> pl.DataFrame:
    """Lay out every point of every panel; samples below the limit have none.

    Parameters
    ----------
    predictions : polars.DataFrame
        ``ard.population_predictions``.
    unit : str
        Of the concentrations.
    figure_id : str
        Name of the figure.

    Returns
    -------
    polars.DataFrame
        One row per panel and sample, without its subject.

    Raises
    ------
    ReportInputError
        A column is missing.
    """
    require_columns(predictions, COLUMNS, name="ard.population_predictions")
    shown = predictions.filter(pl.col("BLQFN") == 0)
    parts = [
        shown.select(
            pl.lit(figure_id).alias("figure_id"),
            pl.lit(plot.name).alias("panel"),
            pl.lit(plot.title).alias("parameter"),
            pl.lit("1" if plot.residual else unit).alias("unit"),
            pl.col("pk_source").alias("series"),
            pl.col(plot.x).alias("x"),
            pl.col(plot.y).alias("estimate"),
            pl.lit("ok").alias("status"),
            "method",
        ).sort("series", "x", "estimate")
        for plot in _PLOTS
    ]
    return pl.concat(parts)


def plot_goodness(
    predictions: pl.DataFrame,
    *,
    unit: str,
    heading: Heading,
    shrinkage: str = "",
) -> DrawnFigure:
    """Draw samples against predictions, and residuals against time and prediction.

    Parameters
    ----------
    predictions : polars.DataFrame
        ``ard.population_predictions``.
    unit : str
        Of the concentrations.
    heading : Heading
        Name and marks.
    shrinkage : str
        What `assayhouse.report.exposure_twin.shrinkage_note` says.

    Returns
    -------
    DrawnFigure
        SVG, PNG, PDF, thumbnail and the numeric twin.

    Raises
    ------
    ReportInputError
        A column is missing.
    """
    twin = goodness_twin(predictions, unit=unit, figure_id=heading.figure_id)
    below = int((predictions["BLQFN"] == 1).sum())
    sheet = Sheet(columns=2, rows=2, panel_width=3.6, panel_height=2.5, top=1.05)
    with canvas(heading, sheet) as page:
        for index, plot in enumerate(_PLOTS):
            axes = page.panel(index)
            _panel(axes, plot, twin.filter(pl.col("panel") == plot.name), unit)
        lost = int((~_drawn_everywhere(predictions)).sum())
        shown = (
            f"{predictions.height - below} quantifiable samples; {below} below the limit have no "
            "point. Line: identity, or 0 with ±1.96 dashed."
        )
        if lost:
            shown += (
                f" {lost} samples of 0, or predicted as 0, have none where axes are logarithmic."
            )
        notes = (
            shown,
            *((shrinkage,) if shrinkage else ()),
            f"Method: {predictions['method'][0]}.",
        )
        return page.finish(
            twin,
            handles=_handles(twin["series"].to_list()),
            notes=notes,
            thumbnail_svg=goodness_sketch(predictions, heading),
        )


def _handles(shown: Collection[str]) -> "list[Artist]":
    """Return the legend's entries: where a sample comes from."""
    from matplotlib.lines import Line2D  # noqa: PLC0415 - late: only a drawing needs matplotlib

    return [
        Line2D([], [], marker="o", ls="", ms=4, mfc=colour, mec="none", label=label)
        for source, (label, colour) in SOURCES.items()
        if source in shown
    ]


def _panel(axes: "Axes", plot: _Plot, own: pl.DataFrame, unit: str) -> None:
    is_concentration = plot.x != "AFRLT"
    # A sample at the time of the first dose, or before, has no place on a logarithmic axis.
    is_log = is_concentration or bool((own["x"] > 0.0).all())
    if is_concentration:
        own = own.filter(_drawable("x", "estimate", plot))
    for source, (_, colour) in SOURCES.items():
        points = own.filter(pl.col("series") == source)
        _dots(axes, points["x"].to_numpy(), points["estimate"].to_numpy(), colour)
    axes.set_xscale("log" if is_log else "linear")
    if plot.residual:
        for height, style in ((0.0, "-"), (1.96, (0, (4, 2.5))), (-1.96, (0, (4, 2.5)))):
            axes.axhline(height, color=MUTED, linewidth=0.8, linestyle=style, zorder=1)
        highest = float(own["estimate"].abs().max() or 1.0)  # type: ignore[arg-type]
        axes.set_ylim(-1.08 * highest, 1.08 * highest)
    else:
        axes.set_yscale("log")
        values = pl.concat([own["x"], own["estimate"]])
        low, high = (0.8 * min(values), 1.25 * max(values)) if len(values) else (0.1, 10.0)
        axes.plot([low, high], [low, high], color=MUTED, linewidth=0.8, zorder=1)
        axes.set_xlim(low, high)
        axes.set_ylim(low, high)
    axes.set_title(plot.title, loc="left", size=8.4, weight="bold", pad=5.0)
    axes.set_xlabel(
        f"{plot.across} ({unit})" if is_concentration else plot.across, size=7.2, labelpad=1.5
    )
    axes.set_ylabel(plot.up if plot.residual else f"{plot.up} ({unit})", size=7.2)
    plain_ticks(axes)
    dress(axes)


def _drawn_everywhere(predictions: pl.DataFrame) -> pl.Series:
    above = (pl.col("DV") > 0.0) & (pl.col("pred") > 0.0) & (pl.col("ipred") > 0.0)
    return predictions.filter(pl.col("BLQFN") == 0).select(above.alias("above"))["above"]


def _drawable(x: str, y: str, plot: _Plot) -> pl.Expr:
    """Whether a point has its place on a panel whose concentrations are logarithmic."""
    return (pl.col(x) > 0.0) & (pl.lit(plot.residual) | (pl.col(y) > 0.0))


def plain_ticks(axes: "Axes") -> None:
    """Write the ticks of logarithmic axes as numbers, not as powers of ten.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator  # noqa: PLC0415 - late

    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() == "log":
            low, high = axis.get_view_interval()
            # Within less than two decades powers of ten alone are too few.
            between = (1.0,) if high > 60 * low else (1.0, 2.0, 5.0)
            axis.set_major_locator(LogLocator(subs=between))
            axis.set_major_formatter(FuncFormatter(_plain))
            # Small ticks between are many, and slow to draw.
            axis.set_minor_locator(NullLocator())


def _plain(value: float, _place: int) -> str:
    return f"{value:g}"


def _dots(axes: "Axes", x: np.ndarray, y: np.ndarray, colour: str) -> None:
    """Draw points as one path of tiny strokes: small in a file, and quick to draw.

    Without snapping to pixels, which makes nothing of the strokes where they are few.
    """
    gap = np.full(len(x), np.nan)
    least = 1e-9 * float(np.abs(x).max(initial=1.0))  # one at 0 needs some length too
    across = np.column_stack([x, x * (1 + 1e-6) + least, gap]).ravel()
    up = np.column_stack([y, y, gap]).ravel()
    axes.plot(
        across, up, color=colour, alpha=0.5, linewidth=2.4, solid_capstyle="round", zorder=2,
        snap=False,
    )  # fmt: skip


def goodness_sketch(predictions: pl.DataFrame, heading: Heading) -> bytes:
    """Draw samples against predictions and residuals small, for an asset's page.

    Parameters
    ----------
    predictions : polars.DataFrame
        ``ard.population_predictions``.
    heading : Heading
        Name and marks.

    Returns
    -------
    bytes
        An SVG document below 50 kB: at most so many points of each source.
    """
    panels = []
    kept = predictions.filter(pl.col("BLQFN") == 0)
    for plot in (_PLOTS[0], _PLOTS[1], _PLOTS[3]):
        strokes = []
        for source, (_, colour) in SOURCES.items():
            own = kept.filter(pl.col("pk_source") == source)
            own = own.filter(_drawable(plot.x, plot.y, plot))
            own = own.gather_every(max(1, own.height // _FEW))
            x = own[plot.x].log()
            y = own[plot.y] if plot.residual else own[plot.y].log()
            strokes += [
                Stroke(colour=colour, points=(point,), width=1.8)
                for point in zip(x.to_list(), y.to_list(), strict=True)
            ]
        panels.append(SketchPanel(name=plot.title, strokes=strokes))
    return sketch(panels, heading)
