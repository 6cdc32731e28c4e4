"""Bio-Plex exports: workbooks of one sheet per analyte, and the XML of Bio-Plex Manager."""

import re
from collections.abc import Iterator, Mapping, Sequence

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.plate_rows import (
    Draft,
    PlateRun,
    Row,
    place_name,
    plain_number,
    read_moment,
    well_name,
)
from assayhouse.instruments.xml_tree import (
    Element,
    attribute,
    child,
    children,
    local,
    parse_xml,
    text_of,
)

_REQUIRED = {"Analyte", "Type", "Well", "FI"}
_HEAD = re.compile(r"([A-Z][\w .()]*?):\s*(.*)")
_NUMBER = r"([-+]?\d+\.?\d*(?:[eE][-+]?\d+)?)"
_EQUATION = re.compile(
    rf"FI\s*=\s*{_NUMBER}\s*\+\s*\({_NUMBER}\s*[-+]\s*\d+\.?\d*(?:[eE][-+]?\d+)?\)\s*/\s*"
    rf"\({{1,2}}1\s*\+\s*\(Conc\s*/\s*{_NUMBER}\)\s*\^\s*{_NUMBER}\){{1,2}}(?:\s*\^\s*{_NUMBER})?"
)
_TYPES = {"B": "BLANK", "S": "STD", "C": "CTRL", "X": "UNK", "U": "UNK"}
_GROUPS = {"Blank": "BLANK", "Standard": "STD", "Control": "CTRL", "Unknown": "UNK"}


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


def read_manager_xml(content: bytes) -> PlateRun:
    """Read the XML of Bio-Plex Manager.

    Parameters
    ----------
    content : bytes
        The document.

    Raises
    ------
    InstrumentFileError
        ``unsafe_xml``, ``truncated``, ``damaged`` or ``not_plate``.
    """
    root = parse_xml(content)
    if local(root) != "BioPlexManager":
        message = "the XML is not that of Bio-Plex Manager; export the run as XML"
        raise InstrumentFileError(message, code="not_plate")
    draft = Draft()
    plates, counts = _xml_wells(root)
    _xml_metadata(draft, root)
    for group in _descend(root, "Samples"):
        for kind in children(group):
            for sample in children(kind, *_GROUPS):
                _xml_sample(draft, sample, plates, counts)
    plate = next(iter(plates.values()), "1")
    for curve in root.iter():
        if local(curve) == "Interpolator":
            _xml_curve(draft, curve, plate)
    return draft.finish("bioplex_xml")


def _descend(root: Element, name: str) -> Iterator[Element]:
    return (element for element in root.iter() if local(element) == name)


def _xml_wells(root: Element) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    """Plate of each well, and bead count of each well and region."""
    plates: dict[str, str] = {}
    counts: dict[tuple[str, str], str] = {}
    for wells in children(root, "Wells"):
        for well in children(wells, "Well"):
            name = _xml_place(well)
            plates[name] = text_of(well, "PlateID") or "1"
            for regions in children(well, "BeadRegions"):
                for region in children(regions, "BeadRegion"):
                    key = (name, attribute(region, "RegionNumber") or "")
                    counts[key] = text_of(region, "RegionCount") or ""
    return plates, counts


def _xml_place(element: Element) -> str:
    row, column = (attribute(element, name) or "" for name in ("RowNo", "ColNo"))
    if not (row.isdecimal() and column.isdecimal() and 1 <= int(row[:3]) <= 52):
        message = "a well has no row and column; export the run again"
        raise InstrumentFileError(message, code="damaged")
    return place_name(int(row[:3]), int(column[:3]))


def _xml_metadata(draft: Draft, root: Element) -> None:
    well = next(iter(_descend(root, "Well")), None)
    start = text_of(well, "AcquisitionTime") if well is not None else None
    machine = None if well is None else child(well, "MachineInfo")
    moment, _ = read_moment((start or "").replace("T", " "))
    operator = None if well is None else text_of(well, "User")
    draft.metadata = {
        "instrument": "Bio-Plex",
        "serial_number": None if machine is None else text_of(machine, "SerialNumber"),
        "software": "Bio-Plex Manager",
        "software_version": attribute(root, "BioPlexManagerVersion"),
        "run_id": text_of(root, "NativeDocumentName"),
        "run_datetime": moment,
        "operator": operator or text_of(root, "AuthorName"),
    }


def _xml_sample(
    draft: Draft,
    sample: Element,
    plates: Mapping[str, str],
    counts: Mapping[tuple[str, str], str],
) -> None:
    shared: dict[str, Element] = {}
    for analytes in children(sample, "Analytes"):
        for analyte in children(analytes, "Analyte"):
            shared[attribute(analyte, "RegionNumber") or ""] = analyte
    for members in children(sample, "MemberWells"):
        for member in children(members, "MemberWell"):
            well = _xml_place(member)
            common: Row = {
                "plate": plates.get(well) or next(iter(plates.values()), "1"),
                "well": well,
                "type": _GROUPS[local(sample)],
                "sample": text_of(sample, "Description"),
                "dilution": draft.number(text_of(sample, "Dilution") or ""),
                "signal_kind": "Reading",
            }
            for lists in children(member, "MWAnalytes"):
                for one in children(lists, "MWAnalyte"):
                    region = attribute(one, "RegionNumber") or ""
                    row = _xml_values(draft, one, shared.get(region))
                    row["count"] = draft.number(counts.get((well, region), ""))
                    label = text_of(sample, "Label")
                    draft.add(common | row, group=(common["plate"], local(sample), label))


def _xml_values(draft: Draft, one: Element, shared: Element | None) -> Row:
    reading, concentration = child(one, "Reading"), child(one, "MWObsConc")
    signal = None if reading is None else draft.number(text_of(one, "Reading") or "")
    value, state, text = _xml_result(draft, concentration)
    masked = reading is not None and attribute(reading, "OutlierType") not in {None, "None"}
    if masked:
        value, state = None, "masked"
    raw, net, expected = (
        draft.number(text_of(shared, name) or "") if shared is not None else None
        for name in ("RawMean", "Mean", "ExpectedConc")
    )
    return {
        "analyte": text_of(one, "AnalyteName"),
        "signal": signal,
        "background": None if raw is None or net is None else raw - net,
        "expected_conc": expected,
        "reported_conc": value,
        "reported_text": text,
        "state": state,
    }


def _xml_result(
    draft: Draft, concentration: Element | None
) -> tuple[float | None, str, str | None]:
    if concentration is None:
        return None, "not_available", None
    text = (concentration.text or "").strip() or None
    if attribute(concentration, "ReadingOK") == "false":
        reason = (attribute(concentration, "ReadError") or "").lower()
        sides = {"below": ("below", "oor <", "oor<"), "above": ("above", "oor >", "oor>")}
        side = next((k for k, words in sides.items() if any(w in reason for w in words)), None)
        return None, side or "not_available", text
    value, state = draft.result(text or "")
    return value, state, text


def _xml_curve(draft: Draft, curve: Element, plate: str) -> None:
    for element in curve.iter():
        found = parse_equation(element.text or "")
        if found is not None:
            name = text_of(curve, "AnalyteName")
            draft.curves.append({"plate": plate, "analyte": name, **found})
            return
