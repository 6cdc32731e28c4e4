"""Delimited text of instrument software: bytes to lines and cells. No column has a meaning here."""

import csv
import io
import os
from pathlib import Path

from assayhouse.errors import InstrumentFileError

LARGEST_TEXT = 1 << 26
LARGEST_CELL = 1 << 16


def read_text(path: str | os.PathLike[str], *, kind: str) -> str:
    """Read a text file: UTF-8 (with or without mark), UTF-16 with mark, else Windows-1252.

    Parameters
    ----------
    path : path
        The file.
    kind : str
        What it should be, for the code ``not_<kind>``.

    Raises
    ------
    InstrumentFileError
        ``not_<kind>`` for bytes that are no text, ``too_large``.
    """
    file = Path(path)
    if file.stat().st_size > LARGEST_TEXT:
        message = f"the file is larger than {LARGEST_TEXT} bytes; export fewer runs at once"
        raise InstrumentFileError(message, code="too_large")
    return decode(file.read_bytes(), kind=kind)


def decode(content: bytes, *, kind: str) -> str:
    """Decode bytes as `read_text` does."""
    marks = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
    encodings = [name for mark, name in marks.items() if content.startswith(mark)]
    for encoding in (*encodings, "utf-8", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    message = "the file is not text; export the table again as text"
    raise InstrumentFileError(message, code=f"not_{kind}", offset=0)


def split_rows(text: str, *, delimiter: str, strict: bool = True) -> list[list[str]]:
    """Split text into rows of cells without outer blanks; a row's place is its record.

    Parameters
    ----------
    text : str
        All of the file.
    delimiter : str
        Comma, tab or semicolon.
    strict : bool
        Faults of quoting are errors; otherwise the cell is taken as far as it goes.

    Raises
    ------
    InstrumentFileError
        ``truncated`` for a quoted cell that is never closed, ``damaged`` for other faults of
        quoting.
    """
    stream = io.StringIO(text, newline="")
    reader = csv.reader(stream, delimiter=delimiter, strict=strict)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if any(len(cell) > LARGEST_CELL for cell in row):
                message = f"line {reader.line_num}: a cell is longer than {LARGEST_CELL} characters"
                raise InstrumentFileError(message, code="damaged", offset=reader.line_num)
            rows.append([cell.strip() for cell in row])
    except csv.Error as error:
        code = "truncated" if "unexpected end" in str(error) else "damaged"
        message = f"line {reader.line_num}: a quoted cell is not closed; export the table again"
        raise InstrumentFileError(message, code=code, offset=reader.line_num) from None
    return rows


def first_line(text: str) -> str:
    """Return the first line that is not blank."""
    return next((line for line in text[:LARGEST_CELL].splitlines() if line.strip()), "")


def as_number(text: str, *, line: int, column: str) -> float | None:
    """Parse the number of a cell; None where it is empty.

    Raises
    ------
    InstrumentFileError
        ``damaged``: the cell holds something else.
    """
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if value != value or value in {float("inf"), float("-inf")} or "_" in text:  # noqa: PLR0124
        message = f"line {line}: {column} is no number; export the table again"
        raise InstrumentFileError(message, code="damaged", offset=line) from None
    return value
