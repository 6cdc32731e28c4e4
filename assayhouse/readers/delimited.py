"""Delimited text by its declared dialect: nothing is guessed, every line is accounted for.

Columns come out as text; types and rules follow elsewhere. A fault of structure keeps the whole
file out; the rest is still looked through, so that the message names every such fault.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from assayhouse.contracts.vendor_file import LayoutSpec
from assayhouse.readers.columns import HeaderMap, match_header
from assayhouse.readers.cutting import Block, RawText, Rows, cut_fields
from assayhouse.readers.ends import Head, HeadLine, compile_preamble, split_tail
from assayhouse.readers.lines import CR, CRLF, LF, UNENDED, split_records
from assayhouse.readers.reading import LineCount, ReadFinding, Reading, TextBatch
from assayhouse.readers.stream import check_utf8, utf8_blocks

LARGEST_RECORD_BLOCKS, LARGEST_RECORD_BYTES = 2, 1 << 20
_DECLARED_END = {"lf": LF, "crlf": CRLF}


class DelimitedReading(Reading):
    """A delimited file, read block by block in bounded memory."""

    def __init__(
        self, path: Path, layout: LayoutSpec, *, study_id: str, block_bytes: int, file: str
    ) -> None:
        super().__init__(file=file, layout=layout)
        self._path = path
        self._block_bytes = block_bytes
        self._preamble = compile_preamble(layout.dialect, study_id)
        trailer = layout.dialect.trailer
        self._trailer = None if trailer is None else re.compile(trailer)
        self._end = layout.dialect.line_end_bytes
        self._promised: int | None = None
        self._has_trailer = False
        self._faults: list[ReadFinding] = []

    def batches(self) -> Iterator[TextBatch]:
        """Read the file once; see `Reading.batches`."""
        self.account, self.findings, self._faults = LineCount(), (), []
        head = Head(self._pieces(), self)
        header = self._read_head(head)
        for block, last in self._blocks(head):
            batch = self._read_block(block, header, last=last)
            if batch is not None:
                yield batch
        self._finish()

    def _pieces(self) -> Iterator[bytes]:
        return utf8_blocks(self._path, self, size=self._block_bytes)

    # Above the data -----------------------------------------------------------------------------

    def _read_head(self, head: Head) -> HeaderMap:
        """Check preamble and header."""
        for pattern in self._preamble:
            line = self._head_line(head)
            self.account.preamble += 1
            if not pattern.fullmatch(line.text):
                message = (
                    "the line above the header is not the one declared for this study and layout"
                )
                raise self.reject(message, rule="F07", line=self.account.physical_lines)
        line = self._head_line(head)
        self.account.header += 1
        return match_header(self._fields(line.text), self, line=self.account.physical_lines)

    def _head_line(self, head: Head) -> HeadLine:
        """Take the next line that is no comment."""
        while True:
            line = head.next_line()
            self.account.physical_lines += 1
            if line.ending not in (self._end, b""):
                self._note_line_end(self.account.physical_lines)
            mark = self.layout.dialect.comment
            if not mark or not line.text.startswith(mark):
                return line
            self.account.comment += 1

    def _fields(self, text: str) -> list[str]:
        dialect = self.layout.dialect
        if dialect.quote is None:
            return text.split(dialect.delimiter)
        cells = csv.reader(
            [text], delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True
        )
        try:
            return next(cells, [""])
        except csv.Error as error:
            message = "the quotes of the header are not as declared"
            line = self.account.physical_lines
            raise self.reject(message, rule="F08", line=line) from error

    # Data ---------------------------------------------------------------------------------------

    def _blocks(self, head: Head) -> Iterator[tuple[Block, bool]]:
        """Blocks of whole records, without what may still prove to be the end of the file."""
        line = self.account.physical_lines + 1
        left = head.rest
        block, left = self._take(left, line)
        while True:
            if len(block.records):
                yield block, False
                line += int(block.records.spans.sum())
            piece = next(head.pieces, None)
            if piece is None:
                break
            block, left = self._take(left + piece, line)
        tail = split_tail(left, self._trailer)
        self.account.blank += tail.blanks
        self.account.trailer += tail.trailers
        self.account.physical_lines += tail.blanks + tail.trailers
        self._has_trailer = tail.trailer is not None
        rows = tail.trailer.groupdict().get("rows") if tail.trailer else None
        self._promised = int(rows) if rows is not None and rows.isdecimal() else None
        yield self._last(tail.data, line), True

    def _take(self, data: bytes, line: int) -> tuple[Block, bytes]:
        """Take whole records off a buffer; the last one that is not blank stays behind."""
        records = split_records(data, self.layout.dialect, closed=False)
        filled = np.flatnonzero(~records.blank)
        count = int(filled[-1]) if len(filled) else 0
        stop = int(records.starts[count]) if count else 0
        wrong = records.misplaced
        limit = max(LARGEST_RECORD_BLOCKS * self._block_bytes, LARGEST_RECORD_BYTES)
        if wrong is not None and (wrong < stop or len(data) > limit):
            raise self._misplaced(data, wrong, line)
        if not stop and len(data) > limit:
            message = "no end of the row was found; perhaps a quote is not closed"
            raise self.reject(message, rule="F01", line=line)
        taken = data if stop == len(data) else data[:stop]
        check_utf8(taken, self, first_line=line)
        return Block(data=taken, records=records.first(count), first_line=line), data[stop:]

    def _last(self, data: bytes, line: int) -> Block:
        check_utf8(data, self, first_line=line)
        records = split_records(data, self.layout.dialect, closed=True)
        if records.misplaced is not None:
            raise self._misplaced(data, records.misplaced, line)
        if records.is_open:
            begin = int(records.nexts[-1]) if len(records) else 0
            at = line + data.count(b"\n", 0, begin)
            message = "a quoted field has no end: the file was cut off inside this row"
            self._fault("F01", message, at)
        return Block(data=data, records=records, first_line=line)

    def _misplaced(self, data: bytes, place: int, line: int) -> Exception:
        at = line + data.count(b"\n", 0, place)
        message = (
            "a quote stands inside a field, or text follows a closing quote; "
            "quotes in text must be doubled. Send the file again"
        )
        self._fault("F08", message, at)
        return self._rejection()

    def _read_block(self, block: Block, header: HeaderMap, *, last: bool) -> TextBatch | None:
        """Account for the records of a block; its rows, unless the file is out already."""
        records = block.records
        if not len(records):
            return None
        blank, comment = records.blank, records.comments
        rows = np.flatnonzero(~(blank | comment))
        account, spans = self.account, records.spans
        account.comment += int(spans[comment].sum())
        account.data_lines += int(spans[rows].sum())
        account.data_rows += len(rows)
        account.physical_lines += self._physical_lines(block)
        if blank.any():
            message = "a blank line between rows, where none is declared"
            self._fault("F08", message, block.line(int(np.flatnonzero(blank)[0])))
        self._check_widths(block, header, rows, last=last)
        self._check_form(block, rows)
        if self._faults or not len(rows):
            return None
        return self._batch(block, header, rows)

    def _physical_lines(self, block: Block) -> int:
        """Count line ends in the bytes themselves, not by the records."""
        lone = int((block.records.endings == CR).sum())
        unended = int(block.records.endings[-1] == UNENDED)
        data = np.frombuffer(block.data, dtype=np.uint8)
        return int(np.count_nonzero(data == ord("\n"))) + lone + unended

    def _check_widths(self, block: Block, header: HeaderMap, rows: Rows, *, last: bool) -> None:
        wanted, widths = len(header.names), block.records.widths
        wrong = rows[widths[rows] != wanted]
        if not len(wrong):
            return
        final = int(wrong[-1])
        is_end = last and final == int(rows[-1]) and not self._has_trailer
        missing = self._trailer is not None or block.records.endings[final] == UNENDED
        if is_end and missing and widths[final] < wanted:
            message = f"{widths[final]} of {wanted} fields: the file was cut off inside this row"
            self._fault("F01", message, block.line(final))
            wrong = wrong[:-1]
        if len(wrong):
            row = int(wrong[0])
            ends = block.records.endings[max(row - 1, 0) : row + 1]
            other = (ends != _DECLARED_END[self.layout.dialect.line_end]) & (ends != UNENDED)
            message = (
                f"{widths[row]} fields where the header has {wanted}; it is no declared line"
                if not other.any()
                else f"{widths[row]} fields where the header has {wanted}, beside a line end "
                "that is not the declared one"
            )
            self._fault("F40" if other.any() else "F08", message, block.line(row))

    def _check_form(self, block: Block, rows: Rows) -> None:
        """Note what the dialect does not allow, though no value is in doubt."""
        endings = block.records.endings
        declared = _DECLARED_END[self.layout.dialect.line_end]
        other = np.flatnonzero((endings != declared) & (endings != UNENDED))
        if len(other):
            self._note_line_end(block.line(int(other[0])))
        bare = rows[block.records.bare[rows]]
        if len(bare):
            message = "fields stand without quotes, though all are declared to be quoted"
            line = block.line(int(bare[0]))
            self.note(ReadFinding(rule="F08", disposition="W", message=message, line=line))
        if endings[-1] == UNENDED and not self._has_trailer:
            message = "the last line has no line end; the file may have been cut off within it"
            line = block.line(len(endings) - 1)
            self.note(ReadFinding(rule="F01", disposition="W", message=message, line=line))

    def _note_line_end(self, line: int) -> None:
        message = "lines end otherwise than declared; every row kept its width"
        self.note(ReadFinding(rule="F40", disposition="W", message=message, line=line))

    def _batch(self, block: Block, header: HeaderMap, rows: Rows) -> TextBatch:
        frame = cut_fields(block, rows, names=header.names, dialect=self.layout.dialect)
        if frame is None:
            message = "the rows could not be cut into fields, in this line or after it"
            self._fault("F08", message, block.line(int(rows[0])))
            raise self._rejection()
        lines, spans = block.first_line + block.records.lines[rows], block.records.spans[rows]
        frame = header.conform(frame).with_columns(source_line=lines, line_span=spans)
        return TextBatch(frame=frame, raw_text=RawText(block, rows))

    # The whole file -----------------------------------------------------------------------------

    def _fault(self, rule: str, message: str, line: int | None) -> None:
        """Keep a fault of structure; the first of each rule is told."""
        if all(fault.rule != rule for fault in self._faults):
            fault = ReadFinding(rule=rule, disposition="R", message=message, line=line)
            self._faults.append(fault)
            self.findings = (*self.findings, fault)

    def _rejection(self) -> Exception:
        first, *others = self._faults
        also = "".join(
            f"; also line {fault.line}: {fault.message} (rule {fault.rule})" for fault in others
        )
        return self.reject(first.message + also, rule=first.rule, line=first.line)

    def _finish(self) -> None:
        account = self.account
        if self._trailer is not None and not self._has_trailer:
            message = "the declared trailer line is missing: the file was cut off"
            self._fault("F02", message, account.physical_lines)
        elif self._promised is not None and self._promised != account.data_rows:
            message = f"the trailer says {self._promised} rows, {account.data_rows} are there"
            self._fault("F02", message, account.physical_lines)
        if not self._faults and account.data_rows == 0:
            self._fault("F03", "there is a header but no row; send the file again", None)
        if not self._faults and not account.balanced:
            self._fault("LINE-ACCOUNT", "the lines of the file are not all accounted for", None)
        if self._faults:
            raise self._rejection()
