"""QuantStudio and ViiA 7 exports, as text with sections or as a workbook with sheets."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.named_tables import Row, Table, make_table
from assayhouse.instruments.qpcr_records import (
    NO_CQ,
    Cycles,
    QpcrRun,
    Well,
    build_run,
    is_place,
    number_of,
    place_at,
    place_of,
    type_of,
)
from assayhouse.instruments.xlsx import Cell, open_workbook

_SECTION = re.compile(r"^\[(.+)\]$")
_MOST_DIGITS = 9
_PLATES = {"384": (16, 24), "96": (8, 12), "48": (6, 8)}
_SECTIONS = ("Results", "Amplification Data", "Sample Setup")


def is_quantstudio(text: str) -> bool:
    """Whether a text is a QuantStudio or ViiA 7 export: keys with stars, sections in brackets."""
    lines = text[: 1 << 20].splitlines()
    starred = any(line.startswith("* ") for line in lines[:5])
    return starred and any(line.strip() in {"[Results]", "[Sample Setup]"} for line in lines)


def read_quantstudio_text(text: str) -> QpcrRun:
    """Read a QuantStudio or ViiA 7 text export.

    Parameters
    ----------
    text : str
        The file.

    Raises
    ------
    InstrumentFileError
        ``not_qpcr``, ``damaged`` or ``truncated``.
    """
    keys: dict[str, str] = {}
    sections: dict[str, list[tuple[int, Row]]] = {}
    current: list[tuple[int, Row]] | None = None
    for line, words in enumerate(text.splitlines(), start=1):
        section = _SECTION.match(words.strip())
        key, equals, value = words.removeprefix("*").partition("=")
        if section:
            current = sections.setdefault(section[1], [])
        elif current is None and equals and words.startswith("*"):
            keys.setdefault(key.strip(), value.strip())
        elif current is not None and words.strip():
            current.append((line, [cell.strip().strip('"') for cell in words.split("\t")]))
    tables = {name: make_table(rows[0][1], rows[1:]) for name, rows in sections.items() if rows}
    return _quantstudio("quantstudio_txt", keys, tables)


def read_quantstudio_workbook(content: bytes) -> QpcrRun:
    """Read a QuantStudio workbook.

    Parameters
    ----------
    content : bytes
        The file.

    Raises
    ------
    InstrumentFileError
        ``not_qpcr``, ``damaged``, ``truncated`` or ``too_large``.
    """
    workbook = open_workbook(content)
    keys: dict[str, str] = {}
    tables: dict[str, Table] = {}
    for name in workbook.sheets:
        if name not in _SECTIONS:
            continue
        rows = [
            (line, [_cell_text(cell) for cell in row])
            for line, row in enumerate(workbook.rows(name), start=1)
        ]
        at = next((n for n, (_line, row) in enumerate(rows) if row[:1] == ["Well"]), None)
        if at is None:
            continue
        keys |= {row[0]: row[1] for _line, row in rows[:at] if len(row) > 1 and row[0]}
        tables[name] = make_table(rows[at][1], rows[at + 1 :])
    return _quantstudio("quantstudio_xlsx", keys, tables)


def _cell_text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return str(int(cell)) if cell == int(cell) and abs(cell) < 2**53 else repr(cell)
    return cell.strip()


def _quantstudio(kind: str, keys: Mapping[str, str], tables: Mapping[str, Table]) -> QpcrRun:
    results = tables.get("Results")
    if results is None:
        message = "the export has no table of results; export it with [Results]"
        raise InstrumentFileError(message, code="not_qpcr")
    results = _wells_only(results)
    run = keys.get("Experiment Name") or "1"
    plate = next(
        (size for word, size in _PLATES.items() if keys.get("Block Type", "").startswith(word)),
        None,
    )
    places = dict(_places(tables.values()))
    wells = [
        Well(
            run=run,
            well=_quantstudio_place(results, row, places, plate),
            sample=results.get(row, "sample name", "sample"),
            target=results.get(row, "target name", "target"),
            type=type_of(results.get(row, "task")),
            cq=number_of(results.get(row, "ct", "cq", "crt"), line=line, words=NO_CQ),
            quantity=number_of(results.get(row, "quantity"), line=line, words=NO_CQ),
            excluded=(results.get(row, "omit") or "").lower() in {"true", "1", "yes"},
        )
        for line, row in results.rows
    ]
    cycles = Cycles()
    if "Amplification Data" in tables:
        for well, target, points in _amplification(tables["Amplification Data"], places, plate):
            cycles.add(run, well, target, points)
    metadata = {
        "instrument": keys.get("Instrument Type"),
        "serial_number": keys.get("Instrument Serial Number"),
        "run_id": keys.get("Experiment Name"),
        "run_datetime": _moment(keys.get("Experiment Run End Time")),
        "operator": keys.get("Experiment User Name"),
        "block": keys.get("Block Type"),
    }
    return build_run(kind, wells, cycles, metadata=metadata, last_cycle=_last_baseline(results))


def _wells_only(table: Table) -> Table:
    """Rows of wells; below them some exports write what was analysed, and how."""
    kept = [
        (line, row)
        for line, row in table.rows
        if _well_number(table.get(row, "well") or "").isdecimal()
        or is_place(table.get(row, "well position", "well") or "")
    ]
    return Table(columns=table.columns, rows=tuple(kept))


def _last_baseline(results: Table) -> int | None:
    """Last cycle of any baseline: the run has at least these, even in an excerpt of its points."""
    ends = [number_of(results.get(row, "baseline end"), line=line) for line, row in results.rows]
    known = [end for end in ends if end is not None and 0 < end < 1e6]
    return int(max(known)) if known else None


def _places(tables: Iterable[Table]) -> Iterator[tuple[str, str]]:
    for table in tables:
        for _line, row in table.rows:
            number, place = table.get(row, "well"), table.get(row, "well position")
            if number and place:
                yield _well_number(number), place_of(place)


def _well_number(text: str) -> str:
    """Write the number of a well as text; some exports write it as ``1.0``."""
    whole = text.removesuffix(".0")
    return whole if whole.isdecimal() else text


def _quantstudio_place(
    table: Table, row: Row, places: Mapping[str, str], plate: tuple[int, int] | None
) -> str:
    place = table.get(row, "well position")
    if place:
        return place_of(place)
    number = _well_number(table.get(row, "well") or "")
    if number in places:
        return places[number]
    if plate is not None and number.isdecimal() and len(number) <= _MOST_DIGITS:
        found = place_at(int(number), rows=plate[0], columns=plate[1])
        return found or number
    return place_of(number)


def _amplification(
    table: Table, places: Mapping[str, str], plate: tuple[int, int] | None
) -> Iterator[tuple[str, str | None, list[tuple[int, float | None]]]]:
    points: dict[tuple[str, str | None], list[tuple[int, float | None]]] = {}
    for line, row in table.rows:
        cycle = number_of(table.get(row, "cycle"), line=line)
        if cycle is None or cycle != int(cycle) or abs(cycle) > 1e6:
            message = "a row of the amplification data has no whole cycle number; export it again"
            raise InstrumentFileError(message, code="damaged", offset=line)
        key = (_quantstudio_place(table, row, places, plate), table.get(row, "target name"))
        value = number_of(table.get(row, "rn"), line=line)
        points.setdefault(key, []).append((int(cycle), value))
    for (well, target), held in points.items():
        yield well, target, held


def _moment(text: str | None) -> dt.datetime | str | None:
    """Local time of the run, without the zone's letters, which name no one zone."""
    if text is None:
        return None
    for form in ("%Y-%m-%d %I:%M:%S %p", "%Y-%m-%d %H:%M:%S"):
        try:
            return dt.datetime.strptime(text.rsplit(" ", 1)[0], form)  # noqa: DTZ007 - local time
        except ValueError:
            continue
    return text
