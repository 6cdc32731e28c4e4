"""Views over pinned versions in a database in memory, for builders and for readers of the past."""

from collections.abc import Iterable

import duckdb

from assayhouse.contracts.declarations import FINDINGS, Declarations
from assayhouse.contracts.table_spec import LAYERS, TableSpec
from assayhouse.errors import WarehouseError
from assayhouse.warehouse import delta, records, views
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.publications import Pin, Publication
from assayhouse.warehouse.session import in_memory, without_values


def sides_of(declarations: Declarations, relation: str) -> tuple[str, ...]:
    """Sides on which an active relation has a table: one, or both where it is split.

    Raises
    ------
    WarehouseError
        The study does not have the relation.
    """
    if relation not in declarations.tables:
        message = f"{relation} is not a relation of this study. Nothing was read or written."
        raise WarehouseError(message)
    side = declarations.side(relation)
    return ("open", "sealed") if side == "split" else (side,)


def record_key(declarations: Declarations, relation: str) -> tuple[str, ...]:
    """Columns that make a record of a layout's table; empty for other relations."""
    segmented = declarations.tables[relation].segment is not None
    return declarations.layout_of(relation).key if segmented else ()


def pinned(home: Home, pins: Iterable[Pin], visible: frozenset[int]) -> views.Source:
    """One relation as pinned, both sides of a split one together, in the columns of that time."""
    columns: dict[str, str] = {}
    files = []
    receipts: set[int] = set()
    first, *_ = found = tuple(pins)
    for pin in found:
        root = home.lake(pin.relation, pin.side)
        columns |= delta.columns_of(root, pin.version)
        files += delta.files_of(root, pin.version)
        if pin.record_key:
            head = records.read_head(root, version=pin.version)
            receipts |= visible & (set() if head is None else set(head.record.segments))
    return views.Source(
        relation=first.relation,
        files=tuple(files),
        columns=columns,
        record_key=first.record_key,
        receipts=tuple(sorted(receipts)) if first.record_key else None,
    )


def head_pins(
    home: Home, declarations: Declarations, relation: str, sides: Iterable[str]
) -> tuple[Pin, ...]:
    """Latest versions of a relation, as pins; sides without a table are left out."""
    found = []
    for side in sides:
        head = records.read_head(home.lake(relation, side))
        if head is not None:
            found.append(
                Pin(
                    relation=relation,
                    side=side,
                    version=head.version,
                    content_hash=head.record.content_hash,
                    rows=head.record.rows,
                    record_key=record_key(declarations, relation),
                )
            )
    return tuple(found)


def source_of(
    home: Home,
    spec: TableSpec,
    pins: tuple[Pin, ...],
    *,
    key: tuple[str, ...],
    visible: frozenset[int],
) -> views.Source:
    """One relation as pinned, in the columns of its present contract."""
    columns = views.types_of(spec.fields)
    if not pins:
        receipts: tuple[int, ...] | None = () if key else None
        return views.Source(
            relation=spec.relation, files=(), columns=columns, record_key=key, receipts=receipts
        )
    stored = pinned(home, pins, visible)
    return views.Source(
        relation=spec.relation,
        files=stored.files,
        columns=columns,
        record_key=key,
        receipts=stored.receipts,
    )


def shown(
    home: Home,
    declarations: Declarations,
    *,
    visible: frozenset[int],
    publication: Publication | None,
    sealed: bool,
    wanted: frozenset[str] | None = None,
) -> dict[str, views.Source]:
    """Every active relation that may be shown, or is wanted, by name, in build order."""
    sources = {}
    for relation, spec in declarations.tables.items():
        if wanted is not None and relation not in wanted:
            continue
        sides = [side for side in sides_of(declarations, relation) if sealed or side == "open"]
        if not sides:
            continue
        if publication is None:
            pins = head_pins(home, declarations, relation, sides)
        else:
            pins = tuple(pin for pin in publication.pins(relation) if pin.side in sides)
        key = record_key(declarations, relation)
        sources[relation] = source_of(home, spec, pins, key=key, visible=visible)
    return sources


def create_views(connection: duckdb.DuckDBPyConnection, sources: Iterable[views.Source]) -> None:
    """Create the view of each relation, and of a layout's table its history."""
    for schema in (*LAYERS, "history", "mapped"):
        connection.execute(f"create schema if not exists {schema}")
    for source in sources:
        name = views.qualified(source.relation)
        connection.execute(f"create view {name} as {views.current(source)}")
        if source.record_key:
            name = views.qualified(history_name(source.relation))
            connection.execute(f"create view {name} as {views.history(source)}")


def history_name(relation: str) -> str:
    """Name under which all versions of a layout's records are shown."""
    return "history." + relation.split(".", 1)[1]


def open_window(
    home: Home,
    declarations: Declarations,
    *,
    visible: frozenset[int],
    publication: Publication | None = None,
    sealed: bool = False,
    made: str | None = None,
    only: frozenset[str] | None = None,
) -> duckdb.DuckDBPyConnection:
    """Open a database in memory with every view, or those of one use; see `Lake.connect`.

    Raises
    ------
    WarehouseError
        A pinned version cannot be read.
    """
    home.require()
    wanted = only if made is None else frozenset(declarations.parents(made))
    sources = shown(
        home, declarations, visible=visible, publication=publication, sealed=sealed, wanted=wanted
    )
    connection = in_memory(home.scratch_name("sealed" if sealed else "open"))
    try:
        create_views(connection, sources.values())
        if only is None:
            _create_shapes(connection, declarations, present=frozenset(sources), made=made)
    except duckdb.Error as error:
        connection.close()
        message = f"{home.root}: the tables cannot be shown ({without_values(error)})."
        raise WarehouseError(message) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _create_shapes(
    connection: duckdb.DuckDBPyConnection,
    declarations: Declarations,
    *,
    present: frozenset[str],
    made: str | None,
) -> None:
    """Create the views of inactive relations (empty), of mapped shapes and of findings.

    With ``made`` only those that this relation's contract names: what is not declared is not read.
    """
    known, declared = views.shapes(declarations), declarations.declared_tables
    inactive = {name for name in declared if name not in declarations.tables}
    parents = declarations.tables[made].parents if made is not None else (FINDINGS,)
    if made is not None:
        inactive &= set(parents)
    for relation in sorted(inactive):
        rows = views.empty(views.types_of(declared[relation].fields))
        connection.execute(f"create view {views.qualified(relation)} as {rows}")
    for shape in known if made is None else declarations.tables[made].mapped:
        rows = views.mapped(declarations, shape, present=present)
        connection.execute(f"create view mapped.{views.named(shape)} as {rows}")
    if FINDINGS in parents:
        rows = views.findings(declarations, present=present)
        connection.execute(f"create view findings as {rows}")
