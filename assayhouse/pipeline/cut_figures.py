"""Figures of a cut-point search, as the register of figures draws them."""

from collections.abc import Callable

import polars as pl

from assayhouse.contracts.study import Figure
from assayhouse.report.cut_point import cut_point_twin, plot_cut_point
from assayhouse.report.figure import DrawnFigure
from assayhouse.report.heading import Heading
from assayhouse.report.response_bars import (
    plot_response_bars,
    response_bars_tooltips,
    response_bars_twin,
)
from assayhouse.report.response_curve import (
    plot_response_curve,
    response_curve_tooltips,
    response_curve_twin,
)

Tables = Callable[[str], pl.DataFrame]

OF_CUTS = ("ard.cut_points", "ard.cut_point_bootstrap")
OF_BARS = ("ard.cut_points", "ard.cut_point_validation", "ref.arms")
OF_CURVES = ("ard.response_curves", "ard.cut_points", "ref.arms")
BARS_TOOLTIPS, CURVE_TOOLTIPS = response_bars_tooltips, response_curve_tooltips


def cuts_twin(figure: Figure, table: Tables) -> pl.DataFrame:
    """Return the counted cuts of the bootstrap samples."""
    return cut_point_twin(
        table("ard.cut_point_bootstrap"),
        table("ard.cut_points"),
        marker=str(figure.options["marker"]),
        figure_id=figure.figure_id,
    )


def draw_cuts(figure: Figure, table: Tables, heading: Heading) -> DrawnFigure:
    """Draw the histogram of the cuts with the verdict."""
    return plot_cut_point(
        table("ard.cut_point_bootstrap"),
        table("ard.cut_points"),
        marker=str(figure.options["marker"]),
        heading=heading,
    )


def bars_twin(figure: Figure, table: Tables) -> pl.DataFrame:
    """Return the rates below and above the cut."""
    return response_bars_twin(
        table("ard.cut_points"),
        table("ard.cut_point_validation"),
        arms=table("ref.arms"),
        marker=str(figure.options["marker"]),
        figure_id=figure.figure_id,
    )


def draw_bars(figure: Figure, table: Tables, heading: Heading) -> DrawnFigure:
    """Draw the rates below and above the cut, by arm."""
    return plot_response_bars(
        table("ard.cut_points"),
        table("ard.cut_point_validation"),
        arms=table("ref.arms"),
        marker=str(figure.options["marker"]),
        heading=heading,
    )


def curve_twin(figure: Figure, table: Tables) -> pl.DataFrame:
    """Return the rates beyond every threshold."""
    return response_curve_twin(
        table("ard.response_curves"),
        table("ard.cut_points"),
        arms=table("ref.arms"),
        marker=str(figure.options["marker"]),
        figure_id=figure.figure_id,
    )


def draw_curve(figure: Figure, table: Tables, heading: Heading) -> DrawnFigure:
    """Draw the rates beyond every threshold, by arm."""
    return plot_response_curve(
        table("ard.response_curves"),
        table("ard.cut_points"),
        arms=table("ref.arms"),
        marker=str(figure.options["marker"]),
        heading=heading,
    )
