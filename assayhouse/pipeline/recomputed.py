"""recon.recomputed: every reported value beside its recomputation, from its parts and from files.

Which layout carries which parts is declared in its ``maps_to``; no vendor is known here. A value
whose specimen has an instrument file has a second row, on the basis of that file.
"""

import polars as pl

from assayhouse.derive.cell_counts import PARTS_MISSING, derive_counts, with_blood_counts
from assayhouse.derive.expression import LOG2, derive_expression
from assayhouse.derive.quantification import derive_results, derive_well_concentrations
from assayhouse.derive.suspicions import name_suspicions
from assayhouse.pipeline.context import BuildContext
from assayhouse.pipeline.instrument_comparison import SOURCES, compare_with_files

TOLERANCE_PCT = 2.0
AGREE, DIFFER, NOT_RECOMPUTABLE = "agree", "differ", "not_recomputable"
NO_NUMBER, NO_WELLS = "NO NUMBER REPORTED", "NO WELLS"
CURVES, EXPRESSION = "curves", "expression"
PARTS, INSTRUMENT = "parts", "instrument"
_KEPT = (
    *("layout", "REFID", "TESTCD", "PLATE", "method", "scale", "reported", "written"),
    *("recomputed", "why", "source_file", "source_line", "receipt"),
)
_OF_FILES = ("tolerance_pct", "instrument_file", "instrument_receipt")
_RATIOS = ("dilution_ratios", "factor_ratios")
_NUMBERS = (
    *("reported", "events", "bead_events", "beads", "volume", "dilution", "percent", "target"),
    *("reference", "efficiency", "factor", "area"),
)


def _numbers(frame: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    return frame.with_columns(pl.col(name).cast(pl.Float64, strict=False) for name in names)


def recomputed(context: BuildContext) -> pl.DataFrame:
    """Build the relation from the rows that layouts map to its shapes."""
    rows = _numbers(context.mapped("recomputation"), _NUMBERS)
    counted = rows.filter(~pl.col("method").is_in([CURVES, EXPRESSION]))
    blood_counts = _numbers(context.mapped("blood_counts"), ("number",))
    parts = [
        _counts(counted, blood_counts),
        _concentrations(
            rows.filter(pl.col("method") == CURVES),
            _numbers(context.mapped("wells"), ("signal_1", "signal_2", "signal_3")),
            _numbers(context.mapped("curves"), ("signal", "a", "b", "c", "d", "g")),
        ),
        _expressions(rows.filter(pl.col("method") == EXPRESSION)),
    ]
    compared = [
        pl.concat([part.select(_KEPT) for part in parts]).with_columns(
            pl.lit(PARTS).alias("basis"), *_no_file()
        )
    ]
    if any(name in context.declarations.tables for name in SOURCES):
        found = compare_with_files(context, rows, blood_counts)
        compared.append(
            found.select(*_KEPT, pl.lit(INSTRUMENT).alias("basis"), *_OF_FILES, *_RATIOS)
        )
    judged = judge_recomputed(pl.concat(compared))
    vendor = pl.col("layout").str.split(".").list.first().alias("vendor")
    named = judged.with_columns(vendor, name_suspicions(judged))
    return context.spec.conform(named).sort(context.spec.key)


def _no_file() -> list[pl.Expr]:
    """Columns of a comparison without an instrument file."""
    nothing = pl.lit(None, dtype=pl.List(pl.Float64))
    return [
        pl.lit(TOLERANCE_PCT).alias("tolerance_pct"),
        pl.lit(None, dtype=pl.String).alias("instrument_file"),
        pl.lit(None, dtype=pl.Int64).alias("instrument_receipt"),
        *(nothing.alias(name) for name in _RATIOS),
    ]


def _counts(rows: pl.DataFrame, blood_counts: pl.DataFrame) -> pl.DataFrame:
    return derive_counts(with_blood_counts(rows, blood_counts))


def _concentrations(rows: pl.DataFrame, wells: pl.DataFrame, curves: pl.DataFrame) -> pl.DataFrame:
    results = derive_results(derive_well_concentrations(wells, curves))
    joined = rows.join(results, on=["PLATE", "TESTCD", "REFID"], how="left", maintain_order="left")
    value = pl.col("concentration") * pl.col("dilution")
    why = pl.when(value.is_null()).then(pl.coalesce("why", pl.lit(NO_WELLS)))
    return joined.with_columns(value.alias("recomputed"), why.alias("why"))


def _expressions(rows: pl.DataFrame) -> pl.DataFrame:
    found = derive_expression(rows)
    why = pl.when(pl.col("recomputed").is_null()).then(pl.lit(PARTS_MISSING))
    return found.with_columns(why.alias("why"))


def judge_recomputed(rows: pl.DataFrame) -> pl.DataFrame:
    """Compare reported values with recomputed ones: within tolerance or half a last digit, agree.

    Parameters
    ----------
    rows : DataFrame
        reported, written (its text), recomputed, why, scale, tolerance_pct.

    Returns
    -------
    DataFrame
        The rows with rel_difference_pct, verdict and reason. On a log2 scale the ratio of the two
        is what is compared.
    """
    decimals = pl.col("written").str.extract(r"\.([0-9]+)$").str.len_bytes().fill_null(0)
    half_digit = 0.5 * pl.lit(10.0).pow(-decimals.cast(pl.Float64))
    logarithmic = pl.col("scale").eq(LOG2).fill_null(value=False)
    gap = pl.col("reported") - pl.col("recomputed")
    ratio = pl.when(logarithmic).then(pl.lit(2.0).pow(gap) - 1.0)
    relative = ratio.otherwise(gap / pl.col("recomputed"))
    near = (100.0 * relative.abs() <= pl.col("tolerance_pct")) | (gap.abs() <= half_digit)
    absent = pl.col("reported").is_null()
    why = pl.when(absent).then(pl.lit(NO_NUMBER)).otherwise(pl.col("why"))
    open_question = absent | pl.col("recomputed").is_null()
    return rows.with_columns(
        pl.when(~open_question & relative.is_finite())
        .then(100.0 * relative)
        .alias("rel_difference_pct"),
        pl.when(open_question)
        .then(pl.lit(NOT_RECOMPUTABLE))
        .when(near)
        .then(pl.lit(AGREE))
        .otherwise(pl.lit(DIFFER))
        .alias("verdict"),
        pl.when(open_question).then(why).alias("reason"),
    )
