"""Gene expression of a specimen from the areas of its peaks, against its reference genes."""

import polars as pl

INJECTION = ("layout", "REFID", "INJNO")
REFERENCE, LOG2 = "REF", "log2"


def derive_expression(rows: pl.DataFrame) -> pl.DataFrame:
    """Recompute expression: area over the geometric mean of the reference genes' areas.

    Parameters
    ----------
    rows : DataFrame
        layout, REFID, INJNO (one specimen and injection), ``role`` (REF and others), ``area``,
        ``scale`` (log2 or ratio).

    Returns
    -------
    DataFrame
        Rows of the genes that are no reference, in their order, with ``recomputed`` on the scale
        that the row says; null where an area or the reference is missing or zero.
    """
    positive = pl.when(pl.col("area") > 0).then(pl.col("area"))
    reference = pl.when(pl.col("role") == REFERENCE).then(positive.log()).mean().over(INJECTION)
    ratio = (positive.log() - reference).exp()
    value = pl.when(pl.col("scale") == LOG2).then(ratio.log(2)).otherwise(ratio)
    return rows.with_columns(value.alias("recomputed")).filter(pl.col("role") != REFERENCE)
