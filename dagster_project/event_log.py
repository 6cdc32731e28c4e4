"""Dagster's event log in one SQLite file, with one engine for all statements of a process.

Dagster's own stores make a new engine, compile every statement anew and wait for the disk two or
three times for each event; a night stores more than a thousand. Tables and statements are its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from sqlite3 import Connection as Opened

from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine

BUSY_SECONDS = 60


def _settle(opened: Opened, _record: object) -> None:
    # With the write-ahead log a killed process loses nothing; only a power cut may lose the last
    # events, and the tables say by themselves what has been built.
    opened.execute("pragma synchronous = normal")


class KeptEngine(ConsolidatedSqliteEventLogStorage):
    """Event log of a Dagster instance in ``<base_dir>/event_log.db``.

    Parameters
    ----------
    base_dir : str
        Folder of the file.
    inst_data : ConfigurableClassData or None
        As Dagster hands it over.
    """

    @cached_property
    def _engine(self) -> Engine:
        engine = create_engine(self._conn_string, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _settle)
        return engine

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close the file."""
        super().dispose()  # type: ignore[no-untyped-call]
        self._engine.dispose()
