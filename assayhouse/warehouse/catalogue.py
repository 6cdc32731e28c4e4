"""Files that people query: built anew from one publication, swapped in whole, opened read-only."""

from collections.abc import Iterable
from pathlib import Path
from shutil import copyfile

import duckdb
import polars as pl

from assayhouse.contracts.declarations import Declarations
from assayhouse.contracts.table_spec import LAYERS, TableSpec
from assayhouse.errors import QueryError, WarehouseError
from assayhouse.warehouse import publications, views
from assayhouse.warehouse.home import SIDES, Home, exclusive
from assayhouse.warehouse.lake import Lake
from assayhouse.warehouse.publications import Publication
from assayhouse.warehouse.session import (
    MEMORY,
    asked,
    close_doors,
    in_memory,
    read_only,
    require_question,
    without_values,
)
from assayhouse.warehouse.window import create_views, history_name, pinned, shown

_WAIT_SECONDS = 120.0
_BUILD_THREADS = 2
_META = (
    (
        "meta.publication",
        "The publication held here",
        (
            ("number", "BIGINT", "Number of the publication"),
            ("at", "VARCHAR", "Time of the publication (ISO 8601 text)"),
            ("reason", "VARCHAR", "Why it was made"),
            ("content_hash", "VARCHAR", "SHA-256 over the content of all relations of the study"),
            ("receipts", "BIGINT", "Deliveries that are visible in it"),
            ("serves_sealed", "BOOLEAN", "Whether relations of the sealed side are held here"),
        ),
    ),
    (
        "meta.relations",
        "The tables held here",
        (
            ("relation", "VARCHAR", "Name of the relation"),
            ("side", "VARCHAR", "Side it stands on"),
            ("version", "BIGINT", "Version of its table"),
            ("content_hash", "VARCHAR", "SHA-256 of its content"),
            ("rows", "BIGINT", "Rows, of a layout's table all versions of its records"),
        ),
    ),
)


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
        sealed = _build(lake, publication, side="sealed", with_sealed=True)
        if serve_sealed:
            opened = _draft_of(home, "open")
            copyfile(sealed, opened)
        else:
            opened = _build(lake, publication, side="open", with_sealed=False)
        sealed.replace(home.warehouse_file("sealed"))
        opened.replace(home.warehouse_file("open"))
    return home.warehouse_file("open"), home.warehouse_file("sealed")


def _draft_of(home: Home, side: str) -> Path:
    target = home.warehouse_file(side)
    return target.with_name(f"{target.name}.new")


def _build(lake: Lake, publication: Publication, *, side: str, with_sealed: bool) -> Path:
    home = lake.home
    path = _draft_of(home, side)
    for stale in (path, path.with_name(path.name + ".wal")):
        stale.unlink(missing_ok=True)
    sources = shown(
        home,
        lake.declarations,
        visible=frozenset(publication.visible),
        publication=publication,
        sealed=with_sealed,
    )
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": _BUILD_THREADS,
        "memory_limit": MEMORY,
        "temp_directory": str(home.scratch_name(side)),
    }
    try:
        with duckdb.connect(str(path), config=config) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.begin()  # one flush to disk, not one per statement
            _fill(connection, lake.declarations, sources)
            _describe(connection, publication, with_sealed=with_sealed)
            connection.commit()
    except duckdb.Error as error:
        message = f"{path}: the warehouse file could not be built ({without_values(error)}). The former one stays."
        raise WarehouseError(message) from error
    return path


def _fill(
    connection: duckdb.DuckDBPyConnection,
    declarations: Declarations,
    sources: dict[str, views.Source],
) -> None:
    for schema in (*LAYERS, "history", "meta"):
        connection.execute(f"create schema {schema}")
    for relation, source in sources.items():
        spec = declarations.tables[relation]
        _table(connection, spec, views.qualified(relation), views.current(source))
        if source.record_key:
            name = views.qualified(history_name(relation))
            _table(connection, spec, name, views.history(source), replaced=True)


def _table(
    connection: duckdb.DuckDBPyConnection,
    spec: TableSpec,
    name: str,
    rows: str,
    *,
    replaced: bool = False,
) -> None:
    connection.execute(spec.ddl(table=name))
    comments = list(spec.comments(table=name))
    if replaced:
        connection.execute(f"alter table {name} add column replaced_by BIGINT")
        comments.append(
            f"comment on column {name}.replaced_by is 'Arrival number of the delivery that "
            "replaced this version; empty while it is the latest'"
        )
    connection.execute(f"insert into {name} by name {rows}")
    for comment in comments:
        connection.execute(comment)


def _describe(
    connection: duckdb.DuckDBPyConnection, publication: Publication, *, with_sealed: bool
) -> None:
    """Write meta.publication and meta.relations: what this file holds, and only that."""
    pins = [pin for pin in publication.relations if with_sealed or pin.side == "open"]
    held: dict[str, list[tuple[object, ...]]] = {
        "meta.publication": [
            (
                publication.number,
                publication.at,
                publication.reason,
                publication.content_hash,
                len(publication.visible),
                with_sealed,
            )
        ],
        "meta.relations": [
            (pin.relation, pin.side, pin.version, pin.content_hash, pin.rows) for pin in pins
        ],
    }
    for name, label, columns in _META:
        listed = ", ".join(f'"{column}" {kind}' for column, kind, _ in columns)
        connection.execute(f"create table {name} ({listed})")
        marks = ", ".join("?" for _ in columns)
        if held[name]:
            connection.executemany(f"insert into {name} values ({marks})", held[name])  # noqa: S608 - fixed names
        connection.execute(f"comment on table {name} is {views.quoted(label)}")
        for column, _, text in columns:
            connection.execute(f'comment on column {name}."{column}" is {views.quoted(text)}')


def published_in(home: Home, side: str) -> tuple[int, bool] | None:
    """Read which publication a warehouse file holds, and whether with the sealed side.

    None where there is no file, or one that cannot be read.
    """
    path = home.warehouse_file(side)
    if not path.is_file():
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
    with asked("query"), read_only(path) as connection:
        answer: pl.DataFrame = connection.sql(sql).pl()
    return answer


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
        connection.execute("create schema meta")
        _describe(connection, publication, with_sealed=with_sealed)
        close_doors(connection, tuple(path for source in sources for path in source.files))
        answer: pl.DataFrame = connection.sql(sql).pl()
    return answer
