"""Numbers of the box plots of exposure, and what is said under them. Draws nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from assayhouse.report.frames import require_columns
from assayhouse.report.words import number

ALL = "all"
MOST_SHRINKAGE = 30.0
BOX, WHISKERS, OUTLIER = "box", "whiskers", "outlier"
NUMBERS = ("box_median", "box_q1", "box_q3", "whisker_low", "whisker_high")
SUMMARY = ("exposure_measure", "cut_off", "level", "dose_mg", "n_subjects", "n_missing", *NUMBERS)
_SCHEMA = {
    "figure_id": pl.String, "panel": pl.String, "parameter": pl.String, "response": pl.String,
    "unit": pl.String, "series": pl.String, "arm": pl.String, "level": pl.String,
    "label": pl.String, "x": pl.Float64, "estimate": pl.Float64, "lower": pl.Float64,
    "upper": pl.Float64, "near_low": pl.Float64, "near_high": pl.Float64, "n": pl.Int64,
    "status": pl.String,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureTables:
    """What the figure of exposure is drawn from.

    Parameters
    ----------
    summary, exposure, proportionality : polars.DataFrame
        ``ard.exposure_summary``, ``ard.exposure``, ``ard.dose_proportionality``.
    flags, cut_offs, arms : polars.DataFrame
        ``adam.subset_flags``, ``ref.cut_offs``, ``ref.arms``.
    measure, inset : str
        Measure shown, and the one of the inset.
    shrinkage : str
        What `shrinkage_note` says.
    """

    summary: pl.DataFrame
    exposure: pl.DataFrame
    proportionality: pl.DataFrame
    flags: pl.DataFrame
    cut_offs: pl.DataFrame
    arms: pl.DataFrame
    measure: str
    inset: str
    shrinkage: str = ""

    def notes(self) -> tuple[str, ...]:
        """Say what the boxes are, who is missing, and whether exposure follows the dose."""
        told = (
            "Boxes: median and quartiles; whiskers reach the most extreme value within 1.5 "
            "interquartile ranges, circles lie beyond. Individual estimates of the population "
            "model: dose / (CL/F). Inset: per mg, level where exposure is proportional to dose."
        )
        return (
            told,
            *((self.shrinkage,) if self.shrinkage else ()),
            *(self._population(row) for row in self.proportionality.iter_rows(named=True)),
        )

    def _population(self, row: Mapping[str, object]) -> str:
        rule = {
            "quantifiable": "subjects with a quantifiable sample",
            "observed": "every sampled subject",
        }.get(str(row["subject_rule"]), str(row["subject_rule"]))
        run = f"{str(row['run'])[:1].upper()}{str(row['run'])[1:]}"  # a unit in it keeps its case
        if row["dose_slope"] is None:
            return f"{run} ({rule}): {row['reasons']}"
        lost = self.summary.filter(
            (pl.col("exposure_measure") == row["exposure_measure"]) & (pl.col("cut_off") == "")
        ).sort("dose_mg")
        gone = lost.select("dose_mg", "n_missing").iter_rows()
        missing = ", ".join(f"{dose:g} mg {count}" for dose, count in gone)
        slope, low, high, ratio = (
            number(_value(row[name]), 2) for name in ("dose_slope", "ci_lo", "ci_hi", "ratio")
        )
        return (
            f"{run} ({rule}, n = {row['n_subjects']}; left "
            f"out: {missing}): slope of log exposure on log dose {slope} "
            f"({100 * _value(row['ci_level']):.0f} % CI {low} to {high}), "
            f"{_value(row['dose_ratio']):g} times the dose gives {ratio} times the exposure: "
            f"{row['conclusion']}."
        )


def shrinkage_note(parameters: pl.DataFrame) -> str:
    """Say how far the individual estimates lean on the population, with a warning above 30 %.

    Parameters
    ----------
    parameters : polars.DataFrame
        ``ard.population_pk``.

    Returns
    -------
    str
        Empty where no shrinkage is known.
    """
    require_columns(parameters, ("run", "pk_parameter", "shrinkage_pct"), name="ard.population_pk")
    own = parameters.filter((pl.col("run") == "main") & pl.col("shrinkage_pct").is_not_null())
    if own.is_empty():
        return ""
    named = [
        (str(name).removeprefix("omega2(").removesuffix(")"), float(value))
        for name, value in own.select("pk_parameter", "shrinkage_pct").iter_rows()
    ]
    listed = ", ".join(f"{name} {value:.0f} %" for name, value in named)
    high = [name for name, value in named if value > MOST_SHRINKAGE]
    if not high:
        return f"Shrinkage of the individual estimates: {listed}."
    return (
        f"SHRINKAGE ABOVE {MOST_SHRINKAGE:.0f} % ({', '.join(high)}): individual estimates of "
        f"these lean on the population and are not to be read one by one ({listed})."
    )


def _value(value: object) -> float:
    return float(str(value))


def boxes_twin(tables: ExposureTables, *, figure_id: str) -> pl.DataFrame:
    """Lay out every box, its whiskers and the values beyond them.

    Parameters
    ----------
    tables : ExposureTables
        What is drawn.
    figure_id : str
        Name of the figure.

    Returns
    -------
    polars.DataFrame
        Panels: all, one per cut-off, and the inset.

    Raises
    ------
    ReportInputError
        A frame lacks a column.
    """
    require_columns(tables.summary, SUMMARY, name="ard.exposure_summary")
    shown = tables.summary.filter(
        (pl.col("exposure_measure") == tables.measure)
        | ((pl.col("exposure_measure") == tables.inset) & (pl.col("cut_off") == ""))
    )
    labels = dict(tables.cut_offs.select("cut_off", "label").iter_rows())
    arms = dict(tables.arms.select("dose_mg", "ARMCD").iter_rows())
    order = {name: rank for rank, name in enumerate(labels)}
    rows = sorted(
        shown.iter_rows(named=True),
        key=lambda row: (
            order.get(row["cut_off"], -1), row["exposure_measure"] == tables.inset,
            row["dose_mg"], row["level"],
        ),
    )  # fmt: skip
    found: list[dict[str, object]] = []
    for row in rows:
        common = {
            "figure_id": figure_id, "panel": _panel(row, tables.inset),
            "parameter": _heading(row, labels), "response": tables.measure,
            "unit": row["unit"], "arm": arms[row["dose_mg"]], "level": row["level"],
            "x": row["dose_mg"], "n": row["n_subjects"],
            "status": "ok" if row["n_subjects"] else "no_values",
        }  # fmt: skip
        found.append({**common, "series": BOX, "estimate": row["box_median"],
                      "lower": row["box_q1"], "upper": row["box_q3"]})  # fmt: skip
        found.append({**common, "series": WHISKERS, "lower": row["whisker_low"],
                      "upper": row["whisker_high"], "near_low": row["box_q1"],
                      "near_high": row["box_q3"]})  # fmt: skip
        found += [{**common, "series": OUTLIER, "estimate": value}
                  for value in _beyond(row, tables)]  # fmt: skip
    return pl.DataFrame(found, schema=_SCHEMA)


def _panel(row: Mapping[str, object], inset: str) -> str:
    if row["exposure_measure"] == inset:
        return inset
    return str(row["cut_off"]) or ALL


def _heading(row: Mapping[str, object], labels: Mapping[str, str]) -> str:
    cut = str(row["cut_off"])
    return f"By {labels.get(cut, cut)} at baseline" if cut else "All subjects"


def _beyond(row: Mapping[str, object], tables: ExposureTables) -> list[float]:
    """Values beyond the whiskers of one box."""
    if row["whisker_low"] is None:
        return []
    own = tables.exposure.filter(
        (pl.col("exposure_measure") == tables.measure) & (pl.col("dose_mg") == row["dose_mg"])
    )
    value = pl.col("exposure_value")
    if row["exposure_measure"] == tables.inset:
        value = value / pl.col("dose_mg")
    if row["cut_off"]:
        flags = tables.flags.filter(
            (pl.col("cut_off") == row["cut_off"]) & (pl.col("level") == row["level"])
        )
        own = own.filter(pl.col("usubjid").is_in(flags["USUBJID"].to_list()))
    slack = 1e-9
    low, high = _value(row["whisker_low"]), _value(row["whisker_high"])
    outside = (value < low * (1 - slack)) | (value > high * (1 + slack))
    return own.filter(outside).select(value.alias("v"))["v"].sort().to_list()
