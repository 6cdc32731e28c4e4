"""Gating-ML 2.0 documents to gates. Which events lie inside is computed elsewhere [1]_.

References
----------
.. [1] Spidlen J, Moore W, Brinkman RR (2015), Cytometry A 87A, 683-687: ISAC's Gating-ML 2.0.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.gates import (
    BY_FILE,
    UNCOMPENSATED,
    Box,
    Combination,
    Dimension,
    Ellipsoid,
    Gate,
    Matrix,
    Polygon,
    Ratio,
    inverted,
)
from assayhouse.instruments.gating_ml_parts import (
    Transformations,
    as_array,
    bound,
    coordinates,
    damaged,
    identifier,
    name_of,
    read_matrix,
    read_transformations,
    real,
    vertices,
)
from assayhouse.instruments.xml_tree import (
    Element,
    attribute,
    child,
    children,
    local,
    parse_xml,
)

_GATES = ("RectangleGate", "PolygonGate", "EllipsoidGate", "QuadrantGate", "BooleanGate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a document declares: gates in file order, compensations by identifier."""

    gates: dict[str, Gate]
    matrices: dict[str, Matrix]


def parse_gating_ml(content: bytes) -> Document:
    """Read a Gating-ML 2.0 document.

    Raises
    ------
    InstrumentFileError
        ``not_gating_ml``, ``unsupported_version``, ``unsupported_feature`` or ``damaged``, and
        what the XML itself is refused for.
    """
    if b"Gating-ML" not in content and b"G\0a\0t\0i\0n\0g" not in content:
        message = "the file is no Gating-ML document; nothing was read"
        raise InstrumentFileError(message, code="not_gating_ml")
    root = parse_xml(content)
    if local(root) != "Gating-ML":
        message = f"the root element is {local(root)[:40]!r}, not Gating-ML; nothing was read"
        raise InstrumentFileError(message, code="not_gating_ml")
    if "v2.0" not in root.tag:
        message = "the document is Gating-ML of another version than 2.0; export it as 2.0"
        raise InstrumentFileError(message, code="unsupported_version")
    known = read_transformations(root)
    matrices = {identifier(found): read_matrix(found) for found in children(root, "spectrumMatrix")}
    gates: dict[str, Gate] = {}
    for element in children(root, *_GATES):
        for name, gate in _gates(element, known):
            if name in gates:
                raise damaged(what=f"the gate {name!r} is declared twice")
            gates[name] = gate
    return Document(gates=gates, matrices=matrices)


def _gates(element: Element, known: Transformations) -> Iterator[tuple[str, Gate]]:
    parent = attribute(element, "parent_id")
    kind = local(element)
    if kind == "QuadrantGate":
        for name, box in _quadrants(element, known):
            yield name, Gate(region=box, parent=parent)
    elif kind == "BooleanGate":
        yield identifier(element), Gate(region=_combination(element), parent=parent)
    else:
        dimensions = tuple(_dimension(found, known) for found in children(element, "dimension"))
        if not dimensions:
            raise damaged(what=f"a {kind} has no dimension")
        if kind == "RectangleGate":
            yield identifier(element), Gate(region=Box(dimensions=dimensions), parent=parent)
        elif kind == "PolygonGate":
            polygon = Polygon(dimensions=dimensions, vertices=vertices(element, dimensions))
            yield identifier(element), Gate(region=polygon, parent=parent)
        else:
            yield identifier(element), Gate(region=_ellipsoid(element, dimensions), parent=parent)


def _dimension(element: Element, known: Transformations) -> Dimension:
    plain, new = child(element, "fcs-dimension"), child(element, "new-dimension")
    channel: str | Ratio
    if plain is not None:
        channel = name_of(plain)
    elif new is not None:
        ratio = known.ratios.get(attribute(new, "transformation-ref") or "")
        if ratio is None:
            raise damaged(what="a new dimension refers to a ratio that is not declared")
        channel = ratio
    else:
        raise damaged(what="a dimension names no channel")
    reference = attribute(element, "transformation-ref")
    if reference is not None and reference not in known.scales:
        raise damaged(what="a dimension refers to a transformation that is not declared")
    return Dimension(
        channel=channel,
        compensation=_compensation(attribute(element, "compensation-ref")),
        scale=None if reference is None else known.scales[reference],
        low=bound(element, "min", -math.inf),
        high=bound(element, "max", math.inf),
    )


def _compensation(reference: str | None) -> str:
    if reference is None or reference.lower() == UNCOMPENSATED:
        return UNCOMPENSATED
    return BY_FILE if reference == "FCS" else reference


def _ellipsoid(element: Element, dimensions: tuple[Dimension, ...]) -> Ellipsoid:
    mean, covariance = child(element, "mean"), child(element, "covarianceMatrix")
    distance = child(element, "distanceSquare")
    if mean is None or covariance is None or distance is None:
        raise damaged(what="an ellipsoid lacks its mean, covariance or distance")
    center = coordinates(mean)
    matrix = as_array(
        [[real(entry, "value") for entry in children(row, "entry")]
         for row in children(covariance, "row")]
    )  # fmt: skip
    size = len(dimensions)
    if len(center) != size or matrix.shape != (size, size):
        raise damaged(what="mean and covariance of an ellipsoid do not fit its dimensions")
    return Ellipsoid(
        dimensions=dimensions,
        mean=np.array(center, dtype=np.float64),
        inverse=inverted(matrix),
        distance_square=real(distance, "value"),
    )


def _quadrants(element: Element, known: Transformations) -> Iterator[tuple[str, Box]]:
    dividers: dict[str, tuple[Dimension, list[float]]] = {}
    for found in children(element, "divider"):
        cuts = sorted(_cut(value) for value in children(found, "value"))
        if not cuts:
            raise damaged(what="a divider has no value")
        dividers[identifier(found)] = (_dimension(found, known), cuts)
    for quadrant in children(element, "Quadrant"):
        sides = []
        for position in children(quadrant, "position"):
            reference = attribute(position, "divider_ref") or ""
            if reference not in dividers:
                raise damaged(what="a quadrant refers to a divider that is not declared")
            dimension, cuts = dividers[reference]
            sides.append(_side(dimension, cuts, real(position, "location")))
        if not sides:
            raise damaged(what="a quadrant has no position")
        yield identifier(quadrant), Box(dimensions=tuple(sides))


def _cut(element: Element) -> float:
    try:
        value = float(element.text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise damaged(what="a divider's value is no number")
    return value


def _side(dimension: Dimension, cuts: list[float], location: float) -> Dimension:
    """Interval between two cuts in which ``location`` lies."""
    place = int(np.searchsorted(cuts, location, side="right"))
    edges = [-math.inf, *cuts, math.inf]
    return Dimension(
        channel=dimension.channel,
        compensation=dimension.compensation,
        scale=dimension.scale,
        low=edges[place],
        high=edges[place + 1],
    )


def _combination(element: Element) -> Combination:
    for found in children(element, "and", "or", "not"):
        operands = tuple(_operand(each) for each in children(found, "gateReference"))
        wanted = len(operands) == 1 if local(found) == "not" else len(operands) >= 2
        if not wanted:
            raise damaged(what=f"a boolean gate has {len(operands)} operands")
        return Combination(operation=local(found), operands=operands)
    raise damaged(what="a boolean gate has no operation")


def _operand(element: Element) -> tuple[str, bool]:
    reference = attribute(element, "ref")
    if not reference:
        raise damaged(what="a reference names no gate")
    return reference, attribute(element, "use-as-complement") in {"true", "1"}
