"""Doses and samples of a trial and of earlier studies as one event table. Fits nothing.

The trial's come from SDTM-shaped tables, whose dates a dosing diary makes times; those of earlier
studies come in event form. Units are compared, never converted: what does not agree is an error.
"""

from dataclasses import dataclass

import polars as pl

from assayhouse.pk.diary import timed_doses
from assayhouse.pk.errors import UnitError
from assayhouse.pk.events import EventTable
from assayhouse.pk.notes import Issue
from assayhouse.pk.sdtm import (
    creatinine_clearance,
    events_from_sdtm,
    milligrams_per_decilitre,
    moments,
)
from assayhouse.pk.subjects import pool_rare_levels
from assayhouse.pk.units import AMOUNTS, CONCENTRATIONS

TRIAL, EARLIER = "trial", "earlier"
COVARIATES = ("AGE", "WT", "CRCL", "SEX", "RACE", "ETHNIC", "DISEASE", "DOSE", "SOURCE")
_TIME_UNIT = "h"
_SOURCE = ("source_file", "source_line", "sha256", "receipt")
ANALYSIS_NAMES = {
    "ID": "USUBJID",
    "TIME": "AFRLT",
    "BLQ": "BLQFN",
    "LLOQ": "ALLOQ",
    "WT": "WTBL",
    "CRCL": "CRCLBL",
    "DOSE": "dose_mg",
    "SOURCE": "pk_source",
}
"""Names in an event table, and in the analysis dataset."""
_NUMBERS = ("TIME", "AMT", "II", "DV", "LLOQ", "AGE", "WT", "creatinine")
_COUNTS = ("SEQ", "EVID", "ADDL", "BLQ")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialTables:
    """What a trial's events are made of, in SDTM's names; concentrations already chosen."""

    pc: pl.DataFrame
    ex: pl.DataFrame
    ec: pl.DataFrame
    dm: pl.DataFrame
    lb: pl.DataFrame | None
    vs: pl.DataFrame | None


def trial_events(tables: TrialTables, *, analyte: str, disease: str) -> pl.DataFrame:
    """Rows of the trial: a dose record per run of doses, a row per sample, covariates at baseline.

    Parameters
    ----------
    tables : TrialTables
        The trial.
    analyte : str
        Test code of the drug.
    disease : str
        State of health of the subjects.

    Returns
    -------
    DataFrame
        Columns of `adam.adppk`, without subjects who were never given the drug.

    Raises
    ------
    UnitError
        Doses or concentrations in a unit that is missing, unknown or not everywhere the same.
    """
    dm = tables.dm.with_columns(pl.lit(disease).alias("DISEASE"))
    built = events_from_sdtm(
        tables.pc,
        timed_doses(tables.ex, tables.ec),
        dm,
        _at_baseline(tables.lb, "LB", dm),
        _at_baseline(tables.vs, "VS", dm),
        analyte=analyte,
        lloq=None,
    )
    samples = tables.pc.filter(pl.col("PCTESTCD") == analyte)
    samples = samples.with_columns(moments(samples, "PCDTC").alias("at")).sort(
        "USUBJID", "at", maintain_order=True
    )
    origin = samples.select(
        pl.col("USUBJID").alias("ID"),
        pl.lit(0, dtype=pl.Int64).alias("EVID"),
        pl.int_range(pl.len()).over("USUBJID").alias("place"),
        pl.col("PCREFID").alias("SPECREF"),
        *_SOURCE,
    )
    numbered = built.frame.with_columns(pl.int_range(pl.len()).over("ID", "EVID").alias("place"))
    frame = numbered.join(origin, on=["ID", "EVID", "place"], how="left", maintain_order="left")
    study = tables.dm.select(pl.col("USUBJID").alias("ID"), "STUDYID").unique("ID", keep="first")
    frame = frame.join(study, on="ID", how="left", maintain_order="left").with_columns(
        pl.lit(built.amt_unit).alias("AMTU"), pl.lit(built.dv_unit).alias("DVU")
    )
    return _analysis_rows(frame, source=TRIAL)


def _at_baseline(frame: pl.DataFrame | None, domain: str, dm: pl.DataFrame) -> pl.DataFrame | None:
    """Values up to the day of the first dose, the last one first."""
    if frame is None:
        return None
    date = f"{domain}DTC"
    first = dm.select("USUBJID", pl.col("RFSTDTC").str.slice(0, 10).alias("first"))
    known = frame.join(first, on="USUBJID", how="inner", maintain_order="left")
    early = known.filter(pl.col(date).str.slice(0, 10) <= pl.col("first"))
    return early.sort(date, descending=True, maintain_order=True)


def earlier_events(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of earlier studies, which come in event form: see the shape ``pooled_pk``."""
    typed = rows.with_columns(
        pl.col(*_NUMBERS).cast(pl.Float64), pl.col(*_COUNTS).cast(pl.Float64).cast(pl.Int64)
    )
    serum = milligrams_per_decilitre("creatinine", "creatinine_unit")
    frame = typed.with_columns(serum.alias("serum"))
    frame = frame.with_columns(creatinine_clearance("serum").alias("CRCL"))
    ordered = frame.rename({"USUBJID": "ID"}).sort("ID", "TIME", "SEQ")
    return _analysis_rows(
        ordered.with_columns(pl.lit(None, dtype=pl.String).alias("SPECREF")), source=EARLIER
    )


def _analysis_rows(frame: pl.DataFrame, *, source: str) -> pl.DataFrame:
    """Bring event rows into the columns of the analysis dataset."""
    frame = frame.with_columns(pl.col("AMTU", "DVU").cast(pl.String))
    _require_known_unit(frame, "AMT", "AMTU", tuple(AMOUNTS))
    _require_known_unit(frame, "DV", "DVU", tuple(CONCENTRATIONS))
    amount = pl.col("AMT").cast(pl.Float64)
    to_mg = pl.col("AMTU").replace_strict(AMOUNTS, default=None, return_dtype=pl.Float64)
    dose = (amount * to_mg / AMOUNTS["mg"]).filter(amount > 0.0).first().over("ID")
    empty = [
        pl.lit(None, dtype=kind).alias(name)
        for name, kind in (("WT", pl.Float64), ("CRCL", pl.Float64))
        if name not in frame.columns
    ]
    told = frame.with_columns(
        amount.fill_null(0.0),
        pl.col("DV").cast(pl.Float64),
        pl.col("LLOQ").cast(pl.Float64),
        pl.col("ADDL", "BLQ").cast(pl.Int64).fill_null(0),
        pl.col("II").cast(pl.Float64).fill_null(0.0),
        dose.alias("DOSE"),
        (pl.col("EVID") != 0).cast(pl.Int64).alias("MDV"),
        pl.lit(0, dtype=pl.Int64).alias("SS"),
        pl.when(pl.col("EVID") == 0).then(2).otherwise(1).cast(pl.Int64).alias("CMT"),
        pl.lit(source).alias("SOURCE"),
        pl.int_range(1, pl.len() + 1).over("ID").cast(pl.Int64).alias("ASEQ"),
        *empty,
    )
    return told.filter(pl.col("DOSE").is_not_null()).rename(ANALYSIS_NAMES)


def _require_known_unit(frame: pl.DataFrame, name: str, unit: str, known: tuple[str, ...]) -> None:
    """Raise where a value has no unit, or one that is unknown: it would else be lost."""
    given = pl.col(name).cast(pl.Float64).fill_null(0.0) > 0.0
    stray = frame.filter(given & ~pl.col(unit).is_in(known).fill_null(value=False)).height
    if stray:
        message = f"{stray} rows have {name} without a unit {unit} of {', '.join(known)}."
        raise UnitError([Issue("unit", "error", message)])


def event_table(rows: pl.DataFrame, *, subject_rule: str, limit: float | None = None) -> EventTable:
    """Check the rows of the analysis dataset and choose the subjects.

    Parameters
    ----------
    rows : DataFrame
        `adam.adppk`.
    subject_rule : str
        ``quantifiable``: who has a quantifiable sample; ``observed``: who has any sample.
    limit : float or None
        A higher limit of quantification to take the samples by, in their unit; None for their own.

    Returns
    -------
    EventTable
        Levels of race and ethnicity that few subjects have are pooled.

    Raises
    ------
    UnitError
        Trial and earlier studies do not agree in a unit.
    EventTableError
        Rows cannot be used, or nobody stays.
    """
    units = _one_unit(rows, "AMTU"), concentration_unit(rows)
    frame = (
        _censored(rows, limit)
        .sort("USUBJID", "ASEQ")
        .rename({new: old for old, new in ANALYSIS_NAMES.items()})
    )
    columns = ("ID", "TIME", "AMT", "DV", "EVID", "MDV", "BLQ", "LLOQ", "ADDL", "II", "SS", "CMT")
    # A covariate that nobody has is no covariate; a model that names it will miss the column.
    held = tuple(name for name in COVARIATES if frame[name].null_count() < frame.height)
    table = EventTable.from_frame(
        frame.select(*columns, *held),
        amt_unit=units[0],
        dv_unit=units[1],
        time_unit=_TIME_UNIT,
        covariates=held,
        subject_rule="observed" if subject_rule == "observed" else "quantifiable",
        missing_covariates="impute",
    )
    return pool_rare_levels(table)


def _censored(rows: pl.DataFrame, limit: float | None) -> pl.DataFrame:
    """Report the samples as an assay with a higher limit would have done."""
    if limit is None:
        return rows
    below = (pl.col("EVID") == 0) & ((pl.col("BLQFN") == 1) | (pl.col("DV") < limit))
    return rows.with_columns(
        pl.when(below).then(None).otherwise(pl.col("DV")).alias("DV"),
        pl.when(below).then(1).otherwise(pl.col("BLQFN")).cast(rows["BLQFN"].dtype).alias("BLQFN"),
        pl.when(pl.col("EVID") == 0)
        .then(pl.max_horizontal("ALLOQ", pl.lit(limit)))
        .otherwise(pl.col("ALLOQ"))
        .alias("ALLOQ"),
    )


def concentration_unit(rows: pl.DataFrame) -> str:
    """Give the one unit of the samples.

    Raises
    ------
    UnitError
        There is none, or more than one.
    """
    return _one_unit(rows, "DVU")


def _one_unit(rows: pl.DataFrame, name: str) -> str:
    found = rows[name].drop_nulls().unique().sort().to_list()
    if len(found) != 1:
        message = f"{name} must be one unit in all rows; found {', '.join(found) or 'none'}."
        raise UnitError([Issue("unit", "error", message)])
    return str(found[0])


def require_planned_doses(ex: pl.DataFrame, planned_mg: list[float]) -> None:
    """Raise where a dose is none of those planned: its amount or its unit is wrong.

    Parameters
    ----------
    ex : DataFrame
        EXDOSE, EXDOSU, EXADJ; an adjusted dose may be any.
    planned_mg : list of float
        Doses of the arms, zero for placebo.

    Raises
    ------
    UnitError
        With the number of records.
    """
    amount = pl.col("EXDOSU").replace_strict(AMOUNTS, default=None, return_dtype=pl.Float64)
    milligrams = ex.filter(pl.col("EXADJ").is_null()).select(
        (pl.col("EXDOSE") * amount / AMOUNTS["mg"]).alias("mg")
    )["mg"]
    known = pl.lit(value=False)
    for dose in planned_mg:
        known = known | ((pl.col("mg") - dose).abs() <= 1e-9 * max(dose, 1e-3))
    wrong = milligrams.to_frame().filter(~known.fill_null(value=False)).height
    if wrong:
        message = (
            f"{wrong} exposure records are no dose of any arm: EXDOSE or EXDOSU is wrong. "
            f"No event was made."
        )
        raise UnitError([Issue("unit", "error", message)])
