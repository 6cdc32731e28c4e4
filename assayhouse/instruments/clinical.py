"""SAS transport (XPT version 5) and Dataset-JSON 1.1: every value as text, nothing interpreted.

Numbers are written in their shortest form, dates of SAS date formats as ISO 8601 text; an empty
text and a missing number are both null, because the formats cannot tell them apart.
"""

import datetime as dt
import json
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import polars as pl

from assayhouse.errors import InstrumentFileError

if TYPE_CHECKING:
    import pandas as pd

_XPT_MAGIC = b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!"
_XPT_MEMBER = b"HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!"
_XPT_ROWS = b"HEADER RECORD*******OBS     HEADER RECORD!!!!!!!"
_XPT_RECORD = 80
LARGEST_UNPACKED = 1 << 30
_ENCODINGS = ("utf-8", "cp1252")
_LARGEST_INTEGER = 2.0**53


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLine:
    """Physical line of a record, counted from 1, and its text."""

    number: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicalTable:
    """One data set: columns in file order as text, and what was noticed.

    ``lines`` has one entry per record where each stands on a line of its own (NDJSON); it is
    empty in the other containers. ``physical_lines`` counts every line of such a file.
    """

    frame: pl.DataFrame
    notes: tuple[str, ...] = ()
    lines: tuple[RecordLine, ...] = ()
    physical_lines: int = 0


def read_clinical(content: bytes, *, kind: str) -> ClinicalTable:
    """Read one data set.

    Parameters
    ----------
    content : bytes
        The file.
    kind : str
        ``xpt`` or ``dataset_json`` (``.json``, ``.ndjson`` or compressed ``.dsjc``).

    Raises
    ------
    InstrumentFileError
        The bytes are not what they claim to be; ``code`` is ``empty``, ``not_xpt``, ``not_json``,
        ``truncated``, ``encoding`` or ``bad_structure``.

    References
    ----------
    .. [1] CDISC, Dataset-JSON 1.1.
    .. [2] SAS Institute, TS-140: the record layout of a data set in SAS transport format.
    """
    if not content:
        message = "the file is empty"
        raise InstrumentFileError(message, code="empty")
    return _read_xpt(content) if kind == "xpt" else _read_dataset_json(content)


def _number_text(value: float) -> str | None:
    if abs(value) < _LARGEST_INTEGER and value == int(value):
        return str(int(value))
    return repr(value)


def _text(value: object) -> str | None:
    if value is None or value == "" or value != value:  # noqa: PLR0124 - missing: NaN, NaT
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number_text(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value) or None


def _as_text(columns: Mapping[str, Sequence[object]]) -> pl.DataFrame:
    try:
        return pl.DataFrame(
            {name: [_text(value) for value in values] for name, values in columns.items()},
            schema=dict.fromkeys(columns, pl.String),
        )
    except UnicodeEncodeError as error:
        message = "a text holds half a character, which is no Unicode"
        raise InstrumentFileError(message, code="encoding") from error


def _read_xpt(content: bytes) -> ClinicalTable:
    if not content.startswith(_XPT_MAGIC):
        message = "the file is not a SAS transport file: its first record is another"
        raise InstrumentFileError(message, code="not_xpt")
    if content.count(_XPT_MEMBER) > 1:
        message = "the file holds several data sets, and only one can be one delivery"
        raise InstrumentFileError(message, code="bad_structure")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.xpt"
        path.write_bytes(content)
        data, _ = read_xpt_frame(path)
    columns = {str(name): cast("Sequence[object]", data[name].tolist()) for name in data}
    for encoding in _ENCODINGS:
        try:
            frame = _as_text({name: _decoded(columns[name], encoding) for name in columns})
        except UnicodeDecodeError:
            continue
        note = f"read as {encoding}, because it is not UTF-8"
        return ClinicalTable(frame=frame, notes=() if encoding == _ENCODINGS[0] else (note,))
    message = "the text of the file is neither UTF-8 nor Windows-1252"
    raise InstrumentFileError(message, code="encoding")


def _decoded(values: Sequence[object], encoding: str) -> list[object]:
    return [
        value.encode("latin-1").decode(encoding) if isinstance(value, str) else value
        for value in values
    ]


def read_xpt_frame(path: Path) -> "tuple[pd.DataFrame, Any]":
    """Read a transport file and its metadata; text byte by byte, as Latin-1.

    The library drops what ends inside a character of another encoding.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    InstrumentFileError
        ``truncated`` or ``bad_structure``.
    """
    import pyreadstat  # noqa: PLC0415 - imports pandas, only needed for such files

    try:
        data, meta = pyreadstat.read_xport(str(path), encoding="ISO-8859-1")
    except pyreadstat.ReadstatError as error:
        message = "the SAS transport file is damaged or cut off"
        raise InstrumentFileError(message, code="truncated") from error
    except (ValueError, OverflowError) as error:
        message = "the SAS transport file holds a value that cannot be read"
        raise InstrumentFileError(message, code="bad_structure") from error
    except TypeError as error:  # the library counts on names
        message = "the SAS transport file has columns without a name"
        raise InstrumentFileError(message, code="bad_structure") from error
    _refuse_cut_xpt(path.read_bytes(), sum(meta.variable_storage_width.values()))
    return cast("pd.DataFrame", data), meta


def _refuse_cut_xpt(content: bytes, width: int) -> None:
    """Refuse records of 80 bytes or rows that are not whole; what pads the last one is blank."""
    start = content.find(_XPT_ROWS) + _XPT_RECORD
    rest = (len(content) - start) % width if width else 0
    padding = content[len(content) - rest :]
    whole = rest < _XPT_RECORD and not padding.strip()
    if len(content) % _XPT_RECORD or not whole:
        message = "the SAS transport file is cut off inside a row"
        raise InstrumentFileError(message, code="truncated")


def _unpacked(content: bytes) -> bytes:
    """Undo the compression of ``.dsjc``: zlib by the standard, gzip in the official examples."""
    if content[:2] == b"\x1f\x8b" or content[:1] == b"\x78":
        unpacker = zlib.decompressobj(wbits=47)
        try:
            unpacked = unpacker.decompress(content, LARGEST_UNPACKED)
        except zlib.error as error:
            message = "the compressed data are damaged"
            raise InstrumentFileError(message, code="truncated") from error
        if unpacker.unconsumed_tail:
            message = f"the compressed data are more than {LARGEST_UNPACKED} bytes when unpacked"
            raise InstrumentFileError(message, code="bad_structure")
        if not unpacker.eof:
            message = "the compressed data are cut off"
            raise InstrumentFileError(message, code="truncated")
        return unpacked
    return content


def _read_dataset_json(content: bytes) -> ClinicalTable:
    document = read_document(_unpacked(content))
    names = [str(item["name"]) for item in cast("list[Any]", document.meta["columns"])]
    values = cast("list[list[object]]", document.rows)
    columns_of = {name: [row[place] for row in values] for place, name in enumerate(names)}
    return ClinicalTable(
        frame=_as_text(columns_of),
        lines=document.lines,
        physical_lines=document.physical_lines,
    )


def read_document(content: bytes) -> "Document":
    """Read and check a Dataset-JSON, not compressed.

    Parameters
    ----------
    content : bytes
        JSON, or lines of JSON.

    Raises
    ------
    InstrumentFileError
        ``encoding``, ``not_json``, ``bad_structure`` or ``truncated``.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = "the file is not UTF-8 text, as Dataset-JSON is"
        raise InstrumentFileError(message, code="encoding") from error
    document = _document(text)
    meta, rows = document.meta, document.rows
    columns = meta.get("columns")
    if not isinstance(columns, list) or not all(
        isinstance(item, dict) and isinstance(item.get("name"), str) for item in columns
    ):
        message = "the metadata hold no list of columns with names"
        raise InstrumentFileError(message, code="bad_structure")
    names = [str(item["name"]) for item in columns]
    if len(set(names)) != len(names):
        message = "the metadata name a column twice"
        raise InstrumentFileError(message, code="bad_structure")
    if any(not isinstance(row, list) or len(row) != len(names) for row in rows):
        message = f"a record does not have the declared {len(names)} values"
        raise InstrumentFileError(message, code="bad_structure")
    if any(isinstance(value, list | dict) for row in rows for value in cast("list[object]", row)):
        message = "a record holds a list or an object in place of a value"
        raise InstrumentFileError(message, code="bad_structure")
    records = meta.get("records")
    if isinstance(records, int) and records != len(rows):
        message = f"the metadata say {records} records, {len(rows)} are there"
        raise InstrumentFileError(message, code="truncated")
    return document


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Metadata and rows of a data set, and the lines of the rows where they have lines."""

    meta: dict[str, object]
    rows: list[object]
    lines: tuple[RecordLine, ...] = ()
    physical_lines: int = 0


def _document(text: str) -> Document:
    """Metadata and rows of one JSON document, or of lines of JSON with the metadata first."""
    try:
        whole = json.loads(text)
    except ValueError:  # not JSON, or a whole number too long for Python
        return _lines(text)
    except RecursionError as error:
        message = "the JSON is nested too deeply for a data set"
        raise InstrumentFileError(message, code="bad_structure") from error
    if not isinstance(whole, dict):
        message = "the JSON is no Dataset-JSON: an object is expected"
        raise InstrumentFileError(message, code="not_json")
    rows = whole.get("rows", [])
    if not isinstance(rows, list):
        message = "rows of the Dataset-JSON are no list"
        raise InstrumentFileError(message, code="bad_structure")
    return Document(meta=whole, rows=rows)


def _lines(text: str) -> Document:
    # Only a newline ends a line of NDJSON: other separators of Unicode may stand in a value.
    every = text.removesuffix("\n").split("\n")
    filled = [
        RecordLine(number=number, text=line.rstrip("\r"))
        for number, line in enumerate(every, start=1)
        if line.strip()
    ]
    parsed: list[object] = []
    for line in filled:
        try:
            parsed.append(json.loads(line.text))
        except (ValueError, RecursionError) as error:
            code = "truncated" if parsed else "not_json"
            message = f"line {line.number} is not JSON"
            raise InstrumentFileError(message, code=code) from error
    if not parsed or not isinstance(parsed[0], dict):
        message = "the first line holds no metadata object"
        raise InstrumentFileError(message, code="not_json")
    return Document(
        meta=parsed[0], rows=parsed[1:], lines=tuple(filled[1:]), physical_lines=len(every)
    )
