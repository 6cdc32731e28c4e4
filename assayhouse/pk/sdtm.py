"""From SDTM-shaped tables to the rows of an event table. Units are read, never assumed."""

from dataclasses import dataclass

import polars as pl

from assayhouse.pk.errors import EventTableError, UnitError
from assayhouse.pk.notes import Issue
from assayhouse.pk.units import AMOUNTS, CONCENTRATIONS

_PC = ("USUBJID", "PCTESTCD", "PCORRES", "PCSTRESN", "PCSTRESU", "PCDTC")
_EX = ("USUBJID", "EXDOSE", "EXDOSU", "EXDOSFRQ", "EXSTDTC", "EXENDTC")
_DM = ("USUBJID", "AGE", "SEX", "RACE", "ETHNIC")
_BLQ_WORDS = ("BLQ", "BLOQ", "BQL")
FREQUENCIES = {"QD": 24.0, "BID": 12.0, "TID": 8.0, "QID": 6.0, "QOD": 48.0, "QW": 168.0}
_ONCE = "ONCE"
_UMOL_PER_MG_DL = 88.4
_HOUR = 3600.0
_FORMATS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltEvents:
    """Rows of an event table, with the units the tables gave.

    Parameters
    ----------
    frame : polars.DataFrame
        Event columns and covariates.
    amt_unit, dv_unit : str
        Units of AMT and DV.
    covariates : tuple of str
        Columns after the event columns.
    """

    frame: pl.DataFrame
    amt_unit: str
    dv_unit: str
    covariates: tuple[str, ...]


def events_from_sdtm(
    pc: pl.DataFrame,
    ex: pl.DataFrame,
    dm: pl.DataFrame,
    lb: pl.DataFrame | None,
    vs: pl.DataFrame | None,
    *,
    analyte: str,
    lloq: float | None,
) -> BuiltEvents:
    """Doses and samples of one analyte, in hours from each subject's first dose.

    Parameters
    ----------
    pc, ex, dm, lb, vs : polars.DataFrame
        As of `assayhouse.pk.build_events`.
    analyte : str
        PCTESTCD of the compound.
    lloq : float, optional
        Limit where PCLLOQ is empty.

    Returns
    -------
    BuiltEvents
        Rows ready for the checks of an event table.

    Raises
    ------
    UnitError
        A unit is missing, unknown, or not the same in all rows.
    EventTableError
        Columns are missing, a date or a frequency cannot be read.

    References
    ----------
    .. [1] CDISC (2021), SDTM Implementation Guide 3.4, domains EX and PC.
    """
    _require_columns(("PC", pc, _PC), ("EX", ex, _EX), ("DM", dm, _DM))
    samples = _samples(pc, analyte, lloq)
    doses = _doses(ex)
    start = doses.group_by("USUBJID").agg(pl.col("at").min().alias("start"))
    events = pl.concat([doses, samples], how="diagonal").join(start, on="USUBJID", how="left")
    # A subject without dose keeps its samples, so that the table can say why it leaves.
    origin = pl.col("start").fill_null(pl.col("at").min().over("USUBJID"))
    hours = (pl.col("at") - origin).dt.total_milliseconds() / (1000 * _HOUR)
    # At one time the sample is predose: it was drawn before the dose of that time.
    events = events.with_columns(hours.alias("TIME")).sort(
        "USUBJID", "TIME", "EVID", maintain_order=True
    )
    who, covariates = _covariates(dm, lb, vs)
    frame = events.join(who, on="USUBJID", how="left", maintain_order="left")
    frame = frame.rename({"USUBJID": "ID"}).drop("at", "start")
    return BuiltEvents(
        frame=frame,
        amt_unit=_one_unit(doses["unit"], "EXDOSU", tuple(AMOUNTS)),
        dv_unit=_one_unit(samples["unit"], "PCSTRESU", tuple(CONCENTRATIONS)),
        covariates=covariates,
    )


def _samples(pc: pl.DataFrame, analyte: str, lloq: float | None) -> pl.DataFrame:
    text = pl.col("PCORRES").cast(pl.String).str.strip_chars().str.to_uppercase()
    status = pl.col("PCSTAT") if "PCSTAT" in pc.columns else pl.lit(None, dtype=pl.String)
    limit = pl.col("PCLLOQ") if "PCLLOQ" in pc.columns else pl.lit(None, dtype=pl.Float64)
    done = status.cast(pl.String).str.to_uppercase().ne_missing("NOT DONE")
    rows = pc.filter((pl.col("PCTESTCD") == analyte) & done)
    if not rows.height:
        message = f"PC has no sample with PCTESTCD {analyte!r}."
        raise EventTableError([Issue("no_subjects", "error", message)])
    is_blq = text.str.starts_with("<") | text.is_in(_BLQ_WORDS)
    return rows.select(
        "USUBJID",
        moments(rows, "PCDTC").alias("at"),
        pl.lit(0, dtype=pl.Int64).alias("EVID"),
        pl.col("PCSTRESN").cast(pl.Float64, strict=False).alias("DV"),
        is_blq.fill_null(value=False).cast(pl.Int64).alias("BLQ"),
        limit.cast(pl.Float64, strict=False)
        .fill_null(pl.lit(lloq, dtype=pl.Float64))
        .alias("LLOQ"),
        pl.col("PCSTRESU").cast(pl.String).alias("unit"),
    )


def _doses(ex: pl.DataFrame) -> pl.DataFrame:
    """Dose records; a placebo's dose of 0 is no dose."""
    rows = ex.filter(pl.col("EXDOSE").cast(pl.Float64, strict=False).fill_null(0.0) > 0)
    if not rows.height:
        raise EventTableError([Issue("no_subjects", "error", "EX has no dose above 0.")])
    often = pl.col("EXDOSFRQ").cast(pl.String).str.to_uppercase()
    unknown = rows.filter(~often.is_in([*FREQUENCIES, _ONCE]).fill_null(value=False))
    if unknown.height:
        words = ", ".join((*FREQUENCIES, _ONCE))
        message = f"{unknown.height} records of EX have an EXDOSFRQ that is none of {words}."
        raise EventTableError([Issue("bad_code", "error", message)])
    every = often.replace_strict({**FREQUENCIES, _ONCE: 0.0}, return_dtype=pl.Float64)
    start, end = moments(rows, "EXSTDTC"), moments(rows, "EXENDTC", gaps=True)
    rows = rows.with_columns(start.alias("at"), end.alias("end"), every.alias("II"))
    rows = rows.with_columns(_additional(rows).alias("ADDL"))
    return rows.select(
        "USUBJID",
        "at",
        pl.lit(1, dtype=pl.Int64).alias("EVID"),
        pl.col("EXDOSE").cast(pl.Float64).alias("AMT"),
        "ADDL",
        "II",
        pl.col("EXDOSU").cast(pl.String).alias("unit"),
    )


def _additional(rows: pl.DataFrame) -> pl.Series:
    """Doses after the first: whole intervals from start to end, a date alone meaning all day."""
    date_only = rows["EXENDTC"].cast(pl.String).str.len_chars().fill_null(0) <= len("YYYY-MM-DD")
    reach = rows.select(
        pl.when(date_only)
        .then((pl.col("end").dt.date() - pl.col("at").dt.date()).dt.total_days() * 24.0)
        .otherwise((pl.col("end") - pl.col("at")).dt.total_milliseconds() / (1000 * _HOUR))
        .fill_null(0.0)
        .alias("hours")
    )["hours"]
    every = rows["II"]
    counts = (reach / every.set(every == 0, None) + 1e-9).floor().fill_null(0.0)
    return counts.clip(lower_bound=0).cast(pl.Int64)


def moments(frame: pl.DataFrame, name: str, *, gaps: bool = False) -> pl.Series:
    """Read times of a column, from dates or from ISO 8601 text.

    Parameters
    ----------
    frame : polars.DataFrame
        Any rows.
    name : str
        Column of dates, times or text.
    gaps : bool
        Whether empty values may stand.

    Raises
    ------
    EventTableError
        A value cannot be read.

    References
    ----------
    .. [1] ISO 8601-1 (2019), section 5.4.
    """
    values = frame[name]
    if values.dtype.is_temporal():
        return values.cast(pl.Datetime("ms"))
    text = values.cast(pl.String).str.strip_chars()
    tries = [text.str.to_datetime(form, strict=False, time_unit="ms") for form in _FORMATS]
    parsed = pl.select(pl.coalesce(tries)).to_series()
    lost = parsed.is_null() & ~(text.is_null() | (text == "")) if gaps else parsed.is_null()
    if lost.any():
        message = f"{int(lost.sum())} values of {name} are not ISO 8601 dates or times."
        raise EventTableError([Issue("bad_type", "error", message, tuple(lost.arg_true()))])
    return parsed


def _covariates(
    dm: pl.DataFrame, lb: pl.DataFrame | None, vs: pl.DataFrame | None
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """One row per subject: AGE, WT, CRCL, RACE, SEX, ETHNIC, and DISEASE where there is one."""
    disease = ["DISEASE"] if "DISEASE" in dm.columns else []
    who = dm.select(
        "USUBJID", pl.col("AGE").cast(pl.Float64, strict=False), "RACE", "SEX", "ETHNIC", *disease
    ).unique("USUBJID", keep="first", maintain_order=True)
    who = who.join(_baseline(vs, "VS", "WEIGHT"), on="USUBJID", how="left", maintain_order="left")
    who = who.join(_creatinine(lb), on="USUBJID", how="left", maintain_order="left")
    who = who.with_columns(creatinine_clearance("CREAT").alias("CRCL"))
    names = ("AGE", "WT", "CRCL", "RACE", "SEX", "ETHNIC", *disease)
    # A covariate nobody has is no covariate; those who need it will miss the column.
    held = tuple(name for name in names if who[name].null_count() < who.height)
    return who.select("USUBJID", *held), held


def creatinine_clearance(creatinine: str) -> pl.Expr:
    """Creatinine clearance, mL/min, from AGE (years), WT (kg), SEX and a creatinine in mg/dL.

    Parameters
    ----------
    creatinine : str
        Name of its column.

    References
    ----------
    .. [1] Cockcroft DW, Gault MH (1976), Nephron 16, 31-41.

    Examples
    --------
    >>> who = pl.DataFrame({"AGE": [40.0], "WT": [72.0], "SEX": ["F"], "serum": [1.0]})
    >>> who.select(creatinine_clearance("serum").round(6)).item()
    85.0
    """
    female = pl.col("SEX").cast(pl.String).str.to_uppercase().str.starts_with("F")
    clearance = (140 - pl.col("AGE")) * pl.col("WT") / (72 * pl.col(creatinine))
    return clearance * pl.when(female).then(0.85).otherwise(1.0)


def milligrams_per_decilitre(value: str, unit: str) -> pl.Expr:
    """Creatinine in mg/dL from a column in mg/dL or umol/L; the unit is named by another column.

    Parameters
    ----------
    value, unit : str
        Names of the columns.

    References
    ----------
    .. [1] Myers GL et al. (2006), Clin Chem 52, 5-18 (88.4 umol/L per mg/dL).
    """
    divisor = pl.when(pl.col(unit) == "umol/L").then(_UMOL_PER_MG_DL).otherwise(1.0)
    return pl.col(value) / divisor


def _baseline(frame: pl.DataFrame | None, domain: str, test: str) -> pl.DataFrame:
    name = {"WEIGHT": "WT", "CREAT": "CREAT"}[test]
    if frame is None:
        return pl.DataFrame(schema={"USUBJID": pl.String, name: pl.Float64, "unit": pl.String})
    code, value, unit, flag = (f"{domain}{part}" for part in ("TESTCD", "STRESN", "STRESU", "BLFL"))
    _require_columns((domain, frame, ("USUBJID", code, value, unit)))
    rows = frame.filter((pl.col(code) == test) & pl.col(value).is_not_null())
    if flag in rows.columns:
        rows = rows.sort(pl.col(flag).eq_missing("Y"), descending=True, maintain_order=True)
    rows = rows.unique("USUBJID", keep="first", maintain_order=True)
    if test == "WEIGHT" and rows.height:
        _one_unit(rows[unit], unit, ("kg",))
    return rows.select(
        "USUBJID", pl.col(value).cast(pl.Float64).alias(name), pl.col(unit).alias("unit")
    ).drop(["unit"] if test == "WEIGHT" else [])


def _creatinine(lb: pl.DataFrame | None) -> pl.DataFrame:
    """Creatinine at baseline in mg/dL."""
    rows = _baseline(lb, "LB", "CREAT")
    known = pl.col("unit").is_in(["mg/dL", "umol/L"]).fill_null(value=False)
    if rows.filter(~known).height:
        message = "Creatinine (LBSTRESU) must be in mg/dL or umol/L in every row."
        raise UnitError([Issue("unit", "error", message)])
    return rows.select("USUBJID", milligrams_per_decilitre("CREAT", "unit").alias("CREAT"))


def _one_unit(values: pl.Series, name: str, known: tuple[str, ...]) -> str:
    found = values.drop_nulls().unique().sort().to_list()
    if len(found) != 1 or found[0] not in known or values.null_count() == len(values):
        message = f"{name} must be one of {', '.join(known)}, the same in every row."
        raise UnitError([Issue("unit", "error", message)])
    return str(found[0])


def _require_columns(*tables: tuple[str, pl.DataFrame, tuple[str, ...]]) -> None:
    issues = [
        Issue("missing_column", "error", f"Column {column} of {name} is needed and not there.")
        for name, frame, columns in tables
        for column in columns
        if column not in frame.columns
    ]
    if issues:
        raise EventTableError(issues)
