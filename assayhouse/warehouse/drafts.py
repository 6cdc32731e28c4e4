"""Draft rows of one receipt in a folder of their own, hashed as they are written.

A draft that came in the order of its lines is sealed with its digest, so that nobody has to read it
again to take it into a table. The folder is nothing to anyone before that.
"""

import json
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from assayhouse.contracts.table_spec import TableSpec
from assayhouse.errors import WarehouseError
from assayhouse.warehouse.content import ContentHasher
from assayhouse.warehouse.home import atomic_write

SEAL = "segment.json"


class Watch:
    """Hashes batches and sees whether they are of one receipt and in the order of their lines.

    Parameters
    ----------
    spec : TableSpec
        Contract of a relation with a segment column.
    receipt : int
        What every row must carry there.
    """

    def __init__(self, spec: TableSpec, receipt: int) -> None:
        self._spec = spec
        self._receipt = receipt
        self._order = next(
            (name for name in spec.key if name != spec.segment and _is_integer(spec, name)), None
        )
        self._last: int | None = None
        self._hasher = ContentHasher(spec)
        self.in_order = self._order is not None

    def add(self, batch: pa.Table) -> None:
        """Take in rows that follow those before.

        Raises
        ------
        WarehouseError
            A row is of another receipt.
        """
        if not batch.num_rows:
            return
        found = batch.column(self._spec.segment)
        bounds = pc.min_max(found).as_py()
        if found.null_count or {bounds["min"], bounds["max"]} != {self._receipt}:
            message = (
                f"{self._spec.relation}: rows given for receipt {self._receipt} carry another "
                "receipt. Nothing was published."
            )
            raise WarehouseError(message)
        self.in_order = self.in_order and self._follows(batch.column(self._order))
        if self.in_order:
            self._hasher.update(batch)

    def _follows(self, lines: pa.ChunkedArray) -> bool:
        if lines.null_count:
            return False
        first, last = lines[0].as_py(), lines[-1].as_py()
        rising = pc.all(pc.less(lines[:-1], lines[1:])).as_py() is not False
        follows = rising and (self._last is None or first > self._last)
        self._last = last
        return follows

    def digest(self) -> str | None:
        """Digest of the rows; None where they came in another order than that of their lines."""
        return self._hasher.hexdigest() if self.in_order else None


def _is_integer(spec: TableSpec, name: str) -> bool:
    return spec.polars_schema[name] == pl.Int64


class Draft:
    """Writes the rows of one receipt as parts of a folder, in a thread of its own.

    To be used in a ``with`` statement, which ends when everything is written. A part that could
    not be written raises with the next one, or when the draft is sealed.

    Parameters
    ----------
    folder : Path
        Empty folder.
    spec : TableSpec
        Contract of the relation.
    receipt : int
        The receipt.
    hashed : bool
        Whether the rows are hashed on the way; of no use where others than these will be added.
    """

    def __init__(self, folder: Path, *, spec: TableSpec, receipt: int, hashed: bool) -> None:
        self._folder = folder
        self._spec = spec
        self._receipt = receipt
        self._watch = Watch(spec, receipt) if hashed else None
        self._parts: list[str] = []
        self._thread = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    def add(self, frame: pl.DataFrame) -> None:
        """Write rows in contract columns as the next part, once the one before is written.

        Raises
        ------
        WarehouseError
            A row of the part before is of another receipt.
        """
        self._wait()
        self._parts.append(f"part-{len(self._parts) + 1:06d}.parquet")
        self._writing = self._thread.submit(self._write, frame, self._folder / self._parts[-1])

    def _write(self, frame: pl.DataFrame, path: Path) -> None:
        if self._watch is not None:
            columns = [*self._spec.hashed_columns]
            self._watch.add(frame.select(columns).to_arrow(compat_level=pl.CompatLevel.oldest()))
        frame.write_parquet(path, compression="zstd", compression_level=1)

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.result()

    def seal(self) -> None:
        """Write the digest beside the parts, where there is one.

        Raises
        ------
        WarehouseError
            A row is of another receipt.
        """
        self._wait()
        digest = None if self._watch is None else self._watch.digest()
        if digest is None or not self._parts:
            return
        sizes = {name: (self._folder / name).stat().st_size for name in self._parts}
        values = {
            "receipt": self._receipt,
            "columns": list(self._spec.hashed_columns),
            "digest": digest,
            "sizes": sizes,
        }
        atomic_write(self._folder / SEAL, json.dumps(values).encode())


def sealed_digest(folder: Path, spec: TableSpec, receipt: int) -> str | None:
    """Digest of the rows of a sealed draft; None where its parts are to be read.

    A seal of another receipt, of other columns or of other files than lie there counts for nothing.
    """
    try:
        values = json.loads((folder / SEAL).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    sizes = {path.name: path.stat().st_size for path in folder.glob("*.parquet")}
    fits = (
        values.get("receipt") == receipt
        and values.get("columns") == list(spec.hashed_columns)
        and values.get("sizes") == sizes
    )
    return str(values["digest"]) if fits else None
