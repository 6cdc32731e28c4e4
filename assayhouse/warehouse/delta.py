"""One Delta table: writing it, widening it, and the files that make up a version.

With `records` the only code that knows the table format; its exceptions become `WarehouseError`.
"""

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Schema, Transaction, write_deltalake
from deltalake import Field as DeltaField
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.schema import ArrayType, PrimitiveType
from deltalake.transaction import AddAction, create_table_with_add_actions

from assayhouse.contracts.table_spec import TableSpec
from assayhouse.errors import WarehouseError
from assayhouse.warehouse.records import (
    RECORD,
    Head,
    Record,
    note_provenance,
    read_head,
    translated,
)

_APPLICATION = "assayhouse"
_ATTEMPTS = 40
_READABLE = frozenset({"timestampNtz"})
# A pinned version stays readable: the log is kept, and vacuum spares what is not old.
_SETTINGS: Mapping[str, str | None] = {
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
    "delta.enableExpiredLogCleanup": "false",
}
_DELTA_TYPES = {
    "text": "string",
    "integer": "long",
    "number": "double",
    "boolean": "boolean",
    "date": "date",
    "datetime": "timestamp_ntz",
    "numbers": "double",
}
_LISTS = frozenset({"numbers"})
T = TypeVar("T")


def _properties(record: Record, next_version: int) -> CommitProperties:
    return CommitProperties(
        custom_metadata={RECORD: record.as_json()},
        # Of two commits made from one version the second fails, whatever it holds: its record was
        # built on an old one. Without a limit the format would put it behind the first by itself.
        max_commit_retries=0,
        app_transactions=[Transaction(_APPLICATION, next_version)],
    )


def retried(root: Path, attempt: Callable[[], T | None]) -> T:
    """Call until it returns a value; None means that another writer was first.

    The attempt reads the head anew each time. Waits grow and are random.

    Raises
    ------
    WarehouseError
        Other writers were first every time.
    """
    waits = random.SystemRandom()
    for number in range(_ATTEMPTS):
        result = attempt()
        if result is not None:
            return result
        time.sleep(waits.random() * min(1.0, 0.02 * 2 ** min(number, 5)))
    message = f"{root}: other writers were first {_ATTEMPTS} times. Nothing was written; run again."
    raise WarehouseError(message)


def _committed(root: Path, doing: str, commit: Callable[[], None]) -> bool:
    """Run a commit; False when another writer was first."""
    try:
        commit()
    except CommitFailedError:
        return False
    except (DeltaError, OSError, pa.ArrowException) as error:
        if "already exists" in str(error):
            return False
        message = (
            f"{root}: {doing} failed ({type(error).__name__}: {error}). Nothing was published."
        )
        raise WarehouseError(message) from error
    return True


def overwrite(root: Path, rows: pa.Table, record: Record, head: Head | None) -> Head | None:
    """Replace the whole table; None when another writer was first."""
    version = 0 if head is None else head.version + 1

    def commit() -> None:
        if head is None:
            root.parent.mkdir(parents=True, exist_ok=True)
            write_deltalake(
                str(root),
                rows,
                mode="error",
                configuration=_SETTINGS,
                commit_properties=_properties(record, version),
            )
            return
        write_deltalake(
            DeltaTable(str(root), version=head.version),
            rows,
            mode="overwrite",
            schema_mode="overwrite",
            commit_properties=_properties(record, version),
        )

    if not _committed(root, "writing the table", commit):
        return None
    return Head(version=version, record=record)


def replaced(
    root: Path, record: Record, write: Callable[[Head | None], Head | None]
) -> tuple[Head, bool]:
    """Write new content; of equal content note where it came from. True where it was new."""

    def attempt() -> tuple[Head, bool] | None:
        head = read_head(root)
        if head is not None and head.record.content_hash == record.content_hash:
            if head.record != record:
                head = note_provenance(root, head, record)
            return head, False
        written = write(head)
        return None if written is None else (written, True)

    return retried(root, attempt)


def commit_files(
    root: Path,
    files: Mapping[Path, int],
    record: Record,
    head: Head | None,
    spec: TableSpec,
    *,
    whole: bool,
) -> Head | None:
    """Take Parquet files that already lie in the table's folder into the table, all or none.

    Parameters
    ----------
    files : mapping
        File to number of rows.
    whole : bool
        They are the table from now on; else they are added to it.

    Returns
    -------
    Head or None
        None when another writer was first.
    """
    version = 0 if head is None else head.version + 1
    actions = [_add_action(path, rows) for path, rows in files.items()]
    schema = delta_schema(spec)

    def commit() -> None:
        properties = _properties(record, version)
        if head is None:
            create_table_with_add_actions(
                str(root),
                schema,
                actions,
                mode="error",
                configuration=_SETTINGS,
                commit_properties=properties,
            )
            return
        table = DeltaTable(str(root), version=head.version)
        mode = "overwrite" if whole else "append"
        table.create_write_transaction(
            [*actions], mode=mode, schema=schema, commit_properties=properties
        )

    if not _committed(root, "taking files into the table", commit):
        return None
    return Head(version=version, record=record)


def _add_action(path: Path, rows: int) -> AddAction:
    state = path.stat()
    return AddAction(
        path=path.name,
        size=state.st_size,
        partition_values={},
        modification_time=int(state.st_mtime * 1000),
        data_change=True,
        stats=json.dumps({"numRecords": rows}),
    )


def delta_schema(spec: TableSpec) -> Schema:
    """Return a relation's schema as the table format has it."""
    return Schema([DeltaField(item.name, _stored_type(item.type)) for item in spec.fields])


def _stored_type(kind: str) -> PrimitiveType | ArrayType:
    single = PrimitiveType(_DELTA_TYPES[kind])
    return ArrayType(single, contains_null=True) if kind in _LISTS else single


def add_columns(root: Path, head: Head, spec: TableSpec) -> Head | None:
    """Add columns the contract has gained; earlier rows hold nothing in them.

    Raises
    ------
    WarehouseError
        A column's type has changed: rows already stored cannot be read as the new type.
    """
    with translated(root, "reading the table's columns"):
        table = DeltaTable(str(root), version=head.version)
        known = {item.name: item.type for item in table.schema().fields}
    wanted = {item.name: item for item in delta_schema(spec).fields}
    changed = [name for name in wanted if name in known and known[name] != wanted[name].type]
    if changed:
        message = (
            f"{spec.relation}: the type of {', '.join(changed)} differs from the rows stored "
            "before. Nothing was written. Declare the column under a new name."
        )
        raise WarehouseError(message)
    added = [item for name, item in wanted.items() if name not in known]
    if not added:
        return head

    def commit() -> None:
        properties = _properties(head.record, head.version + 1)
        table.alter.add_columns(added, commit_properties=properties)

    if not _committed(root, "adding columns", commit):
        return None
    return Head(version=head.version + 1, record=head.record)


@dataclass(frozen=True, slots=True)
class _Contents:
    """What a version consists of; it never changes."""

    columns: dict[str, str]
    files: tuple[str, ...]
    beyond: tuple[str, ...]
    reader: int


def _contents(root: Path, version: int) -> _Contents:
    """Read a version once per process; the same commit file has the same contents."""
    with translated(root, f"reading version {version}"):
        commit = (root / "_delta_log" / f"{version:020d}.json").stat()
        return _read_contents(root, version, commit.st_ino, commit.st_mtime_ns)


@lru_cache(maxsize=4096)
def _read_contents(root: Path, version: int, *_commit: int) -> _Contents:
    single = {delta: ours for ours, delta in _DELTA_TYPES.items() if ours not in _LISTS}
    lists = {_DELTA_TYPES[ours]: ours for ours in _LISTS}
    table = DeltaTable(str(root), version=version)
    protocol = table.protocol()
    return _Contents(
        columns={
            item.name: _named_type(item.type, single, lists) for item in table.schema().fields
        },
        files=tuple(uri.rsplit("/", 1)[1] for uri in table.file_uris()),
        beyond=tuple(sorted(set(protocol.reader_features or ()) - _READABLE)),
        reader=protocol.min_reader_version,
    )


def columns_of(root: Path, version: int) -> dict[str, str]:
    """Columns of a version with their type as contracts name it."""
    return dict(_contents(root, version).columns)


def _named_type(stored: object, single: Mapping[str, str], lists: Mapping[str, str]) -> str:
    if isinstance(stored, PrimitiveType):
        return single.get(stored.type, "text")
    if isinstance(stored, ArrayType) and isinstance(stored.element_type, PrimitiveType):
        return lists.get(stored.element_type.type, "text")
    return "text"


def files_of(root: Path, version: int) -> list[Path]:
    """Parquet files that make up a pinned version.

    Raises
    ------
    WarehouseError
        The version is not there, or the table has features that the files alone do not show
        (deletion vectors, column mapping).
    """
    contents = _contents(root, version)
    if contents.beyond or contents.reader == 2 or contents.reader > 3:
        message = (
            f"{root}: version {version} needs a reader for {', '.join(contents.beyond) or 'more'} "
            f"(reader version {contents.reader}); its files alone are not "
            "its rows. Nothing was read."
        )
        raise WarehouseError(message)
    return sorted(root / name for name in contents.files)


def rows_in(path: Path, spec: TableSpec) -> int:
    """Rows of a draft file.

    Raises
    ------
    WarehouseError
        It cannot be read, or its columns are not the contract's.
    """
    with translated(path, "reading the draft"):
        rows = int(pq.read_metadata(path).num_rows)
        found = pl.read_parquet_schema(path)
    if dict(found) != dict(spec.polars_schema):
        wrong = sorted(
            name
            for name in {*found, *spec.columns}
            if found.get(name) != spec.polars_schema.get(name)
        )
        message = (
            f"{path.name}: the draft's columns are not those of {spec.relation} "
            f"({', '.join(wrong)}). Nothing was written."
        )
        raise WarehouseError(message)
    return rows
