"""Files that people query: built anew from one publication, swapped in whole, opened read-only."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile

import duckdb
import polars as pl

from assayhouse.errors import QueryError, WarehouseError
from assayhouse.warehouse import publications, tables, views
from assayhouse.warehouse.home import SIDES, Home, exclusive
from assayhouse.warehouse.lake import Lake
from assayhouse.warehouse.publications import Publication
from assayhouse.warehouse.session import (
    THREADS,
    asked,
    close_doors,
    in_memory,
    read_only,
    require_question,
    settle,
    without_values,
)
from assayhouse.warehouse.window import create_views, pinned, shown

_WAIT_SECONDS = 120.0
_SHOW = re.compile(r"\s*show\s+tables\s*;?\s*", re.IGNORECASE)
_TABLES = """
select schema_name as "schema", name, comment as label from (
  select schema_name, table_name as name, comment from duckdb_tables() where not internal
  union all
  select schema_name, view_name as name, comment from duckdb_views() where not internal
) order by all
"""
_BUILD_MEMORY = "500MB"  # rows pass through: more makes it no faster


def build_warehouse(
    lake: Lake, publication: Publication, *, serve_sealed: bool
) -> tuple[Path, ...]:
    """Write the open and the sealed warehouse file of one publication.

    A kill at any moment leaves each file as it was or new; readers that hold the former go on.

    Parameters
    ----------
    lake : Lake
        Where the tables are.
    publication : Publication
        Which versions to hold.
    serve_sealed : bool
        Whether the open file may hold the sealed side too.

    Returns
    -------
    tuple of Path
        The open file, then the sealed one.

    Raises
    ------
    WarehouseError
        A table cannot be read or a file not be written; the former files stay.
    """
    home = lake.home.require()
    with exclusive(home.publications / ".warehouse.lock", wait_seconds=_WAIT_SECONDS):
        sealed, opened = _drafts(home)
        everything = _sources(lake, publication, sealed=True)
        if serve_sealed:
            _write(sealed, lake, publication, everything, holds_sealed=True)
            copyfile(sealed, opened)
        else:
            open_only = _sources(lake, publication, sealed=False)
            _write(opened, lake, publication, open_only, holds_sealed=False)
            copyfile(opened, sealed)
            rest = {name: item for name, item in everything.items() if open_only.get(name) != item}
            _write(sealed, lake, publication, rest, holds_sealed=True)
        sealed.replace(home.warehouse_file("sealed"))
        opened.replace(home.warehouse_file("open"))
    return home.warehouse_file("open"), home.warehouse_file("sealed")


def _drafts(home: Home) -> tuple[Path, Path]:
    """Name the new sealed and open file; what a killed build left under these names goes."""
    drafts = []
    for side in ("sealed", "open"):
        target = home.warehouse_file(side)
        path = target.with_name(f"{target.name}.new")
        for stale in (path, path.with_name(f"{path.name}.wal")):
            stale.unlink(missing_ok=True)
        drafts.append(path)
    return drafts[0], drafts[1]


def _sources(lake: Lake, publication: Publication, *, sealed: bool) -> dict[str, views.Source]:
    return shown(
        lake.home,
        lake.declarations,
        visible=frozenset(publication.visible),
        publication=publication,
        sealed=sealed,
    )


def _write(
    path: Path,
    lake: Lake,
    publication: Publication,
    sources: dict[str, views.Source],
    *,
    holds_sealed: bool,
) -> None:
    """Write relations into a new file, or into a copy that holds others already."""
    temporary = lake.home.scratch_name("sealed" if holds_sealed else "open")
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": THREADS,
        "memory_limit": _BUILD_MEMORY,
        "temp_directory": str(temporary),
    }
    try:
        with duckdb.connect(str(path), config=config) as connection:
            settle(connection)
            connection.begin()  # one flush to disk, not one per statement
            tables.fill(connection, lake.declarations, sources)
            tables.describe(connection, publication, holds_sealed=holds_sealed)
            connection.commit()
    except duckdb.Error as error:
        message = (
            f"{path}: the warehouse file could not be built ({without_values(error)}). "
            "The former one stays."
        )
        raise WarehouseError(message) from error


def published_in(home: Home, side: str) -> tuple[int, bool] | None:
    """Read which publication a warehouse file holds, and whether with the sealed side.

    None where there is no file, or one that cannot be read or was cut off.
    """
    path = home.warehouse_file(side)
    if not path.is_file() or not is_whole(path):
        return None
    try:
        with read_only(path) as connection:
            found = connection.execute("select number, serves_sealed from meta.publication")
            row = found.fetchone()
    except duckdb.Error:
        return None
    return None if row is None else (int(row[0]), bool(row[1]))


def query(
    home: Home, sql: str, *, sealed: bool = False, as_of: int | str | None = None
) -> pl.DataFrame:
    """Answer one SELECT from the warehouse file, or from the tables as they were published then.

    Parameters
    ----------
    home : Home
        Where the warehouse is.
    sql : str
        One statement that reads.
    sealed : bool
        Ask the sealed warehouse.
    as_of : int or str or None
        Number of a publication, or an ISO time: the last publication at or before it.

    Raises
    ------
    QueryError
        The question cannot be answered as written, or there is no warehouse yet.
    WarehouseError
        There is no publication as of then.
    """
    home.require()
    require_question(sql)
    if as_of is not None:
        return _query_past(home, sql, publications.as_of(home, as_of), sealed=sealed)
    path = home.warehouse_file("sealed" if sealed else "open")
    if not path.is_file():
        message = f"{path}: there is no warehouse yet. Publish first."
        raise QueryError(message)
    with asked("query"), _told_if_damaged(path), read_only(path) as connection:
        answer: pl.DataFrame = connection.sql(_spelled_out(sql)).pl()
    return answer


def is_listing(sql: str) -> bool:
    """Whether a question asks which tables there are."""
    return _SHOW.fullmatch(sql) is not None


def _spelled_out(sql: str) -> str:
    """Ask for the tables of every schema where DuckDB would list those of the empty one alone."""
    return _TABLES if is_listing(sql) else sql


@contextmanager
def _told_if_damaged(path: Path) -> Iterator[None]:
    """Say what to do about a file that DuckDB cannot read, in place of its own words."""
    try:
        yield
    except (duckdb.IOException, duckdb.SerializationException, duckdb.FatalException) as error:
        raise _damaged(path) from error
    except duckdb.Error as error:
        if is_whole(path):
            raise
        raise _damaged(path) from error


def _damaged(path: Path) -> QueryError:
    return QueryError(
        f"{path}: the warehouse file cannot be read: it is damaged or cut off, or another program "
        "wrote it. Nothing is lost, it is a copy of the published tables: remove the file, then "
        "`assayhouse run` builds it anew."
    )


def is_whole(path: Path) -> bool:
    """Whether DuckDB opens a file and finds as many bytes as it has blocks."""
    try:
        with read_only(path) as connection:
            row = connection.execute(
                "select block_size * total_blocks from pragma_database_size()"
            ).fetchone()
    except duckdb.Error:
        return False
    return row is not None and path.stat().st_size >= int(row[0])


def _past_sources(publication: Publication, home: Home, sides: Iterable[str]) -> list[views.Source]:
    visible = frozenset(publication.visible)
    names = dict.fromkeys(pin.relation for pin in publication.relations)
    found = []
    for name in names:
        pins = [pin for pin in publication.pins(name) if pin.side in sides]
        if pins:
            found.append(pinned(home, pins, visible))
    return found


def _query_past(home: Home, sql: str, publication: Publication, *, sealed: bool) -> pl.DataFrame:
    served = published_in(home, "open")
    with_sealed = sealed or (served is not None and served[1])
    sources = _past_sources(publication, home, SIDES if with_sealed else ("open",))
    temporary = home.scratch_name("sealed" if with_sealed else "open")
    with asked("query"), in_memory(temporary) as connection:
        create_views(connection, sources)
        tables.describe(connection, publication, holds_sealed=with_sealed)
        close_doors(connection, tuple(path for source in sources for path in source.files))
        answer: pl.DataFrame = connection.sql(_spelled_out(sql)).pl()
    return answer
