"""Plate exports of immunoassays: xPONENT, INTELLIFLEX, Bio-Plex, MSD, single-molecule counting.

The door: says by content which layout a file has and hands it to the layout's reader. Curves are
fitted and inverted elsewhere.
"""

import os
from pathlib import Path

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments import (
    plate_bioplex,
    plate_bioplex_xml,
    plate_digital,
    plate_intelliflex,
    plate_msd,
    plate_msd_raw,
    plate_xponent,
    workbooks,
)
from assayhouse.instruments.plate_rows import PlateRun
from assayhouse.instruments.text_rows import LARGEST_CELL, LARGEST_TEXT, decode, split_rows
from assayhouse.instruments.workbooks import Sheet
from assayhouse.instruments.xml_tree import root_name

__all__ = ["PlateRun", "read_plate", "recognise_plate"]

_HEAD_LINES = 120


def read_plate(path: str | os.PathLike[str]) -> PlateRun:
    """Read a plate export.

    Parameters
    ----------
    path : path
        xPONENT or INTELLIFLEX csv, Bio-Plex xls, xlsx or xml, MSD csv, xlsx or txt, or a
        well-level export of single-molecule counting.

    Returns
    -------
    PlateRun
        One row per well, analyte and kind of signal.

    Raises
    ------
    InstrumentFileError
        ``not_plate``, ``truncated``, ``damaged``, ``too_large``, ``unsafe_xml`` or
        ``unsupported_feature``.
    """
    file = Path(path)
    if file.stat().st_size > LARGEST_TEXT:
        message = f"the file is larger than {LARGEST_TEXT} bytes; export fewer plates at once"
        raise InstrumentFileError(message, code="too_large")
    content = file.read_bytes()
    if content.startswith((workbooks.ZIP_MAGIC, workbooks.OLE_MAGIC)):
        return _read_workbook(content)
    if root_name(content[:LARGEST_CELL]) is not None:
        return plate_bioplex_xml.read_manager_xml(content)
    return _read_text(decode(content, kind="plate"))


def recognise_plate(head: bytes, path: Path) -> str | None:
    """Name the layout of a plate export, or None.

    Parameters
    ----------
    head : bytes
        First bytes of the file.
    path : path
        The file, for containers that cannot be told by their first bytes.
    """
    if head.startswith((workbooks.ZIP_MAGIC, workbooks.OLE_MAGIC)):
        return _recognise_workbook(path)
    if root_name(head) is not None:
        return "bioplex_xml" if root_name(head) == "BioPlexManager" else None
    try:
        return _recognise_text(decode(head, kind="plate"))
    except InstrumentFileError:
        return None


def _recognise_workbook(path: Path) -> str | None:
    if path.stat().st_size > LARGEST_TEXT:
        return None
    try:
        content = path.read_bytes()
        return _layout(workbooks.read_workbook(content, most_rows=_HEAD_LINES), content)
    except InstrumentFileError:
        return None


def _layout(sheets: list[Sheet], content: bytes) -> str | None:
    """Name the layout of a workbook's sheets."""
    if any(plate_bioplex.header_row(rows) is not None for _, rows in sheets):
        return "bioplex_xls" if content.startswith(workbooks.OLE_MAGIC) else "bioplex_xlsx"
    return "msd_csv" if _workbench(sheets) else None


def _workbench(sheets: list[Sheet]) -> list[list[str]]:
    """Rows of the sheets that hold tables of MSD Workbench."""
    return [
        row
        for _, rows in sheets
        if any(plate_msd.is_table_header(row) for row in rows[:_HEAD_LINES])
        for row in rows
    ]


def _read_workbook(content: bytes) -> PlateRun:
    sheets = workbooks.read_workbook(content)
    layout = _layout(sheets, content)
    if layout is None:
        raise _not_plate()
    if layout == "msd_csv":
        rows = _workbench(sheets)
        widest = max(len(row) for row in rows)
        return plate_msd.read_table([[*row, *[""] * (widest - len(row))] for row in rows])
    return plate_bioplex.read_sheets(sheets, layout)


def _recognise_text(text: str) -> str | None:
    lines = text.splitlines()[:_HEAD_LINES]
    if plate_msd_raw.is_raw(lines):
        return "msd_txt"
    try:
        rows = split_rows("\n".join(lines[:-1] or lines), delimiter=_delimiter(lines), strict=False)
    except InstrumentFileError:
        return None
    filled = [row for row in rows if any(row)]
    tests = {
        "xponent": plate_xponent.is_xponent(filled),
        "intelliflex": bool(filled) and plate_intelliflex.is_intelliflex(filled[0]),
        "erenna_wells": plate_digital.header_place(filled) is not None,
        "msd_csv": any(plate_msd.is_table_header(row) for row in filled[:20]),
    }
    return next((name for name, holds in tests.items() if holds), None)


def _delimiter(lines: list[str]) -> str:
    """Delimiter that the first lines hold most often; a comma where they hold none."""
    text = "\n".join(lines[:20])
    return max((",", ";", "\t"), key=text.count)


def _read_text(text: str) -> PlateRun:
    layout = _recognise_text(text)
    if layout == "msd_txt":
        return plate_msd_raw.read_raw(text.splitlines())
    if layout is None:
        raise _not_plate()
    rows = split_rows(text, delimiter=_delimiter(text.splitlines()[:_HEAD_LINES]))
    readers = {
        "xponent": plate_xponent.read_xponent,
        "intelliflex": plate_intelliflex.read_intelliflex,
        "erenna_wells": plate_digital.read_digital,
        "msd_csv": plate_msd.read_table,
    }
    return readers[layout](rows)


def _not_plate() -> InstrumentFileError:
    message = (
        "the content is no export of xPONENT, INTELLIFLEX, Bio-Plex, MSD or single-molecule "
        "counting that is known; export the run with its results"
    )
    return InstrumentFileError(message, code="not_plate")
