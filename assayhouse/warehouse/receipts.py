"""Rows of one receipt on their way into a layout's table: staged, hashed, then committed at once.

Rows are written once. Drafts are linked into the table's folder, where they are nothing until the
commit names them.
"""

import itertools
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from assayhouse.contracts.table_spec import TableSpec
from assayhouse.errors import WarehouseError
from assayhouse.warehouse import delta, records
from assayhouse.warehouse.content import BLOCK_ROWS, ContentHasher, combine, sort_columns
from assayhouse.warehouse.drafts import Watch, sealed_digest
from assayhouse.warehouse.session import asked, in_memory
from assayhouse.warehouse.views import named, quoted

_FILE_ROWS = 2 * BLOCK_ROWS


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """Files of a receipt in the table's folder, not yet part of it."""

    files: dict[Path, int]
    segment: records.Segment

    def discard(self) -> None:
        """Remove the files."""
        for path in self.files:
            path.unlink(missing_ok=True)


def _digest(watch: Watch, files: tuple[Path, ...], spec: TableSpec, scratch: Path) -> str:
    """Digest in key order; rows that came in another order are sorted on disk first."""
    digest = watch.digest()
    if digest is not None:
        return digest
    hasher = ContentHasher(spec)
    for batch in _sorted_batches(files, spec, scratch):
        hasher.update(batch)
    return hasher.hexdigest()


def _sorted_batches(
    files: tuple[Path, ...], spec: TableSpec, scratch: Path
) -> Iterator[pa.RecordBatch]:
    columns = ", ".join(named(name) for name in spec.hashed_columns)
    order = ", ".join(f"{named(name)} nulls first" for name in sort_columns(spec))
    listed = ", ".join(quoted(str(path)) for path in files)
    with asked(spec.relation), in_memory(scratch) as connection:
        connection.execute("set memory_limit = '200MB'")
        found = connection.sql(
            f"select {columns} from read_parquet([{listed}]) order by {order}"  # noqa: S608 - declared
        )
        yield from found.to_arrow_reader(BLOCK_ROWS)


def stage(
    root: Path,
    frames: Iterable[pl.DataFrame] | Path,
    *,
    spec: TableSpec,
    receipt: int,
    scratch: Path,
) -> Staged:
    """Put a receipt's rows into the table's folder and hash them on the way.

    Raises
    ------
    WarehouseError
        A row is of another receipt, or a draft is not in the contract; nothing stays behind.
    """
    root.mkdir(parents=True, exist_ok=True)
    watch = Watch(spec, receipt)
    names = _names(root, receipt)
    files: dict[Path, int] = {}
    sealed = sealed_digest(frames, spec, receipt) if isinstance(frames, Path) else None
    writing = (
        _linked(frames, names, spec, watch if sealed is None else None)
        if isinstance(frames, Path)
        else _written(frames, names, spec, watch)
    )
    try:
        for path, rows in writing:
            files[path] = rows  # noqa: PERF403 - what was staged must be known when the next one fails
        digest = sealed or _digest(watch, tuple(files), spec, scratch)
    except BaseException:
        for path in files:
            path.unlink(missing_ok=True)
        raise
    return Staged(files=files, segment=records.Segment(digest=digest, rows=sum(files.values())))


def _names(root: Path, receipt: int) -> Iterator[Path]:
    unique = uuid.uuid4().hex
    return (root / f"receipt-{receipt:06d}-{n:05d}-{unique}.parquet" for n in itertools.count())


def _joined(frames: Iterable[pl.DataFrame], spec: TableSpec) -> Iterator[pl.DataFrame]:
    """Batches joined until a file is worth its name."""
    waiting: list[pl.DataFrame] = []
    for frame in frames:
        waiting.append(spec.conform(frame))
        if sum(item.height for item in waiting) >= _FILE_ROWS:
            yield pl.concat(waiting)
            waiting = []
    if any(item.height for item in waiting):
        yield pl.concat(waiting)


def _written(
    frames: Iterable[pl.DataFrame], names: Iterator[Path], spec: TableSpec, watch: Watch
) -> Iterator[tuple[Path, int]]:
    for frame in _joined(frames, spec):
        watch.add(frame.to_arrow(compat_level=pl.CompatLevel.oldest()))
        path = next(names)
        try:
            frame.write_parquet(path, compression="zstd", compression_level=1)
        except OSError as error:
            path.unlink(missing_ok=True)
            message = f"{path}: the rows could not be written ({error}). Nothing was published."
            raise WarehouseError(message) from error
        yield path, frame.height


def _linked(
    folder: Path, names: Iterator[Path], spec: TableSpec, watch: Watch | None
) -> Iterator[tuple[Path, int]]:
    """Link drafts into the table's folder; of a sealed one nothing is read but its columns."""
    for draft in sorted(folder.glob("*.parquet")):
        rows = delta.rows_in(draft, spec)
        if not rows:
            continue
        path = next(names)
        try:
            os.link(draft, path)
        except OSError:  # not every volume knows links
            shutil.copyfile(draft, path)
        yield path, rows
        if watch is None:
            continue
        with pq.ParquetFile(path, pre_buffer=False) as stored:
            for batch in stored.iter_batches(BLOCK_ROWS, columns=list(spec.hashed_columns)):
                watch.add(pa.Table.from_batches([batch]))


def append(
    root: Path, staged: Staged, *, spec: TableSpec, receipt: int
) -> tuple[records.Head, bool]:
    """Commit staged files; False with the head where the receipt was there already.

    Raises
    ------
    WarehouseError
        The commit failed; the table is as it was.
    """

    def attempt() -> tuple[records.Head, bool] | None:
        head = records.read_head(root)
        if head is not None and receipt in head.record.segments:
            staged.discard()
            return head, False
        widened = head if head is None else delta.add_columns(root, head, spec)
        if widened is None and head is not None:
            return None
        record = _extended(widened, staged.segment, spec=spec, receipt=receipt)
        written = delta.commit_files(root, staged.files, record, widened, spec, whole=False)
        return None if written is None else (written, True)

    return delta.retried(root, attempt)


def _extended(
    head: records.Head | None, segment: records.Segment, *, spec: TableSpec, receipt: int
) -> records.Record:
    known = {} if head is None else head.record.segments
    segments = {**known, receipt: segment}
    return records.Record(
        content_hash=combine({n: item.digest for n, item in segments.items()}, spec),
        rows=sum(item.rows for item in segments.values()),
        code_version=spec.code_version,
        segments=segments,
    )
