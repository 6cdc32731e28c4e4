"""Pictures of a population fit: goodness of fit, predictive check, covariates."""

from collections.abc import Mapping

import polars as pl

from assayhouse.analysis.pk_diagnostics import check_frame, forest_frame, prediction_frame
from assayhouse.pk import EventTable, FitResult, vpc
from assayhouse.report.covariate_forest import plot_covariate_forest
from assayhouse.report.figure import DrawnFigure
from assayhouse.report.goodness import plot_goodness
from assayhouse.report.heading import Heading
from assayhouse.report.predictive_check import plot_predictive_check

REPLICATES, SEED = 200, 1
_ALL = pl.lit("all").alias("pk_source")
_LEVEL, _BAND = 0.90, (0.8, 1.25)


def draw(
    result: FitResult, events: EventTable, tables: Mapping[str, pl.DataFrame]
) -> list[DrawnFigure]:
    """Draw what a fit that holds has to show.

    Parameters
    ----------
    result : FitResult
        Not FAILED.
    events : EventTable
        What was fitted.
    tables : mapping of str to frame
        ``predictions``, and ``covariate_forest`` where the model has covariates on clearance.
    """
    method = pl.lit(f"FOCE with interaction, samples below the limit by {result.spec.blq}").alias(
        "method"
    )
    hours = pl.col("AFRLT") * (24.0 if result.time_unit == "day" else 1.0)
    simulated = check_frame(vpc(result, events, n=REPLICATES, seed=SEED), replicates=REPLICATES)
    drawn = [
        plot_goodness(
            prediction_frame(tables["predictions"]).with_columns(_ALL, method, AFRLT=hours),
            unit=result.dv_unit,
            heading=_heading("goodness_of_fit", "Goodness of fit"),
        ),
        plot_predictive_check(
            simulated.with_columns(_ALL, method, AFRLT=hours),
            unit=result.dv_unit,
            heading=_heading("predictive_check", "Prediction-corrected visual predictive check"),
        ),
    ]
    if "covariate_forest" in tables:
        forest = forest_frame(tables["covariate_forest"], level=_LEVEL, band=_BAND)
        drawn.append(
            plot_covariate_forest(
                forest.with_columns(method),
                heading=_heading("covariate_forest", "Covariate effects on exposure"),
            )
        )
    return drawn


def _heading(figure_id: str, title: str) -> Heading:
    return Heading(figure_id=figure_id, title=title, synthetic=False)
