"""Which subjects of an event table can be analysed, and what of them counts."""

import polars as pl

from assayhouse.pk.errors import EventTableError
from assayhouse.pk.event_rules import broken
from assayhouse.pk.notes import Issue

IS_SAMPLE = (pl.col("EVID") == 0) & (pl.col("MDV") == 0)
IS_DOSE = (pl.col("EVID") == 1) | (pl.col("EVID") == 4)


def without_early_samples(table: pl.DataFrame, warnings: list[Issue]) -> pl.DataFrame:
    """Take out samples before the first dose; a subject without dose leaves anyway."""
    dosed = IS_DOSE.cum_sum().over("ID") > 0
    early = IS_SAMPLE & ~dosed & IS_DOSE.any().over("ID")
    rows = broken(table, early)
    warn(warnings, "obs_before_dose", "Samples before the first dose do not count (MDV = 1).", rows)
    mdv = pl.when(early).then(pl.lit(1, dtype=pl.Int64)).otherwise(pl.col("MDV"))
    return table.with_columns(mdv.alias("MDV"))


def find_exclusions(table: pl.DataFrame, *, quantifiable: bool) -> pl.DataFrame:
    """Find the first reason that holds of each subject, null where it stays."""
    sums = table.group_by("ID", maintain_order=True).agg(
        IS_DOSE.any().alias("dose"),
        IS_SAMPLE.any().alias("sample"),
        (IS_SAMPLE & (pl.col("BLQ") == 0)).any().alias("quantifiable"),
    )
    lost = ~pl.col("quantifiable") & pl.lit(quantifiable)
    reason = (
        pl.when(~pl.col("dose"))
        .then(pl.lit("no_dose"))
        .when(~pl.col("sample"))
        .then(pl.lit("no_observation"))
        .when(lost)
        .then(pl.lit("no_quantifiable"))
        .otherwise(pl.lit(None, dtype=pl.String))
    )
    return sums.with_columns(reason.alias("REASON"))


def count_reasons(excluded: pl.DataFrame) -> str:
    """Say how many subjects leave for each reason."""
    counts = excluded.group_by("REASON").len().sort("REASON")
    return ", ".join(f"{count} {reason}" for reason, count in counts.rows()) + "."


def fill_gaps(
    table: pl.DataFrame, covariates: tuple[str, ...], *, stays: pl.Expr, warnings: list[Issue]
) -> pl.DataFrame:
    """Fill gaps: a subject's own value, else the median or the most frequent of the subjects."""
    for name in covariates:
        if not table[name].null_count():
            continue
        table = table.with_columns(pl.col(name).drop_nulls().first().over("ID"))
        rows = broken(table, pl.col(name).is_null() & stays)
        each = table.filter(stays).group_by("ID", maintain_order=True).first()[name].drop_nulls()
        if not len(each):
            text = f"Covariate {name} is missing in every subject."
            raise EventTableError([Issue("covariate_missing", "error", text, rows)])
        if each.dtype.is_numeric():
            filled, value = "the median", each.cast(pl.Float64).median()
            table = table.with_columns(pl.col(name).cast(pl.Float64))
        else:
            filled, value = "the most frequent level", each.mode().sort()[0]
        table = table.with_columns(pl.col(name).fill_null(pl.lit(value)))
        text = f"Missing values of {name} were filled with {filled}."
        warn(warnings, "covariate_imputed", text, rows)
    return table


def warn(warnings: list[Issue], code: str, text: str, rows: tuple[int, ...]) -> None:
    """Add a warning where there are rows to name."""
    if rows:
        warnings.append(Issue(code, "warning", text, rows))
