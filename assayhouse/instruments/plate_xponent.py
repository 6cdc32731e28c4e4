"""xPONENT exports: a head of keys and values, then blocks of one kind of value each."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.plate_dates import read_moment
from assayhouse.instruments.plate_rows import Draft, PlateRun, Row
from assayhouse.instruments.plate_values import plain_number, type_by_name, well_name

_LOCATION = re.compile(r"\d+\s*\(\s*(\d+)\s*,\s*([A-Za-z]{1,2}\d{1,3})\s*\)")
_SIGNALS = ("Median", "Mean", "Trimmed Mean")
_EXPECTED = {
    "STD": "Standard Expected Concentration",
    "CTRL": "Control Expected Concentration",
}
_NO_ANALYTES = frozenset({"", "location", "sample", "total events", "notes"})


@dataclass(slots=True)
class _Block:
    """Cells of one DataType: header and rows."""

    header: list[str]
    rows: list[list[str]] = field(default_factory=list)
    places: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.places = {name: place for place, name in reversed(list(enumerate(self.header)))}

    def by_first(self) -> dict[str, list[str]]:
        """Rows by their first cell."""
        return {row[0]: row for row in self.rows}

    def cell(self, row: Sequence[str] | None, column: str) -> str:
        """Cell of a row under a heading; empty where there is none."""
        place = self.places.get(column)
        return "" if row is None or place is None or place >= len(row) else row[place]


def is_xponent(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first lines are those of an xPONENT export."""
    return any(row[:2] == ["Program", "xPONENT"] for row in rows[:20]) or any(
        row[:1] == ["DataType:"] for row in rows[:400]
    )


def read_xponent(rows: Sequence[Sequence[str]]) -> PlateRun:
    """Read an xPONENT export.

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
    if _is_padded(rows):
        draft.flag("resaved_by_spreadsheet")
    head, blocks = _blocks(rows)
    _head_metadata(draft, head)
    if not any(row[:1] == ["-- CRC --"] for row in rows):
        draft.flag("no_checksum")
    kind = next((name for name in _SIGNALS if name in blocks), None)
    if kind is None:
        message = "there is no block of medians or means; export the run with its results"
        raise InstrumentFileError(message, code="truncated")
    _xponent_wells(draft, blocks, kind)
    _xponent_curves(draft, blocks)
    return draft.finish("xponent")


def _is_padded(rows: Sequence[Sequence[str]]) -> bool:
    """Tell a spreadsheet, which fills every line up to the longest with commas."""
    first = next((row for row in rows if row), [])
    return len(first) > 4 and not any(first[4:])


def _blocks(rows: Sequence[Sequence[str]]) -> tuple[list[list[str]], dict[str, _Block]]:
    head: list[list[str]] = []
    blocks: dict[str, _Block] = {}
    name: str | None = None
    for cells in rows:
        row = _without_padding(cells)
        if row[:1] == ["-- CRC --"]:
            break
        if row[:1] == ["DataType:"]:
            name = row[1] if len(row) > 1 else ""
        elif name is None:
            head.append(row)
        elif row and name not in blocks:
            blocks[name] = _Block(header=row)
        elif row:
            blocks[name].rows.append(row)
    return head, blocks


def _without_padding(cells: Sequence[str]) -> list[str]:
    row = list(cells)
    while row and not row[-1]:
        row.pop()
    return row


def _head_metadata(draft: Draft, head: Sequence[Sequence[str]]) -> None:
    known: dict[str, list[str]] = {}
    for row in head:
        if row:
            known.setdefault(row[0], list(row[1:]))

    def first(name: str) -> str | None:
        return next((cell for cell in known.get(name, []) if cell), None)

    instrument = next((cell for cell in known.get("Program", [])[1:] if cell), None)
    dates = [" ".join(known[name]) for name in ("BatchStopTime", "Date") if name in known]
    dates += [" ".join(cells) for name, cells in known.items() if name.startswith("Last ")]
    start = first("BatchStartTime") or " ".join(known.get("Date", []))
    moment, undecided = read_moment(start, others=dates)
    if undecided:
        draft.flag("ambiguous_date")
    draft.metadata = {
        "instrument": instrument,
        "serial_number": first("SN"),
        "software": first("Program"),
        "software_version": first("Build"),
        "run_id": first("Batch"),
        "run_datetime": moment,
        "operator": first("Operator"),
        "protocol": first("ProtocolName"),
    }


@dataclass(frozen=True, slots=True)
class _Tables:
    """Blocks of an export, each with its rows by location or name."""

    blocks: Mapping[str, _Block]
    rows: Mapping[str, Mapping[str, list[str]]]

    def has(self, name: str) -> bool:
        """Whether the export has a block."""
        return name in self.blocks

    def cell(self, name: str, key: str, column: str) -> str:
        """Cell of a block, empty where block, row or column is missing."""
        if name not in self.blocks:
            return ""
        return self.blocks[name].cell(self.rows[name].get(key), column)

    def kind_of(self, sample: str) -> tuple[str, str]:
        """Kind of well, and the block of its expected concentrations."""
        for kind, name in _EXPECTED.items():
            if sample and sample in self.rows.get(name, {}):
                return kind, name
        return type_by_name(sample), ""


def _xponent_wells(draft: Draft, blocks: Mapping[str, _Block], kind: str) -> None:
    signals = blocks[kind]
    analytes = [name for name in signals.header if name.lower() not in _NO_ANALYTES]
    if signals.header[:2] != ["Location", "Sample"] or not analytes:
        message = f"the block {kind} has no columns of locations and analytes; export it again"
        raise InstrumentFileError(message, code="damaged")
    tables = _Tables(blocks, {name: block.by_first() for name, block in blocks.items()})
    for row in signals.rows:
        found = _LOCATION.fullmatch(row[0])
        well = well_name(found[2]) if found else None
        if found is None or well is None:
            message = "a location is not written as in 1(1,A1); export the run again"
            raise InstrumentFileError(message, code="damaged")
        sample = signals.cell(row, "Sample")
        kind_of_well, expected = tables.kind_of(sample)
        common: Row = {
            "plate": found[1],
            "well": well,
            "type": kind_of_well,
            "sample": sample or None,
            "dilution": draft.number(tables.cell("Dilution Factor", row[0], "Dilution Factor")),
            "signal_kind": kind,
        }
        for analyte in analytes:
            wanted = tables.cell(expected, sample, analyte)
            values = _xponent_values(draft, tables, kind, (row[0], analyte))
            values |= {"analyte": analyte, "expected_conc": draft.number(wanted)}
            draft.add(common | values, group=(found[1], kind_of_well, sample))


def _xponent_values(draft: Draft, tables: _Tables, kind: str, place: tuple[str, str]) -> Row:
    signal = draft.number(tables.cell(kind, *place))
    net = draft.number(tables.cell("Net MFI", *place))
    text = tables.cell("Result", *place)
    value, state = draft.result(text)
    if not tables.has("Result"):
        state = "not_available" if signal is None else "ok"
    elif state == "ok" and tables.cell("Comments", *place).lower().startswith("extrapolated"):
        state = "extrapolated"
    return {
        "signal": signal,
        "background": None if signal is None or net is None else signal - net,
        "reported_conc": value,
        "reported_text": text or None,
        "state": state,
        "count": draft.number(tables.cell("Count", *place)),
    }


def _xponent_curves(draft: Draft, blocks: Mapping[str, _Block]) -> None:
    """Coefficients: A bottom, B top, C midpoint, D slope, F asymmetry, as in a Bio-Plex footer."""
    block, kinds = blocks.get("Analysis Coefficients"), blocks.get("Analysis Types")
    if block is None or kinds is None:
        return
    rows, models = block.by_first(), kinds.by_first().get("AnalysisType")
    for analyte in block.header[1:]:
        model = kinds.cell(models, analyte)
        texts = [block.cell(rows.get(f"Coefficient {name}"), analyte) for name in "BDCAF"]
        values = [plain_number(text) for text in texts]
        if not model.startswith("Logistic") or None in values[:4]:
            continue
        asymmetry = values[4] if values[4] is not None and "5" in model else 1.0
        top, slope, middle, bottom = values[:4]
        draft.curves.append(
            {
                "plate": "1",
                "analyte": analyte,
                "model": "5pl" if "5" in model else "4pl",
                "a": top,
                "b": slope,
                "c": middle,
                "d": bottom,
                "g": asymmetry,
                "equation_text": model,
            }
        )
