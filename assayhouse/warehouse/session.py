"""DuckDB connections: settings, closed doors, and its errors without a subject's value."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from assayhouse.errors import QueryError

THREADS = 1  # sums of doubles must not depend on how rows were shared out
MEMORY = "1GB"
# Errors about values quote them; those about names quote names, which help.
_ABOUT_VALUES = (
    duckdb.ConversionException,
    duckdb.OutOfRangeException,
    duckdb.InvalidInputException,
    duckdb.ConstraintException,
)
_QUOTED = re.compile(r"""'[^'\n]*'|"[^"\n]*"|(?<![\w.])-?\d[\d.eE+-]*""")


def without_values(error: duckdb.Error) -> str:
    """Return DuckDB's message without what may be a subject's value."""
    if not isinstance(error, _ABOUT_VALUES):
        return str(error)
    first, *rest = str(error).split("\n\nLINE", 1)
    if isinstance(error, duckdb.InvalidInputException):
        # A function's own message may hold a value anywhere, without quotes.
        first = f"{first.split(':', 1)[0]}: a function refused a value, which is not shown."
    return "\n\nLINE".join([_QUOTED.sub("...", first), *rest])


@contextmanager
def asked(where: str) -> Iterator[None]:
    """Turn DuckDB's errors into `QueryError`, which says where the question stands.

    Raises
    ------
    QueryError
        DuckDB could not answer.
    """
    try:
        yield
    except duckdb.Error as error:
        message = f"{where}: {without_values(error)}"
        raise QueryError(message) from None


def in_memory(temporary: Path, *, threads: int = THREADS) -> duckdb.DuckDBPyConnection:
    """Open a database in memory that spills to a folder of its own and fetches nothing.

    Names in a question are tables, never variables of the program.
    """
    connection = duckdb.connect(
        config={
            "threads": threads,
            "memory_limit": MEMORY,
            "temp_directory": str(temporary),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
        }
    )
    settle(connection)
    return connection


def settle(connection: duckdb.DuckDBPyConnection) -> None:
    """Set what every connection has: times in UTC, and nothing printed while a question runs."""
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")


def read_only(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a file for people: nothing can be written, no other file read, no setting changed."""
    connection = duckdb.connect(
        str(path),
        read_only=True,
        config={
            "threads": THREADS,
            "memory_limit": MEMORY,
            "enable_external_access": "false",
            "python_enable_replacements": "false",
        },
    )
    settle(connection)
    connection.execute("set lock_configuration = true")
    return connection


def close_doors(connection: duckdb.DuckDBPyConnection, files: tuple[Path, ...]) -> None:
    """Let a connection read the given files from now on and nothing else."""
    listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
    connection.execute(f"set allowed_paths = [{listed}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def require_question(sql: str) -> None:
    """Raise unless the text is one statement that reads.

    Raises
    ------
    QueryError
        There is no statement, more than one, or one that is not a SELECT.
    """
    with asked("query"):
        kinds = [statement.type for statement in duckdb.extract_statements(sql)]
    if kinds != [duckdb.StatementType.SELECT]:
        message = (
            "query: exactly one statement that reads is answered (SELECT, WITH, FROM, DESCRIBE, "
            "SUMMARIZE). Nothing was run."
        )
        raise QueryError(message)
