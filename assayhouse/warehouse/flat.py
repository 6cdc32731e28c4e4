"""Rows as CSV can hold them."""

import polars as pl


def without_lists(frame: pl.DataFrame) -> pl.DataFrame:
    """Write lists as text, their values between semicolons; an absent list stays absent.

    Examples
    --------
    >>> without_lists(pl.DataFrame({"a": [1], "b": [[1.5, None]]})).rows()
    [(1, '1.5;')]
    """
    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
    values = pl.element().cast(pl.String).fill_null("")
    return frame.with_columns(pl.col(name).list.eval(values).list.join(";") for name in lists)
