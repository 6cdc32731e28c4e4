"""Begin and end of a delimited file: lines above the data, trailer and blank lines below.

Bytes in, counts and what is left out. Judges no data row.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assayhouse.contracts.vendor_file import Dialect
from assayhouse.readers.lines import LINE_END
from assayhouse.readers.reading import Reading
from assayhouse.readers.stream import check_utf8

LONGEST_HEAD_LINE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadLine:
    """One physical line above the data: its text, and the bytes that ended it."""

    text: str
    ending: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """End of a file taken apart.

    Parameters
    ----------
    data : bytes
        What is left, data rows only.
    trailer : Match or None
        The declared trailer, where the last line is one.
    trailers, blanks : int
        Lines taken off.
    """

    data: bytes
    trailer: re.Match[str] | None
    trailers: int
    blanks: int


class Head:
    """Takes physical lines off the begin of a stream of blocks; quotes mean nothing there."""

    def __init__(self, pieces: Iterator[bytes], reading: Reading) -> None:
        self.pieces = pieces
        self._reading = reading
        self._whole = False
        self._line = 0
        self.rest = b""

    def next_line(self) -> HeadLine:
        """Take one line.

        Raises
        ------
        DeliveryRejectedError
            F03: there is none. F08: no line end within the first million bytes.
        """
        found = LINE_END.search(self.rest)
        while not self._whole and (found is None or found.end() == len(self.rest)):
            if len(self.rest) > LONGEST_HEAD_LINE and found is None:
                message = "a line above the data has no end; the file is not as declared"
                raise self._reading.reject(message, rule="F08", line=self._line + 1)
            piece = next(self.pieces, None)
            self._whole = piece is None
            self.rest += piece or b""
            found = LINE_END.search(self.rest)
        if found is None and not self.rest:
            message = "the file ends before its header line; send it again"
            raise self._reading.reject(message, rule="F03")
        end = len(self.rest) if found is None else found.start()
        ending = b"" if found is None else found.group()
        text, self.rest = self.rest[:end], self.rest[end + len(ending) :]
        self._line += 1
        check_utf8(text, self._reading, first_line=self._line)
        return HeadLine(text=text.decode(), ending=ending)


def compile_preamble(dialect: Dialect, study_id: str) -> list[re.Pattern[str]]:
    """Compile the declared patterns of the lines above the header for one study."""
    study = re.escape(study_id)
    return [re.compile(pattern.replace("{STUDYID}", study)) for pattern in dialect.preamble]


def split_tail(data: bytes, trailer: re.Pattern[str] | None) -> Tail:
    """Take blank lines and the declared trailer off the end of a file."""
    data, blanks = _without_blank_lines(data)
    if trailer is None:
        return Tail(data=data, trailer=None, trailers=0, blanks=blanks)
    line = data.rstrip(b"\r\n")
    start = max(line.rfind(b"\n"), line.rfind(b"\r")) + 1
    found = trailer.fullmatch(line[start:].decode(errors="replace"))
    if found is None or not line:
        return Tail(data=data, trailer=None, trailers=0, blanks=blanks)
    rest, between = _without_blank_lines(data[:start])
    return Tail(data=rest, trailer=found, trailers=1, blanks=blanks + between)


def _without_blank_lines(data: bytes) -> tuple[bytes, int]:
    """Take blank lines off the end; the end of the last line with text stays."""
    text = data.rstrip(b"\r\n")
    ends = LINE_END.findall(data, len(text))
    kept = len(text) + (len(ends[0]) if ends and text else 0)
    return data[:kept], max(len(ends) - bool(text), 0)
