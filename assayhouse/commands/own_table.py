"""Columns of anybody's table as what they must be: present, numbers, flags.

Lines where a column is something else are named; their values are not.
"""

import difflib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

import polars as pl

from assayhouse.commands.own_file import OwnTable
from assayhouse.errors import ModelDataError, OwnTableError, TableRowsError

MISSING = ("", "NA", "NaN", "nan", ".")
FLAGS = {
    **dict.fromkeys(("true", "t", "y", "yes", "1", "1.0"), True),
    **dict.fromkeys(("false", "f", "n", "no", "0", "0.0"), False),
}
_COMMA_NUMBER = r"^-?\d+,\d+$"
_BELOW = r"^[<>]"
_GAPS = "Leave a missing value empty, or write NA."


def require_columns(table: OwnTable, names: Collection[str], *, told: str = "") -> None:
    """Raise unless the table has all columns.

    Parameters
    ----------
    table : OwnTable
        The table.
    names : collection of str
        Columns needed.
    told : str
        What the table must hold, for the message.

    Raises
    ------
    OwnTableError
        The columns that are missing, and those that may be meant.
    """
    there = table.frame.columns
    missing = [name for name in names if name not in there]
    if not missing:
        return
    # Without a header the names are a subject's values: only what must be meant is told.
    folded = {name.lower(): name for name in there}
    meant = [_meant(name, folded) for name in missing]
    hint = " ".join(text for text in meant if text) or f"The header names {len(there)} others."
    reason = f"no column {', '.join(missing)}"
    raise table.refusal(reason, remedy=f"{hint} {told}".rstrip())


def _meant(name: str, there: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(name.lower(), there, n=1, cutoff=0.75)
    if not near:
        return ""
    case = "; capitals count" if near[0] == name.lower() else ""
    return f"Is {name} what the header calls {there[near[0]]}{case}?"


def flags(name: str) -> pl.Expr:
    """Words of a flag as true or false; null for any other word."""
    words = pl.col(name).str.to_lowercase().replace_strict(FLAGS, default=None)
    return words.cast(pl.Boolean)


def numbers(name: str) -> pl.Expr:
    """Text as finite numbers; null for what is none."""
    found = pl.col(name).cast(pl.Float64, strict=False)
    return pl.when(found.is_finite()).then(found)


def typed(
    table: OwnTable, name: str, told: pl.Expr, *, wanted: str, remedy: str = "", below: str = ""
) -> OwnTable:
    """Give a column of text its type.

    Parameters
    ----------
    table : OwnTable
        Its table of text.
    name : str
        The column.
    told : Expr
        The column typed, null where the text is something else; see `flags` and `numbers`.
    wanted : str
        What the column must be, for the message.
    remedy : str
        What to do, in place of leaving missing values empty.
    below : str
        What to do with a value such as "<0.5", for the message.

    Raises
    ------
    OwnTableError
        Lines, but not values, that are something else.
    """
    text = pl.col(name).str.strip_chars()
    known = table.frame.with_columns(pl.when(~text.is_in(MISSING)).then(text).alias(name))
    found = known.with_columns(told.alias(name))
    bad = found[name].is_null() & known[name].is_not_null()
    if not bad.any():
        return table.holding(found)
    texts = known[name].filter(bad)
    if texts.str.contains(_COMMA_NUMBER).any():
        remedy = "Write numbers with a decimal point."
    elif below and texts.str.contains(_BELOW).any():
        remedy = below
    elif not remedy and len(texts) == known[name].count():
        remedy = f"No {table.unit} of it holds {wanted}; is another column meant?"
    reason = f"column {name} is not {wanted}"
    raise table.refusal(reason, rows=bad.arg_true().to_list(), remedy=remedy or _GAPS)


@contextmanager
def told_by_line(table: OwnTable) -> Iterator[None]:
    """Tell errors of an analysis by the file, and rows by the lines on which they begin.

    Parameters
    ----------
    table : OwnTable
        What the analysis is given, row by row.

    Raises
    ------
    OwnTableError
        In place of an error of the table's rows, or of the data as a whole.
    """
    try:
        yield
    except TableRowsError as error:
        message = (
            f"{table.path}: {error.reason} See {table.where(error.rows)}. Nothing was written."
        )
        raise OwnTableError(message, rows=error.rows) from None
    except OwnTableError:
        raise
    except ModelDataError as error:
        ending = "" if "Nothing was" in str(error) else " Nothing was written."
        message = f"{table.path}: {error}{ending}"
        raise OwnTableError(message) from error
