"""Printed tables of the population model: its parameters, and what the choice of subjects does.

Takes results as they are; computes nothing but the rounding of a printed number.
"""

from collections.abc import Mapping

import polars as pl

from assayhouse.report.frames import require_columns, require_unique
from assayhouse.report.html import Column, Content, Markup, join, table, tag
from assayhouse.report.printed import PrintedTable
from assayhouse.report.words import DASH, number

MAIN = "main"
RULES = {
    "quantifiable": "Subjects with a quantifiable sample",
    "observed": "Every sampled subject",
}
_PARAMETERS = ("run", "pk_parameter", "estimate", "estimate_unit", "se", "rse_pct", "ci_lo",
               "ci_hi", "shrinkage_pct", "status", "reasons", "method")  # fmt: skip
_DOSES = ("run", "subject_rule", "exposure_measure", "n_subjects", "n_missing", "dose_slope",
          "ci_lo", "ci_hi", "ci_level", "dose_ratio", "ratio", "ratio_lo", "ratio_hi",
          "region_lo", "region_hi", "conclusion", "status", "reasons", "method")  # fmt: skip
_BOXES = ("exposure_measure", "cut_off", "dose_mg", "n_subjects", "n_missing", "n_blq_only",
          "box_median", "geomean", "geocv_pct", "unit")  # fmt: skip


def parameters_table(parameters: pl.DataFrame, *, table_id: str, title: str) -> PrintedTable:
    """Print the parameters of the main run.

    Parameters
    ----------
    parameters : polars.DataFrame
        ``ard.population_pk``.
    table_id, title : str
        Name and heading.

    Returns
    -------
    PrintedTable
        One line per parameter; where the run FAILED, its reasons.

    Raises
    ------
    ReportInputError
        A column is missing, or a parameter repeats.
    """
    require_columns(parameters, _PARAMETERS, name="ard.population_pk")
    require_unique(parameters, ("run", "pk_parameter"), name="ard.population_pk")
    own = parameters.filter(pl.col("run") == MAIN).select(_PARAMETERS)
    lines: list[list[Content]] = [
        [
            str(row["pk_parameter"]),
            str(row["estimate_unit"] or ""),
            _digits(row["estimate"]),
            _digits(row["se"]),
            _fixed(row["rse_pct"], 0),
            _between(row, "ci_lo", "ci_hi"),
            _fixed(row["shrinkage_pct"], 0),
        ]
        for row in own.iter_rows(named=True)
    ]
    heads = (
        Column(title="Parameter"),
        Column(title="Unit"),
        Column(title="Estimate", numeric=True),
        Column(title="SE", numeric=True),
        Column(title="RSE, %", numeric=True),
        Column(title="95 % CI", numeric=True),
        Column(title="Shrinkage, %", numeric=True),
    )
    first = own.row(0, named=True)
    notes = [f"Status of the fit: {first['status']}. {first['reasons'] or ''}".strip()]
    notes.append(f"Method: {first['method']}. P~X: effect of covariate X on P; omega2: variance "
                 "between subjects; sigma: residual standard deviations.")  # fmt: skip
    markup = join((table(heads, lines, caption="Main run."), *map(_note, notes)))
    rows = own.select(pl.lit(table_id).alias("table_id"), pl.all())
    return PrintedTable(table_id=table_id, title=title, rows=rows, markup=markup)


def population_rule_table(
    doses: pl.DataFrame, summary: pl.DataFrame, *, table_id: str, title: str
) -> PrintedTable:
    """Print exposure by dose and its slope for either choice of subjects, side by side.

    Parameters
    ----------
    doses, summary : polars.DataFrame
        ``ard.dose_proportionality``, ``ard.exposure_summary``.
    table_id, title : str
        Name and heading.

    Returns
    -------
    PrintedTable
        Per choice one line per dose; the slopes stand under the table.

    Raises
    ------
    ReportInputError
        A column is missing, or a run repeats.
    """
    require_columns(doses, _DOSES, name="ard.dose_proportionality")
    require_columns(summary, _BOXES, name="ard.exposure_summary")
    require_unique(doses, ("run",), name="ard.dose_proportionality")
    lines: list[list[Content]] = []
    marks: list[str] = []
    slopes: list[str] = []
    parts = []
    for run in doses.sort(pl.col("run") != MAIN, "run").iter_rows(named=True):
        own = summary.filter(
            (pl.col("exposure_measure") == run["exposure_measure"]) & (pl.col("cut_off") == "")
        ).sort("dose_mg")
        rule = RULES.get(str(run["subject_rule"]), str(run["subject_rule"]))
        lines.append([tag("b", f"{rule} ({run['run']})"), *[""] * 6])
        marks.append("first")
        for row in own.iter_rows(named=True):
            counts = [str(row[name]) for name in ("n_subjects", "n_missing", "n_blq_only")]
            lines.append(
                [f"{row['dose_mg']:g} mg", *counts, _digits(row["box_median"]),
                 _digits(row["geomean"]), _fixed(row["geocv_pct"], 0)]
            )  # fmt: skip
            marks.append("")
        slopes.append(f"{rule} ({run['run']}): {_slope(run)}")
        parts.append(own.select(pl.lit(run["run"]).alias("run"), *_BOXES))
    unit = next(iter(summary["unit"].drop_nulls().to_list()), "")
    heads = (
        Column(title="Dose"),
        Column(title="n", numeric=True),
        Column(title="Left out", numeric=True),
        Column(title="All below the limit", numeric=True),
        Column(title=f"Median ({unit})", numeric=True),
        Column(title=f"Geometric mean ({unit})", numeric=True),
        Column(title="CV, %", numeric=True),
    )
    told = (
        "Leaving out who has no quantifiable sample takes low exposures from the lowest dose first "
        "and bends the slope downwards; read it beside that of every sampled subject. A run with "
        "a limit takes the same samples as an assay with that limit would have reported them. "
        f"Method: {doses['method'][0]}."
    )
    markup = join(
        (
            table(heads, lines, marks=marks, caption="Steady-state exposure."),
            *map(_note, (*slopes, told)),
        )
    )
    rows = pl.concat(parts).join(doses.select(_DOSES).drop("n_subjects", "n_missing"),
                                 on=["run", "exposure_measure"], how="left")  # fmt: skip
    rows = rows.select(pl.lit(table_id).alias("table_id"), pl.all())
    return PrintedTable(table_id=table_id, title=title, rows=rows, markup=markup)


def _slope(run: Mapping[str, object]) -> str:
    if run["dose_slope"] is None:
        return str(run["reasons"])
    values = {name: float(str(run[name])) for name in _DOSES[5:13]}
    region = f"{_fixed(run['region_lo'], 2)} to {_fixed(run['region_hi'], 2)}"
    return (
        f"slope of log exposure on log dose {number(values['dose_slope'], 2)} "
        f"({100 * values['ci_level']:.0f} % CI {_between(run, 'ci_lo', 'ci_hi', 2)}); "
        f"{values['dose_ratio']:g} times the dose: {number(values['ratio'], 2)} times the exposure "
        f"({_between(run, 'ratio_lo', 'ratio_hi', 2)}); region {region}: {run['conclusion']}."
    )


def _digits(value: object) -> str:
    """Write a number with four significant digits."""
    return DASH if value is None else f"{float(str(value)):.4g}"


def _fixed(value: object, decimals: int) -> str:
    return DASH if value is None else number(float(str(value)), decimals)


def _between(row: Mapping[str, object], low: str, high: str, decimals: int | None = None) -> str:
    if row[low] is None or row[high] is None:
        return DASH
    if decimals is None:
        return f"{_digits(row[low])} to {_digits(row[high])}"
    return f"{_fixed(row[low], decimals)} to {_fixed(row[high], decimals)}"


def _note(text: str) -> Markup:
    return tag("p", text, attributes={"class": "muted"})
