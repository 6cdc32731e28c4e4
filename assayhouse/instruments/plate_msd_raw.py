"""Raw files of the MSD reader: blocks of wells, the spots of a well below each other."""

import re
from collections.abc import Mapping, Sequence

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.plate_dates import read_moment
from assayhouse.instruments.plate_rows import Draft, PlateRun, Row
from assayhouse.instruments.plate_values import place_name, plain_number

_HEAD = re.compile(r"\s*([A-Za-z][\w #./-]*?)\s*:\s*(.*)")


_LETTERS = re.compile(r"[A-P]")


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
