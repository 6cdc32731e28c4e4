"""The XML of Bio-Plex Manager: readings of each well beside the statistics of its sample."""

from collections.abc import Iterator, Mapping

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.plate_bioplex import parse_equation
from assayhouse.instruments.plate_dates import read_moment
from assayhouse.instruments.plate_rows import Draft, PlateRun, Row
from assayhouse.instruments.plate_values import place_name
from assayhouse.instruments.xml_tree import (
    Element,
    attribute,
    child,
    children,
    local,
    parse_xml,
    text_of,
)

_GROUPS = {"Blank": "BLANK", "Standard": "STD", "Control": "CTRL", "Unknown": "UNK"}


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
