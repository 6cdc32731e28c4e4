"""RDML 1.0 to 1.4: runs, reacts, Cq and amplification points [1]_; melting points are counted.

The document is read as a stream and forgotten react by react, so that memory is that of the data.

References
----------
.. [1] Lefever S et al (2009), Nucleic Acids Research 37, 2065-2069: the RDML data standard.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast
from xml.etree import ElementTree as ET

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.archives import MAGIC, open_archive, scaled, unpacked
from assayhouse.instruments.qpcr_records import (
    Cycles,
    QpcrRun,
    Well,
    build_run,
    number_of,
    place_at,
    place_of,
    type_of,
)
from assayhouse.instruments.unique_names import unique_name
from assayhouse.instruments.xml_tree import (
    Element,
    attribute,
    broken_xml,
    child,
    children,
    local,
    refuse_unsafe,
    root_name,
    text_of,
)

VERSIONS = ("1.0", "1.1", "1.2", "1.3", "1.4")
USUAL_MEMBER = "rdml_data.xml"
_PIECE = 1 << 22
_MOST_DIGITS, _MOST_CANDIDATES = 9, 50
_MOST_ELEMENTS = 1_000_000
# Each has been read when it ends; what it held is then let go.
_LET_GO = {"adp", "mdp", "data", "react", "experimenter"}
_WELL_PLATE = {"96": (8, 12), "384": (16, 24), "48": (6, 8)}


@dataclass(slots=True, kw_only=True)
class _Sample:
    types: dict[str | None, str]
    quantity: float | None


@dataclass(slots=True, kw_only=True)
class _Data:
    """One data element of a react, before its sample and run are known."""

    react: str
    sample: str | None
    target: str | None
    cq: float | None
    quantity: float | None
    excluded: bool
    points: list[tuple[int, float | None]]


@dataclass(slots=True)
class _Reading:
    """What has been read so far."""

    version: str = ""
    samples: dict[str, _Sample] = field(default_factory=dict)
    pending: list[_Data] = field(default_factory=list)
    points: list[tuple[int, float | None]] = field(default_factory=list)
    data: list[_Data] = field(default_factory=list)
    runs: list[tuple[str, Element, list[_Data]]] = field(default_factory=list)
    operator: str | None = None
    run_names: set[str] = field(default_factory=set)
    seen: dict[str, int] = field(default_factory=dict)
    melting_points: int = 0


def read_rdml(content: bytes) -> QpcrRun:
    """Read an RDML file: an archive with one document, or the document alone.

    Parameters
    ----------
    content : bytes
        The file.

    Raises
    ------
    InstrumentFileError
        ``not_qpcr``, ``unsupported_version``, ``truncated``, ``damaged``, ``too_large``,
        ``unsafe_xml`` or ``unsupported_feature``.
    """
    reading = _Reading()
    handlers: dict[str, Callable[[Element, _Reading], None]] = {
        "adp": _point,
        "mdp": _melting_point,
        "data": _data,
        "react": _react,
        "run": _run,
        "sample": _sample,
        "experimenter": _experimenter,
    }
    most = scaled(_MOST_ELEMENTS, content)
    names: dict[str, str] = {}
    for count, element in enumerate(_elements(_document(content), reading), start=1):
        if count > most:
            message = f"the document has more than {most} elements; export fewer runs at once"
            raise InstrumentFileError(message, code="too_large")
        name = names.get(element.tag)
        if name is None:
            name = names.setdefault(element.tag, local(element))
        if name in handlers:
            handlers[name](element, reading)
        if name in _LET_GO:
            element.clear()
    return _built(reading)


def member_of(content: bytes) -> str | None:
    """Name of the member that holds the document: the usual one, else the first RDML there is."""
    archive = open_archive(content)
    names = archive.namelist()
    usual = [name for name in names if name == USUAL_MEMBER]
    others = [name for name in names if name.lower().endswith((".xml", ".rdml"))]
    for name in list(dict.fromkeys([*usual, *others]))[:_MOST_CANDIDATES]:
        head = next(unpacked(archive, name, content), b"")
        if root_name(head) == "rdml":
            return name
    return None


def _document(content: bytes) -> Iterator[bytes]:
    if not content.startswith(MAGIC):
        return iter([content])
    name = member_of(content)
    if name is None:
        message = "the archive holds no RDML document; nothing was read"
        raise InstrumentFileError(message, code="not_qpcr")
    return unpacked(open_archive(content), name, content)


def _elements(pieces: Iterator[bytes], reading: _Reading) -> Iterator[Element]:
    """Every element as it ends; pieces are large, because expat reads cut tokens again."""
    # The prolog is checked before this parser sees it.
    parser: ET.XMLPullParser[Element] = ET.XMLPullParser(("end",))
    first = True
    try:
        for piece in _joined(pieces):
            if first:
                _check_root(refuse_unsafe(piece), piece, reading)
                first = False
            parser.feed(piece)
            for _event, element in cast("Iterator[tuple[str, Element]]", parser.read_events()):
                yield element
        parser.close()
    except ET.ParseError as error:
        raise broken_xml(error) from error
    except (LookupError, ValueError) as error:
        message = "the XML declares an encoding that cannot be read; save it as UTF-8"
        raise InstrumentFileError(message, code="damaged", offset=1) from error


def _joined(pieces: Iterator[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _PIECE:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _check_root(root: tuple[str, dict[str, str]] | None, piece: bytes, reading: _Reading) -> None:
    if root is None:
        if len(piece) >= _PIECE:
            message = f"no element begins in the first {_PIECE} bytes; nothing was read"
            raise InstrumentFileError(message, code="damaged", offset=0)
        return  # not well-formed or cut: the parser says where
    name, attributes = root
    if name != "rdml":
        message = f"the root element is {name[:40]!r}, not rdml; nothing was read"
        raise InstrumentFileError(message, code="not_qpcr")
    reading.version = attributes.get("version", "")
    if reading.version not in VERSIONS:
        message = (
            f"the document is RDML {reading.version[:20] or 'without a version'}; versions "
            f"{VERSIONS[0]} to {VERSIONS[-1]} are read"
        )
        raise InstrumentFileError(message, code="unsupported_version")


def _experimenter(element: Element, reading: _Reading) -> None:
    reading.operator = reading.operator or attribute(element, "id")


def _sample(element: Element, reading: _Reading) -> None:
    """Keep a sample's declaration; inside a react the element is a reference without content."""
    name = attribute(element, "id")
    if name is None or not len(element):
        return
    quantity = child(element, "quantity")
    reading.samples[name] = _Sample(
        types={
            attribute(each, "targetId"): type_of(each.text) for each in children(element, "type")
        },
        quantity=None if quantity is None else number_of(text_of(quantity, "value")),
    )


def _point(element: Element, reading: _Reading) -> None:
    cycle, fluorescence = None, None
    for part in element:
        if part.tag.endswith("cyc"):
            cycle = number_of(part.text)
        elif part.tag.endswith("fluor"):
            fluorescence = number_of(part.text)
    if cycle is None or cycle != int(cycle) or abs(cycle) > 1e6:
        message = "an amplification point has no whole cycle number; ask for the file anew"
        raise InstrumentFileError(message, code="damaged")
    reading.points.append((int(cycle), fluorescence))


def _melting_point(_element: Element, reading: _Reading) -> None:
    reading.melting_points += 1


def _data(element: Element, reading: _Reading) -> None:
    target, excluded = child(element, "tar"), child(element, "excl")
    quantity = child(element, "quantity")
    reading.pending.append(
        _Data(
            react="",
            sample=None,
            target=None if target is None else attribute(target, "id"),
            cq=number_of(text_of(element, "cq"), words=("undetermined",)),
            quantity=None if quantity is None else number_of(text_of(quantity, "value")),
            excluded=excluded is not None and (excluded.text or "").strip().lower() != "false",
            points=reading.points,
        )
    )
    reading.points = []


def _react(element: Element, reading: _Reading) -> None:
    sample = child(element, "sample")
    for data in reading.pending:
        data.react = attribute(element, "id") or ""
        data.sample = None if sample is None else attribute(sample, "id")
        reading.data.append(data)
    reading.pending = []


def _run(element: Element, reading: _Reading) -> None:
    name = unique_name(attribute(element, "id") or "1", reading.run_names, reading.seen)
    reading.run_names.add(name)
    reading.runs.append((name, element, reading.data))
    reading.data = []


def _built(reading: _Reading) -> QpcrRun:
    wells: list[Well] = []
    cycles = Cycles()
    flags: list[str] = []
    for run, element, held in reading.runs:
        plate = _plate(element)
        for data in held:
            well = _place(data.react, plate)
            if well is None:
                well = data.react
                flags.append("damaged")
            sample = reading.samples.get(data.sample or "")
            wells.append(_well(run, well, data, sample))
            cycles.add(run, well, data.target, data.points)
    return build_run(
        "rdml", wells, cycles, metadata=_metadata(reading), flags=tuple(dict.fromkeys(flags))
    )


def _well(run: str, well: str, data: _Data, sample: _Sample | None) -> Well:
    types = sample.types if sample is not None else {}
    quantity = sample.quantity if sample is not None else None
    return Well(
        run=run,
        well=well,
        sample=data.sample,
        target=data.target,
        type=types.get(data.target, types.get(None, next(iter(types.values()), "UNK"))),
        cq=data.cq,
        quantity=data.quantity if quantity is None else quantity,
        excluded=data.excluded,
    )


def _plate(run: Element) -> tuple[int, int] | None:
    """Rows and columns of a plate of letters and numbers; None for any other format."""
    form = child(run, "pcrFormat")
    if form is None:
        return None
    labels = (text_of(form, "rowLabel"), text_of(form, "columnLabel"))
    size = [number_of(text_of(form, part)) for part in ("rows", "columns")]
    if labels == ("ABC", "123") and size[0] is not None and size[1] is not None:
        return int(min(size[0], 702)), int(min(size[1], 999))
    # Version 1.0 writes the format as words, as "96-well plate; A1-H12".
    words = (form.text or "").strip()
    return _WELL_PLATE.get(words.partition("-")[0]) if "A1" in words else None


def _place(react: str, plate: tuple[int, int] | None) -> str | None:
    if plate is None:
        return react
    if not react.isdecimal():
        return place_of(react)
    number = int(react) if len(react) <= _MOST_DIGITS else 0
    return place_at(number, rows=plate[0], columns=plate[1])


def _metadata(reading: _Reading) -> dict[str, object]:
    found: dict[str, object] = {"version": reading.version, "runs": len(reading.runs)}
    if reading.melting_points:
        found["melting_points"] = reading.melting_points
    if reading.runs:
        name, run, _data = reading.runs[0]
        software = child(run, "dataCollectionSoftware")
        if software is not None:
            found["software"] = text_of(software, "name")
            found["software_version"] = text_of(software, "version")
        found |= {
            "run_id": name,
            "instrument": text_of(run, "instrument"),
            "run_datetime": _moment(text_of(run, "runDate")),
            "operator": (_first_id(run, "experimenter") or reading.operator),
        }
    return found


def _first_id(element: Element, name: str) -> str | None:
    found = child(element, name)
    return None if found is None else attribute(found, "id")


def _moment(text: str | None) -> dt.datetime | str | None:
    if text is None:
        return None
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return text
