"""Well-level export of single-molecule counting (Erenna, SMCxPRO): three signals per well.

The layout is our own model of such an export: to be confirmed with the laboratory.
"""

import re
from collections.abc import Mapping, Sequence

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.plate_rows import Draft, PlateRun, Row
from assayhouse.instruments.plate_values import well_name

SIGNALS = ("DE", "EP", "TP")
_REQUIRED = {"PLATEID", "PARAMCD", "WELL", "TYPE", *SIGNALS}
_TYPES = frozenset({"STD", "CTRL", "UNK", "BLANK"})
_REASONS = {"BLQ": "below", "ALQ": "above"}


def header_place(rows: Sequence[Sequence[str]]) -> int | None:
    """Row of the header: the first, or behind a preamble; None where there is none."""
    return next((place for place, row in enumerate(rows[:20]) if set(row) >= _REQUIRED), None)


def read_digital(rows: Sequence[Sequence[str]]) -> PlateRun:
    """Read a well-level export: one row per well and signal.

    Parameters
    ----------
    rows : sequence of rows
        Cells without outer blanks, with preamble and trailer.

    Raises
    ------
    InstrumentFileError
        ``truncated`` or ``damaged``.
    """
    draft = Draft()
    start = header_place(rows) or 0
    header = list(rows[start])
    lines = 0
    declared: int | None = None
    for number, row in enumerate(rows[start + 1 :], start=start + 2):
        if not any(row):
            continue
        if row[0] == "Rows" and len(row) == 2 and row[1].isdecimal():
            declared = int(row[1][:9])
            continue
        if len(row) != len(header):
            message = f"line {number} has {len(row)} cells of {len(header)}; export it again"
            code = "truncated" if len(row) < len(header) else "damaged"
            raise InstrumentFileError(message, code=code, offset=number)
        lines += 1
        _well(draft, dict(zip(header, row, strict=True)), number)
    if start and declared is None:
        message = "the trailer with the number of rows is missing; export it again"
        raise InstrumentFileError(message, code="truncated")
    if declared is not None and declared != lines:
        message = f"the trailer says {declared} rows, {lines} are there; export it again"
        raise InstrumentFileError(message, code="truncated")
    _metadata(draft, rows[:start])
    return draft.finish("erenna_wells")


def _well(draft: Draft, cells: Mapping[str, str], number: int) -> None:
    well, kind = well_name(cells["WELL"]), cells["TYPE"].upper()
    if well is None or kind not in _TYPES:
        message = f"line {number}: no well as A01, or no type of well; export it again"
        raise InstrumentFileError(message, code="damaged", offset=number)
    value, state = _state(draft, cells)
    text = cells.get("CONC", "")
    sample = cells.get("ACCNO") or cells.get("LEVEL") or None
    row: Row = {
        "plate": cells["PLATEID"] or "1",
        "well": well,
        "type": kind,
        "sample": sample,
        "analyte": cells["PARAMCD"],
        "replicate": draft.count(cells.get("REP", "")),
        "dilution": draft.number(cells.get("DILUTION", "")),
        "expected_conc": draft.number(cells.get("EXPCONC", "")),
        "reported_conc": value,
        "reported_text": text or None,
        "state": state,
    }
    for name in SIGNALS:
        signal = {"signal": draft.number(cells[name]), "signal_kind": name}
        draft.add(row | signal, group=(row["plate"], kind, sample))


def _state(draft: Draft, cells: Mapping[str, str]) -> tuple[float | None, str]:
    """Judge a well: a masked one has no number; a missing number may have its reason."""
    if cells.get("MASKED", "").upper() == "Y":
        return None, "masked"
    text, reason = cells.get("CONC", ""), cells.get("REASND", "").upper()
    if text.upper() in _REASONS:
        return None, _REASONS[text.upper()]
    value, state = draft.result(text)
    if state == "not_available":
        state = _REASONS.get(reason, state)
    elif state == "ok" and reason.startswith("EXTRAP"):
        state = "extrapolated"
    return value, state


def _metadata(draft: Draft, preamble: Sequence[Sequence[str]]) -> None:
    known = {row[0].lower(): row[1] for row in preamble if len(row) > 1 and row[0]}
    draft.metadata = {
        "instrument": None,
        "run_id": re.sub(r"\s+", " ", known.get("report", "")) or None,
        "study": known.get("study"),
    }
