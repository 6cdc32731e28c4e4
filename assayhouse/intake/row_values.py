"""Grammar of single values: what a number, a date or a result may look like, and what it means.

Expressions over trimmed text; nothing is cast that the grammar has not admitted.
"""

import polars as pl

from assayhouse.contracts.vendor_file import ColumnSpec, Dialect

REASONS = (
    "BLQ",
    "ALQ",
    "ND",
    "QNS",
    "NR",
    "NOT DONE",
    "CANCELLED",
    "CLOTTED",
    "HEMOLYZED",
    "TOO OLD",
    "FAILED QC",
    "LOST",
)
BELOW, ABOVE = "BLQ", "ALQ"
SENTINELS = (-99.0, -999.0, -9999.0)
SENTINELS_OF_NUMBERS = (-999.0, -9999.0, -99999.0)
_SENTINEL_TEXT = r"^(?i:\.+|-+|\?+|\*+|n/?a|n\.a\.|nan|null|none|missing|unknown)$"
_OTHER_NOTATION = r"^[<>]?\s*[+-]?[0-9]+(?:[.,'\s][0-9]+)+(?:[eE][+-]?[0-9]+)?$"
_OTHER_ORDER = r"^[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{4}(?:$|[T\s])"
_ISO_DATE = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
_ISO_DATETIME = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"
)


def number_pattern(dialect: Dialect) -> str:
    """Regular expression of a number with the declared decimal mark; no thousands separators."""
    mark = r"\." if dialect.decimal == "." else ","
    return rf"[+-]?[0-9]+(?:{mark}[0-9]+)?(?:[eE][+-]?[0-9]+)?"


def as_number(text: pl.Expr, dialect: Dialect) -> pl.Expr:
    """Read the number of a text that the grammar admits; null for any other text."""
    plain = text if dialect.decimal == "." else text.str.replace(",", ".", literal=True)
    admitted = text.str.contains(f"^{number_pattern(dialect)}$")
    value = pl.when(admitted).then(plain).cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value)


def as_integer(text: pl.Expr) -> pl.Expr:
    """Integer of a text that is one; ``3.0`` counts, ``3.5`` does not."""
    admitted = text.str.contains(r"^[+-]?[0-9]{1,15}(?:\.0+)?$")
    whole = text.str.replace(r"\.0+$", "")
    return pl.when(admitted).then(whole).cast(pl.Int64, strict=False)


def _with_century(moment: pl.Expr) -> pl.Expr:
    """Refuse years below 1000: a format with four digits also reads two, as the first century."""
    return pl.when(moment.dt.year() >= 1000).then(moment)


def as_date(text: pl.Expr, column: ColumnSpec) -> pl.Expr:
    """Date of a complete date, ISO 8601 or the declared format; null otherwise."""
    if column.date_format is not None:
        return _with_century(text.str.to_date(column.date_format, strict=False, exact=True))
    admitted = pl.when(text.str.contains(_ISO_DATE)).then(text)
    return admitted.str.to_date("%Y-%m-%d", strict=False)


def as_datetime(text: pl.Expr, column: ColumnSpec) -> pl.Expr:
    """Date and time to the minute or second, ISO 8601 or the declared format; 24:00 is refused."""
    if column.date_format is not None:
        moment = text.str.to_datetime(column.date_format, strict=False, time_unit="us")
        return _with_century(moment)
    admitted = pl.when(text.str.contains(_ISO_DATETIME)).then(text)
    seconds = pl.when(admitted.str.len_bytes() == 16).then(admitted + ":00").otherwise(admitted)
    return seconds.str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, time_unit="us")


def result_operator(text: pl.Expr) -> pl.Expr:
    """Relation to the limit that the text itself states: ``<``, ``>`` or empty."""
    return (
        pl.when(text.str.starts_with("<") | text.eq(BELOW))
        .then(pl.lit("<"))
        .when(text.str.starts_with(">") | text.eq(ABOVE))
        .then(pl.lit(">"))
        .otherwise(pl.lit(""))
    )


def result_number(text: pl.Expr, dialect: Dialect) -> pl.Expr:
    """Read the number of a result, its operator left out; sentinels are no numbers."""
    admitted = text.str.contains(rf"^(?:[<>]\s*)?{number_pattern(dialect)}$")
    bare = text.str.strip_chars_start("<> \t\u00a0")
    if dialect.decimal == ",":
        bare = bare.str.replace(",", ".", literal=True)
    number = pl.when(admitted).then(bare).cast(pl.Float64, strict=False)
    return pl.when(number.is_finite() & ~number.is_in(list(SENTINELS))).then(number)


def result_reason(text: pl.Expr, column: ColumnSpec) -> pl.Expr:
    """Reason code of a result that has no number."""
    return pl.when(text.is_in(list(column.reasons or REASONS))).then(text)


def is_sentinel(text: pl.Expr) -> pl.Expr:
    """Whether a text is one that people and programs write for no value; -999 is a number."""
    return text.str.contains(_SENTINEL_TEXT)


def is_other_notation(text: pl.Expr, dialect: Dialect) -> pl.Expr:
    """Whether a text is a number, but with another decimal mark or thousands separators."""
    declared = text.str.contains(rf"^[<>]?\s*{number_pattern(dialect)}$")
    return text.str.contains(_OTHER_NOTATION) & ~declared


def is_other_order(text: pl.Expr, column: ColumnSpec) -> pl.Expr:
    """Whether a text is a date in numbers that ends with the year, where ISO 8601 is declared."""
    if column.date_format is None:
        return text.str.contains(_OTHER_ORDER)
    return pl.when(text.is_not_null()).then(pl.lit(value=False))
