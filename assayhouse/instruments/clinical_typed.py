"""Clinical data sets as typed frames: the same data give the same frame in every container.

Numbers are float64, an empty text and a missing value are null, dates that a container holds as
numbers are dates. `clinical` gives the same files as text, for intake.
"""

import datetime as dt
import os
import re
import tempfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import polars as pl

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.clinical import read_document, read_xpt_frame
from assayhouse.instruments.text_rows import split_rows

ENCODINGS = ("utf-8", "cp1252")
LARGEST_FILE = 1 << 28
_XPT = b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!"
_XPT_MEMBER = b"HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!"
_PACKED = (b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_CODES = {
    "not_xpt": "not_clinical",
    "not_json": "not_clinical",
    "empty": "not_clinical",
    "bad_structure": "damaged",
    "encoding": "damaged",
}
_NUMBER = re.compile(r"[-+]?(0|[1-9]\d*|0?(?=\.))(\.\d*)?([eE][-+]?\d{1,3})?")
_NUMERIC = frozenset({"integer", "float", "double", "decimal"})
_DATES: Mapping[str, tuple[pl.DataType, Callable[[str], object]]] = {
    "date": (pl.Date(), dt.date.fromisoformat),
    "time": (pl.Time(), dt.time.fromisoformat),
    "datetime": (pl.Datetime("us"), dt.datetime.fromisoformat),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicalTable:
    """One data set with its types.

    Parameters
    ----------
    frame : polars.DataFrame
        Columns in file order.
    labels : dict
        Label of each column that has one.
    name : str
        Name of the data set; empty where the file has none.
    metadata : dict
        ``encoding`` used, ``created``, and whatever else the container says.
    flags : tuple of str
        not_utf8: the text is Windows-1252.
    """

    frame: pl.DataFrame
    labels: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    metadata: Mapping[str, object] = field(default_factory=dict)
    flags: tuple[str, ...] = ()


def read_table(path: str | os.PathLike[str], *, encoding: str | None = None) -> ClinicalTable:
    """Read a clinical data set: SAS transport 5, Dataset-JSON 1.1 or csv as R writes it.

    Parameters
    ----------
    path : path
        ``.xpt``, ``.json``, ``.ndjson``, ``.dsjc`` or ``.csv``, told apart by content; a csv may
        be compressed with gzip.
    encoding : str, optional
        Of the text; UTF-8, then Windows-1252 are tried where none is given.

    Returns
    -------
    ClinicalTable
        Numbers as float64; text and missing values as text and null; numeric dates as dates.

    Raises
    ------
    InstrumentFileError
        ``not_clinical``, ``truncated``, ``damaged`` or ``too_large``.

    References
    ----------
    .. [1] CDISC, Dataset-JSON 1.1.
    .. [2] SAS Institute, TS-140: the record layout of a data set in SAS transport format.
    """
    file = Path(path)
    if file.stat().st_size > LARGEST_FILE:
        message = f"the file is larger than {LARGEST_FILE} bytes; split it"
        raise InstrumentFileError(message, code="too_large")
    encodings = ENCODINGS if encoding is None else (encoding,)
    try:
        return _read(file.read_bytes(), encodings)
    except InstrumentFileError as error:
        code = _CODES.get(error.code, error.code)
        raise InstrumentFileError(str(error), code=code, offset=error.offset) from error


def _read(content: bytes, encodings: Sequence[str]) -> ClinicalTable:
    if content.startswith(_XPT):
        return _read_xpt(content, encodings)
    if content.startswith(_PACKED):
        content = _unpacked(content)
    start = content[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"{"):
        return _read_json(content)
    if not start or start.startswith((b"<", b"[")) or b"\0" in content:
        message = "the content is no SAS transport file, Dataset-JSON or csv; send the data set"
        raise InstrumentFileError(message, code="not_clinical", offset=0)
    return _read_csv(content, encodings)


def _unpacked(content: bytes) -> bytes:
    """Undo zlib or gzip; data sets shrink some ten times, a hundred times is no data set."""
    limit = 16 * len(content) + (1 << 23)
    unpacker = zlib.decompressobj(wbits=47)
    try:
        unpacked = unpacker.decompress(content, limit)
    except zlib.error as error:
        message = "the compressed data are damaged; send the file again"
        raise InstrumentFileError(message, code="damaged") from error
    if unpacker.unconsumed_tail:
        message = f"the compressed data unpack to more than {limit} bytes; send them unpacked"
        raise InstrumentFileError(message, code="too_large")
    if not unpacker.eof:
        message = "the compressed data are cut off; send the file again"
        raise InstrumentFileError(message, code="truncated", offset=len(content))
    return unpacked


def _decoding(encodings: Sequence[str], decode: Callable[[str], Any]) -> tuple[Any, str]:
    """Return the result of the first encoding that reads all text, and its name."""
    for encoding in encodings:
        try:
            return decode(encoding), encoding
        except UnicodeDecodeError:
            continue
        except LookupError:
            message = "the encoding asked for is not known; give its usual name, as cp1252"
            raise InstrumentFileError(message, code="unsupported_feature") from None
    message = f"the text is not {' or '.join(encodings)}; say which encoding it has"
    raise InstrumentFileError(message, code="damaged")


def _read_xpt(content: bytes, encodings: Sequence[str]) -> ClinicalTable:
    if content.count(_XPT_MEMBER) > 1:
        message = "the file holds several data sets; send one file for each"
        raise InstrumentFileError(message, code="unsupported_feature")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.xpt"
        path.write_bytes(content)
        data, meta = read_xpt_frame(path)
    raw = {str(name): cast("list[object]", data[name].tolist()) for name in data}
    labels = {str(k): str(v) for k, v in meta.column_names_to_labels.items() if v}
    texts = {name for name, kind in meta.readstat_variable_types.items() if kind == "string"}

    def decode(encoding: str) -> tuple[dict[str, list[object]], dict[str, str]]:
        def text(value: object) -> str:
            return str(value).encode("latin-1").decode(encoding)

        columns: dict[str, list[object]] = {
            name: [text(value) or None if isinstance(value, str) else None for value in values]
            if name in texts
            else values
            for name, values in raw.items()
        }
        return columns, {name: text(label) for name, label in labels.items()}

    (columns, decoded), encoding = _decoding(encodings, decode)
    formats = {str(k): str(v or "") for k, v in meta.original_variable_types.items()}
    series = [
        pl.Series(name, values, dtype=pl.String)
        if name in texts
        else _xpt_numbers(name, values, formats.get(name, ""))
        for name, values in columns.items()
    ]
    return ClinicalTable(
        frame=pl.DataFrame(series),
        labels=decoded,
        name=str(meta.table_name or ""),
        metadata={
            "encoding": encoding,
            "created": meta.creation_time,
            "label": meta.file_label or None,
        },
        flags=() if encoding == ENCODINGS[0] else ("not_utf8",),
    )


def _xpt_numbers(name: str, values: Sequence[object], sas_format: str) -> pl.Series:
    """Numbers, or dates where the library made dates of a SAS date format."""
    known = [value for value in values if not _is_missing(value)]
    kinds: tuple[tuple[type, pl.DataType], ...] = (
        (dt.datetime, pl.Datetime("us")),
        (dt.date, pl.Date()),
        (dt.time, pl.Time()),
    )
    dtype = next((d for kind, d in kinds if known and isinstance(known[0], kind)), None)
    if not known:
        dtype = _dtype_of_format(sas_format)
    clean = [None if _is_missing(value) else value for value in values]
    try:
        return pl.Series(name, clean, dtype=dtype or pl.Float64())
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        message = f"column {name} mixes dates and numbers, or holds a date no calendar has"
        raise InstrumentFileError(message, code="damaged") from error


def _dtype_of_format(sas_format: str) -> pl.DataType | None:
    """Type of a column without values, by its SAS format."""
    word = sas_format.upper().rstrip("0123456789.")
    kinds = {
        "DATETIME": pl.Datetime("us"),
        "E8601DT": pl.Datetime("us"),
        "TIME": pl.Time(),
        "HHMM": pl.Time(),
        "TOD": pl.Time(),
        "E8601TM": pl.Time(),
        **dict.fromkeys(("DATE", "DDMMYY", "MMDDYY", "YYMMDD", "E8601DA"), pl.Date()),
    }
    return kinds.get(word)


def _is_missing(value: object) -> bool:
    return value is None or value != value  # noqa: PLR0124 - NaN and NaT


def _read_json(content: bytes) -> ClinicalTable:
    document = read_document(content)
    meta, rows = document.meta, cast("list[list[object]]", document.rows)
    columns = cast("list[dict[str, object]]", meta["columns"])
    series = [
        _json_series(column, [row[place] for row in rows]) for place, column in enumerate(columns)
    ]
    created = meta.get("datasetJSONCreationDateTime")
    known = ("datasetJSONVersion", "originator", "studyOID", "dbLastModifiedDateTime", "label")
    return ClinicalTable(
        frame=pl.DataFrame(series),
        labels={str(c["name"]): str(c["label"]) for c in columns if c.get("label")},
        name=str(meta.get("name") or ""),
        metadata={"encoding": "utf-8", "created": created}
        | {name: meta[name] for name in known if meta.get(name) is not None},
    )


def _json_series(column: Mapping[str, object], values: Sequence[object]) -> pl.Series:
    name, kind = str(column["name"]), column.get("dataType")
    numeric_date = column.get("targetDataType") in {"integer", "decimal"}
    present = [None if value == "" else value for value in values]
    try:
        if kind in _NUMERIC:
            numbers = [None if value is None else float(cast("Any", value)) for value in present]
            return pl.Series(name, numbers, dtype=pl.Float64)
        if kind in _DATES and numeric_date:
            dtype, parse = _DATES[str(kind)]
            dates = [None if value is None else parse(cast("str", value)) for value in present]
            return pl.Series(name, dates, dtype=dtype)
        if kind == "boolean":
            return pl.Series(name, present, dtype=pl.Boolean)
        texts = [None if value is None else _json_text(value) for value in present]
        return pl.Series(name, texts, dtype=pl.String)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        message = f"column {name} holds a value that is not of its declared type"
        raise InstrumentFileError(message, code="damaged") from error


def _json_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _read_csv(content: bytes, encodings: Sequence[str]) -> ClinicalTable:
    content = content.removeprefix(b"\xef\xbb\xbf")
    text, encoding = _decoding(encodings, content.decode)
    rows = [row for row in split_rows(text, delimiter=",") if row]
    header = rows[0] if rows else []
    if len(header) < 2 or len(set(header)) < len(header) or "" in header[1:]:
        message = "the first line does not name two or more columns, each once; send a csv with it"
        raise InstrumentFileError(message, code="not_clinical", offset=1)
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            code = "truncated" if len(row) < len(header) else "damaged"
            message = f"record {number} has {len(row)} cells of {len(header)}; export it again"
            raise InstrumentFileError(message, code=code, offset=number)
    series = [
        _csv_series(name, [row[place] for row in rows[1:]]) for place, name in enumerate(header)
    ]
    return ClinicalTable(
        frame=pl.DataFrame(series),
        metadata={"encoding": encoding, "created": None},
        flags=() if encoding == ENCODINGS[0] else ("not_utf8",),
    )


def _csv_series(name: str, cells: Sequence[str]) -> pl.Series:
    """Numbers where every cell that holds something is a plain number, else text."""
    present = [None if cell in {"", "NA"} else cell for cell in cells]
    known = [cell for cell in present if cell is not None]
    if known and all(_NUMBER.fullmatch(cell) and any(map(str.isdigit, cell)) for cell in known):
        numbers = [None if cell is None else float(cell) for cell in present]
        return pl.Series(name, numbers, dtype=pl.Float64)
    return pl.Series(name, present, dtype=pl.String)
