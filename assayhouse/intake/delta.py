"""What a delivery does to the records of its layout: SAME, NEW, CHANGED, COSMETIC, VANISHED.

Set operations in DuckDB over the delivery's draft and the current rows, so that memory stays
bounded. Decides nothing; writes only into the connection it is given.
"""

from dataclasses import dataclass
from typing import cast

import duckdb

from assayhouse.contracts.vendor_file import ColumnSpec, LayoutSpec
from assayhouse.intake.disposition import DeltaCounts

SEPARATOR = " | "
_SOURCE = ("source_file", "source_line", "sha256", "receipt", "record_action")


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """Rows whose key occurs more than once in the file (F29).

    Attributes
    ----------
    copies : tuple of int
        Source lines left out because the same record is kept once.
    conflicts : tuple of int
        Source lines of records that share a key and differ; none of them is kept.
    """

    copies: tuple[int, ...] = ()
    conflicts: tuple[int, ...] = ()


def quoted(name: str) -> str:
    """Quote a declared name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def _same_key(layout: LayoutSpec, left: str, right: str) -> str:
    return " and ".join(
        f"{left}.{quoted(name)} is not distinct from {right}.{quoted(name)}" for name in layout.key
    )


def record_key(layout: LayoutSpec, alias: str) -> str:
    """Write the SQL for the key of a record as one text."""
    parts = ", ".join(f"coalesce({alias}.{quoted(name)}, '')" for name in layout.key)
    return f"concat_ws('{SEPARATOR}', {parts})"


def _content(layout: LayoutSpec) -> str:
    """Write SQL for a digest of a row's texts; no value is another than an empty one."""
    parts = ", ".join(f"coalesce({quoted(c.name)}, chr(30))" for c in layout.columns)
    return f"md5(concat_ws(chr(31), {parts}))"


def _differs(column: ColumnSpec) -> str:
    return f"d.{quoted(column.name)} is distinct from c.{quoted(column.name)}"


def _differs_in_meaning(column: ColumnSpec) -> str:
    """Write SQL that is true where a column says something else, not the same in other letters."""
    if column.cosmetic:
        return "false"
    name = quoted(column.name)
    texts = f"trim(d.{name}) is distinct from trim(c.{name})"
    typed = [quoted(item) for item in column.typed_columns]
    if not typed:
        return texts
    readable = " or ".join(f"d.{item} is not null" for item in typed)
    equal = " and ".join(f"d.{item} is not distinct from c.{item}" for item in typed)
    return f"({texts} and not (({readable}) and {equal}))"


def find_duplicates(
    connection: duckdb.DuckDBPyConnection, layout: LayoutSpec, *, draft: str
) -> Duplicates:
    """Find keys that occur more than once; which row came first never decides.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Connection in which ``draft`` is a relation of accepted rows.
    layout : LayoutSpec
        Gives key and columns.
    draft : str
        Name of that relation.
    """
    keys = ", ".join(quoted(name) for name in layout.key)
    suspects = connection.execute(
        f"""
        select 1 from {draft} group by hash({keys}) having count(*) > 1 limit 1
        """  # noqa: S608 - declared names, quoted
    ).fetchall()
    if not suspects:
        return Duplicates()
    rows = connection.execute(
        f"""
        with suspects as (
            select hash({keys}) as key_hash from {draft} group by 1 having count(*) > 1
        ),
        repeated as (
            select source_line, {keys}, {_content(layout)} as content
            from {draft} where hash({keys}) in (select key_hash from suspects)
        )
        select
            source_line,
            count(distinct content) over (partition by {keys}) > 1 as conflict,
            row_number() over (partition by {keys} order by source_line) > 1 as copy
        from repeated
        qualify count(*) over (partition by {keys}) > 1
        order by source_line
        """  # noqa: S608 - declared names, quoted
    ).fetchall()
    return Duplicates(
        copies=tuple(line for line, conflict, copy in rows if copy and not conflict),
        conflicts=tuple(line for line, conflict, _ in rows if conflict),
    )


def compare(
    connection: duckdb.DuckDBPyConnection,
    layout: LayoutSpec,
    *,
    draft: str,
    current: str,
    quarantined_keys: str,
) -> DeltaCounts:
    """Compare the accepted rows of a delivery with the current rows of its layout.

    Makes two temporary tables: ``delta_rows`` (source_line, delta_class, columns) of every row
    that is not SAME, and ``delta_vanished`` (the key columns and record_key).

    Parameters
    ----------
    connection : DuckDBPyConnection
        Connection that holds the three relations named below.
    layout : LayoutSpec
        Gives key, columns and mode.
    draft, current : str
        Accepted rows without duplicates; rows that are served now. Both with typed columns.
    quarantined_keys : str
        Keys of the rows kept out: such a record is in the file and has not vanished.
    """
    own_keys = ", ".join(quoted(name) for name in layout.key)
    connection.execute(
        f"""
        create or replace temporary table delta_pairs as
        with d as (select {own_keys}, source_line, {_content(layout)} as content from {draft}),
        c as (select {own_keys}, receipt, source_line, {_content(layout)} as content from {current})
        select {", ".join(f"c.{quoted(name)}" for name in layout.key)}, d.source_line, c.receipt,
            c.source_line as current_line
        from d full outer join c on {_same_key(layout, "d", "c")}
        where d.content is distinct from c.content
        """  # noqa: S608 - declared names, quoted
    )
    _classify(connection, layout, draft=draft, current=current)
    connection.execute(
        f"""
        create or replace temporary table delta_vanished as
        select {own_keys}, {record_key(layout, "c")} as record_key
        from delta_pairs as c
        where source_line is null and {"true" if layout.mode == "cumulative" else "false"}
            and not exists (
                select 1 from {quarantined_keys} as q where {_same_key(layout, "q", "c")}
            )
        """  # noqa: S608 - declared names, quoted
    )
    return _counts(connection, draft)


def _classify(
    connection: duckdb.DuckDBPyConnection, layout: LayoutSpec, *, draft: str, current: str
) -> None:
    """Say of every row that is not SAME what it is; only these rows are looked at as a whole."""
    meaning = " or ".join(_differs_in_meaning(column) for column in layout.columns)
    names = ", ".join(
        f"case when {_differs(column)} then '{column.name.replace(chr(39), chr(39) * 2)}' end"
        for column in layout.columns
    )
    connection.execute(
        f"""
        create or replace temporary table delta_rows as
        select source_line, 'NEW' as delta_class, cast(null as varchar) as columns
        from delta_pairs where source_line is not null and receipt is null
        union all
        select
            d.source_line,
            case when {meaning} then 'CHANGED' else 'COSMETIC' end as delta_class,
            concat_ws(',', {names}) as columns
        from delta_pairs as pair
        inner join {draft} as d on d.source_line = pair.source_line
        inner join {current} as c
            on c.receipt = pair.receipt and c.source_line = pair.current_line
        """  # noqa: S608 - declared names, quoted
    )


def _counts(connection: duckdb.DuckDBPyConnection, draft: str) -> DeltaCounts:
    classes = dict(
        connection.execute("select delta_class, count(*) from delta_rows group by 1").fetchall()
    )
    total = _one(connection, f"select count(*) from {draft}")  # noqa: S608 - declared name
    return DeltaCounts(
        same=total - sum(classes.values()),
        new=classes.get("NEW", 0),
        changed=classes.get("CHANGED", 0),
        cosmetic=classes.get("COSMETIC", 0),
        vanished=_one(connection, "select count(*) from delta_vanished"),
    )


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    rows = connection.execute(query).fetchall()
    return cast("int", rows[0][0])


def records_sql(layout: LayoutSpec, *, draft: str) -> str:
    """SELECT of the records that a delivery changed or dropped, after :func:`compare`."""
    return f"""
        select r.delta_class, {record_key(layout, "d")} as record_key, r.columns
        from delta_rows as r inner join {draft} as d using (source_line)
        where r.delta_class in ('CHANGED', 'COSMETIC')
        union all
        select 'VANISHED', record_key, null from delta_vanished
        order by all
        """  # noqa: S608 - declared names, quoted


def rows_sql(layout: LayoutSpec, *, draft: str, columns: tuple[str, ...]) -> str:
    """SELECT of the rows that a delivery adds to its relation, after :func:`compare`.

    Rows that are SAME are left out; vanished records come first, as tombstones that hold only
    the key and a negative line, so that the rows stand in the order of their lines.

    Parameters
    ----------
    layout : LayoutSpec
        Gives the key.
    draft : str
        Accepted rows without duplicates.
    columns : tuple of str
        Columns of the relation, the source columns last.
    """
    own = [quoted(name) for name in columns if name not in _SOURCE]
    given = ", ".join(f"d.{name}" for name in own)
    keys = {quoted(name) for name in layout.key}
    tombstone = ", ".join(f"v.{name}" if name in keys else f"null as {name}" for name in own)
    return f"""
        select * from (
            select {tombstone}, s.source_file,
                row_number() over (order by v.record_key)
                    - count(*) over () - 1 as source_line,
                s.sha256, s.receipt, 'VANISHED' as record_action
            from delta_vanished as v cross join source as s
            order by source_line
        )
        union all
        select * from (
            select {given}, d.source_file, d.source_line, d.sha256, d.receipt,
                r.delta_class as record_action
            from {draft} as d inner join delta_rows as r using (source_line)
            order by d.source_line
        )
        """  # noqa: S608 - declared names, quoted
