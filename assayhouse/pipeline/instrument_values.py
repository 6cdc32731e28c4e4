"""Relations recon.*: what instrument files hold, reduced as their layouts declare.

Each reads the archived bytes of the files that layouts map to its shape. Which gates, panel, curve
or targets hold is declared in the layout; no vendor, analyte or gene is known here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import polars as pl

from assayhouse.contracts.declarations import Declarations
from assayhouse.contracts.instrument_file import InstrumentSpec, PlatePlan
from assayhouse.contracts.vendor_file import LayoutSpec
from assayhouse.derive.flow_populations import (
    derive_populations,
    no_populations,
    panel_gates,
)
from assayhouse.derive.fragment_peaks import derive_panel_peaks
from assayhouse.derive.plate_quality import derive_plate_quality
from assayhouse.derive.plate_wells import derive_plate_wells
from assayhouse.derive.qpcr_wells import derive_qpcr_wells
from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.electrophoresis import read_abif
from assayhouse.instruments.fcs import FcsFile, read_fcs
from assayhouse.instruments.plates import read_plate
from assayhouse.instruments.qpcr import read_qpcr
from assayhouse.pipeline.context import BuildContext
from assayhouse.trust.archive import require_archived

FLOW_FILES, FRAGMENT_FILES = "flow_files", "fragment_files"
PLATE_FILES, QPCR_FILES = "plate_files", "qpcr_files"
NO_PANEL = "PANEL NOT DECLARED"
DELIVERED, RECOMPUTED = "delivered", "instrument"
_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedFile:
    """One instrument file as it is served, and what its layout declares of it."""

    row: dict[str, object]
    path: Path
    spec: InstrumentSpec

    @property
    def receipt(self) -> int:
        """Arrival number of the file."""
        return int(str(self.row["receipt"]))


def files_of(context: BuildContext, shape: str) -> Iterator[ArchivedFile]:
    """Give the archived files that layouts map to a shape, in the order of their arrival."""
    declared = context.declarations
    files = context.mapped(shape).sort("receipt", "source_line")
    for row in files.iter_rows(named=True):
        layout = declared.layouts[row["layout"]]
        if layout.instrument is None:
            continue
        root = context.home.archive(declared.layout_side(layout.layout))
        path = require_archived(root, row["sha256"], row["source_file"])
        yield ArchivedFile(row=row, path=path, spec=layout.instrument)


def _labelled(frame: pl.DataFrame, file: ArchivedFile) -> pl.DataFrame:
    """Say which file rows come from, and how closely its values should agree."""
    return frame.with_columns(
        pl.lit(str(file.row["layout"])).alias("layout"),
        pl.lit(str(file.row["source_file"])).alias("source_file"),
        pl.lit(file.receipt, dtype=pl.Int64).alias("receipt"),
        pl.lit(file.spec.tolerance_pct).alias("tolerance_pct"),
    )


def _of_specimen(frame: pl.DataFrame, file: ArchivedFile) -> pl.DataFrame:
    return frame.with_columns(
        pl.lit(file.row["REFID"], dtype=pl.String).alias("REFID"),
        pl.lit(file.row["flags"], dtype=pl.String).alias("flags"),
    )


def _table(
    context: BuildContext, shape: str, reduce: Callable[[ArchivedFile], pl.DataFrame]
) -> pl.DataFrame:
    """Reduce every file of a shape and put the rows in contract order."""
    parts = [_labelled(reduce(file), file) for file in files_of(context, shape)]
    if not parts:
        return context.spec.empty()
    return context.spec.conform(pl.concat(parts)).sort(context.spec.key)


def _plan(part: _Part | None, file: ArchivedFile) -> _Part:
    if part is None:
        message = f"{file.row['layout']} is of another technology than its shape; nothing was read"
        raise InstrumentFileError(message, code="unsupported_feature")
    return part


def flow_populations(context: BuildContext) -> pl.DataFrame:
    """Build recon.flow_populations: gated events of every tube."""
    return _table(context, FLOW_FILES, lambda file: _of_specimen(_populations(file), file))


def _populations(file: ArchivedFile) -> pl.DataFrame:
    plan = _plan(file.spec.flow, file)
    panel = plan.of(str(file.row["panel"]))
    if panel is None:
        nothing = no_populations(NO_PANEL)
        return nothing.with_columns(pl.lit(file.row["panel"], dtype=pl.String).alias("panel"))
    fcs: FcsFile = read_fcs(file.path)
    try:
        found = derive_populations(fcs, plan, panel, panel_gates(fcs, panel).inside())
    except InstrumentFileError as error:
        found = no_populations(error.code.upper())
    return found.with_columns(pl.lit(panel.panel).alias("panel"))


def fragment_peaks(context: BuildContext) -> pl.DataFrame:
    """Build recon.fragment_peaks: the peak of every gene of the panel in every trace."""
    return _table(
        context,
        FRAGMENT_FILES,
        lambda file: _of_specimen(
            derive_panel_peaks(read_abif(file.path), _plan(file.spec.fragments, file)), file
        ),
    )


def plate_wells(context: BuildContext) -> pl.DataFrame:
    """Build recon.plate_wells: every well of every plate file, read off curves fitted anew."""
    return _table(context, PLATE_FILES, lambda file: _wells(file, context.spec.columns))


def _wells(file: ArchivedFile, columns: tuple[str, ...]) -> pl.DataFrame:
    wells, _curves = derive_plate_wells(read_plate(file.path), _plan(file.spec.plate, file))
    absent = [name for name in columns if name.startswith("signal_") and name not in wells.columns]
    return wells.with_columns(pl.lit(None, dtype=pl.Float64).alias(name) for name in absent)


def qpcr_wells(context: BuildContext) -> pl.DataFrame:
    """Build recon.qpcr_wells: copies in every specimen's wells of every run."""
    return _table(context, QPCR_FILES, lambda file: _copies(file, context.declarations))


def _copies(file: ArchivedFile, declarations: Declarations) -> pl.DataFrame:
    plan = _plan(file.spec.qpcr, file)
    rows = declarations.term_tables.get(plan.factors or "", ())
    factors = {
        (row["PARAMCD"], row["SEXUSED"]): float(row["factor"])
        for row in rows
        if row["DENOM"] == plan.denominator
    }
    found = derive_qpcr_wells(read_qpcr(file.path), plan)
    by_sex = {
        sex: {test: factor for (test, used), factor in factors.items() if used == sex}
        for sex in ("F", "M")
    }
    return found.with_columns(
        *(
            pl.col("TESTCD")
            .replace_strict(listed, default=None, return_dtype=pl.Float64)
            .alias(f"factor_{sex.lower()}")
            for sex, listed in by_sex.items()
        ),
        pl.lit(plan.min_reference_copies).alias("least_reference"),
    )


def plate_quality(context: BuildContext) -> pl.DataFrame:
    """Build recon.plate_quality: standards, controls, blanks and control charts of every plate.

    Judges the wells as delivered, with the concentrations that the laboratory gives, and those of
    instrument files, with concentrations read off curves fitted here. The plan is that of the
    layout of the plate's file; a delivered plate of which no file came is judged by the plan of
    every plate layout of its vendor.
    """
    layouts = {item.layout: item for item, _ in context.declarations.mappings(PLATE_FILES)}
    parts = [
        _quality_of(context, layout, layout.instrument.plate)
        for layout in layouts.values()
        if layout.instrument is not None and layout.instrument.plate is not None
    ]
    if not parts:
        return context.spec.empty()
    return context.spec.conform(pl.concat(parts)).sort(context.spec.key)


def _quality_of(context: BuildContext, layout: LayoutSpec, plan: PlatePlan) -> pl.DataFrame:
    of_vendor = pl.col("layout").str.split(".").list.first() == layout.vendor
    plates = (
        context.mapped("plates")
        .filter(of_vendor)
        .group_by("PLATE", "TESTCD")
        .agg(pl.col(name).drop_nulls().first() for name in ("run_dtm", "LOT", "LLOQ"))
        .with_columns(
            pl.col("TESTCD")
            .replace_strict(plan.dilutions, default=1.0, return_dtype=pl.Float64)
            .alias("dilution")
        )
    )
    columns = ("PLATE", "TESTCD", "well_type", "level", "expected_conc", "concentration")
    read = context.table("recon.plate_wells").filter(of_vendor)
    mine = pl.col("layout") == layout.layout
    delivered = _without_others(context.mapped("control_wells").filter(of_vendor), read, mine)
    own = read.filter(mine & (pl.col("well_type") != "UNK"))
    wells = pl.concat(
        [
            delivered.select(pl.lit(DELIVERED).alias("source"), *columns),
            own.with_columns(pl.col("REFID").alias("level")).select(
                pl.lit(RECOMPUTED).alias("source"), *columns
            ),
        ],
        how="vertical_relaxed",
    ).with_columns(pl.col("level").fill_null(""))
    found = derive_plate_quality(wells, plates, plan)
    return found.with_columns(
        pl.lit(layout.vendor).alias("vendor"), pl.lit(layout.layout).alias("layout")
    )


def _without_others(delivered: pl.DataFrame, read: pl.DataFrame, mine: pl.Expr) -> pl.DataFrame:
    """Leave out delivered plates and analytes whose file is of another layout."""
    plate = ["PLATE", "TESTCD"]
    others = read.filter(~mine).join(read.filter(mine), on=plate, how="anti")
    return delivered.join(others, on=plate, how="anti", maintain_order="left")
