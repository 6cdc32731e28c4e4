"""Delimited text by its declared dialect: nothing is guessed, every line is accounted for.

Columns come out as text; types and rules follow elsewhere.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from assayhouse.contracts.vendor_file import LayoutSpec
from assayhouse.readers.columns import HeaderMap, match_header
from assayhouse.readers.lines import Records, cut_at, split_records
from assayhouse.readers.reading import ReadFinding, Reading, TextBatch
from assayhouse.readers.stream import check_utf8, utf8_blocks

_LARGEST_RECORD_BLOCKS = 4
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """Whole records of the file, with the physical line the first one stands on."""

    data: bytes
    records: Records
    first_line: int

    def text(self, row: int) -> str:
        """Text of one record without its line end."""
        start, end = int(self.records.starts[row]), int(self.records.ends[row])
        return self.data[start:end].decode()

    def line(self, row: int) -> int:
        """Physical line of one record, counted from 1."""
        return self.first_line + int(self.records.lines[row])

    def upto(self, row: int) -> int:
        """First byte of a record; the length of the block after the last one."""
        return int(self.records.starts[row]) if row < len(self.records) else len(self.data)


class DelimitedReading(Reading):
    """A delimited file, read block by block in bounded memory."""

    def __init__(
        self, path: Path, layout: LayoutSpec, *, study_id: str, block_bytes: int, file: str
    ) -> None:
        super().__init__(file=file, layout=layout)
        self._path = path
        self._block_bytes = block_bytes
        self._preamble = [
            re.compile(pattern.replace("{STUDYID}", re.escape(study_id)))
            for pattern in layout.dialect.preamble
        ]
        trailer = layout.dialect.trailer
        self._trailer = None if trailer is None else re.compile(trailer)
        self._header: HeaderMap | None = None
        self._promised: int | None = None

    def batches(self) -> Iterator[TextBatch]:
        """Read the file once; see `Reading.batches`."""
        for block, last in self._blocks():
            first = self._read_head(block)
            stop = self._read_tail(block, first) if last else len(block.records)
            if self._header is not None and stop > first:
                yield from self._batch(block, self._header, first, stop, last=last)
        self._finish()

    def _blocks(self) -> Iterator[tuple[_Block, bool]]:
        """Blocks of whole records; all but the last hold back what may be the end of the file."""
        carry, line = b"", 1
        for piece in utf8_blocks(self._path, self, size=self._block_bytes):
            carry += piece
            block = self._whole(carry[: cut_at(carry, self.layout.dialect)], line)
            held = self._held_back(block)
            if held == 0:
                self._refuse_endless(carry, line)
                continue
            taken = block.upto(held)
            ready = self._whole(block.data[:taken], line)
            carry, line = carry[taken:], block.line(held) if held < len(block.records) else line
            yield ready, False
        yield self._whole(carry, line), True

    def _whole(self, data: bytes, line: int) -> _Block:
        check_utf8(data, self, first_line=line)
        return _Block(data=data, records=split_records(data, self.layout.dialect), first_line=line)

    def _held_back(self, block: _Block) -> int:
        """Record before which a block may be taken: the last one that is not blank is kept."""
        if not block.data:
            return 0
        records = block.records
        filled = np.flatnonzero(records.ends > records.starts)
        head = len(self._preamble) + 1 if self._header is None else 0
        last = int(filled[-1]) if len(filled) else 0
        return last if last > head else 0

    def _refuse_endless(self, carry: bytes, line: int) -> None:
        if len(carry) > _LARGEST_RECORD_BLOCKS * self._block_bytes:
            message = "no end of the row was found; perhaps a quote is not closed"
            raise self.reject(message, rule="F01", line=line)

    def _read_head(self, block: _Block) -> int:
        """Check preamble and header, if they are not behind us; returns the first row after."""
        if self._header is not None:
            return 0
        wanted = len(self._preamble) + 1
        if not block.data or len(block.records) < wanted:
            message = "the file ends before its header line; send it again"
            raise self.reject(message, rule="F03", line=block.line(0) if block.data else None)
        for row, pattern in enumerate(self._preamble):
            if not pattern.fullmatch(block.text(row)):
                message = "the line above the header is not as declared for this study and layout"
                raise self.reject(message, rule="F07", line=block.line(row))
        line = block.line(wanted - 1)
        self._header = match_header(self._fields(block.text(wanted - 1)), self, line=line)
        spans = block.records.spans
        self.account.preamble += int(spans[: wanted - 1].sum())
        self.account.header += int(spans[wanted - 1])
        self.account.physical_lines += int(spans[:wanted].sum())
        return wanted

    def _fields(self, text: str) -> list[str]:
        dialect = self.layout.dialect
        if dialect.quote is None:
            return text.split(dialect.delimiter)
        return next(csv.reader([text], delimiter=dialect.delimiter, quotechar=dialect.quote), [""])

    def _read_tail(self, block: _Block, first: int) -> int:
        """Take the trailer and blank lines off the end; returns the row after the last data row."""
        records, stop = block.records, len(block.records) if block.data else 0
        while stop > first and records.ends[stop - 1] == records.starts[stop - 1]:
            stop -= 1
        blank = int(records.spans[stop : len(records)].sum()) if block.data else 0
        self.account.blank += blank
        self.account.physical_lines += blank
        if self._trailer is None or stop <= first:
            return stop
        found = self._trailer.fullmatch(block.text(stop - 1))
        if found is None:
            self._refuse_missing_trailer(block, stop - 1)
            return stop
        groups = found.groupdict()
        self._promised = int(groups["rows"]) if groups.get("rows") else None
        self.account.trailer += int(records.spans[stop - 1])
        self.account.physical_lines += int(records.spans[stop - 1])
        return stop - 1

    def _refuse_missing_trailer(self, block: _Block, row: int) -> None:
        if self._header is not None and block.records.widths[row] != len(self._header.names):
            return  # the width check says more: cut off inside a row
        message = "the declared trailer line is missing: the file was cut off after this line"
        raise self.reject(message, rule="F02", line=block.line(row))

    def _batch(
        self, block: _Block, header: HeaderMap, first: int, stop: int, *, last: bool
    ) -> Iterator[TextBatch]:
        records = block.records
        rows = np.arange(first, stop)
        blank = records.ends[rows] == records.starts[rows]
        comment = self._comments(block, rows)
        data = ~(blank | comment)
        self._check_widths(block, header, rows[data], last=last)
        self._check_line_ends(block, rows)
        spans = records.spans[rows]
        self.account.blank += int(spans[blank].sum())
        self.account.comment += int(spans[comment].sum())
        self.account.data_lines += int(spans[data].sum())
        self.account.physical_lines += int(spans.sum())
        self.account.data_rows += int(data.sum())
        if data.any():
            kept = rows[data]
            frame = header.conform(self._cut(block, header, kept)).with_columns(
                pl.Series("source_line", block.first_line + records.lines[kept], dtype=pl.Int64),
                pl.Series("line_span", records.spans[kept], dtype=pl.Int64),
            )
            yield TextBatch(frame=frame, raw_text=_RawText(block, kept))

    def _comments(self, block: _Block, rows: npt.NDArray[np.int64]) -> BoolArray:
        mark = self.layout.dialect.comment
        if mark is None:
            return np.zeros(len(rows), dtype=np.bool_)
        begins = [
            block.data.startswith(mark.encode(), int(start)) for start in block.records.starts[rows]
        ]
        return np.array(begins, dtype=np.bool_)

    def _check_widths(
        self, block: _Block, header: HeaderMap, rows: npt.NDArray[np.int64], *, last: bool
    ) -> None:
        wanted = len(header.names)
        wrong = rows[block.records.widths[rows] != wanted]
        if not len(wrong):
            return
        row = int(wrong[0])
        found = int(block.records.widths[row])
        if last and row == int(rows[-1]):
            message = f"the last row has {found} of {wanted} fields: the file was cut off"
            raise self.reject(message, rule="F01", line=block.line(row))
        message = f"a line with {found} fields, where {wanted} are declared; it is no declared line"
        raise self.reject(message, rule="F08", line=block.line(row))

    def _check_line_ends(self, block: _Block, rows: npt.NDArray[np.int64]) -> None:
        returned = block.records.returned[rows]
        ended = np.ones(len(rows), dtype=np.bool_)
        if len(rows) and block.upto(int(rows[-1]) + 1) == len(block.data):
            ended[-1] = block.data.endswith(b"\n")
        other = ended & (returned != (self.layout.dialect.line_end == "crlf"))
        if other.any():
            message = "lines end otherwise than declared; every line kept its width"
            line = block.line(int(rows[np.flatnonzero(other)[0]]))
            self.note(ReadFinding(rule="F40", disposition="W", message=message, line=line))

    def _cut(self, block: _Block, header: HeaderMap, rows: npt.NDArray[np.int64]) -> pl.DataFrame:
        """Let polars cut the checked bytes into fields, all of them text."""
        dialect = self.layout.dialect
        try:
            frame = pl.read_csv(
                _joined(block, rows),
                has_header=False,
                schema=dict.fromkeys(header.names, pl.String),
                separator=dialect.delimiter,
                quote_char=dialect.quote,
                infer_schema=False,
                empty_string_is_null=False,
                extra_columns="raise",
                missing_columns="raise",
            )
        except pl.exceptions.PolarsError as error:
            raise self._bad_quotes(block, rows) from error
        if frame.height != len(rows):
            raise self._bad_quotes(block, rows)
        null = pl.all().is_in(list(dialect.null_texts))
        return frame.with_columns(pl.when(~null).then(pl.all()))

    def _bad_quotes(self, block: _Block, rows: npt.NDArray[np.int64]) -> Exception:
        message = "quotes stand where the dialect does not allow them, in this line or after it"
        return self.reject(message, rule="F08", line=block.line(int(rows[0])))

    def _finish(self) -> None:
        if self.account.data_rows == 0:
            message = "there is a header but no row; send the file again"
            raise self.reject(message, rule="F03")
        if self._promised is not None and self._promised != self.account.data_rows:
            message = (
                f"the trailer says {self._promised} rows, {self.account.data_rows} are there: "
                "rows are missing"
            )
            raise self.reject(message, rule="F02", line=self.account.physical_lines)


class _RawText:
    """Text of chosen rows as in the file, taken from the block only when asked for."""

    def __init__(self, block: _Block, rows: npt.NDArray[np.int64]) -> None:
        self._block = block
        self._rows = rows

    def __call__(self, rows: Sequence[int]) -> list[str]:
        return [self._block.text(int(self._rows[row])) for row in rows]


def _joined(block: _Block, rows: npt.NDArray[np.int64]) -> bytes:
    """Bytes of the given records; one slice where they follow each other."""
    jumps = np.flatnonzero(np.diff(rows) > 1)
    begins = np.concatenate([[0], jumps + 1])
    stops = np.append(jumps, len(rows) - 1)
    parts = [
        block.data[block.upto(int(rows[begin])) : block.upto(int(rows[stop]) + 1)]
        for begin, stop in zip(begins, stops, strict=True)
    ]
    return b"".join(parts)
