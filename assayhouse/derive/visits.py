"""Which record stands for an analysis visit, and which one is the baseline. Reads no file.

The rules are those of ADBM (`sql/adam/adbm.sql`), for records that do not go through it.
"""

import polars as pl

_KEY = ("USUBJID", "TESTCD")


def study_day(date: pl.Expr, first_dose: pl.Expr) -> pl.Expr:
    """Day of a date in the study: the first dose falls on day 1, the day before it is day -1.

    Examples
    --------
    >>> from datetime import date
    >>> days = pl.DataFrame({"on": [date(2020, 3, 1), date(2020, 2, 29)], "dose": date(2020, 3, 1)})
    >>> days.select(study_day(pl.col("on"), pl.col("dose")))["on"].to_list()
    [1, -1]
    """
    days = (date - first_dose).dt.total_days()
    return days + (days >= 0).cast(pl.Int64)


def _at_visits(records: pl.DataFrame, windows: pl.DataFrame, *, visit_rule: str) -> pl.DataFrame:
    """Give every record its visit: the reported one, or the one whose window holds its day."""
    if visit_rule == "window":
        return records.join_where(
            windows, pl.col("ADY") >= pl.col("first_day"), pl.col("ADY") <= pl.col("last_day")
        )
    return records.join(windows, left_on="VISIT", right_on="AVISIT", coalesce=False)


def analysed_records(
    records: pl.DataFrame,
    first_doses: pl.DataFrame,
    windows: pl.DataFrame,
    *,
    visit_rule: str,
    baseline_rule: str,
) -> pl.DataFrame:
    """Choose the record of each test at each visit, and each test's baseline.

    At a visit the record nearest the target day stands, then the later one, then the higher
    sequence number. The baseline is the last record not after the first dose, or the one that was
    delivered as baseline, wherever it was taken; no other record stands for the baseline visit.

    Parameters
    ----------
    records : DataFrame
        USUBJID, TESTCD, SEQ, VISIT, DTC (ISO 8601 text), BLFL, number, text, and anything else.
        Records without number and text are none.
    first_doses : DataFrame
        USUBJID, first_dose (date).
    windows : DataFrame
        ``ref.visit_windows``.
    visit_rule : {"name", "window"}
        How a record finds its visit.
    baseline_rule : {"last_before_first_dose", "reported_flag"}
        Which record is the baseline.

    Returns
    -------
    DataFrame
        One row per subject, test and visit: the records' columns, AVISIT, ADT, ADY, and
        ``days_off``, days from the target; sorted.
    """
    ADT = pl.col("DTC").str.slice(0, 10).str.to_date(strict=False)
    dated = (
        records.filter(pl.col("number").is_not_null() | pl.col("text").is_not_null())
        .join(first_doses, on="USUBJID", how="left")
        .with_columns(ADT.alias("ADT"))
        .with_columns(study_day(pl.col("ADT"), pl.col("first_dose")).alias("ADY"))
    )
    kept = [*dated.columns, "AVISIT", "days_off"]
    off = (pl.col("ADY") - pl.col("target_day")).abs().alias("days_off")
    later = _at_visits(
        dated, windows.filter(~pl.col("is_baseline")), visit_rule=visit_rule
    ).with_columns(off)
    is_base = (
        pl.col("BLFL") == "Y"
        if baseline_rule == "reported_flag"
        else pl.col("ADT") <= pl.col("first_dose")
    )
    baseline = dated.filter(is_base).join(windows.filter(pl.col("is_baseline")), how="cross")
    return pl.concat(
        [
            _first_of_each(baseline.with_columns(off).select(kept), nearest=False),
            _first_of_each(later.select(kept), nearest=True),
        ]
    ).sort(*_KEY, "ADT", "AVISIT", nulls_last=True)


def _first_of_each(records: pl.DataFrame, *, nearest: bool) -> pl.DataFrame:
    order = ["days_off"] if nearest else []
    falling = [False] * len(order) + [True, True]
    return records.sort(
        *order, "DTC", "SEQ", descending=falling, nulls_last=True, maintain_order=True
    ).unique([*_KEY, "AVISIT"], keep="first", maintain_order=True)
