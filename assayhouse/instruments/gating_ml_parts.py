"""Parts of Gating-ML 2.0: numbers, coordinates, transformations, compensations. No gates."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.gates import Dimension, Matrix, Ratio, inverted
from assayhouse.instruments.scales import (
    Asinh,
    Bounded,
    FloatArray,
    Hyperlog,
    Linear,
    Log,
    Logicle,
    Scale,
)
from assayhouse.instruments.xml_tree import Element, attribute, child, children, local

_SCALES: dict[str, tuple[Callable[..., Scale], tuple[str, ...]]] = {
    "flin": (Linear, ("T", "A")),
    "flog": (Log, ("T", "M")),
    "fasinh": (Asinh, ("T", "M", "A")),
    "logicle": (Logicle, ("T", "W", "M", "A")),
    "hyperlog": (Hyperlog, ("T", "W", "M", "A")),
}
_MOST_NUMBERS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformations:
    """Scales and ratios by identifier."""

    scales: dict[str, Scale] = field(default_factory=dict)
    ratios: dict[str, Ratio] = field(default_factory=dict)


def damaged(*, what: str) -> InstrumentFileError:
    """Error for a document that contradicts itself."""
    return InstrumentFileError(f"{what}; ask for the document anew", code="damaged")


def identifier(element: Element) -> str:
    """Read the identifier of an element.

    Raises
    ------
    InstrumentFileError
        ``damaged``: it has none.
    """
    found = attribute(element, "id")
    if not found:
        raise damaged(what=f"a {local(element)} has no id")
    return found


def real(element: Element, name: str) -> float:
    """Finite number in an attribute.

    Raises
    ------
    InstrumentFileError
        ``damaged``: it is missing or no finite number.
    """
    text = attribute(element, name)
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise damaged(what=f"{name} of a {local(element)} is no number")
    return value


def bound(element: Element, name: str, default: float) -> float:
    """Finite number in an attribute that may be missing."""
    return default if attribute(element, name) is None else real(element, name)


def read_transformations(root: Element) -> Transformations:
    """Read the scales and ratios that a Gating-ML document declares.

    Raises
    ------
    InstrumentFileError
        ``unsupported_feature`` or ``damaged``.
    """
    known = Transformations()
    for element in children(root, "transformation"):
        for kind in children(element):
            if local(kind) == "fratio":
                known.ratios[identifier(element)] = _ratio(kind)
            elif local(kind) in _SCALES:
                known.scales[identifier(element)] = _scale(element, kind)
            elif local(kind) != "custom_info":
                message = f"the transformation {local(kind)[:40]!r} is not known; leave it out"
                raise InstrumentFileError(message, code="unsupported_feature")
    return known


def _scale(element: Element, kind: Element) -> Scale:
    build, names = _SCALES[local(kind)]
    scale = build(*(real(kind, name) for name in names))
    low, high = bound(element, "boundMin", -math.inf), bound(element, "boundMax", math.inf)
    return Bounded(scale, low, high) if math.isfinite(low) or math.isfinite(high) else scale


def _ratio(kind: Element) -> Ratio:
    names = [name_of(found) for found in children(kind, "fcs-dimension")]
    if len(names) != 2:
        raise damaged(what="a ratio is not of two channels")
    return Ratio(
        channels=(names[0], names[1]), A=real(kind, "A"), B=real(kind, "B"), C=real(kind, "C")
    )


def name_of(element: Element) -> str:
    """Read the name of a channel.

    Raises
    ------
    InstrumentFileError
        ``damaged``: it has none.
    """
    found = attribute(element, "name")
    if not found:
        raise damaged(what=f"a {local(element)} has no name")
    return found


def read_matrix(element: Element) -> Matrix:
    """Read a spectrum matrix.

    Raises
    ------
    InstrumentFileError
        ``damaged``: its numbers do not fit its names, or it has no inverse.
    """
    names = {}
    for part in ("fluorochromes", "detectors"):
        held = child(element, part)
        names[part] = () if held is None else tuple(map(name_of, children(held, "fcs-dimension")))
    rows = [
        [real(value, "value") for value in children(row, "coefficient")]
        for row in children(element, "spectrum")
    ]
    shape = (len(names["fluorochromes"]), len(names["detectors"]))
    already = attribute(element, "matrix-inverted-already") in {"true", "1"}
    given = as_array(rows)
    if 0 in shape or given.shape != shape:
        raise damaged(what="a spectrum matrix has not one number per fluorochrome and detector")
    if already and shape[0] != shape[1]:
        raise damaged(what="a spectrum matrix that is inverted already is not square")
    return Matrix(
        detectors=names["detectors"],
        fluorochromes=names["fluorochromes"],
        unmix=given if already else inverted(given),
    )


def as_array(rows: list[list[float]]) -> FloatArray:
    """Make an array of rows of one length; an empty one where their lengths differ."""
    if len({len(row) for row in rows}) != 1:
        return np.empty((0, 0))
    return np.array(rows, dtype=np.float64)


def vertices(element: Element, dimensions: tuple[Dimension, ...]) -> FloatArray:
    """Corners (k, 2) of a polygon.

    Raises
    ------
    InstrumentFileError
        ``damaged``: fewer than three, or not of two coordinates; ``too_large``.
    """
    corners = [coordinates(found) for found in children(element, "vertex")]
    if len(dimensions) != 2 or len(corners) < 3 or {len(at) for at in corners} != {2}:
        raise damaged(what="a polygon has not three corners of two coordinates")
    if len(corners) > _MOST_NUMBERS:
        message = f"a polygon has more than {_MOST_NUMBERS} corners"
        raise InstrumentFileError(message, code="too_large")
    return np.array(corners, dtype=np.float64)


def coordinates(element: Element) -> list[float]:
    """Read the numbers of a vertex, a mean or the like."""
    return [real(found, "value") for found in children(element, "coordinate")]
