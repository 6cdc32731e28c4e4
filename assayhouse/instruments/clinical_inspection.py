"""SAS transport and Dataset-JSON for the registry: recognised and summarised, nothing typed."""

import json
import zlib
from pathlib import Path

import numpy as np
import polars as pl

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.clinical import LARGEST_UNPACKED, read_clinical
from assayhouse.instruments.registry import Inspection, Picture, Series

_XPT = b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!"
_MOST_BARS = 30
_PACKED = (b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_DATASET_KEYS = (b'"datasetJSONVersion"', b'"itemGroupOID"', b'"datasetJSONCreationDateTime"')
_META = {
    "sourceSystem": "software",
    "originator": "operator",
    "datasetJSONCreationDateTime": "run_datetime",
    "datasetJSONVersion": "version",
    "name": "name",
    "label": "label",
    "studyOID": "study",
}


def recognise(head: bytes, path: Path) -> str | None:
    """Name the clinical format of a file from its first bytes."""
    if head.startswith(_XPT):
        return "xpt"
    if head.startswith(_PACKED):
        return "dataset_dsjc" if _is_dataset(_first_unpacked(head)) else None
    if not _is_dataset(head):
        return None
    return "dataset_ndjson" if _first_line_is_whole(path) else "dataset_json"


def _is_dataset(head: bytes) -> bool:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text.startswith(b"{") and any(key in text for key in _DATASET_KEYS)


def _first_unpacked(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=47).decompress(head, 1 << 16)
    except zlib.error:
        return b""


def _first_line_is_whole(path: Path) -> bool:
    """Whether the first line is an object of its own without rows, and something follows it."""
    with path.open("rb") as file:
        line = file.readline(1 << 24)
        rest = file.read(1)
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return bool(rest) and isinstance(document, dict) and "rows" not in document


def inspect(path: Path) -> Inspection:
    """Say what is in a clinical file.

    Raises
    ------
    InstrumentFileError
        The file is not what it claims to be, or larger than the limit.
    """
    with path.open("rb") as file:
        head = file.read(1 << 16)
    kind = recognise(head, path)
    if kind is None:
        message = "the file is neither SAS transport nor Dataset-JSON"
        raise InstrumentFileError(message, code="not_clinical")
    if path.stat().st_size > LARGEST_UNPACKED:
        message = f"the file is larger than {LARGEST_UNPACKED} bytes; split it"
        raise InstrumentFileError(message, code="too_large")
    content = path.read_bytes()
    table = read_clinical(content, kind="xpt" if kind == "xpt" else "dataset_json")
    metadata: dict[str, object] = _of_xpt(head) if kind == "xpt" else _of_json(content, kind)
    columns = pl.DataFrame(
        {
            "column": table.frame.columns,
            "missing": [int(table.frame[name].null_count()) for name in table.frame.columns],
        },
        schema={"column": pl.String, "missing": pl.Int64},
    )
    metadata |= {"rows": table.frame.height, "columns": table.frame.width}
    if table.notes:
        metadata["notes"] = "; ".join(table.notes)
    return Inspection(
        format=kind,
        metadata=metadata,
        tables={"columns": columns, "data": table.frame},
        picture=_filled(columns, n_rows=table.frame.height),
    )


def _filled(columns: pl.DataFrame, *, n_rows: int) -> Picture | None:
    """How much of each column holds a value: the emptiest first, none of the values."""
    if not n_rows or columns.is_empty():
        return None
    shown = columns.sort("missing", descending=True, maintain_order=True).head(_MOST_BARS)
    return Picture(
        kind="bars",
        title=f"Values in {columns.height} columns of {n_rows} rows",
        x_label="rows with a value (%)",
        y_label="column",
        series=tuple(
            Series(
                label=name,
                x=np.array([float(place)]),
                y=np.array([100.0 * (n_rows - missing) / n_rows]),
            )
            for place, (name, missing) in enumerate(shown.iter_rows())
        ),
        note="" if shown.height == columns.height else f"the emptiest {shown.height}",
    )


def _of_xpt(head: bytes) -> dict[str, object]:
    """Library record: two symbols of 8 bytes, version of SAS, operating system, created."""
    record = head[80:160].decode("latin-1").ljust(80)
    return {
        "software": f"{record[:8].strip()} {record[24:32].strip()}".strip(),
        "instrument": None,
        "system": record[32:40].strip() or None,
        "run_datetime": record[64:80].strip() or None,
    }


def _of_json(content: bytes, kind: str) -> dict[str, object]:
    if kind == "dataset_dsjc":
        content = zlib.decompressobj(wbits=47).decompress(content, LARGEST_UNPACKED)
    text = content.decode("utf-8-sig")
    document = json.loads(text if kind == "dataset_json" else text.split("\n", 1)[0])
    found: dict[str, object] = {}
    for key, name in _META.items():
        value = document.get(key)
        if isinstance(value, dict):
            value = " ".join(str(part) for part in value.values())
        if value is not None:
            found[name] = value
    return found
