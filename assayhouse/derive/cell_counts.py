"""Cell counts and percentages from their parts: beads, blood counts, volumes, copies.

Recomputes; judges nothing and prefers nothing to what was reported.
"""

from collections.abc import Callable

import polars as pl

NO_BLOOD_COUNT = "NO CBC"
MAX_HOURS = 24.0
PARTS_MISSING = "PARTS MISSING"


def bead_count() -> pl.Expr:
    """Count per microlitre on a single platform.

    ``events / bead_events x (beads / volume) x dilution``, beads per tube, volume in uL.

    Examples
    --------
    >>> parts = {"events": 2375, "bead_events": 12110, "beads": 50000, "volume": 50, "dilution": 1}
    >>> pl.DataFrame(parts).select(bead_count().round(1)).item()
    196.1
    """
    per_bead = pl.col("events") / pl.col("bead_events")
    return per_bead * (pl.col("beads") / pl.col("volume")) * pl.col("dilution")


def bead_count_cv() -> pl.Expr:
    """Give the counting error of a single-platform count, a fraction: ``sqrt(1/events + 1/beads)``.

    Examples
    --------
    >>> frame = pl.DataFrame({"events": [100], "bead_events": [10000]})
    >>> round(frame.select(bead_count_cv()).item(), 4)
    0.1005
    """
    return (1.0 / pl.col("events") + 1.0 / pl.col("bead_events")).sqrt()


def volumetric_count() -> pl.Expr:
    """Count per microlitre of a cytometer that measures its volume (uL): ``events / volume``."""
    return pl.col("events") / pl.col("volume") * pl.col("dilution")


def dual_count() -> pl.Expr:
    """Count per microlitre on two platforms: percent of the lymphocytes times their count."""
    return pl.col("percent") / 100.0 * pl.col("lymphocytes")


def demethylated_percent() -> pl.Expr:
    """Percent of cells by epigenetic qPCR: ``100 x efficiency x factor x target / reference``.

    ``factor`` is the copy-number factor that was applied; which one is right is a matter of the
    target, the denominator and the sex.

    Examples
    --------
    >>> parts = {"efficiency": 1.0, "factor": 2.0, "target": 170.0, "reference": 15357.13}
    >>> pl.DataFrame(parts).select(demethylated_percent().round(3)).item()
    2.214
    """
    copies = pl.col("target") / pl.col("reference")
    return 100.0 * pl.col("efficiency") * pl.col("factor") * copies


_BY_METHOD: dict[str, Callable[[], pl.Expr]] = {
    "single": bead_count,
    "volumetric": volumetric_count,
    "dual": dual_count,
    "copies": demethylated_percent,
}


def with_blood_counts(
    rows: pl.DataFrame, blood_counts: pl.DataFrame, *, max_hours: float = MAX_HOURS
) -> pl.DataFrame:
    """Give every row the nearest blood count of its subject and visit.

    Parameters
    ----------
    rows : DataFrame
        USUBJID, VISIT, DTC (ISO 8601 text) and anything else.
    blood_counts : DataFrame
        USUBJID, VISIT, DTC, number: lymphocytes per microlitre.
    max_hours : float
        A blood count taken longer before or after than this is none.

    Returns
    -------
    DataFrame
        The rows, in their order, with ``lymphocytes``; null where there is no blood count.
    """
    numbered = rows.with_row_index("__row")
    counts = blood_counts.select(
        "USUBJID",
        "VISIT",
        pl.col("DTC").str.to_datetime(strict=False).alias("__taken"),
        pl.col("number").alias("lymphocytes"),
    ).drop_nulls()
    hours = (pl.col("__at") - pl.col("__taken")).abs().dt.total_minutes() / 60.0
    nearest = (
        numbered.select(
            "__row", "USUBJID", "VISIT", pl.col("DTC").str.to_datetime(strict=False).alias("__at")
        )
        .join(counts, on=["USUBJID", "VISIT"])
        .with_columns(hours.alias("__hours"))
        .filter(pl.col("__hours") <= max_hours)
        .sort("__row", "__hours", "__taken")
        .unique("__row", keep="first", maintain_order=True)
        .select("__row", "lymphocytes")
    )
    joined = numbered.join(nearest, on="__row", how="left", maintain_order="left")
    return joined.drop("__row")


def derive_counts(rows: pl.DataFrame) -> pl.DataFrame:
    """Recompute counts and percentages from the parts in each row.

    Parameters
    ----------
    rows : DataFrame
        ``method`` (single, volumetric, dual, copies) and the parts: events, bead_events, beads,
        volume, dilution, percent, lymphocytes, target, reference, efficiency, factor.

    Returns
    -------
    DataFrame
        The rows with ``recomputed`` and, where there is no number, ``why``.
    """
    value: pl.Expr = pl.lit(None, dtype=pl.Float64)
    for name, formula in _BY_METHOD.items():
        value = pl.when(pl.col("method") == name).then(formula()).otherwise(value)
    no_count = (pl.col("method") == "dual") & pl.col("lymphocytes").is_null()
    why = pl.when(no_count).then(pl.lit(NO_BLOOD_COUNT)).otherwise(pl.lit(PARTS_MISSING))
    found = rows.with_columns(pl.when(value.is_finite()).then(value).alias("recomputed"))
    return found.with_columns(pl.when(pl.col("recomputed").is_null()).then(why).alias("why"))
