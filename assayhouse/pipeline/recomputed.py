"""recon.recomputed: every reported value beside its recomputation, from its parts and from files.

Which layout carries which parts is declared in its ``maps_to``; no vendor is known here. A value
whose specimen has an instrument file has a second row, on the basis of that file; a specimen that
has a file but no reported value has a row that says so. Nothing here knows that the rows may be
a part of a large relation: see `recomputed_parts`.
"""

from dataclasses import dataclass

import polars as pl
from polars.datatypes import DataType, DataTypeClass

from assayhouse.contracts.table_spec import TableSpec
from assayhouse.derive.cell_counts import PARTS_MISSING, derive_counts, with_blood_counts
from assayhouse.derive.expression import LOG2, derive_expression
from assayhouse.derive.quantification import derive_results, derive_well_concentrations
from assayhouse.derive.suspicions import name_suspicions
from assayhouse.pipeline.context import BuildContext
from assayhouse.pipeline.instrument_comparison import (
    InstrumentParts,
    compare_with_files,
    read_instrument_parts,
    reported_tests,
)

TOLERANCE_PCT = 2.0
AGREE, DIFFER, NOT_RECOMPUTABLE = "agree", "differ", "not_recomputable"
NO_NUMBER, NO_RESULT, NO_WELLS = "NO NUMBER REPORTED", "NO RESULT REPORTED", "NO WELLS"
CURVES, EXPRESSION = "curves", "expression"
PARTS, INSTRUMENT = "parts", "instrument"
_KEPT = (
    *("layout", "REFID", "TESTCD", "PLATE", "method", "scale", "reported", "written"),
    *("recomputed", "why", "source_file", "source_line", "receipt"),
)
_OF_FILES = ("tolerance_pct", "instrument_file", "instrument_receipt")
_RATIOS = ("dilution_ratios", "factor_ratios")
_JUDGED = ("rel_difference_pct", "verdict", "reason")
_NUMBERS = (
    *("reported", "events", "bead_events", "beads", "volume", "dilution", "percent", "target"),
    *("reference", "efficiency", "factor", "area"),
)


def _numbers(frame: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    return frame.with_columns(pl.col(name).cast(pl.Float64, strict=False) for name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """Reported values with what they are recomputed from, numbers as numbers.

    Parameters
    ----------
    rows, wells, curves, blood_counts : DataFrame
        The shapes ``recomputation``, ``wells``, ``curves`` and ``blood_counts``. Wells and curves
        of whole plates; other rows of whole specimens.
    """

    rows: pl.DataFrame
    wells: pl.DataFrame
    curves: pl.DataFrame
    blood_counts: pl.DataFrame


def read_blood_counts(context: BuildContext) -> pl.DataFrame:
    """Read the shape of blood counts."""
    return _numbers(context.mapped("blood_counts"), ("number",))


def read_reported(context: BuildContext, blood_counts: pl.DataFrame) -> Reported:
    """Read the other shapes, as far as the connection shows them."""
    return Reported(
        rows=_numbers(context.mapped("recomputation"), _NUMBERS),
        wells=_numbers(context.mapped("wells"), ("signal_1", "signal_2", "signal_3")),
        curves=_numbers(context.mapped("curves"), ("signal", "a", "b", "c", "d", "g")),
        blood_counts=blood_counts,
    )


def recomputed(context: BuildContext) -> pl.DataFrame:
    """Build the relation from the rows that layouts map to its shapes."""
    files = read_instrument_parts(context)
    reported = read_reported(context, read_blood_counts(context))
    judged = judged_values(reported, files)
    if files is not None:
        judged = pl.concat([judged, judged_unreported(files, reported_tests(reported.rows))])
    named = judged.with_columns(name_suspicions(judged))
    return context.spec.conform(named).sort(context.spec.key)


def judged_values(reported: Reported, files: InstrumentParts | None) -> pl.DataFrame:
    """Recompute values from their parts and from files, and judge them.

    Returns
    -------
    DataFrame
        The relation's columns but for the suspicion, and those that suspicions are named from.
    """
    rows = reported.rows
    counted = rows.filter(~pl.col("method").is_in([CURVES, EXPRESSION]))
    parts = [
        _counts(counted, reported.blood_counts),
        _concentrations(rows.filter(pl.col("method") == CURVES), reported.wells, reported.curves),
        _expressions(rows.filter(pl.col("method") == EXPRESSION)),
    ]
    compared = [
        pl.concat([part.select(_KEPT) for part in parts]).with_columns(
            pl.lit(PARTS).alias("basis"), *_no_file()
        )
    ]
    if files is not None:
        found = compare_with_files(files, rows, reported.blood_counts)
        compared.append(
            found.select(*_KEPT, pl.lit(INSTRUMENT).alias("basis"), *_OF_FILES, *_RATIOS)
        )
    return _with_vendor(judge_recomputed(pl.concat(compared)))


def judged_unreported(files: InstrumentParts, seen: pl.DataFrame) -> pl.DataFrame:
    """Rows for specimens that have a file but no reported value, in the columns of the others.

    The reason names what stands in the way of a value in the file as well, if anything does. No
    value is told: which method, scale or factor it had to be reported with is not known.

    Parameters
    ----------
    files : InstrumentParts
        What the files give.
    seen : DataFrame
        From `reported_tests`, over all reported values.
    """
    nothing: dict[str, DataType | DataTypeClass] = {
        **dict.fromkeys(("method", "scale", "written"), pl.String),
        **dict.fromkeys(("reported", "recomputed", "rel_difference_pct"), pl.Float64),
        **dict.fromkeys(_RATIOS, pl.List(pl.Float64)),
    }
    reason = pl.concat_str(pl.lit(NO_RESULT), pl.col("status"), separator="; ", ignore_nulls=True)
    found = files.of_unreported(seen).with_columns(
        *(pl.lit(None, dtype=kind).alias(name) for name, kind in nothing.items()),
        pl.lit(INSTRUMENT).alias("basis"),
        pl.lit(NOT_RECOMPUTABLE).alias("verdict"),
        pl.col("instrument_layout").alias("layout"),
        pl.col("instrument_file").alias("source_file"),
        pl.col("instrument_receipt").alias("receipt"),
        pl.col("file_PLATE").alias("PLATE"),
        pl.lit(1, dtype=pl.Int64).alias("source_line"),
        reason.alias("reason"),
        reason.alias("why"),
    )
    return found.select(*_KEPT, "basis", *_OF_FILES, *_RATIOS, *_JUDGED, "vendor")


def _with_vendor(judged: pl.DataFrame) -> pl.DataFrame:
    return judged.with_columns(pl.col("layout").str.split(".").list.first().alias("vendor"))


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


def has_verdicts(spec: TableSpec) -> bool:
    """Whether a relation holds verdicts on values, with their reasons."""
    return {"basis", *_JUDGED, "suspicion"} <= set(spec.columns)


def count_verdicts(rows: pl.LazyFrame) -> dict[str, int]:
    """Count values by basis, verdict and why.

    Parameters
    ----------
    rows : LazyFrame
        Of a relation that `has_verdicts`.

    Returns
    -------
    dict of str to int
        For example ``instrument: differ, wrong dilution``.
    """
    why = pl.coalesce("suspicion", "reason")
    told = pl.concat_str(
        pl.concat_str("basis", "verdict", separator=": "), why, separator=", ", ignore_nulls=True
    )
    counts = rows.group_by(told.alias("told")).len().collect(engine="streaming")
    return dict(counts.sort("told").iter_rows())
