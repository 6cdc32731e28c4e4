"""INTELLIFLEX exports: one line per well, columns per bead region and reporter."""

import re
from collections.abc import Mapping, Sequence

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.plate_dates import read_moment
from assayhouse.instruments.plate_rows import Draft, PlateRun, Row
from assayhouse.instruments.plate_values import type_by_name, well_name

_REGION = re.compile(r"(R\d+): (RP\d) (.+)")


_TYPES = {"S": "STD", "C": "CTRL", "U": "UNK", "B": "BLANK"}


def is_intelliflex(header: Sequence[str]) -> bool:
    """Whether the first line is that of an INTELLIFLEX export."""
    return "WELL LOCATION" in header and any(_REGION.fullmatch(name) for name in header)


def read_intelliflex(rows: Sequence[Sequence[str]]) -> PlateRun:
    """Read an INTELLIFLEX export: one line per well, columns per bead region and reporter.

    Parameters
    ----------
    rows : sequence of rows
        Cells without outer blanks, the header first.

    Raises
    ------
    InstrumentFileError
        ``truncated`` or ``damaged``.
    """
    draft = Draft()
    header = list(rows[0])
    named = max((place for place, name in enumerate(header, start=1) if name), default=0)
    body = _before_signature(rows[1:])
    lines = [dict(zip(header, row, strict=False)) for row in body]
    if any(len(row) < named for row in body):
        message = "a line has fewer cells than the header; export the run again"
        raise InstrumentFileError(message, code="truncated")
    parts = [part for part in map(_REGION.fullmatch, header) if part]
    regions = list(dict.fromkeys((part[1], part[2]) for part in parts))
    names = {region: _region_name(lines, region) for region in regions}
    for line in lines:
        _intelliflex_line(draft, line, names)
    if lines:
        _intelliflex_metadata(draft, lines[0])
    return draft.finish("intelliflex")


def _before_signature(rows: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """Lines of wells; a signature of several lines may follow them."""
    body: list[Sequence[str]] = []
    for row in rows:
        if row and row[0].startswith("--DOCUMENT SIGNATURE"):
            break
        if any(row):
            body.append(row)
    return body


def _region_name(lines: Sequence[Mapping[str, str]], region: tuple[str, str]) -> str:
    """Analyte of a region as any line names it: lines of dry wells name none."""
    column = f"{region[0]}: {region[1]} ANALYTE NAME"
    named = (line.get(column, "") for line in lines)
    return next((name for name in named if name.lower() not in {"", "nan"}), region[0])


def _intelliflex_line(
    draft: Draft, line: Mapping[str, str], names: Mapping[tuple[str, str], str]
) -> None:
    well = well_name(line.get("WELL LOCATION", ""))
    if well is None:
        message = "a well location is not written as in A1; export the run again"
        raise InstrumentFileError(message, code="damaged")
    label = line.get("WELL TYPE", "")
    sample = line.get("SAMPLE ID") or None
    kind = _TYPES.get(label[:1].upper()) or type_by_name(sample)
    plate = line.get("PLATE NAME") or "1"
    for (region, reporter), analyte in names.items():
        cells = {
            name: draft.number(line.get(f"{region}: {reporter} {name}", ""))
            for name in ("MEDIAN", "NET MEDIAN", "COUNT")
        }
        signal, net = cells["MEDIAN"], cells["NET MEDIAN"]
        row: Row = {
            "plate": plate,
            "well": well,
            "type": kind,
            "sample": sample,
            "analyte": analyte,
            "dilution": draft.number(line.get("DILUTION", "")),
            "signal": signal,
            "signal_kind": f"{reporter} MEDIAN",
            "background": None if signal is None or net is None else signal - net,
            "state": "not_available" if signal is None else "ok",
            "count": cells["COUNT"],
        }
        draft.add(row, group=(plate, kind, sample))


def _intelliflex_metadata(draft: Draft, line: Mapping[str, str]) -> None:
    start = line.get("PLATE START", "")
    moment, undecided = read_moment(start, others=[line.get("PLATE END", "")])
    if undecided:
        draft.flag("ambiguous_date")
    user = line.get("AUTHORIZED USER", "")
    versions = line.get("SOFTWARE VERSION", "")
    draft.metadata = {
        "instrument": line.get("MODEL NAME") or None,
        "serial_number": line.get("SERIAL NUMBER") or None,
        "software": "INTELLIFLEX",
        "software_version": versions or None,
        "run_id": line.get("PLATE NAME") or None,
        "run_datetime": moment,
        "operator": None if user in {"", "N/A"} else user,
        "protocol": line.get("PROTOCOL NAME") or None,
    }
