"""Peak tables of the analysis software: GeneMapper sizing and genotypes, Peak Scanner.

Every layout becomes one row per peak. Holds no trace and no panel.
"""

import os
import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

import polars as pl

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.text_rows import as_number, first_line, read_text, split_rows

Row: TypeAlias = dict[str, object]

SCHEMA = {
    "sample": pl.String,
    "dye": pl.String,
    "peak": pl.Int64,
    "size_bp": pl.Float64,
    "height": pl.Float64,
    "area": pl.Float64,
    "scan": pl.Int64,
    "is_ladder": pl.Boolean,
    "marker": pl.String,
    "allele": pl.String,
}
MOST_PEAKS = 150_000
MOST_SCANS = 10_000_000
NOTHING = frozenset({"?", "-2.0", "-2", "-1", "-1.0", "NA"})
_SLOT = re.compile(r"(allele|size|height|peak area|area|data point) (\d{1,4})")
_LETTERS = {"blue": "B", "green": "G", "yellow": "Y", "red": "R", "orange": "O"}
_REQUIRED = {
    "peak_scanner": {"sample filename", "dye color", "size", "height"},
    "genemapper_sizing": {"size"},
    "genemapper_genotypes": {"marker"},
}
_FIELDS = {"size": "size_bp", "height": "height", "peak area": "area", "area": "area"}


def recognise_header(line: str) -> str | None:
    """Name the layout by the first line of a table, or None."""
    cells = {_plain(cell) for cell in re.split(r"[\t,;]", line)}
    if {"sample filename", "dye color", "size", "height"} <= cells:
        return "peak_scanner"
    if any(cell.startswith("dye/sample peak") for cell in cells) and "size" in cells:
        return "genemapper_sizing"
    if "marker" in cells and any(_SLOT.fullmatch(cell) for cell in cells):
        return "genemapper_genotypes"
    return None


def read_peak_table(path: str | os.PathLike[str]) -> pl.DataFrame:
    """Read a peak table.

    Parameters
    ----------
    path : path
        GeneMapper sizing table, GeneMapper genotype table or Peak Scanner csv.

    Returns
    -------
    polars.DataFrame
        sample (the file's name, else the sample's), dye (B G Y R O), peak, size_bp, height, area,
        scan, is_ladder (marked so in the file), marker, allele (text); null where the file has no
        value. A wide genotype table becomes one row per slot that holds something.

    Raises
    ------
    InstrumentFileError
        ``not_peak_table``, ``truncated``, ``damaged`` or ``too_large``.
    """
    text = read_text(path, kind="peak_table")
    head = first_line(text)
    kind = recognise_header(head)
    if kind is None:
        message = (
            "the first line names no columns of GeneMapper or Peak Scanner; export a sizing "
            "table, a genotype table or a peak table with its header"
        )
        raise InstrumentFileError(message, code="not_peak_table", offset=1)
    delimiter = next((mark for mark in ("\t", ";") if mark in head), ",")
    rows = split_rows(text, delimiter=delimiter)
    lines = [(number, row) for number, row in enumerate(rows, start=1) if any(row)]
    header = [_plain(cell) for cell in lines[0][1]]
    if not _REQUIRED[kind] <= set(header):
        message = "the first line mixes delimiters, so that its columns cannot be told; export anew"
        raise InstrumentFileError(message, code="damaged", offset=1)
    read = {
        "peak_scanner": _peak_scanner_row,
        "genemapper_sizing": _sizing_row,
        "genemapper_genotypes": _genotype_rows,
    }[kind]
    found: list[Row] = []
    for number, cells in lines[1:]:
        found.extend(_read_line(header, cells, number, read, ragged="genotypes" in kind))
        if len(found) > MOST_PEAKS:
            message = f"the table holds more than {MOST_PEAKS} peaks; export fewer samples"
            raise InstrumentFileError(message, code="too_large", offset=number)
    return pl.DataFrame(found, schema=SCHEMA)


def _plain(cell: str) -> str:
    return re.sub(r"[\s._]+", " ", cell.strip().strip('"')).lower()


def _read_line(
    header: Sequence[str],
    cells: Sequence[str],
    line: int,
    read: Callable[[dict[str, str], int], list[Row]],
    *,
    ragged: bool,
) -> list[Row]:
    named = max((place for place, name in enumerate(header, start=1) if name), default=0)
    if len(cells) < named and not ragged:
        message = f"line {line} has {len(cells)} cells of {named}; export the table again"
        raise InstrumentFileError(message, code="truncated", offset=line)
    if any(cells[len(header) :]):
        message = f"line {line} has more cells than the header; export the table again"
        raise InstrumentFileError(message, code="damaged", offset=line)
    return read({name: cell for name, cell in zip(header, cells, strict=False) if name}, line)


def _number(text: str | None, line: int, column: str) -> float | None:
    """Parse the number of a cell; placeholders for no value, which are negative, are none."""
    if text is None or text in NOTHING:
        return None
    value = as_number(text, line=line, column=column)
    return None if value is None or value < 0 else value


def _scan(text: str | None, line: int) -> int | None:
    value = _number(text, line, "Data Point")
    if value is not None and value > MOST_SCANS:
        message = (
            f"line {line}: Data Point is above {MOST_SCANS}, which no run reaches; "
            "export the table again"
        )
        raise InstrumentFileError(message, code="damaged", offset=line)
    return None if value is None else round(value)


def _dye_and_peak(text: str, line: int) -> tuple[str, int]:
    found = re.fullmatch(r"([A-Za-z])\s*,\s*(\d{1,9})", text)
    if found is None:
        message = f"line {line}: dye and peak are not written as in B,3; export the table again"
        raise InstrumentFileError(message, code="damaged", offset=line)
    return found[1].upper(), int(found[2])


def _peak_scanner_row(cells: dict[str, str], line: int) -> list[Row]:
    size = cells["size"]
    letter, peak = _dye_and_peak(cells.get("dye, sample peak", ""), line)
    dye = _LETTERS.get(cells["dye color"].lower(), letter)
    points = _number(cells.get("area (data point)"), line, "Area (Data Point)")
    pairs = _number(cells.get("area (base pairs)"), line, "Area (Base Pairs)")
    # Runs of the 3500 have no area in data points: 0.00 is printed in its place.
    area = pairs if not points and pairs is not None else points
    return [
        {
            "sample": cells["sample filename"] or None,
            "dye": dye,
            "peak": peak,
            "size_bp": _number(size.removeprefix("*"), line, "Size"),
            "height": _number(cells["height"], line, "Height"),
            "area": area,
            "scan": _scan(cells.get("data point"), line),
            "is_ladder": size.startswith("*"),
        }
    ]


def _sizing_row(cells: dict[str, str], line: int) -> list[Row]:
    dye, peak = _dye_and_peak(cells.get("dye/sample peak", ""), line)
    size = cells["size"]
    row: Row = {
        "sample": _sample(cells),
        "dye": dye,
        "peak": peak,
        "size_bp": _number(size.removeprefix("*"), line, "Size"),
        "scan": _scan(cells.get("data point"), line),
        "is_ladder": size.startswith("*"),
        "marker": cells.get("marker") or None,
    }
    for name in ("height", "area", "peak area"):
        if name in cells:
            row[_FIELDS[name]] = _number(cells[name], line, name)
    return [row]


def _sample(cells: dict[str, str]) -> str | None:
    names = ("sample file name", "sample file", "sample filename", "sample name", "sample")
    return next((cells[name] for name in names if cells.get(name)), None)


def _genotype_rows(cells: dict[str, str], line: int) -> list[Row]:
    slots: dict[int, Row] = {}
    for name, cell in cells.items():
        slot = _SLOT.fullmatch(name)
        if slot is None or not cell:
            continue
        row = slots.setdefault(int(slot[2]), {})
        if slot[1] == "allele":
            row["allele"] = None if cell in NOTHING else cell
        elif slot[1] == "data point":
            row["scan"] = _scan(cell, line)
        else:
            row[_FIELDS[slot[1]]] = _number(cell, line, name)
    common: Row = {
        "sample": _sample(cells),
        "dye": _letter(cells.get("dye", "")),
        "is_ladder": False,
        "marker": cells.get("marker") or None,
    }
    return [
        {**common, "peak": peak, **row}
        for peak, row in sorted(slots.items())
        if any(row.get(name) is not None for name in ("allele", "size_bp", "height"))
    ]


def _letter(dye: str) -> str | None:
    return _LETTERS.get(dye.lower(), dye.upper()[:1] or None)
