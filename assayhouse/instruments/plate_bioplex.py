"""Bio-Plex exports: workbooks of one sheet per analyte, and the XML of Bio-Plex Manager."""

import re
from collections.abc import Mapping, Sequence

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.plate_dates import read_moment
from assayhouse.instruments.plate_rows import Draft, PlateRun, Row
from assayhouse.instruments.plate_values import plain_number, well_name

_REQUIRED = {"Analyte", "Type", "Well", "FI"}
_HEAD = re.compile(r"([A-Z][\w .()]*?):\s*(.*)")
_NUMBER = r"([-+]?\d+\.?\d*(?:[eE][-+]?\d+)?)"
_EQUATION = re.compile(
    rf"FI\s*=\s*{_NUMBER}\s*\+\s*\({_NUMBER}\s*[-+]\s*\d+\.?\d*(?:[eE][-+]?\d+)?\)\s*/\s*"
    rf"\({{1,2}}1\s*\+\s*\(Conc\s*/\s*{_NUMBER}\)\s*\^\s*{_NUMBER}\){{1,2}}(?:\s*\^\s*{_NUMBER})?"
)
_TYPES = {"B": "BLANK", "S": "STD", "C": "CTRL", "X": "UNK", "U": "UNK"}


def header_row(rows: Sequence[Sequence[str]]) -> int | None:
    """Find the row of a sheet that heads its wells; None where it has none."""
    return next((place for place, row in enumerate(rows[:60]) if set(row) >= _REQUIRED), None)


def read_sheets(sheets: Sequence[tuple[str, Sequence[Sequence[str]]]], kind: str) -> PlateRun:
    """Read a Bio-Plex workbook; sheets without a table of wells are passed over.

    Parameters
    ----------
    sheets : sequence of (name, rows)
        Cells as text without outer blanks.
    kind : str
        ``bioplex_xls`` or ``bioplex_xlsx``.

    Raises
    ------
    InstrumentFileError
        ``truncated`` or ``damaged``.
    """
    draft = Draft()
    for name, rows in sheets:
        start = header_row(rows)
        if start is None:
            continue
        head = _head(rows[:start])
        plate = head.get("Plate ID") or "1"
        if not draft.metadata:
            _sheet_metadata(draft, head)
        end = _wells(draft, rows, start, (plate, name))
        if end is None:
            draft.flag("no_footer")
        _footer(draft, rows[start + 1 :], (plate, name))
    return draft.finish(kind)


def _head(rows: Sequence[Sequence[str]]) -> dict[str, str]:
    lines = (row[0] for row in rows if row and row[0])
    return {found[1]: found[2].strip() for found in map(_HEAD.match, lines) if found}


def _sheet_metadata(draft: Draft, head: Mapping[str, str]) -> None:
    moment, undecided = read_moment(head.get("Acquisition Date", ""))
    if undecided:
        draft.flag("ambiguous_date")
    draft.metadata = {
        "instrument": "Bio-Plex",
        "serial_number": head.get("Reader Serial Number") or None,
        "software": "Bio-Plex Manager",
        "run_id": head.get("Document ID") or head.get("File Name") or None,
        "run_datetime": moment,
        "operator": head.get("Signed By") or None,
        "file_name": head.get("File Name") or None,
    }


def _wells(
    draft: Draft, rows: Sequence[Sequence[str]], start: int, place: tuple[str, str]
) -> int | None:
    """Add the wells below a header; the row behind them, None where the sheet ends with them."""
    header = rows[start]
    for number in range(start + 1, len(rows)):
        row = rows[number]
        cells = dict(zip(header, row, strict=False))
        if not any(row) or not cells.get("Type"):
            return number
        _well(draft, cells, place, number + 1)
    return None


def _well(draft: Draft, cells: Mapping[str, str], place: tuple[str, str], number: int) -> None:
    plate, analyte = place
    well = well_name(cells.get("Well", ""))
    label = cells["Type"]
    if well is None or label[:1].upper() not in _TYPES:
        message = f"row {number} of a sheet has no well or type of well; export it again"
        raise InstrumentFileError(message, code="damaged", offset=number)
    if "," in well:
        draft.flag("summarised_wells")
    signal, net = (draft.number(cells.get(name, "")) for name in ("FI", "FI - Bkgd"))
    text = cells.get("Obs Conc", "")
    value, state = draft.result(text)
    if "---" in {cells.get("FI"), text} or cells.get("Outlier", "0") not in {"", "0"}:
        value, state = None, "masked"
    row: Row = {
        "plate": plate,
        "well": well,
        "type": _TYPES[label[:1].upper()],
        "sample": cells.get("Description") or None,
        "analyte": analyte,
        "dilution": draft.number(cells.get("Dilution", "")),
        "signal": signal,
        "signal_kind": "FI",
        "background": None if signal is None or net is None else signal - net,
        "expected_conc": draft.number(cells.get("Exp Conc", "")),
        "reported_conc": value,
        "reported_text": text or None,
        "state": state,
        "count": draft.number(cells.get("Bead Count", "")),
    }
    draft.add(row, group=(plate, label))


def _footer(draft: Draft, rows: Sequence[Sequence[str]], place: tuple[str, str]) -> None:
    for row in rows:
        text = row[0] if row else ""
        if text.startswith("Std. Curve"):
            curve = parse_equation(text)
            if curve is None:
                draft.flag("unreadable_equation")
            else:
                draft.curves.append({"plate": place[0], "analyte": place[1], **curve})


def parse_equation(text: str) -> Row | None:
    """Parameters of a printed logistic equation as `from_bioplex` takes them; None for others.

    Examples
    --------
    >>> parse_equation("Std. Curve: FI = 2 + (90 - 2) / (1 + (Conc / 5)^-1.5)")["a"]
    90.0
    """
    found = _EQUATION.search(text)
    if found is None:
        return None
    values = [plain_number(part) if part else None for part in found.groups()]
    bottom, top, middle, slope, asymmetry = values
    if None in values[:4]:
        return None
    return {
        "model": "4pl" if asymmetry is None else "5pl",
        "a": top,
        "b": slope,
        "c": middle,
        "d": bottom,
        "g": 1.0 if asymmetry is None else asymmetry,
        "equation_text": text,
    }
