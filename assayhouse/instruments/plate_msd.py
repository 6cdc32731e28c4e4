"""MSD exports: Workbench tables of results, and raw blocks of 8 x 12 (or 16 x 24) wells."""

import re
from collections.abc import Mapping, Sequence

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.plate_rows import (
    Draft,
    PlateRun,
    Row,
    place_name,
    plain_number,
    read_moment,
    type_by_name,
    well_name,
)

_REQUIRED = {"Sample", "Assay", "Well", "Spot", "Signal"}
_TITLE = re.compile(r"#?\s*(.+?):\s*Experiment Data Table")
_HEAD = re.compile(r"\s*([A-Za-z][\w #./-]*?)\s*:\s*(.*)")
_UNNAMED = "Unnamed: "
_LETTERS = re.compile(r"[A-P]")
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


def is_raw(lines: Sequence[str]) -> bool:
    """Whether lines are those of a raw reader file: a head, or at once a block of wells."""
    heads = {match[1] for line in lines[:12] for match in [_HEAD.match(line)] if match}
    if "FileName" in heads and any(name.startswith("Barcode") for name in heads):
        return True
    columns = next((line.split() for line in lines if line.strip()), [])
    following = next((line.split("\t") for line in lines[1:] if line.strip()), [])
    values = [cell.strip() for cell in following[1:] if cell.strip()]
    numbers = sum(plain_number(cell) is not None for cell in values)
    lettered = bool(following) and bool(_LETTERS.fullmatch(following[0].strip()))
    return _is_column_line(columns) and lettered and numbers > len(values) / 2


def _is_column_line(cells: Sequence[str]) -> bool:
    return len(cells) >= 6 and list(cells) == [str(place + 1) for place in range(len(cells))]


def read_raw(lines: Sequence[str]) -> PlateRun:
    """Read raw blocks; the spots of a well stand below each other.

    Parameters
    ----------
    lines : sequence of str
        Lines of the file.

    Raises
    ------
    InstrumentFileError
        ``truncated`` or ``damaged``.
    """
    draft = Draft()
    head: dict[str, str] = {}
    first: dict[str, str] = {}
    columns: list[str] = []
    letter, spot, plate, blocks = "", 0, "1", 0
    for number, line in enumerate(lines, start=1):
        cells = [cell.strip() for cell in line.rstrip("\n").split("\t")]
        values = [cell for cell in cells if cell]
        found = _HEAD.match(line)
        if _is_column_line(values):
            columns, letter, blocks = values, "", blocks + 1
            plate, first = _plate(head, blocks), first or dict(head)
        elif columns and _LETTERS.fullmatch(cells[0]):
            letter, spot = cells[0], 1
            _raw_line(draft, (plate, letter, spot, number), values[1:], columns)
        elif columns and letter and not cells[0] and values:
            spot += 1
            _raw_line(draft, (plate, letter, spot, number), values, columns)
        elif values:
            columns, letter = [], ""
            if found:
                head[found[1]] = found[2].strip()
    _check_whole(draft, first, blocks)
    _raw_metadata(draft, first)
    return draft.finish("msd_txt")


def _plate(head: Mapping[str, str], blocks: int) -> str:
    barcode = next((head[name] for name in ("Barcode1", "Bar Code 1") if head.get(name)), "")
    name = barcode.strip("<>*") or head.get("Plate ID", "").strip("<>*")
    return name or str(blocks)


def _raw_line(
    draft: Draft, place: tuple[str, str, int, int], values: Sequence[str], columns: Sequence[str]
) -> None:
    plate, letter, spot, number = place
    if len(values) != len(columns):
        message = f"line {number} has {len(values)} wells of {len(columns)}; export it again"
        raise InstrumentFileError(message, code="truncated", offset=number)
    for column, text in enumerate(values, start=1):
        signal = draft.number(text)
        row: Row = {
            "plate": plate,
            "well": place_name(ord(letter) - ord("A") + 1, column),
            "type": "UNK",
            "analyte": f"Spot {spot}",
            "replicate": 1,
            "signal": signal,
            "signal_kind": "Signal",
            "state": "not_available" if signal is None else "ok",
        }
        draft.add(row, group=())


def _check_whole(draft: Draft, head: Mapping[str, str], blocks: int) -> None:
    """Refuse fewer wells than the head declares."""
    sizes = [head.get(name, "") for name in ("Wells Per Row", "Wells Per Col", "Spots Per Well")]
    if all(size.isdecimal() and len(size) < 4 for size in sizes):
        declared = int(sizes[0]) * int(sizes[1]) * int(sizes[2]) * blocks
        if len(draft.wells) < declared:
            message = f"{len(draft.wells)} of {declared} declared values are there; export again"
            raise InstrumentFileError(message, code="truncated")


def _raw_metadata(draft: Draft, head: Mapping[str, str]) -> None:
    moment, undecided = read_moment(head.get("Read Time", "").replace("\t", " "))
    if undecided:
        draft.flag("ambiguous_date")
    version = head.get("Version") or head.get("MSD Read Software Version")
    draft.metadata = {
        "instrument": head.get("Model") or None,
        "serial_number": head.get("Serial #") or head.get("Serial Number") or None,
        "software": "MSD reader",
        "software_version": version or None,
        "run_id": head.get("FileName") or None,
        "run_datetime": moment,
        "operator": head.get("User") or None,
    }
