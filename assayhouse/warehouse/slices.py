"""A relation's sources shown one part after the other, so that memory does not grow with the study.

A part is a run of whole subjects (of whatever the contract's ``slices`` column holds), in key
order. The same query or function makes every part, and does not know that it sees a part; the
parts behind each other are the relation.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from assayhouse.contracts.declarations import Declarations
from assayhouse.contracts.table_spec import TableSpec
from assayhouse.warehouse.session import asked
from assayhouse.warehouse.views import named, qualified, quoted

SLICE_ROWS = 200_000
GROUP_ROWS = 32_768  # what is read of a file at least: of neighbours only what shares a group
_MEMORY = "600MB"
_POSITION = "position in the source"


def _whole(name: str) -> str:
    """Name under which a view that shows parts has everything."""
    return f"{name}, whole"


def _sliced_views(
    connection: duckdb.DuckDBPyConnection, declarations: Declarations, spec: TableSpec
) -> tuple[list[str], list[str]]:
    """Relations and mapped shapes that have the column; what lacks it is whole in every part.

    Rows as sent are no relations of subjects: the shapes they are mapped to are.
    """
    relations = [
        parent
        for parent in declarations.parents(spec.relation)
        if declarations.tables[parent].layer not in ("raw", "intake")
        and spec.slices in declarations.tables[parent].columns
    ]
    shapes = [
        shape
        for shape in map("mapped.{}".format, spec.mapped)
        if spec.slices in connection.sql(f"from {qualified(shape)} limit 0").columns
    ]
    return relations, shapes


def _sort_on_disk(
    connection: duckdb.DuckDBPyConnection, shape: str, column: str, folder: Path
) -> None:
    """Put a shape's rows on disk by subject, each subject's in the order they had.

    Deliveries come by day and by plate: to look through all of them for every part would grow with
    the square of the study.
    """
    path = folder / f"{shape}.parquet"
    connection.execute(
        f"copy (select *, row_number() over () as {named(_POSITION)} from {qualified(shape)} "  # noqa: S608 - declared
        f"order by {named(column)} nulls first, {named(_POSITION)}) to {quoted(str(path))} "
        f"(format parquet, compression lz4, row_group_size {GROUP_ROWS})"
    )
    connection.execute(
        f"create or replace view {qualified(shape)} as "  # noqa: S608 - declared
        f"select * exclude ({named(_POSITION)}) from read_parquet({quoted(str(path))})"
    )


def _conditions(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str], column: str, rows: int
) -> list[str]:
    """Conditions that each hold for some neighbouring subjects, in key order."""
    every = " union all ".join(
        f"select {named(column)} from {qualified(_whole(name))}"  # noqa: S608 - declared
        for name in names
    )
    counts = connection.execute(
        f"select {named(column)} as v, count(*) from ({every}) group by v order by v nulls first"  # noqa: S608 - declared
    ).fetchall()
    found = [f"{named(column)} is null" for value, _ in counts[:1] if value is None]
    run: list[str] = []
    held = 0
    for value, count in counts[len(found) :]:
        if run and held + count > rows:
            found.append(_between(column, run))
            run, held = [], 0
        run.append(str(value))
        held += count
    return [*found, _between(column, run)] if run else found


def _between(column: str, run: list[str]) -> str:
    return f"{named(column)} between {quoted(run[0])} and {quoted(run[-1])}"


def _parts(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str], conditions: list[str]
) -> Iterator[int]:
    for number, condition in enumerate(conditions, start=1):
        for name in names:
            connection.execute(
                f"create or replace view {qualified(name)} as "  # noqa: S608 - declared
                f"select * from {qualified(_whole(name))} where {condition}"
            )
        yield number


@contextmanager
def sliced(
    connection: duckdb.DuckDBPyConnection,
    declarations: Declarations,
    spec: TableSpec,
    *,
    scratch: Path,
    rows: int,
) -> Iterator[Iterator[int]]:
    """Let a connection's views show one part after the other, as the iterator is followed.

    Parameters
    ----------
    connection : DuckDBPyConnection
        From `Lake.connect` with ``made``; good for nothing else afterwards.
    declarations : Declarations
        The study.
    spec : TableSpec
        Contract of a relation that declares ``slices``.
    scratch : Path
        Folder to make for rows on disk, on the relation's side; it is gone at the end.
    rows : int
        Rows of the sources in a part. A subject who has more is a part alone.

    Yields
    ------
    iterator of int
        Number of each part, from 1; the views show it until the next one is asked for.

    Raises
    ------
    QueryError
        DuckDB cannot show the parts.
    """
    column = spec.slices or ""
    scratch.mkdir(parents=True)
    try:
        with asked(spec.relation):
            connection.execute(f"set memory_limit = {quoted(_MEMORY)}")
            relations, shapes = _sliced_views(connection, declarations, spec)
            for shape in shapes:
                _sort_on_disk(connection, shape, column, scratch)
            names = [*relations, *shapes]
            for name in names:
                new = named(_whole(name).split(".", 1)[1])
                connection.execute(f"alter view {qualified(name)} rename to {new}")
            conditions = _conditions(connection, names, column, rows)
        yield _parts(connection, names, conditions)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
