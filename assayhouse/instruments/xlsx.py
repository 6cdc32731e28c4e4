"""Sheets of an xlsx workbook as rows of values, bounded. No styles, formulas or dates.

Text is text, numbers are floats, empty cells None. A date is the number the workbook stores.
"""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.archives import open_archive, scaled, unpacked
from assayhouse.instruments.xml_tree import Element, attribute, child, children, local, parse_xml

Cell: TypeAlias = str | float | None
WORKBOOK = "xl/workbook.xml"
MOST_COLUMNS, MOST_ROWS = 16_384, 100_000
_LARGEST_PART, _MOST_TAGS, _MOST_CELLS, _MOST_DIGITS = 1 << 24, 900_000, 2_000_000, 9
_REFERENCE = re.compile(r"^([A-Z]{1,3})([0-9]{1,7})$")


@dataclass(slots=True)
class Workbook:
    """A workbook whose sheets are read when they are asked for."""

    content: bytes
    archive: zipfile.ZipFile
    parts: dict[str, str]
    tags: int = 0
    _texts: list[str] | None = field(default=None)

    @property
    def sheets(self) -> tuple[str, ...]:
        """Names of the sheets in order."""
        return tuple(self.parts)

    def rows(self, sheet: str) -> list[list[Cell]]:
        """Rows of a sheet from its first; a missing row is empty.

        Raises
        ------
        InstrumentFileError
            ``damaged`` or ``too_large``.
        """
        if self._texts is None:
            self._texts = _shared_texts(self)
        root = self.part(self.parts[sheet])
        most_rows, most_cells = scaled(MOST_ROWS, self.content), scaled(_MOST_CELLS, self.content)
        return list(_rows(root, self._texts, most_rows, most_cells))

    def part(self, name: str) -> Element:
        """Read one part of the workbook; all parts together are bounded.

        Raises
        ------
        InstrumentFileError
            ``damaged``, ``too_large`` or ``unsafe_xml``.
        """
        whole = _bytes_of(self.archive, name, self.content)
        self.tags += whole.count(b"<")
        if self.tags > scaled(_MOST_TAGS, self.content):
            message = "the workbook has too many cells; export fewer wells"
            raise InstrumentFileError(message, code="too_large")
        return parse_xml(whole)


def open_workbook(content: bytes) -> Workbook:
    """Open a workbook.

    Parameters
    ----------
    content : bytes
        The file.

    Raises
    ------
    InstrumentFileError
        ``truncated``, ``damaged``, ``too_large`` or ``unsafe_xml``.
    """
    archive = open_archive(content)
    if WORKBOOK not in archive.namelist():
        message = "the archive is no xlsx workbook"
        raise InstrumentFileError(message, code="damaged")
    workbook = Workbook(content=content, archive=archive, parts={})
    targets = {
        attribute(each, "Id") or "": attribute(each, "Target") or ""
        for each in workbook.part("xl/_rels/workbook.xml.rels")
    }
    book = workbook.part(WORKBOOK)
    held = child(book, "sheets")
    for sheet in children(held, "sheet") if held is not None else ():
        target = targets.get(attribute(sheet, "id") or "", "")
        name = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        workbook.parts[attribute(sheet, "name") or ""] = name
    return workbook


def _bytes_of(archive: zipfile.ZipFile, name: str, content: bytes) -> bytes:
    if name not in archive.namelist():
        message = "the workbook lacks a part that it refers to; ask for it anew"
        raise InstrumentFileError(message, code="damaged")
    limit = scaled(_LARGEST_PART, content)
    pieces, size = [], 0
    for piece in unpacked(archive, name, content):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            message = f"a sheet of the workbook is larger than {limit} bytes; export fewer wells"
            raise InstrumentFileError(message, code="too_large")
    return b"".join(pieces)


def _shared_texts(workbook: Workbook) -> list[str]:
    name = "xl/sharedStrings.xml"
    if name not in workbook.archive.namelist():
        return []
    root = workbook.part(name)
    return [_text(item) for item in children(root, "si")]


def _text(item: Element) -> str:
    """Text of a cell: plain, or in runs; phonetic readings are no part of it."""
    parts: list[str] = []
    for each in children(item, "t", "r"):
        if local(each) == "t":
            parts.append(each.text or "")
        else:
            parts.extend(run.text or "" for run in children(each, "t"))
    return "".join(parts)


def _rows(root: Element, texts: list[str], most_rows: int, most_cells: int) -> Iterator[list[Cell]]:
    held = child(root, "sheetData")
    at, given = 0, 0
    for row in children(held, "row") if held is not None else ():
        place = _row_number(row, at)
        if place >= most_rows:
            message = f"the sheet has more than {most_rows} rows; export fewer wells"
            raise InstrumentFileError(message, code="too_large")
        while at < place:
            yield []
            at += 1
        cells = _cells(row, texts)
        given += len(cells) + 1
        if given > most_cells:
            message = f"the sheet spans more than {most_cells} cells"
            raise InstrumentFileError(message, code="too_large")
        yield cells
        at += 1


def _row_number(row: Element, at: int) -> int:
    text = attribute(row, "r")
    if text is None:
        return at
    if not text.isdecimal() or len(text) > _MOST_DIGITS or int(text) <= at:
        message = "the rows of a sheet are out of order; save the workbook again"
        raise InstrumentFileError(message, code="damaged")
    return int(text) - 1


def _cells(row: Element, texts: list[str]) -> list[Cell]:
    cells: list[Cell] = []
    for cell in children(row, "c"):
        place = _column(attribute(cell, "r"), len(cells))
        cells.extend([None] * (place - len(cells)))
        cells.append(_value(cell, texts))
    return cells


def _column(reference: str | None, at: int) -> int:
    if reference is None:
        return at
    match = _REFERENCE.match(reference)
    place = 0
    for letter in match[1] if match else "":
        place = 26 * place + ord(letter) - ord("A") + 1
    if not at < place <= MOST_COLUMNS:
        message = "the cells of a sheet are out of order; save the workbook again"
        raise InstrumentFileError(message, code="damaged")
    return place - 1


def _value(cell: Element, texts: list[str]) -> Cell:
    kind = attribute(cell, "t") or "n"
    if kind == "inlineStr":
        held = child(cell, "is")
        return _text(held) if held is not None else None
    held = child(cell, "v")
    text = held.text if held is not None else None
    if not text:
        return None
    if kind == "s":
        if not text.isdecimal() or len(text) > _MOST_DIGITS or int(text) >= len(texts):
            message = "a cell refers to a text that the workbook does not have"
            raise InstrumentFileError(message, code="damaged")
        return texts[int(text)]
    if kind == "b":
        return "TRUE" if text == "1" else "FALSE"
    return _number(text) if kind == "n" else text


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        message = "a cell of the workbook is no number, though it says so"
        raise InstrumentFileError(message, code="damaged") from error
