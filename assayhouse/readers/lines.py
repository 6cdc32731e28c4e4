"""The one line splitter: physical lines, records and their widths, vectorised over blocks of bytes.

A line ends with LF, CR LF, or a CR that stands alone outside quotes. A line end inside quotes
belongs to its record. Quotes stand around whole fields only; a doubled quote is a literal one.
Knows the dialect; knows no columns.
"""

import re
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from assayhouse.contracts.vendor_file import Dialect

IntArray = npt.NDArray[np.int64]
ByteArray = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]

LINE_END = re.compile(rb"\r\n|\n|\r")
UNENDED, LF, CRLF, CR = 0, 1, 2, 3
_FEED, _RETURN, _BLANK = 10, 13, 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Whole records of one block.

    Parameters
    ----------
    starts, ends : (n,) array
        First byte, and the byte after the last one, line end left out.
    nexts : (n,) array
        Byte after the line end.
    lines : (n,) array
        Physical line of the record's first byte, counted from 0 within the block.
    spans : (n,) array
        Physical lines of the record.
    widths : (n,) array
        Fields of the record.
    endings : (n,) array
        ``LF``, ``CRLF``, ``CR`` or ``UNENDED``.
    bare : (n,) array of bool
        Whether a field has no quotes, though the dialect quotes all.
    comments : (n,) array of bool
        Whether the record is a comment line.
    misplaced : int or None
        Byte of the first quote that stands neither at a field's begin nor at its end.
    is_open : bool
        Whether the bytes after the last record stand inside quotes.
    """

    starts: IntArray
    ends: IntArray
    nexts: IntArray
    lines: IntArray
    spans: IntArray
    widths: IntArray
    endings: IntArray
    bare: BoolArray
    comments: BoolArray
    misplaced: int | None
    is_open: bool

    def __len__(self) -> int:
        return len(self.starts)

    def first(self, count: int) -> "Records":
        """Give the first ``count`` records."""
        return replace(
            self,
            **{
                name: getattr(self, name)[:count]
                for name in self.__slots__
                if isinstance(getattr(self, name), np.ndarray)
            },
        )

    @property
    def blank(self) -> BoolArray:
        """Whether nothing stands on the line."""
        empty: BoolArray = self.ends == self.starts
        return empty


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cuts:
    """Where a block is cut: line ends, records' ends, widths."""

    stops: IntArray
    breaks: IntArray
    widths: IntArray
    bare: BoolArray
    misplaced: int | None = None
    is_open: bool = False


def split_records(block: bytes, dialect: Dialect, *, closed: bool) -> Records:
    """Split a block that begins with a record.

    Parameters
    ----------
    block : bytes
        UTF-8 text.
    dialect : Dialect
        Delimiter, quote and comment mark.
    closed : bool
        True at the end of the file: what follows the last line end is a record too. Otherwise
        it is left over.
    """
    data, commented = _without_comments(np.frombuffer(block, dtype=np.uint8), block, dialect)
    unended = closed and bool(block) and not block.endswith((b"\n", b"\r"))
    if unended:
        data = np.append(data, np.uint8(_FEED))
    cuts = _regular_cuts(data, dialect) or _cuts(data, dialect, closed=closed)
    stops = cuts.stops
    starts = np.concatenate([[0], stops[:-1] + 1])[: len(stops)]
    endings = _endings(data, starts, stops)
    endings[stops == len(block)] = UNENDED
    lines = np.searchsorted(cuts.breaks, starts)
    return Records(
        starts=starts,
        ends=stops - (endings == CRLF),
        nexts=stops + (endings != UNENDED),
        lines=lines,
        spans=np.searchsorted(cuts.breaks, stops, side="right") - lines,
        widths=cuts.widths,
        endings=endings,
        bare=cuts.bare,
        comments=np.isin(starts, commented) if len(commented) else np.zeros(len(starts), np.bool_),
        misplaced=cuts.misplaced,
        is_open=cuts.is_open,
    )


def _endings(data: ByteArray, starts: IntArray, stops: IntArray) -> IntArray:
    returned = (data[np.maximum(stops - 1, 0)] == _RETURN) & (stops > starts)
    found: IntArray = np.where(data[stops] == _FEED, LF + returned, CR).astype(np.int64)
    return found


def _regular_cuts(data: ByteArray, dialect: Dialect) -> _Cuts | None:  # noqa: PLR0911 - one per condition
    """Cut a block in which all fields are quoted and hold no quote, delimiter or line end.

    Sufficient, not necessary: every line begins and ends with a quote, every delimiter stands
    between two quotes, none of these quotes serves twice, and there are no other quotes. None
    where that does not hold; such a block is cut the long way.
    """
    if dialect.quoting != "all" or dialect.quote is None:
        return None
    quote, delimiter = ord(dialect.quote), ord(dialect.delimiter)
    stops = np.flatnonzero(data == _FEED)
    if not len(stops) or stops[0] < 2:
        return None
    data = data[: stops[-1] + 1]
    starts = np.concatenate([[0], stops[:-1] + 1])
    returned = data[stops - 1] == _RETURN
    lasts = stops - 1 - returned
    if (lasts - starts < 1).any() or np.count_nonzero(data == _RETURN) != returned.sum():
        return None
    edges = (data[starts] == quote) & (data[lasts] == quote)
    shared = (data[starts + 1] == delimiter) | (data[lasts - 1] == delimiter)
    if not edges.all() or shared.any():
        return None
    places = np.flatnonzero(data == delimiter)
    between = (data[places - 1] == quote) & (data[places + 1] == quote)
    if not between.all() or (np.diff(places) == 2).any():
        return None
    if np.count_nonzero(data == quote) != 2 * (len(places) + len(stops)):
        return None
    widths = np.diff(np.searchsorted(places, stops), prepend=0) + 1
    return _Cuts(stops=stops, breaks=stops, widths=widths, bare=np.zeros(len(stops), np.bool_))


def _cuts(data: ByteArray, dialect: Dialect, *, closed: bool) -> _Cuts:
    """Cut any block, by the parity of the quotes before each byte."""
    parity = np.zeros(0, dtype=np.uint8)
    misplaced, is_open = None, False
    if dialect.quote is not None:
        quotes = data == ord(dialect.quote)
        places = np.flatnonzero(quotes)
        if len(places):
            # Parity survives the wrap of an 8-bit sum.
            parity = np.cumsum(quotes, dtype=np.uint8) & np.uint8(1)
            misplaced = _misplaced(
                data, places, quote=ord(dialect.quote), delimiter=ord(dialect.delimiter)
            )
            is_open = bool(parity[-1])

    def outside(found: IntArray) -> IntArray:
        return found[parity[found] == 0] if len(parity) else found

    feeds = np.flatnonzero(data == _FEED)
    alone = outside(_lone_returns(data, closed=closed))
    breaks, stops = feeds, outside(feeds)
    if len(alone):
        breaks, stops = np.union1d(feeds, alone), np.union1d(stops, alone)
    delimiters = outside(np.flatnonzero(data == ord(dialect.delimiter)))
    widths = np.diff(np.searchsorted(delimiters, stops), prepend=0) + 1
    return _Cuts(
        stops=stops,
        breaks=breaks,
        widths=widths,
        bare=_bare(data, stops, delimiters, dialect),
        misplaced=misplaced,
        is_open=is_open,
    )


def _lone_returns(data: ByteArray, *, closed: bool) -> IntArray:
    """Carriage returns without a newline; the last byte of an open block is not known yet."""
    found = np.flatnonzero(data == _RETURN)
    if not len(found):
        return found
    at_end = found == len(data) - 1
    lone = np.where(at_end, closed, data[np.minimum(found + 1, len(data) - 1)] != _FEED)
    return found[lone]


def _misplaced(data: ByteArray, quotes: IntArray, *, quote: int, delimiter: int) -> int | None:
    """First quote that opens within a field or closes before the field's end."""
    limits = np.zeros(256, dtype=np.bool_)
    limits[[quote, delimiter, _FEED, _RETURN]] = True
    opening, closing = quotes[0::2], quotes[1::2]
    inner = opening[opening > 0]
    early = closing[closing < len(data) - 1]
    wrong = np.concatenate(
        [inner[~limits[data[inner - 1]]][:1], early[~limits[data[early + 1]]][:1]]
    )
    return int(wrong.min()) if len(wrong) else None


def _bare(data: ByteArray, stops: IntArray, delimiters: IntArray, dialect: Dialect) -> BoolArray:
    """Mark records with a field that has no quotes, in a dialect that quotes all."""
    bare = np.zeros(len(stops), dtype=np.bool_)
    if dialect.quoting != "all" or dialect.quote is None:
        return bare
    fields = np.concatenate([[0], stops[:-1] + 1, delimiters + 1])
    fields = fields[fields < len(data)]
    unquoted = fields[data[fields] != ord(dialect.quote)]
    owners = np.searchsorted(stops, unquoted)
    bare[owners[owners < len(stops)]] = True
    return bare


def _without_comments(
    data: ByteArray, block: bytes, dialect: Dialect
) -> tuple[ByteArray, IntArray]:
    """Blank out comment lines, whose quotes mean nothing; gives the first byte of each."""
    none = np.zeros(0, dtype=np.int64)
    mark = (dialect.comment or "").encode()
    if not mark or mark not in block:
        return data, none
    starts = np.concatenate([[0], np.flatnonzero(data == _FEED) + 1])
    starts = starts[starts + len(mark) <= len(data)]
    for place, byte in enumerate(mark):
        starts = starts[data[starts + place] == byte]
    cleaned = data.copy()
    quotes = np.flatnonzero(data == ord(dialect.quote)) if dialect.quote else none
    found, ignored = [], 0
    for start in starts.tolist():
        if (np.searchsorted(quotes, start) - ignored) % 2:
            continue  # inside quotes: text, not a comment
        end = block.find(b"\n", start)
        end = len(data) if end < 0 else end
        ignored += int(np.searchsorted(quotes, end) - np.searchsorted(quotes, start))
        stop = end - 1 if block[end - 1 : end] == b"\r" and end < len(data) else end
        cleaned[start:stop] = _BLANK
        found.append(start)
    return cleaned, np.array(found, dtype=np.int64)
