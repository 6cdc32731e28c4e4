"""Columns of an event table: which there must be, of which type, and what stands for a gap.

No rule between columns is here (`event_rules`).
"""

from collections.abc import Sequence

import polars as pl

from assayhouse.pk.notes import Issue

EVENT_COLUMNS = (
    "ID",
    "TIME",
    "AMT",
    "DV",
    "EVID",
    "MDV",
    "BLQ",
    "LLOQ",
    "ADDL",
    "II",
    "SS",
    "CMT",
)
REQUIRED = ("ID", "TIME", "EVID")
_GAPS = ("", ".")
_INFUSION = ("RATE", "DUR")


def column_issues(frame: pl.DataFrame, covariates: Sequence[str]) -> list[Issue]:
    """Problems of columns as a whole: absent, given twice under two names, of the wrong type."""
    missing = [name for name in (*REQUIRED, *covariates) if name not in frame.columns]
    issues = [
        Issue("missing_column", "error", f"Column {name} is needed and not there.")
        for name in missing
    ]
    if "BLQ" in frame.columns and "CENS" in frame.columns:
        message = "BLQ and CENS are two names for one column; give one of them."
        issues.append(Issue("bad_code", "error", message))
    for name in EVENT_COLUMNS[1:]:
        issues += _type_issues(frame, name)
    if "ID" in frame.columns:
        issues += _gap_issues(frame, "ID")
    return issues


def typed_columns(frame: pl.DataFrame, covariates: Sequence[str]) -> pl.DataFrame:
    """Event columns as numbers, gaps filled with what they mean, covariates as they are."""
    columns = [frame["ID"].cast(pl.String).str.strip_chars().alias("ID")]
    columns += [number(frame, _source(frame, name)).alias(name) for name in EVENT_COLUMNS[1:]]
    table = pl.DataFrame(columns)
    is_dose = (pl.col("EVID") == 1) | (pl.col("EVID") == 4)
    table = table.with_columns(
        pl.col("MDV").fill_null((pl.col("EVID") != 0).cast(pl.Float64)),
        pl.col("BLQ", "ADDL", "II", "SS").fill_null(0.0),
        pl.when(is_dose).then(pl.col("CMT").fill_null(1.0)).otherwise(pl.col("CMT")).alias("CMT"),
        pl.when(is_dose).then(pl.col("AMT")).otherwise(pl.col("AMT").fill_null(0.0)).alias("AMT"),
    )
    return table.with_columns(covariate(frame, name) for name in covariates)


def integer_codes(table: pl.DataFrame) -> pl.DataFrame:
    """Codes as whole numbers, once they are known to be whole."""
    return table.with_columns(pl.col("EVID", "MDV", "BLQ", "ADDL", "SS", "CMT").cast(pl.Int64))


def infusion_rows(frame: pl.DataFrame) -> tuple[int, ...]:
    """Rows whose RATE or DUR asks for something else than a dose given at once."""
    found: set[int] = set()
    for name in _INFUSION:
        if name in frame.columns:
            values = number(frame, name)
            asked = (values.fill_null(0.0) != 0.0) | _unreadable(frame, name)
            found.update(asked.arg_true().to_list())
    return tuple(sorted(found))


def number(frame: pl.DataFrame, name: str) -> pl.Series:
    """Read a column as float64: null where there is no number, and where there is no column."""
    if name not in frame.columns:
        return pl.Series(name, [None] * frame.height, dtype=pl.Float64)
    values = _plain(frame[name])
    if values.dtype == pl.String:
        values = values.str.strip_chars()
    if values.dtype in {pl.String, pl.Boolean, pl.Null} or values.dtype.is_numeric():
        return values.cast(pl.Float64, strict=False).fill_nan(None)
    return pl.Series(name, [None] * frame.height, dtype=pl.Float64)


def covariate(frame: pl.DataFrame, name: str) -> pl.Series:
    """Return a covariate as it is; what stands for a gap becomes one."""
    values = _plain(frame[name])
    if values.dtype.is_float():
        finite = values.is_finite().fill_null(value=False)
        return values.set(~finite, None)
    if values.dtype == pl.String:
        stripped = values.str.strip_chars()
        return stripped.set(stripped.is_in(_GAPS).fill_null(value=False), None).alias(name)
    return values


def _plain(values: pl.Series) -> pl.Series:
    if values.dtype in {pl.Categorical, pl.Enum}:
        return values.cast(pl.String)
    if values.null_count() == len(values):
        return pl.Series(values.name, [None] * len(values), dtype=pl.Float64)
    return values


def _source(frame: pl.DataFrame, name: str) -> str:
    return "CENS" if name == "BLQ" and "BLQ" not in frame.columns else name


def _unreadable(frame: pl.DataFrame, name: str) -> pl.Series:
    """Where something stands that is not a finite number."""
    values = _plain(frame[name])
    there = values.is_not_null()
    if values.dtype == pl.String:
        there &= ~values.str.strip_chars().is_in(_GAPS).fill_null(value=True)
    elif values.dtype.is_float():
        there &= ~values.is_nan().fill_null(value=True)
    read = number(frame, name)
    return there & ~read.is_finite().fill_null(value=False)


def _type_issues(frame: pl.DataFrame, name: str) -> list[Issue]:
    source = _source(frame, name)
    if source not in frame.columns:
        return []
    wrong = _unreadable(frame, source)
    if name == "TIME":
        wrong |= number(frame, source).is_null()
    rows = tuple(wrong.arg_true().to_list())
    if not rows:
        return []
    return [Issue("bad_type", "error", f"Column {source} must hold finite numbers.", rows)]


def _gap_issues(frame: pl.DataFrame, name: str) -> list[Issue]:
    text = frame[name].cast(pl.String, strict=False)
    rows = tuple((text.is_null() | (text.str.strip_chars() == "")).arg_true().to_list())
    if not rows:
        return []
    return [Issue("bad_type", "error", f"Column {name} must name a subject in every row.", rows)]
