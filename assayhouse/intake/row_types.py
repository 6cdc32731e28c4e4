"""Typed columns beside the text columns of a row: one meaning per text, null where it has none.

Which values keep a row out is decided elsewhere.
"""

from collections.abc import Mapping

import polars as pl

from assayhouse.contracts.vendor_file import ColumnSpec, LayoutSpec
from assayhouse.intake import row_values as grammar

_TRIMMED, _BELOW = "\x1ftrimmed", "\x1fbelow"


def trimmed(name: str) -> pl.Expr:
    """Text of a column without blanks around it; null where nothing is left."""
    return pl.col(name + _TRIMMED)


def has_blanks(name: str) -> pl.Expr:
    """Whether there are blanks around the text of a column."""
    kept = trimmed(name).str.len_bytes().fill_null(0)
    return kept != pl.col(name).str.len_bytes()


def is_below_limit(column: ColumnSpec) -> pl.Expr:
    """Whether a plain number lies below the limit in the same row."""
    return pl.lit(value=False) if column.limit_column is None else pl.col(column.name + _BELOW)


def is_flagged(column: ColumnSpec) -> pl.Expr:
    """Whether the row says that the result is below the limit."""
    if column.flag_column is None:
        return pl.lit(value=False)
    return trimmed(column.flag_column).eq("Y").fill_null(value=False)


def add_types(
    frame: pl.DataFrame, layout: LayoutSpec, terms: Mapping[str, Mapping[str, str]]
) -> pl.DataFrame:
    """Add trimmed text and typed columns to the text columns of a layout."""
    names = [column.name for column in layout.columns]
    frame = frame.with_columns(
        pl.col(name).str.strip_chars().alias(name + _TRIMMED) for name in names
    )
    empty = frame.select((trimmed(name) == "").any().alias(name) for name in names)
    frame = frame.with_columns(
        pl.when(trimmed(name) != "").then(trimmed(name)).alias(name + _TRIMMED)
        for name in names
        if empty[name][0]
    )
    frame = frame.with_columns(
        expression for column in layout.columns for expression in _values(column, layout, terms)
    )
    results = [column for column in layout.columns if column.type == "result"]
    frame = frame.with_columns(
        _below(column, layout).alias(column.name + _BELOW)
        for column in results
        if column.limit_column is not None
    )
    return frame.with_columns(_operator(column) for column in results)


def _values(
    column: ColumnSpec, layout: LayoutSpec, terms: Mapping[str, Mapping[str, str]]
) -> list[pl.Expr]:
    text, names = trimmed(column.name), column.typed_columns
    if column.type == "result":
        _, number, reason = names
        return [
            grammar.result_number(text, layout.dialect).alias(number),
            grammar.result_reason(text, column).alias(reason),
        ]
    if not names:
        return []
    expressions = {
        "number": grammar.as_number(text, layout.dialect),
        "integer": grammar.as_integer(text),
        "date": grammar.as_date(text, column),
        "datetime": grammar.as_datetime(text, column),
        "code": mapped(text, terms.get(column.terms or "", {})),
    }
    return [expressions[column.type].alias(names[0])]


def mapped(text: pl.Expr, terms: Mapping[str, str]) -> pl.Expr:
    """Term of a spelling; null where the list does not have it."""
    return text.replace_strict(dict(terms) or {"": ""}, default=None, return_dtype=pl.String)


def _below(column: ColumnSpec, layout: LayoutSpec) -> pl.Expr:
    limit = layout.column(str(column.limit_column))
    if limit.type in {"number", "integer"}:
        least = pl.col(limit.typed_columns[0])
    else:
        least = grammar.as_number(trimmed(limit.name), layout.dialect)
    plain = grammar.result_operator(trimmed(column.name)).eq("")
    return (plain & (pl.col(column.typed_columns[1]) < least)).fill_null(value=False)


def _operator(column: ColumnSpec) -> pl.Expr:
    stated = grammar.result_operator(trimmed(column.name))
    below = (is_below_limit(column) | is_flagged(column)) & stated.ne(">")
    return pl.when(below).then(pl.lit("<")).otherwise(stated).alias(column.typed_columns[0])
