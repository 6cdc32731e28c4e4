"""MSD exports: Workbench tables of results, and raw blocks of 8 x 12 (or 16 x 24) wells."""

import re
from collections.abc import Mapping, Sequence

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.plate_rows import Draft, PlateRun, Row
from assayhouse.instruments.plate_values import type_by_name, well_name

_REQUIRED = {"Sample", "Assay", "Well", "Spot", "Signal"}
_TITLE = re.compile(r"#?\s*(.+?):\s*Experiment Data Table")
_UNNAMED = "Unnamed: "
_CALIBRATOR = re.compile(r"s\d{3}", re.IGNORECASE)


def is_table_header(cells: Sequence[str]) -> bool:
    """Whether a line is the header of a Workbench table."""
    return set(cells) >= _REQUIRED


def read_table(rows: Sequence[Sequence[str]]) -> PlateRun:
    """Read Workbench tables: a title line or a line ``Plate_X``, then a header, then results.

    Parameters
    ----------
    rows : sequence of rows
        Cells without outer blanks.

    Raises
    ------
    InstrumentFileError
        ``truncated`` or ``damaged``.
    """
    draft = Draft()
    header: list[str] = []
    plate = "1"
    title: str | None = None
    calibrators = _names_calibrators(rows)
    for number, row in enumerate(rows, start=1):
        if not any(row):
            continue
        if is_table_header(row):
            header = list(row)
        elif not any(cell and not cell.startswith(_UNNAMED) for cell in row[1:]):
            found = _TITLE.match(row[0])
            title, plate = (found[1], plate) if found else (title, row[0])
        elif header:
            _check_width(header, row, number)
            _result(draft, dict(zip(header, row, strict=False)), plate, calibrators=calibrators)
    draft.metadata = {"software": "MSD Workbench", "run_id": title}
    return draft.finish("msd_csv")


def _names_calibrators(rows: Sequence[Sequence[str]]) -> bool:
    """Whether samples are named as calibrators; otherwise an expected value makes one."""
    place = 0
    for row in rows:
        if is_table_header(row):
            place = row.index("Sample")
        elif len(row) > place and _is_calibrator(row[place]):
            return True
    return False


def _is_calibrator(sample: str) -> bool:
    return bool(_CALIBRATOR.fullmatch(sample)) or type_by_name(sample) == "STD"


def _check_width(header: Sequence[str], row: Sequence[str], number: int) -> None:
    named = max(place for place, name in enumerate(header) if name) + 1
    if len(row) < named:
        message = f"line {number} has {len(row)} cells of {named}; export the table again"
        raise InstrumentFileError(message, code="truncated", offset=number)
    if well_name(row[list(header).index("Well")]) is None:
        message = f"line {number}: the well is not written as in A01; export the table again"
        raise InstrumentFileError(message, code="damaged", offset=number)


def _result(draft: Draft, cells: Mapping[str, str], plate: str, *, calibrators: bool) -> None:
    signal, net = (draft.number(cells.get(name, "")) for name in ("Signal", "Adjusted Signal"))
    expected = draft.number(cells.get("Concentration", ""))
    sample = cells["Sample"] or None
    kind = _kind(cells["Sample"], expected, calibrators=calibrators)
    text = cells.get("Calc. Concentration", "")
    value, state = _state(draft, text, cells.get("Detection Range", ""))
    line: Row = {
        "plate": cells.get("Plate Name") or plate,
        "well": well_name(cells["Well"]),
        "type": kind,
        "sample": sample,
        "analyte": cells["Assay"] or f"Spot {cells['Spot']}",
        "dilution": draft.number(cells.get("Dilution", "")),
        "signal": signal,
        "signal_kind": "Signal",
        "background": None if signal is None or net is None else signal - net,
        "expected_conc": expected,
        "reported_conc": value,
        "reported_text": text or None,
        "state": state,
    }
    draft.add(line, group=(line["plate"], sample, line["dilution"], expected))


def _kind(sample: str, expected: float | None, *, calibrators: bool) -> str:
    if _is_calibrator(sample):
        return "STD"
    named = type_by_name(sample)
    if named != "UNK" or expected is None:
        return named
    # Beside named calibrators, what else has an expected value is there to control them.
    return "CTRL" if calibrators else "STD"


def _state(draft: Draft, text: str, place: str) -> tuple[float | None, str]:
    """State of a result; the range, where printed, says on which side a value is missing."""
    value, state = draft.result(text)
    words = place.lower()
    side = next((word for word in ("below", "above") if word in words), None)
    if side is None:
        return value, state
    if value is not None:
        return value, "extrapolated"
    return None, side if state == "not_available" else state
