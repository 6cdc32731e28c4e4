"""Content hash of a table: equal exactly when two tables hold the same rows, however stored.

Values have one canonical form; rows are hashed in key order, column by column, in blocks of fixed
size. Nothing here reads or writes a file.

The form: text as its UTF-8 length and bytes; numbers as the mantissa of 12 significant digits and a
decimal exponent, minus zero as zero, every NaN as one; lists as their lengths and the column of all
their values; dates as days, times as microseconds since
1970; whole numbers and truth values as 8 and 1 bytes; which values are absent as bits of their own.
"""

import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from assayhouse.contracts.table_spec import TableSpec

BLOCK_ROWS = 65_536
_DIGITS = 12
_SHARED_ROWS = 16_384
_THREADS = 2
_FORM = "assayhouse content 1"
_NAN, _PLUS, _MINUS = 9_999, 10_000, 10_001
_POWERS = np.array([float(f"1e{power}") for power in range(-308, 309)])


def _power_of_ten(exponents: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    powers: npt.NDArray[np.float64] = _POWERS[exponents + 308]
    return powers


def _scaled(
    values: npt.NDArray[np.float64], exponents: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Values times 10 to (digits - 1 - exponent), in two steps so that no power overflows."""
    shift = _DIGITS - 1 - exponents
    first = np.clip(shift, -300, 300)
    return np.rint(values * _power_of_ten(first) * _power_of_ten(shift - first))


def canonical_numbers(
    values: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int16]]:
    """Bring floats to 12 significant digits: ``value = mantissa * 10 ** (exponent - 11)``.

    Parameters
    ----------
    values : (n,) array

    Returns
    -------
    mantissa, exponent : (n,) arrays
        Zero has both 0; what is not finite has mantissa 0 and an exponent of its own.

    Examples
    --------
    >>> mantissa, exponent = canonical_numbers(np.array([1.5, -0.002, 0.1 + 0.2]))
    >>> mantissa.tolist(), exponent.tolist()
    ([150000000000, -200000000000, 300000000000], [0, -3, -1])
    """
    finite = np.isfinite(values) & (values != 0)
    known = np.where(finite, values, 1.0)
    exponents = np.floor(np.log10(np.abs(known))).astype(np.int64)
    mantissas = _scaled(known, exponents)
    # The logarithm may miss a power of ten by its last bit, and rounding may reach the next one.
    exponents += np.abs(mantissas) >= 10**_DIGITS
    exponents -= np.abs(mantissas) < 10 ** (_DIGITS - 1)
    mantissas = _scaled(known, exponents)
    exponents = np.where(finite, exponents, 0)
    exponents[np.isnan(values)] = _NAN
    exponents[np.isposinf(values)] = _PLUS
    exponents[np.isneginf(values)] = _MINUS
    return np.where(finite, mantissas, 0).astype("<i8"), exponents.astype("<i2")


def _fixed_width(values: pa.Array, storage: pa.DataType, width: str) -> bytes:
    whole = values.cast(storage) if values.type != storage else values
    if whole.null_count:
        whole = whole.fill_null(0)
    return bytes(whole.to_numpy(zero_copy_only=False).astype(width, copy=False).tobytes())


def _text_parts(values: pa.Array) -> tuple[bytes, memoryview]:
    """Lengths and joined bytes of text; an absent value has length 0."""
    wide = pa.types.is_large_string(values.type)
    if not wide and not pa.types.is_string(values.type):
        values, wide = values.cast(pa.large_string()), True
    if values.null_count:
        values = values.fill_null("")
    _, offset_buffer, data = values.buffers()
    offsets = np.frombuffer(offset_buffer, dtype="<i8" if wide else "<i4")
    offsets = offsets[values.offset : values.offset + len(values) + 1]
    joined = memoryview(data if data is not None else b"")[int(offsets[0]) : int(offsets[-1])]
    return np.diff(offsets).astype("<u4").tobytes(), joined


def _column_digest(values: pa.Array) -> bytes:
    """Digest of one column of one block."""
    digest = hashlib.sha256()
    if values.null_count:
        present = pc.is_valid(values).to_numpy(zero_copy_only=False)
        digest.update(b"\1" + np.packbits(present).tobytes())
    else:
        digest.update(b"\0")
    kind = values.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        lengths = pc.list_value_length(values).fill_null(0).cast(pa.int64())
        digest.update(_fixed_width(lengths, pa.int64(), "<i8"))
        digest.update(_column_digest(values.flatten()))
    elif pa.types.is_floating(kind):
        filled = values.fill_null(0.0) if values.null_count else values
        parts = canonical_numbers(filled.to_numpy(zero_copy_only=False))
        digest.update(parts[0].tobytes())
        digest.update(parts[1].tobytes())
    elif pa.types.is_boolean(kind):
        digest.update(_fixed_width(values, pa.uint8(), "u1"))
    elif pa.types.is_date(kind):
        digest.update(_fixed_width(values.cast(pa.int32()), pa.int32(), "<i4"))
    elif pa.types.is_timestamp(kind):
        digest.update(
            _fixed_width(values.cast(pa.timestamp("us")).cast(pa.int64()), pa.int64(), "<i8")
        )
    elif pa.types.is_integer(kind):
        digest.update(_fixed_width(values, pa.int64(), "<i8"))
    else:
        lengths, joined = _text_parts(values)
        digest.update(lengths)
        digest.update(joined)
    return digest.digest()


def _add_block(total: "hashlib._Hash", block: pa.Table) -> None:
    """Add the digests of a block's columns, in contract order; large columns share two threads."""
    whole = [
        column.chunks[0] if column.num_chunks == 1 else column.combine_chunks()
        for column in block.columns
    ]
    total.update(block.num_rows.to_bytes(8, "little"))
    if block.num_rows < _SHARED_ROWS:
        digests = [_column_digest(column) for column in whole]
    else:
        with ThreadPoolExecutor(_THREADS) as pool:
            digests = list(pool.map(_column_digest, whole))
    for digest in digests:
        total.update(digest)


def _header(spec: TableSpec) -> bytes:
    names = set(spec.hashed_columns)
    lines = [_FORM, *(f"{item.name}:{item.type}" for item in spec.fields if item.name in names)]
    return ("\n".join(lines) + "\n").encode()


class ContentHasher:
    """Hash of rows that arrive in key order, in frames of any size.

    Of a relation with a segment column it hashes the rows of one segment.

    Parameters
    ----------
    spec : TableSpec
        Contract of the relation: which columns count, in which order.
    """

    def __init__(self, spec: TableSpec) -> None:
        self._spec = spec
        self._columns = list(spec.hashed_columns)
        self._total = hashlib.sha256(_header(spec))
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def update(self, frame: pl.DataFrame | pa.Table | pa.RecordBatch) -> None:
        """Add rows that follow those added before, in contract types."""
        if isinstance(frame, pl.DataFrame):
            for part in frame.select(self._columns).iter_slices(BLOCK_ROWS):
                self._add(part.to_arrow(compat_level=pl.CompatLevel.oldest()))
        elif isinstance(frame, pa.RecordBatch):
            self._add(pa.Table.from_batches([frame]).select(self._columns))
        else:
            self._add(frame.select(self._columns))

    def _add(self, table: pa.Table) -> None:
        self._waiting.append(table)
        self._rows += table.num_rows
        if self._rows < BLOCK_ROWS:
            return
        table = pa.concat_tables(self._waiting, promote_options="permissive")
        whole = self._rows - self._rows % BLOCK_ROWS
        for start in range(0, whole, BLOCK_ROWS):
            _add_block(self._total, table.slice(start, BLOCK_ROWS))
        rest = table.slice(whole)
        self._rows = rest.num_rows
        self._waiting = [rest] if self._rows else []

    def hexdigest(self) -> str:
        """Hash of all rows added so far; more may be added after."""
        total = self._total.copy()
        if self._rows:
            _add_block(total, pa.concat_tables(self._waiting, promote_options="permissive"))
        return total.hexdigest()


def sort_columns(spec: TableSpec) -> tuple[str, ...]:
    """Columns that put rows in order: the key, then the rest for rows that share a key."""
    hashed = spec.hashed_columns
    key = [name for name in spec.key if name in hashed]
    return (*key, *(name for name in hashed if name not in key))


def in_key_order(frame: pl.DataFrame, spec: TableSpec) -> pl.DataFrame:
    """Sort rows by key, nulls first; rows that share a key by their other hashed columns."""
    key = [name for name in spec.key if name in spec.hashed_columns]
    shared = bool(not key or frame.select(pl.struct(key).is_duplicated().any()).item())
    return frame.sort(sort_columns(spec) if shared else key)


def combine(digests: Mapping[int, str], spec: TableSpec) -> str:
    """Hash of a segmented relation from the digests of its segments."""
    total = hashlib.sha256(_header(spec))
    for segment, digest in sorted(digests.items()):
        total.update(f"{segment}:{digest}\n".encode())
    return total.hexdigest()


def _digest(frames: Iterable[pl.DataFrame], spec: TableSpec) -> str:
    hasher = ContentHasher(spec)
    for frame in frames:
        hasher.update(frame)
    return hasher.hexdigest()


def content_hash(frame: pl.DataFrame, spec: TableSpec) -> str:
    """Hash of a table's content; equal for equal rows in whatever order and chunks they come.

    Parameters
    ----------
    frame : DataFrame
        The rows, in contract types.
    spec : TableSpec
        Contract of the relation.

    Returns
    -------
    str
        SHA-256, 64 hexadecimal digits.
    """
    if spec.segment is None:
        return _digest([in_key_order(frame, spec)], spec)
    parts = frame.partition_by(spec.segment, as_dict=True)
    digests = {
        int(str(key[0])): _digest([in_key_order(part, spec)], spec) for key, part in parts.items()
    }
    return combine(digests, spec)
