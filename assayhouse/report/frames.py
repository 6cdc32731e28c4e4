"""Door checks of the frames the report receives. Reads no file and estimates nothing."""

from collections.abc import Sequence

import polars as pl

from assayhouse.report.errors import ReportInputError


def require_columns(frame: pl.DataFrame, columns: Sequence[str], *, name: str) -> None:
    """Refuse a frame that lacks a column the drawing needs.

    Parameters
    ----------
    frame : polars.DataFrame
        The frame as handed in.
    columns : sequence of str
        Columns that must be there; others are ignored.
    name : str
        What the frame is called in the message, for example ``ard.effects``.

    Raises
    ------
    ReportInputError
        One or more columns are missing.
    """
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        message = (
            f"{name} lacks the column(s) {', '.join(missing)}; it has {', '.join(frame.columns)}. "
            f"Nothing was drawn. Rebuild {name} with its declared columns."
        )
        raise ReportInputError(message)


def require_unique(frame: pl.DataFrame, keys: Sequence[str], *, name: str) -> None:
    """Refuse a frame with two rows where the drawing has room for one.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows of one response and term.
    keys : sequence of str
        Columns that must identify a row.
    name : str
        What the frame is called in the message.

    Raises
    ------
    ReportInputError
        A key occurs more than once, as when results of two methods are mixed.
    """
    repeated = frame.filter(pl.struct(keys).is_duplicated()).select(keys).unique().sort(keys)
    if repeated.height:
        first = ", ".join(f"{key} {value}" for key, value in repeated.row(0, named=True).items())
        message = (
            f"{name} holds more than one row for {repeated.height} key(s) of "
            f"({', '.join(keys)}), the first at {first}. Nothing was drawn. "
            f"Filter to one method and one subgroup before drawing."
        )
        raise ReportInputError(message)


def column_or_null(
    frame: pl.DataFrame, column: str, dtype: pl.DataType | type[pl.DataType]
) -> pl.DataFrame:
    """Return the frame with ``column`` of ``dtype``, all null where it was absent.

    Parameters
    ----------
    frame : polars.DataFrame
        Any frame.
    column : str
        The column the caller wants to rely on.
    dtype : polars data type
        Its type afterwards.

    Returns
    -------
    polars.DataFrame
        A new frame.
    """
    if column in frame.columns:
        return frame.with_columns(pl.col(column).cast(dtype))
    return frame.with_columns(pl.lit(None, dtype=dtype).alias(column))
