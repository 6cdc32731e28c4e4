"""Figures of the population model: what each kind reads and how it is drawn."""

from collections.abc import Callable

import polars as pl

from assayhouse.analysis.pk_tables import AUC, NORMALISED
from assayhouse.contracts.study import Figure
from assayhouse.report.covariate_forest import (
    covariate_forest_twin,
    covariate_tooltips,
    plot_covariate_forest,
)
from assayhouse.report.exposure_boxes import plot_exposure_boxes
from assayhouse.report.exposure_twin import ExposureTables, boxes_twin, shrinkage_note
from assayhouse.report.figure import DrawnFigure
from assayhouse.report.goodness import goodness_twin, plot_goodness
from assayhouse.report.heading import Heading
from assayhouse.report.predictive_check import plot_predictive_check, predictive_check_twin

Tables = Callable[[str], pl.DataFrame]

BOXES, FOREST = "ard.exposure_summary", "ard.covariate_forest"
PREDICTIONS, CHECK = "ard.population_predictions", "ard.predictive_check"
PARAMETERS = "ard.population_pk"
# What each kind can show; the first is what there must be something of.
OF_BOXES = (
    *(BOXES, "ard.exposure", "ard.dose_proportionality", "adam.subset_flags"),
    *("ref.cut_offs", "ref.arms", PARAMETERS),
)
OF_FOREST = (FOREST,)
OF_PREDICTIONS = (PREDICTIONS, "adam.adppk", PARAMETERS)
OF_CHECK = (CHECK, "adam.adppk")


def unit_of(table: Tables) -> str:
    """Give the unit of the concentrations."""
    units = table("adam.adppk")["DVU"].drop_nulls()
    return str(units[0]) if units.len() else ""


def exposure_tables(table: Tables) -> ExposureTables:
    """Collect what the figure of exposure is drawn from."""
    return ExposureTables(
        summary=table("ard.exposure_summary"),
        exposure=table("ard.exposure"),
        proportionality=table("ard.dose_proportionality"),
        flags=table("adam.subset_flags"),
        cut_offs=table("ref.cut_offs"),
        arms=table("ref.arms"),
        measure=AUC,
        inset=NORMALISED,
        shrinkage=shrinkage_note(table(PARAMETERS)),
    )


def exposure_twin(figure: Figure, table: Tables) -> pl.DataFrame:
    """Numbers of the box plots."""
    return boxes_twin(exposure_tables(table), figure_id=figure.figure_id)


def forest_twin(figure: Figure, table: Tables) -> pl.DataFrame:
    """Numbers of the covariate forest."""
    return covariate_forest_twin(table(FOREST), figure_id=figure.figure_id)


def predictions_twin(figure: Figure, table: Tables) -> pl.DataFrame:
    """Numbers of the goodness of fit."""
    return goodness_twin(table(PREDICTIONS), unit=unit_of(table), figure_id=figure.figure_id)


def check_twin(figure: Figure, table: Tables) -> pl.DataFrame:
    """Numbers of the predictive check."""
    return predictive_check_twin(table(CHECK), unit=unit_of(table), figure_id=figure.figure_id)


def draw_exposure(_figure: Figure, table: Tables, heading: Heading) -> DrawnFigure:
    """Draw exposure by dose."""
    return plot_exposure_boxes(
        exposure_tables(table), heading=heading,
    )  # fmt: skip


def draw_forest(_figure: Figure, table: Tables, heading: Heading) -> DrawnFigure:
    """Draw the covariate forest."""
    return plot_covariate_forest(
        table(FOREST), heading=heading,
    )  # fmt: skip


def draw_goodness(_figure: Figure, table: Tables, heading: Heading) -> DrawnFigure:
    """Draw the goodness of fit."""
    return plot_goodness(
        table(PREDICTIONS), unit=unit_of(table), heading=heading,
        shrinkage=shrinkage_note(table(PARAMETERS)),
    )  # fmt: skip


def draw_check(_figure: Figure, table: Tables, heading: Heading) -> DrawnFigure:
    """Draw the predictive check."""
    return plot_predictive_check(table(CHECK), unit=unit_of(table), heading=heading)


TOOLTIPS = covariate_tooltips
