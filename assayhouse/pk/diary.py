"""Exposure records given clock times by a dosing diary. Reads no concentration, fits nothing."""

import polars as pl

from assayhouse.pk.sdtm import FREQUENCIES, moments

_RECORD = ("USUBJID", "EXDOSE", "EXDOSU", "EXDOSFRQ", "EXSTDTC", "EXENDTC")
_DAY_H = 24.0


def timed_doses(ex: pl.DataFrame, ec: pl.DataFrame) -> pl.DataFrame:
    """Split each exposure record at the doses of the diary, whose times are known to the minute.

    Between two entries of the diary the doses follow each other at the interval of the record,
    from the clock time of the earlier entry; before the first entry at the clock time of that
    entry. A dose the diary says was not taken is left out. A subject without diary keeps its
    records as they are; an exposure without an end ends with the last entry.

    Parameters
    ----------
    ex : polars.DataFrame
        Exposure, SDTM names; EXSTDTC and EXENDTC may be dates.
    ec : polars.DataFrame
        USUBJID, ECDTC, ECOCCUR (Y or N).

    Returns
    -------
    polars.DataFrame
        Columns of ``ex`` that an event table is built from, one row per run of doses; times as
        ISO 8601 text to the minute.

    Raises
    ------
    EventTableError
        A time cannot be read.

    References
    ----------
    .. [1] CDISC (2023), ADaM Implementation Guide for population pharmacokinetics, section 2.
    """
    records = ex.select(_RECORD).with_row_index("record")
    records = records.with_columns(
        moments(ex, "EXSTDTC").dt.date().alias("first_day"),
        moments(ex, "EXENDTC", gaps=True).dt.date().alias("last_day"),
        pl.col("EXDOSFRQ")
        .cast(pl.String)
        .str.to_uppercase()
        .replace_strict(FREQUENCIES, default=None, return_dtype=pl.Float64)
        .alias("tau"),
    )
    entries = ec.select(
        "USUBJID",
        moments(ec, "ECDTC").alias("at"),
        pl.col("ECOCCUR").eq_missing("Y").alias("taken"),
    )
    day = pl.col("at").dt.date()
    inside = (day >= pl.col("first_day")) & (day <= pl.col("last_day").fill_null(day))
    known = (
        records.filter(pl.col("tau") > 0)
        .join(entries, on="USUBJID", how="inner")
        .filter(inside)
        .unique(["record", "at"], keep="first", maintain_order=True)
        .sort("record", "at")
    )
    runs = _runs(pl.concat([_opening(known), known]).sort("record", "at"))
    plain = records.filter(~pl.col("record").is_in(known["record"].unique().to_list()))
    return (
        pl.concat([plain.select("record", *_RECORD), runs]).sort("record", "EXSTDTC").drop("record")
    )


def _opening(known: pl.DataFrame) -> pl.DataFrame:
    """First dose of each record, at the clock time of its first entry."""
    first = known.group_by("record", maintain_order=True).first()
    clock = pl.col("at") - pl.col("at").dt.truncate("1d")
    start = (pl.col("first_day").cast(pl.Datetime("ms")) + clock).alias("begun")
    told = first.with_columns(start).filter(pl.col("begun") < pl.col("at"))
    return told.with_columns(pl.col("begun").alias("at"), taken=pl.lit(value=True)).select(
        known.columns
    )


def _runs(entries: pl.DataFrame) -> pl.DataFrame:
    """Doses from each entry to before the next, or to the end of the record."""
    following = pl.col("at").shift(-1).over("record")
    hours = (following - pl.col("at")).dt.total_minutes() / 60.0
    rest = (pl.col("last_day") - pl.col("at").dt.date()).dt.total_days() * _DAY_H
    doses = (
        pl.when(following.is_not_null())
        .then((hours / pl.col("tau")).round())
        .otherwise((rest / pl.col("tau")).floor().fill_null(0.0) + 1.0)
        .clip(lower_bound=1.0)
    )
    counted = entries.with_columns(doses.alias("doses"))
    # A dose that was not taken moves the run's beginning to the one after it.
    late = pl.when(pl.col("taken")).then(0.0).otherwise(1.0)
    begun = pl.col("at") + _hours(late * pl.col("tau"))
    ended = pl.col("at") + _hours((pl.col("doses") - 1.0) * pl.col("tau"))
    text = "%Y-%m-%dT%H:%M"
    return counted.filter(pl.col("taken") | (pl.col("doses") > 1.0)).select(
        "record",
        "USUBJID",
        "EXDOSE",
        "EXDOSU",
        "EXDOSFRQ",
        begun.dt.strftime(text).alias("EXSTDTC"),
        ended.dt.strftime(text).alias("EXENDTC"),
    )


def _hours(hours: pl.Expr) -> pl.Expr:
    return pl.duration(minutes=(hours * 60.0).round().cast(pl.Int64))
