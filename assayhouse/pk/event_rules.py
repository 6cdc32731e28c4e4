"""Rules that the rows of an event table keep, each with the rows that break it."""

from collections.abc import Sequence
from typing import Final, TypeAlias

import polars as pl

from assayhouse.pk.notes import Issue

Rule: TypeAlias = tuple[str, str, pl.Expr]

_is_dose = (pl.col("EVID") == 1) | (pl.col("EVID") == 4)
_is_sample = (pl.col("EVID") == 0) & (pl.col("MDV") == 0)


def _not_in(name: str, *codes: float) -> pl.Expr:
    return pl.col(name).is_null() | ~pl.col(name).is_in([float(code) for code in codes])


def _not_a_count(name: str) -> pl.Expr:
    return pl.col(name).is_not_null() & ((pl.col(name) < 0) | (pl.col(name) % 1 != 0))


RULES: Final[tuple[Rule, ...]] = (
    ("bad_code", "EVID must be 0, 1, 2, 3 or 4.", _not_in("EVID", 0, 1, 2, 3, 4)),
    ("bad_code", "MDV must be 0 or 1.", _not_in("MDV", 0, 1)),
    (
        "bad_code",
        "MDV must be 1 where a row is a dose.",
        _is_dose & (pl.col("MDV") == 0),
    ),
    ("bad_code", "BLQ must be 0 or 1.", _not_in("BLQ", 0, 1)),
    ("bad_code", "SS must be 0, 1 or 2.", _not_in("SS", 0, 1, 2)),
    ("bad_code", "ADDL must be a whole number from 0.", _not_a_count("ADDL")),
    ("bad_code", "CMT must be a whole number from 0.", _not_a_count("CMT")),
    ("bad_code", "II must not be negative.", pl.col("II") < 0),
    (
        "dose_without_amt",
        "A dose needs an AMT above 0.",
        _is_dose & (pl.col("AMT").fill_null(0.0) <= 0),
    ),
    (
        "obs_with_amt",
        "A sample must not carry an AMT.",
        (pl.col("EVID") == 0) & (pl.col("AMT") != 0),
    ),
    (
        "dv_missing",
        "A sample needs a DV, or MDV = 1, or BLQ = 1.",
        _is_sample & (pl.col("BLQ") == 0) & pl.col("DV").is_null(),
    ),
    (
        "blq_without_lloq",
        "A sample below the limit needs an LLOQ above 0.",
        _is_sample & (pl.col("BLQ") == 1) & (pl.col("LLOQ").fill_null(0.0) <= 0),
    ),
    (
        "addl_without_ii",
        "Additional doses need an II above 0.",
        _is_dose & (pl.col("ADDL") > 0) & (pl.col("II") <= 0),
    ),
    (
        "ss_without_ii",
        "A dose at steady state needs an II above 0.",
        _is_dose & (pl.col("SS") > 0) & (pl.col("II") <= 0),
    ),
    (
        "cmt_unsupported",
        "Doses go into compartment 1 only.",
        _is_dose & (pl.col("CMT") != 1),
    ),
    (
        "time_order",
        "TIME must not decrease within a subject; nothing is sorted here.",
        (pl.col("ID") == pl.col("ID").shift(1)) & (pl.col("TIME") < pl.col("TIME").shift(1)),
    ),
)


def row_issues(table: pl.DataFrame, covariates: Sequence[str], *, impute: bool) -> list[Issue]:
    """Every rule that some row breaks, with exactly those rows.

    Parameters
    ----------
    table : polars.DataFrame
        Event columns as numbers, in the order of the input.
    covariates : sequence of str
        Columns that must not change within a subject.
    impute : bool
        Whether a missing covariate will be filled.

    Returns
    -------
    list of Issue
        Errors, in the order of the rules.
    """
    issues = [_issue(code, text, broken(table, rule)) for code, text, rule in RULES]
    issues.append(
        _issue("id_not_contiguous", "The rows of a subject must stand together.", _returns(table))
    )
    for name in covariates:
        gaps = () if impute else broken(table, pl.col(name).is_null())
        issues.append(_issue("covariate_missing", f"Covariate {name} is missing.", gaps))
        text = f"Covariate {name} changes within a subject; only constant ones can be used."
        first = pl.col(name).drop_nulls().first().over("ID")
        issues.append(
            _issue(
                "covariate_varies",
                text,
                broken(table, pl.col(name).ne_missing(first) & pl.col(name).is_not_null()),
            )
        )
    return [issue for issue in issues if issue.rows]


def broken(table: pl.DataFrame, rule: pl.Expr) -> tuple[int, ...]:
    """Rows, counted from 0, for which a rule's expression holds."""
    mask = table.select(rule.fill_null(value=False).alias("broken"))["broken"]
    return tuple(mask.arg_true().to_list())


def _issue(code: str, text: str, rows: tuple[int, ...]) -> Issue:
    return Issue(code, "error", text, rows)


def _returns(table: pl.DataFrame) -> tuple[int, ...]:
    """Rows where a subject comes back after another one has begun."""
    starts = table.select(
        pl.int_range(pl.len()).alias("row"),
        pl.col("ID"),
        (pl.col("ID") != pl.col("ID").shift(1)).fill_null(value=True).alias("starts"),
    ).filter(pl.col("starts"))
    return tuple(starts.filter(~pl.col("ID").is_first_distinct())["row"].to_list())
