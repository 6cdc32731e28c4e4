"""Pictures of a cut-point search: where the samples put the cut, and response rates beyond it."""

import polars as pl

from assayhouse.analysis.own_cut_points import MarkerSearch
from assayhouse.commands.cutpoint_tables import tables_of
from assayhouse.report.cut_point import plot_cut_point
from assayhouse.report.figure import DrawnFigure
from assayhouse.report.heading import Heading
from assayhouse.report.response_curve import plot_response_curve
from assayhouse.report.words import slug

_CURVE = "response rates beyond each threshold; Wilson pointwise limits, bootstrap bands"
_ARMS = pl.DataFrame(
    {
        "ARMCD": ["control", "active"],
        "ARM": ["Control", "Active"],
        "arm_order": [0, 1],
        "is_reference": [True, False],
    }
)


def draw(search: MarkerSearch) -> list[DrawnFigure]:
    """Draw the histogram of the cuts, and the response curve where there is one.

    Parameters
    ----------
    search : MarkerSearch
        One marker.
    """
    marker, tables = search.found.marker, tables_of([search])
    found, name = _found(search), slug(marker)
    drawn = [
        plot_cut_point(
            tables["bootstrap"],
            found,
            marker=marker,
            heading=Heading(
                figure_id=f"{name}-cuts",
                title=f"Where the bootstrap samples put the cut of {marker}",
                synthetic=False,
            ),
        )
    ]
    if "curve" in tables:
        curve = tables["curve"].with_columns(
            endpoint=pl.lit("response"),
            avisitn=pl.lit(None, dtype=pl.Int64),
            method=pl.lit(_CURVE),
        )
        drawn.append(
            plot_response_curve(
                curve,
                found,
                arms=_ARMS,
                marker=marker,
                heading=Heading(
                    figure_id=f"{name}-curve",
                    title=f"Response rate by threshold of {marker}",
                    synthetic=False,
                ),
            )
        )
    return drawn


def _found(search: MarkerSearch) -> pl.DataFrame:
    found, rules = search.found, search.found.rules
    least = f"at least {rules['min_cell']} subjects in each cell"
    method = (
        f"{found.n_boot} bootstrap samples ({rules['resample']}); in each the cut with the largest "
        f"interaction of arm and group ({rules['test']}; candidates: {rules['candidates']}; "
        f"{least}); median of the cuts. p: {search.adjusted.method} null, "
        f"{search.adjusted.n_null} draws. Seed {found.seed}"
    )
    row = {
        "marker": found.marker,
        "threshold": found.threshold,
        "direction": found.direction,
        "ci_lo": found.ci[0],
        "ci_hi": found.ci[1],
        "n": int(found.n.sum()),
        "n_boot": found.n_boot,
        "n_failed": found.n_failed,
        "p_adjusted": search.p,
        "verdict": search.words.split(". ")[0].rstrip(".") + ".",
        "status": "ok" if found.n_failed < found.n_boot else "no_cut",
        "method": method,
    }
    numbers = ("threshold", "ci_lo", "ci_hi", "p_adjusted")
    return pl.DataFrame([row], schema_overrides=dict.fromkeys(numbers, pl.Float64)).with_columns(
        pl.col(numbers).fill_nan(None)
    )
