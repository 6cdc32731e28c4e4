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
from typing import TYPE_CHECKING, cast

import polars as pl

from assayhouse.errors import InstrumentFileError

if TYPE_CHECKING:
    import pandas as pd

_XPT_MAGIC = b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!"
_ENCODINGS = ("utf-8", "cp1252")
_LARGEST_INTEGER = 2.0**53


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicalTable:
    """One data set: columns in file order as text, and what was noticed."""

    frame: pl.DataFrame
    notes: tuple[str, ...] = ()


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
    if value != value:  # noqa: PLR0124 - missing numbers are NaN
        return None
    if value == int(value) and abs(value) < _LARGEST_INTEGER:
        return str(int(value))
    return repr(value)


def _text(value: object) -> str | None:
    if value is None or value == "":
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
    return pl.DataFrame(
        {name: [_text(value) for value in values] for name, values in columns.items()},
        schema=dict.fromkeys(columns, pl.String),
    )


def _read_xpt(content: bytes) -> ClinicalTable:
    if not content.startswith(_XPT_MAGIC):
        message = "the file is not a SAS transport file: its first record is another"
        raise InstrumentFileError(message, code="not_xpt")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.xpt"
        path.write_bytes(content)
        for encoding in _ENCODINGS:
            data = _xpt_frame(path, encoding)
            if data is not None:
                columns = {
                    str(name): cast("Sequence[object]", data[name].tolist()) for name in data
                }
                note = f"read as {encoding}, because it is not UTF-8"
                notes = () if encoding == _ENCODINGS[0] else (note,)
                return ClinicalTable(frame=_as_text(columns), notes=notes)
    message = "the text of the file is neither UTF-8 nor Windows-1252"
    raise InstrumentFileError(message, code="encoding")


def _xpt_frame(path: Path, encoding: str) -> "pd.DataFrame | None":
    """Read with one encoding; None where the text is not of that encoding."""
    import pyreadstat  # noqa: PLC0415 - imports pandas, only needed for such files

    try:
        data, _ = pyreadstat.read_xport(str(path), encoding=encoding)
    except UnicodeDecodeError:
        return None
    except pyreadstat.ReadstatError as error:
        if "convert" in str(error).lower() or "encoding" in str(error).lower():
            return None
        message = "the SAS transport file is damaged or cut off"
        raise InstrumentFileError(message, code="truncated") from error
    except (ValueError, OverflowError) as error:
        message = "the SAS transport file holds a value that cannot be read"
        raise InstrumentFileError(message, code="bad_structure") from error
    return cast("pd.DataFrame", data)


def _unpacked(content: bytes) -> bytes:
    """Undo the compression of ``.dsjc``: zlib by the standard, gzip in the official examples."""
    if content[:2] == b"\x1f\x8b" or content[:1] == b"\x78":
        try:
            return zlib.decompress(content, wbits=47)
        except zlib.error as error:
            message = "the compressed data are damaged or cut off"
            raise InstrumentFileError(message, code="truncated") from error
    return content


def _read_dataset_json(content: bytes) -> ClinicalTable:
    try:
        text = _unpacked(content).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = "the file is not UTF-8 text, as Dataset-JSON is"
        raise InstrumentFileError(message, code="encoding") from error
    meta, rows = _document(text)
    columns = meta.get("columns")
    if not isinstance(columns, list) or not all(
        isinstance(item, dict) and isinstance(item.get("name"), str) for item in columns
    ):
        message = "the metadata hold no list of columns with names"
        raise InstrumentFileError(message, code="bad_structure")
    names = [str(item["name"]) for item in columns]
    if any(not isinstance(row, list) or len(row) != len(names) for row in rows):
        message = f"a record does not have the declared {len(names)} values"
        raise InstrumentFileError(message, code="bad_structure")
    records = meta.get("records")
    if isinstance(records, int) and records != len(rows):
        message = f"the metadata say {records} records, {len(rows)} are there"
        raise InstrumentFileError(message, code="truncated")
    values = cast("list[list[object]]", rows)
    columns_of = {name: [row[place] for row in values] for place, name in enumerate(names)}
    return ClinicalTable(frame=_as_text(columns_of))


def _document(text: str) -> tuple[dict[str, object], list[object]]:
    """Metadata and rows of one JSON document, or of lines of JSON with the metadata first."""
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
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
    return whole, rows


def _lines(text: str) -> tuple[dict[str, object], list[object]]:
    # Only a newline ends a line of NDJSON: other separators of Unicode may stand in a value.
    lines = [line for line in text.split("\n") if line.strip()]
    parsed: list[object] = []
    for number, line in enumerate(lines, start=1):
        try:
            parsed.append(json.loads(line))
        except (json.JSONDecodeError, RecursionError) as error:
            code = "not_json" if number == 1 else "truncated"
            message = f"line {number} is not JSON"
            raise InstrumentFileError(message, code=code) from error
    if not parsed or not isinstance(parsed[0], dict):
        message = "the first line holds no metadata object"
        raise InstrumentFileError(message, code="not_json")
    return parsed[0], parsed[1:]
