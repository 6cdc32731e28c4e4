"""Anybody's table as commands read it: text first, then each column as what it must be.

Lines where a column is something else are named; their values are not.
"""

from pathlib import Path

import polars as pl

from assayhouse.errors import ModelDataError

MISSING = ("", "NA", "NaN", ".")
FLAGS = {
    **dict.fromkeys(("true", "t", "y", "yes", "1", "1.0"), True),
    **dict.fromkeys(("false", "f", "n", "no", "0", "0.0"), False),
}
_SHOWN = 5


def read_text(path: Path, *, told: str) -> pl.DataFrame:
    """Read a CSV file with every column as text, or a parquet file as it is.

    Parameters
    ----------
    path : Path
        File; ``.parquet`` keeps its types.
    told : str
        What is expected, for the message.

    Raises
    ------
    ModelDataError
        Not readable as a table.
    """
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        return pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        message = f"{path}: not readable as a table. Nothing was written. {told}"
        raise ModelDataError(message) from error


def flags(name: str) -> pl.Expr:
    """Words of a flag as true or false; null for any other word."""
    words = pl.col(name).str.to_lowercase().replace_strict(FLAGS, default=None)
    return words.cast(pl.Boolean)


def numbers(name: str) -> pl.Expr:
    """Text as numbers; null for what is none."""
    return pl.col(name).cast(pl.Float64, strict=False)


def typed(
    path: Path,
    frame: pl.DataFrame,
    name: str,
    told: pl.Expr,
    *,
    wanted: str,
    lines: pl.Series | None = None,
) -> pl.DataFrame:
    """Give a column of text its type.

    Parameters
    ----------
    path, frame, name : Path, DataFrame, str
        File, its table of text, and the column.
    told : Expr
        The column typed, null where the text is something else; see `flags` and `numbers`.
    wanted : str
        What the column must be, for the message.
    lines : Series, optional
        Line of each row in the file; by default rows follow the header line without a gap.

    Raises
    ------
    ModelDataError
        Lines, but not values, that are something else.
    """
    text = pl.col(name).str.strip_chars()
    known = frame.with_columns(pl.when(~text.is_in(MISSING)).then(text).alias(name))
    found = known.with_columns(told.alias(name))
    bad = (found[name].is_null() & known[name].is_not_null()).arg_true().to_list()
    if not bad:
        return found
    at = [row + 2 if lines is None else lines[row] for row in bad[:_SHOWN]]
    shown = ", ".join(map(str, at)) + (", ..." if len(bad) > _SHOWN else "")
    message = (
        f"{path}: column {name} is not {wanted} in {len(bad)} lines: {shown}. Nothing was written. "
        "Leave a missing value empty, or write NA."
    )
    raise ModelDataError(message, rows=tuple(bad))
