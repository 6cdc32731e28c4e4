"""Tables of a warehouse file: rows, comments on every column, and what the file says it holds."""

from dataclasses import replace

import duckdb

from assayhouse.contracts.declarations import Declarations
from assayhouse.contracts.table_spec import LAYERS, TableSpec
from assayhouse.warehouse import views
from assayhouse.warehouse.publications import Publication
from assayhouse.warehouse.window import history_name

_REPLACED_BY = (
    "Arrival number of the delivery that replaced this version; empty while it is the latest"
)
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


def fill(
    connection: duckdb.DuckDBPyConnection,
    declarations: Declarations,
    sources: dict[str, views.Source],
) -> None:
    """Write relations; one that is there already is written anew.

    Of a layout the history is stored, and its current records are a view of it: no row is twice in
    the file.
    """
    for schema in (*LAYERS, "history"):
        connection.execute(f"create schema if not exists {schema}")
    for relation, source in sources.items():
        spec = declarations.tables[relation]
        name = views.qualified(relation)
        if source.record_key:
            _history_table(connection, spec, source)
            continue
        connection.execute(f"drop table if exists {name}")
        connection.execute(spec.ddl(table=name))
        connection.execute(f"insert into {name} by name {views.current(source)}")
        _comment(connection, spec, name)
    for relation in sources:
        _item_views(connection, declarations, declarations.tables[relation])


def _item_views(
    connection: duckdb.DuckDBPyConnection, declarations: Declarations, spec: TableSpec
) -> None:
    """One view per declared figure or printed table, with what its kind shows, commented."""
    if spec.views is None:
        return
    study, shown = declarations.study, spec.views
    connection.execute(f"create schema if not exists {shown.of}")
    for item in study.figures if shown.of == "figures" else study.printed_tables:
        names = shown.columns.get(item.kind, spec.columns)
        name = views.qualified(f"{shown.of}.{item.figure_id}")
        listed = ", ".join(map(views.named, names))
        order = ", ".join(map(views.named, spec.key))
        connection.execute(
            f"create or replace view {name} as select {listed} "  # noqa: S608 - declared
            f"from {views.qualified(spec.relation)} "
            f"where {views.named(shown.by)} = {views.quoted(item.figure_id)} order by {order}"
        )
        fields = tuple(field for field in spec.fields if field.name in names)
        own = replace(spec, label=item.title, grain=spec.grain, fields=fields)
        _comment(connection, own, name, kind="view")


def _history_table(
    connection: duckdb.DuckDBPyConnection, spec: TableSpec, source: views.Source
) -> None:
    stored = views.qualified(history_name(spec.relation))
    name = views.qualified(spec.relation)
    connection.execute(f"drop view if exists {name}")
    connection.execute(f"drop table if exists {stored}")
    connection.execute(spec.ddl(table=stored))
    connection.execute(f"alter table {stored} add column replaced_by BIGINT")
    connection.execute(f"insert into {stored} by name {views.history(source)}")
    connection.execute(f"create view {name} as {views.current_of_history(source, stored)}")
    _comment(connection, spec, stored)
    connection.execute(f"comment on column {stored}.replaced_by is {views.quoted(_REPLACED_BY)}")
    _comment(connection, spec, name, kind="view")


def _comment(
    connection: duckdb.DuckDBPyConnection, spec: TableSpec, name: str, *, kind: str = "table"
) -> None:
    first, *rest = spec.comments(table=name)
    first = first.replace("comment on table ", f"comment on {kind} ", 1)
    connection.execute(";\n".join([first, *rest]))  # one text: one by one they take longer


def describe(
    connection: duckdb.DuckDBPyConnection, publication: Publication, *, holds_sealed: bool
) -> None:
    """Write meta.publication and meta.relations: what this file holds, and only that."""
    pins = [pin for pin in publication.relations if holds_sealed or pin.side == "open"]
    held: dict[str, list[tuple[object, ...]]] = {
        "meta.publication": [
            (
                publication.number,
                publication.at,
                publication.reason,
                publication.content_hash,
                len(publication.visible),
                holds_sealed,
            )
        ],
        "meta.relations": [
            (pin.relation, pin.side, pin.version, pin.content_hash, pin.rows) for pin in pins
        ],
    }
    connection.execute("create schema if not exists meta")
    for name, label, columns in _META:
        listed = ", ".join(f'"{column}" {kind}' for column, kind, _ in columns)
        connection.execute(f"create or replace table {name} ({listed})")
        marks = ", ".join("?" for _ in columns)
        if held[name]:
            connection.executemany(f"insert into {name} values ({marks})", held[name])  # noqa: S608 - fixed names
        connection.execute(f"comment on table {name} is {views.quoted(label)}")
        for column, _, text in columns:
            connection.execute(f'comment on column {name}."{column}" is {views.quoted(text)}')
