"""Anybody's file as a table of text: what keeps it from being one is told with line and remedy.

A parquet file, known by its content, keeps its types. What the columns mean is not known here.
"""

import csv
import difflib
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from assayhouse.contracts.vendor_file import Dialect
from assayhouse.errors import OwnTableError
from assayhouse.readers.cutting import Block, cut_fields
from assayhouse.readers.lines import Records, split_records
from assayhouse.readers.stream import MARKS, MARKUP

_SHOWN = 5
_LOOKED_AT = 100
_COMMAS = Dialect(null_texts=())
_UTF8_MARK = b"\xef\xbb\xbf"
_PARQUET = b"PAR1"
_WORKBOOK = "Open it and save the sheet as 'CSV UTF-8 (comma delimited)'."
_KINDS = (
    (b"PK\x03\x04", "an Excel workbook or another zip archive", _WORKBOOK),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook of the old kind", _WORKBOOK),
    (b"\x1f\x8b", "compressed (gzip)", "Unpack it."),
    (b"%PDF", "a PDF document", "Export the table as CSV."),
    (b"HEADER RECORD", "a SAS transport file", "Export the table as CSV."),
)
_SEPARATORS = {";": "';'", "\t": "tabs", "|": "'|'"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTable:
    """A table and where its rows stand in the file.

    Parameters
    ----------
    path : Path
        The file, as it was named.
    frame : DataFrame
        Text from a CSV file, null where nothing stands; real types from parquet.
    lines : Series
        Per row the line on which it begins, the header being line 1; in parquet, which has no
        lines, the row counted from 1.
    unit : str
        ``line`` or ``row``.
    """

    path: Path
    frame: pl.DataFrame
    lines: pl.Series
    unit: str

    def where(self, rows: Sequence[int]) -> str:
        """Say where rows, counted from 0, stand: the first few, and how many more."""
        shown = ", ".join(str(self.lines[row]) for row in rows[:_SHOWN])
        more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        return f"{self.unit}{'s' if len(rows) > 1 else ''} {shown}{more}"

    def holding(self, frame: pl.DataFrame) -> "OwnTable":
        """Give the same rows with other columns."""
        return replace(self, frame=frame)

    def only(self, kept: pl.Series) -> "OwnTable":
        """Keep the rows for which a flag holds."""
        return replace(self, frame=self.frame.filter(kept), lines=self.lines.filter(kept))

    def refusal(self, reason: str, *, rows: Sequence[int] = (), remedy: str = "") -> OwnTableError:
        """Give the error to raise: reason, rows as a person counts them, remedy.

        Parameters
        ----------
        reason : str
            What is wrong, without a full stop.
        rows : sequence of int
            Rows to blame, counted from 0.
        remedy : str
            Sentences that say what to do.
        """
        at = f" in {self.where(rows)}" if rows else ""
        return _refusal(self.path, f"{reason}{at}", remedy, rows=tuple(rows))


def read_own(path: Path, *, wanted: Iterable[str], told: str) -> OwnTable:
    """Read a CSV file with every column as text, or a parquet file as it is.

    Spaces around names and values do not count; blank lines are passed over.

    Parameters
    ----------
    path : Path
        The file.
    wanted : iterable of str
        Columns that may be named in a message; without a header the others are values.
    told : str
        Which columns are expected, for the message about a file that holds none of them.

    Raises
    ------
    OwnTableError
        No file, or not a table: separators, encoding, quotes, ragged lines, names given twice.
    """
    content = _content(path)
    if content.startswith(_PARQUET):
        return _parquet(path, content)
    _refuse_other_kinds(path, content)
    data = content.removeprefix(_UTF8_MARK)
    _require_utf8(path, data)
    if not data.strip():
        what = "is empty" if not content else "holds nothing but blank lines"
        raise _refusal(path, what, told)
    _require_commas(path, data)
    block = _cut(path, data)
    return _table(path, block, frozenset(wanted), told)


def _refusal(path: Path, reason: str, remedy: str, *, rows: tuple[int, ...] = ()) -> OwnTableError:
    return OwnTableError(f"{path}: {reason}. Nothing was written. {remedy}".rstrip(), rows=rows)


def _content(path: Path) -> bytes:
    if path.is_dir():
        raise _refusal(path, "is a folder", "Name the file in it.")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        near = _near(path)
        remedy = f"Is it {near}?" if near else f"Looked for in {path.absolute().parent}."
        raise _refusal(path, "no such file", remedy) from None
    except OSError as error:
        remedy = "Make it readable, or name another file."
        raise _refusal(path, f"cannot be read ({error.strerror})", remedy) from error


def _near(path: Path) -> str:
    """Name of a file beside the one that is missing that may be meant."""
    folder = path.parent
    names = [item.name for item in folder.iterdir()] if folder.is_dir() else []
    return next(iter(difflib.get_close_matches(path.name, names, n=1, cutoff=0.8)), "")


def _parquet(path: Path, content: bytes) -> OwnTable:
    try:
        frame = pl.read_parquet(io.BytesIO(content))
    except pl.exceptions.PolarsError as error:
        raise _refusal(path, "is not a whole parquet file", "Write it again.") from error
    lines = pl.Series(range(1, frame.height + 1), dtype=pl.Int64)
    if not frame.height:
        raise _refusal(path, "holds columns and no row", "")
    return OwnTable(path=path, frame=frame, lines=lines, unit="row")


def _refuse_other_kinds(path: Path, content: bytes) -> None:
    for mark, name in MARKS:
        if content.startswith(mark):
            remedy = "Save it as UTF-8 (in Excel: 'CSV UTF-8', not 'Unicode text')."
            raise _refusal(path, f"is text in {name}, not UTF-8", remedy)
    for mark, name, remedy in _KINDS:
        if content.startswith(mark):
            raise _refusal(path, f"is {name}, not a CSV file", remedy)
    if content.lstrip(_UTF8_MARK + b" \r\n\t")[:16].lower().startswith(MARKUP):
        raise _refusal(path, "is a web page or XML, not a CSV file", "Export the table as CSV.")
    if path.suffix.lower() == ".parquet":
        raise _refusal(path, "is no parquet file, in spite of its name", "Write it again.")


def _require_utf8(path: Path, data: bytes) -> None:
    position = data.find(b"\0")
    hint, remedy = "a NUL byte, which is no text", "Save the table as CSV UTF-8."
    if position < 0:
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            position = error.start
            hint = "a byte that is not UTF-8; perhaps the file is Windows-1252 or Latin-1"
            remedy = "Save it as UTF-8 (in Excel: 'CSV UTF-8', not plain 'CSV')."
    if position >= 0:
        raise _refusal(path, f"line {_line_of(data, position)} holds {hint}", remedy)


def _line_of(data: bytes, position: int) -> int:
    before = data[:position]
    return 1 + before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")


def _require_commas(path: Path, data: bytes) -> None:
    """Raise where the header has more fields by another separator than by commas."""
    lines = [line for line in data[: 1 << 20].decode("utf-8", "ignore").splitlines() if line]
    header = lines[0]
    fields = {mark: _fields(header, mark) for mark in (",", *_SEPARATORS)}
    mark = max(fields, key=fields.__getitem__)
    if fields[mark] > fields[","]:
        looks, number = f"looks separated by {_SEPARATORS[mark]}", rf"(?<![^{mark}])-?\d+,\d+"
    elif fields[","] == 1 and len(header.split()) > 1 and '"' not in header:
        looks, number = "looks separated by blanks", r"(?<!\S)-?\d+,\d+"
    else:
        return
    remedy = "Save it with commas between the columns"
    if any(re.search(number, line) for line in lines[1:_LOOKED_AT]):
        looks += ", and its numbers have a decimal comma"
        remedy += " and points in the numbers"
    raise _refusal(path, looks, f"{remedy}.")


def _fields(header: str, mark: str) -> int:
    return len(next(csv.reader([header], delimiter=mark), []))


def _cut(path: Path, data: bytes) -> Block:
    records = split_records(data, _COMMAS, closed=True)
    remedy = "Put the whole field in quotation marks, and double those inside it."
    if records.misplaced is not None:
        line = _line_of(data, records.misplaced)
        raise _refusal(path, f"line {line} has a quotation mark inside a field", remedy)
    if records.is_open:
        line = 1 + int(records.spans.sum())
        what = f"a quotation mark that opens in line {line} is never closed"
        raise _refusal(path, what, remedy)
    return Block(data=data, records=records, first_line=1)


def _table(path: Path, block: Block, wanted: frozenset[str], told: str) -> OwnTable:
    rows = np.flatnonzero(~block.records.blank)
    _require_even(path, block.records, rows)
    width = int(block.records.widths[rows[0]])
    places = [str(number) for number in range(1, width + 1)]
    cells = cut_fields(block, rows, names=places, dialect=_COMMAS)
    if cells is None:
        remedy = "Save the table again as CSV UTF-8."
        raise _refusal(path, "its quotation marks can be read in two ways", remedy)
    stripped = cells.with_columns(pl.all().str.strip_chars())
    names = [name or "" for name in stripped.row(0)]
    if not {name.lower() for name in names} & {name.lower() for name in wanted}:
        what = "the first line, which must name the columns, names none of those needed"
        raise _refusal(path, what, told)
    _require_single(path, names, wanted)
    frame = stripped[1:].rename(dict(zip(places, names, strict=True)))
    if not frame.height:
        raise _refusal(path, "has a header and no row below it", told)
    frame = frame.with_columns(pl.when(pl.all() != "").then(pl.all()))
    lines = pl.Series(1 + block.records.lines[rows[1:]], dtype=pl.Int64)
    return OwnTable(path=path, frame=frame, lines=lines, unit="line")


def _require_even(path: Path, records: Records, rows: np.ndarray) -> None:
    """Raise where lines have more or fewer fields than the header."""
    widths = records.widths[rows]
    width = int(widths[0])
    odd = np.flatnonzero(widths != width)
    if not len(odd):
        return
    first = int(odd[0])
    reason = (
        f"line {1 + int(records.lines[rows[first]])} has {widths[first]} fields, the header {width}"
    )
    if len(odd) > 1:
        reason += f"; {len(odd) - 1} further lines differ too"
    if len(odd) == len(rows) - 1 and (widths[1:] == width + 1).all():
        remedy = "Give every column a name, or leave row names and commas at the line's end out."
    elif widths[first] > width:
        remedy = "Write numbers with a decimal point; put text that holds a comma in quotes."
    else:
        remedy = "Write one comma per missing value too, so that every line has all fields."
    raise _refusal(path, reason, remedy)


def _require_single(path: Path, names: Sequence[str], wanted: frozenset[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            places = ", ".join(str(place) for place, one in enumerate(names, 1) if one == name)
            told = f"the same name, {name}" if name in wanted else "the same name"
            what = f"columns {places} of the header have {told if name else 'no name'}"
            raise _refusal(path, what, "Give every column a name of its own.")
