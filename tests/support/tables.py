"""Small in-memory tables for tests of one query: declared columns, only the given ones filled."""

from datetime import date

import duckdb
import polars as pl

from assayhouse.contracts import declarations

LOADED = declarations.load()


def database():
    """Every declared relation as an empty table, in one thread."""
    connection = duckdb.connect(config={"threads": 1})
    for schema in ("ref", "sdtm", "adam", "ard", "report", "intake", "mapped"):
        connection.execute(f"create schema {schema}")
    for spec in LOADED.declared_tables.values():
        connection.execute(spec.ddl())
    for spec in LOADED.declared_tables.values():
        for shape, columns in spec.mapped.items():
            typed = ", ".join(f'"{name}" varchar' for name in columns)
            connection.execute(
                f"create or replace table mapped.{shape} ({typed}, layout varchar, "
                "source_file varchar, source_line bigint, sha256 varchar, receipt bigint)"
            )
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
