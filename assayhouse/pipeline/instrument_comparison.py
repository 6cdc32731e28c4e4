"""Reported values beside those that instrument files give: the same formulas, the file's parts.

What only the protocol or another laboratory knows (efficiency, blood counts) is taken as it is for
the parts that a row carries; everything measured comes from the file.
"""

from dataclasses import dataclass

import polars as pl

from assayhouse.derive.cell_counts import derive_counts, with_blood_counts
from assayhouse.derive.expression import LOG2, derive_expression
from assayhouse.derive.qpcr_wells import derive_copies
from assayhouse.pipeline.context import BuildContext

FLOW, FRAGMENTS = "recon.flow_populations", "recon.fragment_peaks"
PLATES, QPCR = "recon.plate_wells", "recon.qpcr_wells"
SOURCES = (FLOW, FRAGMENTS, PLATES, QPCR)
VOLUMETRIC, NO_FACTOR, NO_VALUE = "volumetric", "SEX UNKNOWN", "NO WELLS"
_FILE = ("layout", "source_file", "receipt", "REFID", "TESTCD", "tolerance_pct")
_PARTS = {
    "PLATE": pl.String,
    "events": pl.Float64,
    "bead_events": pl.Float64,
    "beads": pl.Float64,
    "sample_ul": pl.Float64,
    "acquired_ul": pl.Float64,
    "percent": pl.Float64,
    "dilution": pl.Float64,
    "target": pl.Float64,
    "reference": pl.Float64,
    "factor_f": pl.Float64,
    "factor_m": pl.Float64,
    "log2_expression": pl.Float64,
    "concentration": pl.Float64,
    "status": pl.String,
}
MEASURED = ["vendor", "REFID", "TESTCD"]
_TAKEN = ("events", "bead_events", "beads", "percent", "dilution", "target", "reference")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentParts:
    """What the files of all instruments give, one row per file, specimen and test; sexes of DM."""

    rows: pl.DataFrame
    sexes: pl.DataFrame

    def of_unreported(self, seen: pl.DataFrame) -> pl.DataFrame:
        """Rows of specimens and tests for which no value was reported, of the file that came last.

        Parameters
        ----------
        seen : DataFrame
            vendor, REFID, TESTCD of the reported values.
        """
        return (
            self.rows.drop_nulls(MEASURED)
            .join(seen, on=MEASURED, how="anti", maintain_order="left")
            .sort("instrument_receipt", descending=True, maintain_order=True)
            .unique(MEASURED, keep="first", maintain_order=True)
        )


def read_instrument_parts(context: BuildContext) -> InstrumentParts | None:
    """Read the relations of ``SOURCES``; None where the study has none of them."""
    if not any(name in context.declarations.tables for name in SOURCES):
        return None
    taken = {
        **{name: f"file_{name}" for name in ("PLATE", *_TAKEN)},
        "source_file": "instrument_file",
        "receipt": "instrument_receipt",
        "layout": "instrument_layout",
    }
    rows = _parts(context).with_columns(_vendor()).rename(taken)
    return InstrumentParts(rows=rows, sexes=_sexes(context))


def _vendor() -> pl.Expr:
    return pl.col("layout").str.split(".").list.first().alias("vendor")


def compare_with_files(
    files: InstrumentParts, rows: pl.DataFrame, blood_counts: pl.DataFrame
) -> pl.DataFrame:
    """Recompute the reported values whose specimen has an instrument file.

    Parameters
    ----------
    files : InstrumentParts
        What the files give.
    rows : DataFrame
        The shape ``recomputation`` with its numbers as numbers.
    blood_counts : DataFrame
        The shape ``blood_counts``.

    Returns
    -------
    DataFrame
        The rows that have a file, with recomputed, why, tolerance_pct, instrument_file,
        instrument_receipt, dilution_ratios and factor_ratios.
    """
    reported = rows.with_columns(_vendor()).drop("sample_ul", "acquired_ul", strict=False)
    joined = reported.join(
        files.rows.drop("instrument_layout"), on=MEASURED, how="inner", maintain_order="left"
    ).filter(
        pl.col("PLATE").is_null()
        | pl.col("file_PLATE").is_null()
        | (pl.col("PLATE") == pl.col("file_PLATE"))
    )
    # A specimen measured again is judged by the file that came last.
    latest = joined.sort("instrument_receipt", descending=True, maintain_order=True).unique(
        ["layout", "receipt", "source_line"], keep="first", maintain_order=True
    )
    return _recomputed(latest.join(files.sexes, on="USUBJID", how="left"), blood_counts)


def reported_tests(rows: pl.DataFrame) -> pl.DataFrame:
    """Vendor, specimen and test of reported values, each once."""
    return rows.select(_vendor(), "REFID", "TESTCD").unique()


def _sexes(context: BuildContext) -> pl.DataFrame:
    if "sdtm.dm" not in context.declarations.tables:
        return pl.DataFrame(schema={"USUBJID": pl.String, "SEX": pl.String})
    return context.table("sdtm.dm").select("USUBJID", "SEX").unique("USUBJID")


def _parts(context: BuildContext) -> pl.DataFrame:
    made = {FLOW: _counted, FRAGMENTS: _expressed, PLATES: _read_off, QPCR: _amplified}
    frames = [
        make(context.table(name))
        for name, make in made.items()
        if name in context.declarations.tables
    ]
    empty = pl.DataFrame(
        schema={
            "layout": pl.String,
            "source_file": pl.String,
            "receipt": pl.Int64,
            "REFID": pl.String,
            "TESTCD": pl.String,
            "tolerance_pct": pl.Float64,
            **_PARTS,
        }
    )
    return pl.concat([empty, *frames], how="diagonal")


def _counted(populations: pl.DataFrame) -> pl.DataFrame:
    return populations.drop_nulls("TESTCD").select(
        *_FILE,
        *("events", "bead_events", "beads", "sample_ul", "acquired_ul", "percent", "dilution"),
        "status",
    )


def _expressed(peaks: pl.DataFrame) -> pl.DataFrame:
    shaped = peaks.with_columns(
        pl.col("receipt").alias("INJNO"),
        pl.col("gene_role").alias("role"),
        pl.lit(LOG2).alias("scale"),
    )
    found = derive_expression(shaped)
    return found.with_columns(pl.col("recomputed").alias("log2_expression")).select(
        *_FILE, "log2_expression", "status"
    )


def _read_off(wells: pl.DataFrame) -> pl.DataFrame:
    """Average the wells of a specimen after interpolation; masked ones are left out."""
    unknown = wells.filter(pl.col("well_type") == "UNK")
    return unknown.group_by(*_FILE, "PLATE", maintain_order=True).agg(
        pl.col("concentration").mean(),
        pl.col("dilution").first(),
        pl.when(pl.col("concentration").count() == 0)
        .then(pl.col("status").drop_nulls().first())
        .first()
        .alias("status"),
    )


def _amplified(wells: pl.DataFrame) -> pl.DataFrame:
    files = wells.select("layout", "source_file", "receipt", "tolerance_pct").unique("receipt")
    copies = derive_copies(wells).join(files, on="receipt", how="left", maintain_order="left")
    return copies.rename({"why": "status"}).select(
        *_FILE, "PLATE", "target", "reference", "factor_f", "factor_m", "status"
    )


def _recomputed(rows: pl.DataFrame, blood_counts: pl.DataFrame) -> pl.DataFrame:
    """Apply the formulas to the parts of the files."""
    volume = pl.when(pl.col("method") == VOLUMETRIC).then("acquired_ul").otherwise("sample_ul")
    woman, man = pl.col("SEX") == "F", pl.col("SEX") == "M"
    declared = pl.when(woman).then("factor_f").when(man).then("factor_m")
    has_factors = pl.col("factor_f").is_not_null() | pl.col("factor_m").is_not_null()
    factor = pl.when(has_factors).then(declared).otherwise(pl.col("factor"))
    parts = rows.with_columns(
        pl.col("dilution").alias("reported_dilution"),
        *(pl.col(f"file_{name}").alias(name) for name in _TAKEN),
        volume.alias("volume"),
        factor.alias("factor"),
    )
    counted = derive_counts(with_blood_counts(parts, blood_counts))
    ratio = pl.lit(2.0).pow(pl.col("log2_expression"))
    expression = pl.when(pl.col("scale") == LOG2).then("log2_expression").otherwise(ratio)
    read_off = pl.col("concentration") * pl.col("dilution")
    value = pl.coalesce(expression, read_off, "recomputed")
    no_sex = pl.when(has_factors & pl.col("factor").is_null()).then(pl.lit(NO_FACTOR))
    why = pl.coalesce("status", no_sex, "why", pl.lit(NO_VALUE))
    unusable = pl.col("status").is_not_null() & ~pl.col("method").is_in(["dual"])
    found = counted.with_columns(pl.when(~unusable).then(value).alias("recomputed"))
    return found.with_columns(
        pl.when(pl.col("recomputed").is_null()).then(why).alias("why"), *_ratios()
    )


def _ratios() -> list[pl.Expr]:
    """List reported over right value, had another dilution or another copy factor been used."""
    used, factor = pl.col("dilution"), pl.col("factor")
    dilutions = [1.0 / used, used, pl.col("reported_dilution") / used]
    factors = [1.0 / factor, factor, pl.col("factor_f") / factor, pl.col("factor_m") / factor]
    return [
        pl.concat_list(dilutions).alias("dilution_ratios"),
        pl.concat_list(factors).alias("factor_ratios"),
    ]
