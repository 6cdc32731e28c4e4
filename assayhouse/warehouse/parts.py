"""A whole table written part by part: hashed on the way, and taken in only if it is new.

Files lie in the table's folder, where they are nothing until a commit names them.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from assayhouse.contracts.table_spec import TableSpec
from assayhouse.errors import WarehouseError
from assayhouse.warehouse import delta, records
from assayhouse.warehouse.content import ContentHasher, in_key_order
from assayhouse.warehouse.slices import GROUP_ROWS


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Files in a table's folder, not yet part of it."""

    content_hash: str
    rows: int
    files: dict[Path, int] = field(default_factory=dict)


def _remove(files: Iterable[Path]) -> None:
    for path in files:
        path.unlink(missing_ok=True)


def write(root: Path, frames: Iterable[pl.DataFrame], spec: TableSpec) -> Written:
    """Write frames into a table's folder, a file each; nothing stays behind where one fails.

    Parameters
    ----------
    root : Path
        Folder of the table.
    frames : iterable of DataFrame
        In any order of rows; every key of a frame is after every key of the frame before.
    spec : TableSpec
        Contract of the relation.

    Raises
    ------
    WarehouseError
        A file cannot be written, or a frame does not follow the one before.
    DeclarationError
        A frame is not in the relation's contract.
    """
    root.mkdir(parents=True, exist_ok=True)
    hasher, unique = ContentHasher(spec), uuid.uuid4().hex
    files: dict[Path, int] = {}
    last: pl.DataFrame | None = None
    try:
        for number, frame in enumerate(frames, start=1):
            rows = in_key_order(spec.conform(frame), spec)
            if not rows.height:
                continue
            _require_order(last, rows, spec)
            last = rows.tail(1)
            hasher.update(rows)
            path = root / f"part-{number:05d}-{unique}.parquet"
            files[path] = rows.height
            rows.write_parquet(
                path, compression="zstd", compression_level=1, row_group_size=GROUP_ROWS
            )
    except OSError as error:
        _remove(files)
        message = f"{root}: the rows could not be written ({error}). Nothing was published."
        raise WarehouseError(message) from error
    except BaseException:
        _remove(files)
        raise
    return Written(content_hash=hasher.hexdigest(), rows=sum(files.values()), files=files)


def take(
    root: Path,
    written: Written,
    *,
    spec: TableSpec,
    inputs: Mapping[str, str],
    code_version: str,
) -> tuple[records.Head, bool]:
    """Make written files the table; False, and the files are gone, where it holds the same.

    Raises
    ------
    WarehouseError
        The commit failed; the table is as it was.
    """
    record = records.Record(
        content_hash=written.content_hash,
        rows=written.rows,
        inputs=dict(inputs),
        code_version=code_version,
    )

    def commit(head: records.Head | None) -> records.Head | None:
        return delta.commit_files(root, written.files, record, head, spec, whole=True)

    head, changed = delta.replaced(root, record, commit)
    if not changed:
        _remove(written.files)
    return head, changed


def _require_order(last: pl.DataFrame | None, rows: pl.DataFrame, spec: TableSpec) -> None:
    """Raise unless the first key is after the last one: the hash is one of rows in key order."""
    if last is None:
        return
    pair = pl.concat([last, rows.head(1)]).select(spec.key).with_row_index("place")
    if (
        pair.sort(*spec.key)["place"].to_list() != [0, 1]
        or pair.select(spec.key).is_duplicated()[0]
    ):
        message = (
            f"{spec.relation}: a part does not follow the one before in the order of "
            f"{', '.join(spec.key)}. Nothing was published."
        )
        raise WarehouseError(message)
