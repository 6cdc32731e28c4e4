"""Plain means at baseline by parameter and arm. Adjusts for nothing and fits nothing."""

import math

import polars as pl


def baseline_means(values: pl.DataFrame) -> pl.DataFrame:
    """Average the baseline values of every parameter by arm.

    Sums are exact before they are rounded once, so the order of rows changes no bit.

    Parameters
    ----------
    values : DataFrame
        paramcd, arm, unit, value: one row per subject and parameter; null values are left out.

    Returns
    -------
    DataFrame
        paramcd, arm, n, estimate (arithmetic mean), estimate_unit, status, reasons.

    Examples
    --------
    >>> rows = {"paramcd": ["A", "A"], "arm": ["P", "P"], "unit": ["g/L", "g/L"]}
    >>> baseline_means(pl.DataFrame(rows | {"value": [1.0, 2.0]}))["estimate"].to_list()
    [1.5]
    """
    known = values.filter(pl.col("value").is_not_null() & pl.col("value").is_finite())
    found = [
        {
            "paramcd": paramcd,
            "arm": arm,
            "n": own.height,
            "estimate": math.fsum(own["value"].to_list()) / own.height,
            "estimate_unit": own["unit"].drop_nulls().first(),
            "status": "ok",
            "reasons": "",
        }
        for (paramcd, arm), own in known.group_by("paramcd", "arm", maintain_order=True)
    ]
    schema = {
        "paramcd": pl.String, "arm": pl.String, "n": pl.Int64, "estimate": pl.Float64,
        "estimate_unit": pl.String, "status": pl.String, "reasons": pl.String,
    }  # fmt: skip
    return pl.DataFrame(found, schema=schema).sort("paramcd", "arm")
