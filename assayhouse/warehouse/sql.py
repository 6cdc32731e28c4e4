"""One file, one SELECT, one relation: runs a relation's query and holds it to its contract."""

import duckdb
import polars as pl

from assayhouse.contracts.declarations import Declarations
from assayhouse.contracts.table_spec import TableSpec
from assayhouse.errors import QueryError
from assayhouse.warehouse.session import asked, require_question


def build(
    connection: duckdb.DuckDBPyConnection, declarations: Declarations, relation: str
) -> pl.DataFrame:
    """Run a relation's SQL file and return its rows in contract order and types.

    Parameters
    ----------
    connection : DuckDBPyConnection
        From `Lake.connect`: holds the parents.
    declarations : Declarations
        The study.
    relation : str
        A relation that has an SQL file.

    Raises
    ------
    QueryError
        The file is not one SELECT, DuckDB refuses it, or two rows share a key.
    DeclarationError
        The result lacks a declared column or has another type.
    """
    path = declarations.sql_path(relation)
    if path is None:
        message = f"{relation} has no file in sql/: a function writes it, or it is not declared."
        raise QueryError(message)
    spec = declarations.tables.get(relation) or declarations.declared_tables[relation]
    text = path.read_text(encoding="utf-8")
    with asked(str(path)):
        require_question(text)
        frame = connection.sql(text).pl()
    return require_grain(spec.conform(frame), spec, where=str(path))


def require_grain(frame: pl.DataFrame, spec: TableSpec, *, where: str) -> pl.DataFrame:
    """Raise unless the key is given and unique in every row; returns the frame.

    Raises
    ------
    QueryError
        Rows share a key, or a key column is empty.
    """
    shared = (
        frame.height - frame.select(pl.struct(spec.key).n_unique()).item() if frame.height else 0
    )
    absent = [name for name in spec.key if frame[name].null_count()]
    if shared or absent:
        empty = f"; empty in some rows: {', '.join(absent)}" if absent else ""
        message = (
            f"{where}: {spec.relation} is declared as {spec.grain}, but {shared} of {frame.height} "
            f"rows repeat a key ({', '.join(spec.key)}){empty}. Nothing was written."
        )
        raise QueryError(message)
    return frame
