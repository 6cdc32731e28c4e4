"""The one line splitter: physical lines, records and their widths, vectorised over blocks of bytes.

A newline inside quotes belongs to its record. Quotes are counted, doubled quotes count twice, so
the parity before a byte says whether it stands inside quotes.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assayhouse.contracts.vendor_file import Dialect

IntArray = npt.NDArray[np.int64]
_NEWLINE, _RETURN = 10, 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Records of one block that holds whole records only.

    Parameters
    ----------
    starts, ends : (n,) array
        First byte, and the byte after the last one, line end left out.
    lines : (n,) array
        Physical line of the record's first byte, counted from 0 within the block.
    spans : (n,) array
        Physical lines of the record.
    widths : (n,) array
        Fields of the record.
    returned : (n,) array of bool
        Whether the line ends with CR LF.
    """

    starts: IntArray
    ends: IntArray
    lines: IntArray
    spans: IntArray
    widths: IntArray
    returned: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.starts)


def _outside(data: npt.NDArray[np.uint8], dialect: Dialect) -> npt.NDArray[np.bool_] | None:
    """Bytes that stand outside quotes; None where no quote occurs."""
    if dialect.quote is None:
        return None
    quotes = data == ord(dialect.quote)
    if not quotes.any():
        return None
    # Parity survives the wrap of an 8-bit sum.
    outside: npt.NDArray[np.bool_] = (np.cumsum(quotes, dtype=np.uint8) & 1) == 0
    return outside


def cut_at(block: bytes, dialect: Dialect) -> int:
    """Length of the longest part of a block that ends with a whole record's newline."""
    data = np.frombuffer(block, dtype=np.uint8)
    newlines = data == _NEWLINE
    outside = _outside(data, dialect)
    if outside is not None:
        newlines &= outside
    last = newlines[::-1].argmax() if len(newlines) else 0
    return 0 if not len(newlines) or not newlines.any() else len(newlines) - int(last)


def split_records(block: bytes, dialect: Dialect) -> Records:
    """Split a block of whole records; the last one may lack its newline.

    Parameters
    ----------
    block : bytes
        UTF-8 text that begins with a record.
    dialect : Dialect
        Delimiter and quote.
    """
    data = np.frombuffer(block, dtype=np.uint8)
    outside = _outside(data, dialect)
    every = np.flatnonzero(data == _NEWLINE)
    delimiters = data == ord(dialect.delimiter)
    newlines = every
    if outside is not None:
        newlines = every[outside[every]]
        delimiters &= outside
    stops = newlines.astype(np.int64)
    if not len(stops) or stops[-1] != len(data) - 1:
        stops = np.append(stops, len(data))
    starts = np.concatenate([[0], stops[:-1] + 1]).astype(np.int64)
    positions = np.flatnonzero(delimiters)
    widths = np.diff(np.searchsorted(positions, stops), prepend=0) + 1
    lines = np.searchsorted(every, starts).astype(np.int64)
    total = len(every) + (len(data) > 0 and data[-1] != _NEWLINE)
    spans = np.diff(np.append(lines, total)).astype(np.int64)
    before = np.maximum(stops - 1, 0)
    returned = (data[before] == _RETURN) & (stops > starts) if len(data) else np.zeros(0, bool)
    return Records(
        starts=starts,
        ends=stops - returned,
        lines=lines,
        spans=spans,
        widths=widths.astype(np.int64),
        returned=returned,
    )
