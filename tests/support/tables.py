"""Small in-memory tables for tests of one query: declared columns, only the given ones filled."""

import functools
from datetime import date

import duckdb
import polars as pl

from assayhouse.contracts import declarations
from assayhouse.contracts.table_spec import LAYERS

LOADED = declarations.load()


@functools.cache
def _script():
    """One text of statements: one by one they take several times as long."""
    tables = LOADED.declared_tables.values()
    shapes = {name: columns for spec in tables for name, columns in spec.mapped.items()}
    statements = [f"create schema {schema}" for schema in (*LAYERS, "mapped")]
    statements += [spec.ddl() for spec in tables]
    for shape, columns in shapes.items():
        texts = ", ".join(f'"{name}" varchar' for name in columns)
        statements.append(
            f"create table mapped.{shape} ({texts}, layout varchar, "
            "source_file varchar, source_line bigint, sha256 varchar, receipt bigint)"
        )
    return ";\n".join(statements)


def database():
    """Every declared relation and mapped shape as an empty table, in one thread."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(_script())
    return connection


def fill(connection, table, *rows):
    """Insert rows given as mappings; columns left out are null."""
    for row in rows:
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" for _ in row)
        connection.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))


def ask(connection, relation):
    """Run the relation's own query and bring it into its contract."""
    spec = LOADED.declared_tables[relation]
    text = LOADED.sql_path(relation).read_text()
    return spec.conform(connection.sql(text).pl())


def day(text):
    """ISO text to date."""
    return date.fromisoformat(text)


def column(frame: pl.DataFrame, name: str) -> list:
    """Values of one column."""
    return frame[name].to_list()
