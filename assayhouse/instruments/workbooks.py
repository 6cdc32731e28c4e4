"""Workbooks (.xlsx, .xls) as text cells, sheet by sheet, bounded in size. No sheet has a meaning.

The parts of an .xlsx that hold values are read directly, so that sizes are checked before anything
is unpacked; .xls is read by xlrd.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from typing import Any, TypeAlias
from xml.etree import ElementTree as ET

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.xml_tree import (
    Element,
    attribute,
    broken_xml,
    child,
    children,
    local,
    parse_xml,
    refuse_unsafe,
)

Sheet: TypeAlias = tuple[str, list[list[str]]]

ZIP_MAGIC = b"PK\x03\x04"
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
LARGEST_UNPACKED = 1 << 23
MOST_PARTS = 2_000
MOST_CELLS = 400_000
MOST_ROWS = 100_000
MOST_COLUMNS = 2_000
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_SHEET_PART = re.compile(r"xl/worksheets/sheet(\d+)\.xml")


def read_workbook(content: bytes, *, most_rows: int | None = None) -> list[Sheet]:
    """Read all sheets of a workbook.

    Parameters
    ----------
    content : bytes
        The file.
    most_rows : int, optional
        Rows of each sheet after which no more are read.

    Returns
    -------
    list of (name, rows)
        Cells as text without outer blanks; numbers in their shortest form.

    Raises
    ------
    InstrumentFileError
        ``truncated``, ``damaged``, ``too_large``, ``unsafe_xml``, ``unsupported_feature``.
    """
    return _read_xls(content) if content.startswith(OLE_MAGIC) else _read_xlsx(content, most_rows)


def number_text(value: float) -> str:
    """Write a number in its shortest form, whole ones without a point."""
    if value == value and abs(value) < 2.0**53 and value == int(value):  # noqa: PLR0124
        return str(int(value))
    return repr(value)


class _Parts:
    """Parts of an .xlsx, unpacked when asked, up to the limit in all."""

    def __init__(self, content: bytes) -> None:
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(content))
        except (
            zipfile.BadZipFile,
            struct.error,
            ValueError,
            OSError,
            NotImplementedError,
        ) as error:
            message = "the workbook is cut off or no archive; copy it again"
            raise InstrumentFileError(message, code="truncated") from error
        infos = self._archive.infolist()
        if len(infos) > MOST_PARTS or sum(info.file_size for info in infos) > LARGEST_UNPACKED:
            message = f"the workbook unpacks to more than {LARGEST_UNPACKED} bytes; split it"
            raise InstrumentFileError(message, code="too_large")
        self.names = [info.filename for info in infos]
        if any(info.flag_bits & 1 for info in infos):
            message = "the workbook is encrypted; save it without a password"
            raise InstrumentFileError(message, code="unsupported_feature")

    def xml(self, name: str) -> Element | None:
        """Root of a part; None where there is no such part."""
        content = self.bytes(name)
        return None if content is None else parse_xml(content)

    def bytes(self, name: str) -> bytes | None:
        """Bytes of a part; None where there is no such part."""
        if name not in self.names:
            return None
        try:
            with self._archive.open(name) as part:
                return part.read(LARGEST_UNPACKED + 1)
        except _ARCHIVE_ERRORS as error:
            message = "a part of the workbook is damaged; copy it again"
            raise InstrumentFileError(message, code="damaged") from error


_ARCHIVE_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError),
    *(NotImplementedError, RuntimeError, struct.error, KeyError),
)


def _read_xlsx(content: bytes, most_rows: int | None) -> list[Sheet]:
    parts = _Parts(content)
    book = parts.xml("xl/workbook.xml")
    if book is None:
        message = "the archive holds no workbook; save the export as .xlsx"
        raise InstrumentFileError(message, code="damaged")
    targets = _targets(parts)
    texts = _shared_texts(parts)
    sheets: list[Sheet] = []
    count = [0]
    for holder in children(book, "sheets"):
        for number, sheet in enumerate(children(holder, "sheet"), start=1):
            target = targets.get(attribute(sheet, "id") or "", f"xl/worksheets/sheet{number}.xml")
            part = parts.bytes(target)
            if part is not None:
                name = attribute(sheet, "name") or f"Sheet{number}"
                sheets.append((name, _rows(part, texts, count, most_rows)))
    return sheets


def _targets(parts: _Parts) -> dict[str, str]:
    root = parts.xml("xl/_rels/workbook.xml.rels")
    if root is None:
        return {}
    found: dict[str, str] = {}
    for relation in children(root, "Relationship"):
        target = attribute(relation, "Target") or ""
        path = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        found[attribute(relation, "Id") or ""] = path
    return found


def _shared_texts(parts: _Parts) -> list[str]:
    root = parts.xml("xl/sharedStrings.xml")
    return [] if root is None else [_rich_text(item) for item in children(root, "si")]


def _rich_text(item: Element) -> str:
    """Text of a string and its runs, without phonetic hints."""
    pieces = [part.text or "" for part in children(item, "t")]
    for run in children(item, "r"):
        pieces += [part.text or "" for part in children(run, "t")]
    return "".join(pieces).strip()


def _rows(
    content: bytes, texts: list[str], count: list[int], most_rows: int | None
) -> list[list[str]]:
    """Rows of a sheet; each is forgotten by the parser once it is read."""
    refuse_unsafe(content)
    rows: list[list[str]] = []
    data: Element | None = None
    try:
        for event, element in ET.iterparse(io.BytesIO(content), events=("start", "end")):  # noqa: S314 - the prolog has been checked
            name = local(element)
            if event == "start":
                data = element if name == "sheetData" else data
            elif name == "row":
                _add_row(rows, element, texts, count)
                if most_rows is not None and len(rows) >= most_rows:
                    break
            if event == "end" and data is not None and name != "c" and len(data) > 100:
                data.clear()
    except ET.ParseError as error:
        raise broken_xml(error) from error
    except (LookupError, ValueError) as error:
        message = "a sheet declares an encoding that cannot be read; save the workbook again"
        raise InstrumentFileError(message, code="damaged") from error
    return rows


def _add_row(rows: list[list[str]], row: Element, texts: list[str], count: list[int]) -> None:
    number = attribute(row, "r") or ""
    place = int(number) if number.isdecimal() and len(number) < 8 else len(rows) + 1
    if place > MOST_ROWS:
        message = f"a sheet has more than {MOST_ROWS} rows; export fewer plates"
        raise InstrumentFileError(message, code="too_large")
    rows.extend([] for _ in range(place - len(rows) - 1))
    cells = _cells(row, texts)
    count[0] += len(cells)
    if count[0] > MOST_CELLS:
        message = f"the workbook has more than {MOST_CELLS} cells; export fewer plates"
        raise InstrumentFileError(message, code="too_large")
    rows.append(cells)


def _cells(row: Element, texts: list[str]) -> list[str]:
    cells: list[str] = []
    for cell in children(row, "c"):
        found = _REFERENCE.fullmatch(attribute(cell, "r") or "")
        column = _column(found[1]) if found else len(cells) + 1
        if column > MOST_COLUMNS:
            message = f"a sheet has more than {MOST_COLUMNS} columns; export it anew"
            raise InstrumentFileError(message, code="too_large")
        cells.extend("" for _ in range(column - len(cells) - 1))
        if column > len(cells):
            cells.append(_cell_text(cell, texts))
    return cells


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _cell_text(cell: Element, texts: list[str]) -> str:
    kind = attribute(cell, "t") or "n"
    if kind == "inlineStr":
        inline = child(cell, "is")
        return "" if inline is None else _rich_text(inline)
    value = next((part.text or "" for part in children(cell) if local(part) == "v"), "").strip()
    if kind == "s":
        if not (value.isdecimal() and len(value) < 9 and int(value) < len(texts)):
            message = "a cell points to a text that is not there; save the workbook again"
            raise InstrumentFileError(message, code="damaged")
        return texts[int(value)]
    if kind == "n" and value:
        try:
            return number_text(float(value))
        except (ValueError, OverflowError):
            return value
    return value


def _read_xls(content: bytes) -> list[Sheet]:
    import xlrd  # noqa: PLC0415 - only for old workbooks

    try:
        book = xlrd.open_workbook(file_contents=content, logfile=io.StringIO(), ragged_rows=True)
        sheets = [
            (sheet.name, [_xls_row(sheet.row(place)) for place in range(sheet.nrows)])
            for sheet in book.sheets()
        ]
    except Exception as error:
        # xlrd answers damage with whatever its arithmetic meets: struct, index, assertion errors.
        message = "the workbook is damaged or cut off; copy it again"
        raise InstrumentFileError(message, code="damaged") from error
    return sheets


def _xls_row(cells: Sequence[Any]) -> list[str]:
    return [
        number_text(cell.value) if cell.ctype in {2, 3} else str(cell.value).strip()
        for cell in cells
    ]
