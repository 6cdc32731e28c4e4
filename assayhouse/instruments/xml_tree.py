"""XML of instruments, hardened: no entities, no DTD with declarations, bounded depth.

The prolog is looked at first, where alone a DTD can stand; what follows goes to the fast parser.
"""

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET
from xml.parsers import expat

from assayhouse.errors import InstrumentFileError

Element = ET.Element
DEEPEST = 200
LARGEST_XML = 1 << 28
_PROLOG_STEP = 1 << 12
# What may stand before the first element, by its begin and its end.
_NO_ELEMENT = (("<!--", "-->"), ("<?", "?>"), ("<!", ">"))
_ELEMENT = re.compile(r"<(?:[\w.-]{1,99}:)?([\w.-]{1,99})")
_MOST_BLANKS = 1000
_CUT = {
    expat.errors.codes[name]
    for name in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
}


def parse_xml(content: bytes) -> Element:
    """Read a whole document.

    Parameters
    ----------
    content : bytes
        The document.

    Raises
    ------
    InstrumentFileError
        ``unsafe_xml``, ``truncated``, ``damaged`` or ``too_large``.
    """
    if len(content) > LARGEST_XML:
        message = f"the XML is larger than {LARGEST_XML} bytes; split it"
        raise InstrumentFileError(message, code="too_large")
    refuse_unsafe(content)
    try:
        root = ET.fromstring(content)  # noqa: S314 - the prolog has been checked
    except ET.ParseError as error:
        raise broken_xml(error) from error
    except (LookupError, ValueError) as error:
        message = "the XML declares an encoding that cannot be read; save it as UTF-8"
        raise InstrumentFileError(message, code="damaged", offset=1) from error
    _refuse_deep(root)
    return root


def broken_xml(error: ET.ParseError) -> InstrumentFileError:
    """Error for XML that is not well-formed: cut off, or damaged."""
    line = error.position[0]
    cut = error.code in _CUT
    what = "ends before its last element" if cut else "is not well-formed"
    return InstrumentFileError(
        f"the XML {what} (line {line}); ask for the file anew",
        code="truncated" if cut else "damaged",
        offset=line,
    )


class _RootReached(Exception):  # noqa: N818 - no error: the prolog is done
    """The root element begins; no DTD can follow."""

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        super().__init__(name)
        self.name = name.rpartition(":")[2]
        self.attributes = attributes


def refuse_unsafe(content: bytes) -> tuple[str, dict[str, str]] | None:
    """Refuse a DTD that declares anything, and any entity; a bare ``<!DOCTYPE name>`` may stand.

    Parameters
    ----------
    content : bytes
        The document, or its begin.

    Returns
    -------
    tuple or None
        Local name and attributes of the root element; None where none begins in ``content``.

    Raises
    ------
    InstrumentFileError
        ``unsafe_xml``.
    """
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _doctype
    parser.EntityDeclHandler = _declaration
    parser.StartElementHandler = _root
    start, step = 0, _PROLOG_STEP
    try:
        while start < len(content):
            parser.Parse(content[start : start + step], False)
            # Steps double: expat reads a long comment again with every piece of it.
            start, step = start + step, 2 * step
    except _RootReached as reached:
        return reached.name, reached.attributes
    except (expat.ExpatError, LookupError, ValueError):
        return None  # not well-formed: the parser of the whole document says where
    return None


def _doctype(_name: str, system: str | None, public: str | None, internal: object) -> None:
    if system or public or internal:
        raise _unsafe(what="a DTD")


def _declaration(*_declared: object) -> None:
    raise _unsafe(what="an entity")


def _root(name: str, attributes: dict[str, str]) -> None:
    raise _RootReached(name, attributes)


def _unsafe(*, what: str) -> InstrumentFileError:
    return InstrumentFileError(
        f"the XML declares {what}, which no instrument needs; nothing was read", code="unsafe_xml"
    )


def _refuse_deep(root: Element) -> None:
    level = [root]
    for _depth in range(DEEPEST):
        level = [child for element in level for child in element]
        if not level:
            return
    message = f"the XML is nested more than {DEEPEST} deep, which no instrument writes"
    raise InstrumentFileError(message, code="too_large")


def root_name(head: bytes) -> str | None:
    """Local name of the first element in the first bytes of a document; None where it is no XML."""
    text = _text(head).lstrip("\ufeff \t\r\n")
    at = 0
    while text.startswith("<", at):
        ending = next((end for begin, end in _NO_ELEMENT if text.startswith(begin, at)), None)
        if ending is None:
            found = _ELEMENT.match(text, at)
            return found[1] if found else None
        past = text.find(ending, at)
        if ending == ">" and "[" in text[at : past + 1]:  # a DTD of its own
            past = text.find(ending, text.find("]", at))
        if past < 0:
            return None
        at = past + len(ending)
        at += len(text[at : at + _MOST_BLANKS]) - len(text[at : at + _MOST_BLANKS].lstrip())
    return None


def _text(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", errors="replace")
    return head.decode("utf-8", errors="replace")


def local(element: Element) -> str:
    """Name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def children(element: Element, *names: str) -> Iterator[Element]:
    """Children with one of these local names, in order; all children where no name is given."""
    return (child for child in element if not names or local(child) in names)


def child(element: Element, name: str) -> Element | None:
    """First child with this local name."""
    return next(children(element, name), None)


def attribute(element: Element, name: str) -> str | None:
    """Value of an attribute by its local name, whatever its namespace."""
    value = element.get(name)
    if value is not None:
        return value
    ending = "}" + name
    return next((value for key, value in element.attrib.items() if key.endswith(ending)), None)


def text_of(element: Element, name: str) -> str | None:
    """Text of the first child with this local name, without blanks around it; None if empty."""
    found = child(element, name)
    return None if found is None else (found.text or "").strip() or None
