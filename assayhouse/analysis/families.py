"""Adjusted p values of result rows within the families that a spec declares."""

import numpy as np
import polars as pl

from assayhouse.analysis.spec import EffectSpec
from assayhouse.stats.multiplicity import adjust_p


def adjust_rows(frame: pl.DataFrame, spec: EffectSpec) -> pl.DataFrame:
    """Fill p_adj and family of the differences.

    Parameters
    ----------
    frame : frame
        Result rows.
    spec : EffectSpec
        multiplicity and family.

    Returns
    -------
    frame
        As given when multiplicity is "none".
    """
    if spec.multiplicity == "none" or spec.family is None:
        return frame
    label = pl.format(
        "; ".join(f"{name}={{}}" for name in spec.family),
        *(pl.col(name).cast(pl.String).fill_null("") for name in spec.family),
    )
    compared = pl.col("term") == "diff"
    named = frame.with_columns(family=pl.when(compared).then(label)).with_row_index("_row")
    differences = named.filter(compared)
    adjusted = adjust_p(
        differences["p"].fill_null(float("nan")).to_numpy(),
        method=spec.multiplicity,
        family=differences["family"].to_list() or np.empty(0, dtype=np.str_),
    )
    values = differences.select("_row").with_columns(p_adj=pl.Series(adjusted).fill_nan(None))
    return (
        named.drop("p_adj").join(values, on="_row", how="left").drop("_row").select(frame.columns)
    )
