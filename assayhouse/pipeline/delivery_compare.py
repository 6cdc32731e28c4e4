"""Compares the draft of a delivery with itself (duplicates) and with what is served (delta).

Writes the rows that the delivery adds, and the records it changed, beside the draft.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from assayhouse.contracts.declarations import Declarations
from assayhouse.contracts.vendor_file import LayoutSpec
from assayhouse.intake import delta
from assayhouse.intake.delta import Duplicates, quoted
from assayhouse.intake.disposition import DeltaCounts
from assayhouse.intake.receipt import Receipt
from assayhouse.pipeline.delivery_record import DELTA_RECORDS, ROWS
from assayhouse.warehouse.lake import Lake

_KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a delivery does to the records, and how many rows it adds to its relation."""

    counts: DeltaCounts
    n_rows: int


def _looked_at(lake: Lake, layout: LayoutSpec) -> frozenset[str]:
    """Name the relations that a draft is compared with: its own, and those of its companions."""
    known = lake.declarations.layouts
    companions = lake.declarations.assay_checks[layout.layout].companions
    near = {known[item.layout].relation for item in companions if item.layout in known}
    return frozenset({layout.relation, *near})


def open_draft(
    lake: Lake, layout: LayoutSpec, folder: Path, *, visible: frozenset[int]
) -> duckdb.DuckDBPyConnection:
    """Connect to what is served, with the draft's rows as ``draft`` and ``kept_out``."""
    connection = lake.connect(visible=visible, sealed=True, only=_looked_at(lake, layout))
    empty = lake.spec(layout.relation).empty()
    connection.register("draft_empty", empty.to_arrow(compat_level=pl.CompatLevel.oldest()))
    _view(connection, "draft", folder / "accepted", "select * from draft_empty")
    show_kept_out(connection, layout, folder)
    return connection


def leave_out(connection: duckdb.DuckDBPyConnection, folder: Path, lines: pl.DataFrame) -> None:
    """Take rows out of ``draft`` that are quarantined after the file was read.

    Parameters
    ----------
    connection : DuckDBPyConnection
        From :func:`open_draft`.
    folder : Path
        Folder of the delivery.
    lines : DataFrame
        Their ``source_line``.
    """
    connection.register("lines", lines.select("source_line").unique().to_arrow())
    connection.execute("create temporary table quarantined_after as select * from lines")
    connection.unregister("lines")
    _view(connection, "accepted", folder / "accepted", "select * from draft_empty")
    connection.execute(
        "create or replace view draft as select * from accepted "
        "where source_line not in (select source_line from quarantined_after)"
    )


def show_kept_out(connection: duckdb.DuckDBPyConnection, layout: LayoutSpec, folder: Path) -> None:
    """Make ``kept_out`` the keys of every row in the quarantine so far."""
    keys = ", ".join(f"cast(null as varchar) as {quoted(name)}" for name in layout.key)
    _view(connection, "kept_out", folder / "kept_out", f"select {keys} where false")


def _view(connection: duckdb.DuckDBPyConnection, name: str, folder: Path, empty: str) -> None:
    query = empty
    if any(folder.iterdir()):
        pattern = str(folder / "*.parquet").replace("'", "''")
        query = f"select * from read_parquet('{pattern}')"  # noqa: S608 - our own path
    connection.execute(f"create or replace view {name} as {query}")


def find_duplicates(connection: duckdb.DuckDBPyConnection, layout: LayoutSpec) -> Duplicates:
    """Find repeated keys in the draft and leave out of ``kept`` the rows that do not count."""
    found = delta.find_duplicates(connection, layout, draft="draft")
    left_out = (*found.copies, *found.conflicts)
    query = "select * from draft"
    if left_out:
        connection.execute("create or replace temporary table left_out (source_line bigint)")
        lines = pl.DataFrame({"source_line": left_out}, schema={"source_line": pl.Int64})
        connection.register("lines", lines.to_arrow())
        connection.execute("insert into left_out select source_line from lines")
        connection.unregister("lines")
        query += " where source_line not in (select source_line from left_out)"
    connection.execute(f"create or replace temporary view {_KEPT} as {query}")
    return found


def compare(
    connection: duckdb.DuckDBPyConnection,
    declarations: Declarations,
    *,
    receipt: Receipt,
    folder: Path,
    join: bool,
) -> Comparison:
    """Compare the kept rows with what is served and write what the delivery adds.

    Parameters
    ----------
    connection : DuckDBPyConnection
        From :func:`open_draft`, after :func:`find_duplicates`.
    declarations : Declarations
        Layouts and relations of the study.
    receipt : Receipt
        The delivery.
    folder : Path
        Its folder; ``rows/`` is written into it.
    join : bool
        False where nothing is served yet and no row was left out: the draft is what is added.
    """
    layout = declarations.layouts[receipt.layout]
    if not join:
        count = connection.execute(f"select count(*) from {_KEPT}").fetchone()  # noqa: S608 - fixed
        shutil.move(folder / "accepted", folder / ROWS)
        rows = int(count[0]) if count else 0
        return Comparison(counts=DeltaCounts(new=rows), n_rows=rows)
    counts = delta.compare(
        connection,
        layout,
        draft=_KEPT,
        current=layout.relation,
        quarantined_keys="kept_out",
    )
    _write_rows(connection, declarations, receipt, folder)
    _write_records(connection, layout, receipt, folder)
    added = counts.new + counts.changed + counts.cosmetic + counts.vanished
    return Comparison(counts=counts, n_rows=added)


def _write_rows(
    connection: duckdb.DuckDBPyConnection,
    declarations: Declarations,
    receipt: Receipt,
    folder: Path,
) -> None:
    layout = declarations.layouts[receipt.layout]
    source = pl.DataFrame(
        {
            "source_file": [receipt.file_name],
            "sha256": [receipt.sha256],
            "receipt": [receipt.number],
        }
    )
    connection.register("source", source.to_arrow(compat_level=pl.CompatLevel.oldest()))
    (folder / ROWS).mkdir()
    columns = declarations.tables[layout.relation].columns
    query = delta.rows_sql(layout, draft=_KEPT, columns=columns)
    target = str(folder / ROWS / "part-000001.parquet").replace("'", "''")
    listed = ", ".join(quoted(name) for name in columns)
    connection.execute(
        f"copy (select {listed} from ({query})) to '{target}' (format parquet, compression zstd)"  # noqa: S608 - declared names
    )


def _write_records(
    connection: duckdb.DuckDBPyConnection, layout: LayoutSpec, receipt: Receipt, folder: Path
) -> None:
    records = connection.sql(delta.records_sql(layout, draft=_KEPT)).pl()
    if records.height:
        records.with_columns(
            pl.lit(receipt.number, dtype=pl.Int64).alias("receipt"),
            pl.lit(receipt.layout).alias("layout"),
            pl.lit("").alias("status"),
        ).write_parquet(folder / DELTA_RECORDS)
