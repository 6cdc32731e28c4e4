"""Results of any domain in one shape: standard unit, limits, operator, scale, sequence number.

One function serves every domain, because a domain differs in the two letters before its names only.
Nothing is judged here: a row that should not be here was kept out by intake.
"""

import polars as pl

from assayhouse.contracts.table_spec import TableSpec
from assayhouse.errors import DeclarationError

_UNPREFIXED = (
    "STUDYID",
    "USUBJID",
    "VISITNUM",
    "VISIT",
    "source_file",
    "source_line",
    "sha256",
    "receipt",
    "layout",
)
_NUMBERS = ("SEQ", "STRESN", "LLOQ", "ULOQ", "VISITNUM", "number")
_INTEGERS = ("source_line", "receipt")


def _typed(mapped: pl.DataFrame) -> pl.DataFrame:
    """Give every mapped column its type: a layout may map nothing, or text, to any of them."""
    return mapped.with_columns(
        pl.col(name).cast(pl.Float64, strict=False)
        if name in _NUMBERS
        else pl.col(name).cast(pl.Int64)
        if name in _INTEGERS
        else pl.col(name).cast(pl.String)
        for name in mapped.columns
    )


def _factors(units: pl.DataFrame) -> pl.DataFrame:
    return units.select(
        pl.col("from_unit").alias("unit"),
        pl.col("to_unit").alias("standard_unit"),
        pl.col("factor").alias("listed_factor"),
    )


def _standardised(
    frame: pl.DataFrame, parameters: pl.DataFrame, units: pl.DataFrame
) -> pl.DataFrame:
    known = parameters.select(
        pl.col("PARAMCD").alias("TESTCD"),
        pl.col("unit").alias("standard_unit"),
        "scale",
    )
    joined = frame.join(known, on="TESTCD", how="left").join(
        _factors(units), on=["unit", "standard_unit"], how="left"
    )
    same = pl.col("unit").eq(pl.col("standard_unit"))
    # A result that came in a standard unit of the sender's keeps that unit and factor 1.
    delivered = pl.col("STRESN").is_not_null() | pl.col("STRESU").is_not_null()
    factor = (
        pl.when(delivered | same | pl.col("standard_unit").is_null())
        .then(pl.lit(1.0))
        .otherwise(pl.col("listed_factor"))
    )
    return joined.with_columns(factor.alias("unit_factor"), delivered.alias("delivered"))


def _valued(frame: pl.DataFrame) -> pl.DataFrame:
    """Fill standard number, text, unit and limits; beyond a limit there is no number."""
    operator = pl.col("operator").fill_null("")
    measured = pl.when(operator.eq("")).then(pl.col("number") * pl.col("unit_factor"))
    text = (
        pl.when(pl.col("reason").is_not_null())
        .then(pl.col("reason"))
        .when(pl.col("unit_factor").eq(1.0))
        .then(pl.col("ORRES"))
        .otherwise(operator + (pl.col("number") * pl.col("unit_factor")).cast(pl.String))
    )
    return frame.with_columns(
        pl.coalesce("STRESN", measured).alias("STRESN"),
        pl.coalesce("STRESC", text).alias("STRESC"),
        pl.when(pl.col("delivered"))
        .then(pl.coalesce("STRESU", "unit"))
        .otherwise(pl.coalesce("standard_unit", "unit"))
        .alias("STRESU"),
        (pl.col("LLOQ") * pl.col("unit_factor")).alias("LLOQ"),
        (pl.col("ULOQ") * pl.col("unit_factor")).alias("ULOQ"),
        operator.alias("value_operator"),
    )


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    """Keep delivered sequence numbers; give the others the next ones in a settled order."""
    order = ["USUBJID", "DTC", "TESTCD", "REFID", "source_file", "source_line"]
    ordered = frame.sort(order, nulls_last=True, maintain_order=True)
    missing = pl.col("SEQ").is_null()
    start = pl.col("SEQ").max().over("USUBJID").fill_null(0.0)
    running = missing.cast(pl.Int64).cum_sum().over("USUBJID")
    return ordered.with_columns(
        pl.when(missing).then(start + running).otherwise(pl.col("SEQ")).cast(pl.Int64).alias("SEQ")
    )


def derive_findings(
    mapped: pl.DataFrame, parameters: pl.DataFrame, units: pl.DataFrame, *, spec: TableSpec
) -> pl.DataFrame:
    """Bring mapped results of one domain into the relation's shape.

    Units are converted by table only. A result whose unit has no listed factor to the
    parameter's unit keeps its text and has no standard number.

    Parameters
    ----------
    mapped : DataFrame
        Rows of every layout that maps to the domain: names without the domain's prefix.
    parameters : DataFrame
        ``ref.parameters``: PARAMCD, unit, scale.
    units : DataFrame
        ``ref.units``: from_unit, to_unit, factor.
    spec : TableSpec
        Contract of the relation; its ``domain`` is the prefix.

    Returns
    -------
    DataFrame
        The relation in contract order, sorted by its key.

    Raises
    ------
    DeclarationError
        The relation declares no domain.
    """
    if spec.domain is None:
        message = f"{spec.relation}: domain is required for a relation of results. Declare it."
        raise DeclarationError(message)
    numbered = _numbered(_valued(_standardised(_typed(mapped), parameters, units)))
    prefixed = {
        name: name if name in _UNPREFIXED else f"{spec.domain}{name}" for name in mapped.columns
    }
    shaped = numbered.with_columns(pl.lit(spec.domain).alias("DOMAIN")).rename(prefixed)
    return spec.conform(shaped).sort(spec.key)
