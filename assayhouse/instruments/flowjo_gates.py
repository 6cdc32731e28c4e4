"""Gates and axes of one sample in a FlowJo 10 workspace. No tree, no counts, no events."""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.flowjo_scales import BIEX_TOP, FlowJoBiex, FlowJoLinear, FlowJoLog
from assayhouse.instruments.gates import (
    UNCOMPENSATED,
    Box,
    Combination,
    Dimension,
    FocalEllipse,
    Gate,
    Matrix,
    Polygon,
    Shape,
    Unsupported,
    inverted,
)
from assayhouse.instruments.gating_ml_parts import coordinates, damaged, real, vertices
from assayhouse.instruments.scales import Asinh, FloatArray, Logicle, Scale
from assayhouse.instruments.xml_tree import Element, attribute, child, children, local

BOOLEAN = {"AndNode": "and", "OrNode": "or", "NotNode": "not"}
MATRIX = "workspace"
_DISPLAY = 256.0
_SCALES: dict[str, tuple[Callable[..., Scale], tuple[str, ...]]] = {
    "linear": (FlowJoLinear, ("minRange", "maxRange")),
    "log": (FlowJoLog, ("offset", "decades")),
    "fasinh": (Asinh, ("T", "M", "A")),
    "logicle": (Logicle, ("T", "W", "M", "A")),
    "biex": (FlowJoBiex, ("neg", "width", "pos", "maxRange")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleAxes:
    """What a sample's gates refer to; a scale that is not known is kept by its kind."""

    scales: dict[str, Scale | str]
    matrix: Matrix | None
    compensated: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """One node of the tree: its path as keyed, as FlowJo writes it, and its parent's key."""

    path: str
    raw: str
    parent: str | None
    element: Element


def read_axes(sample: Element) -> SampleAxes:
    """Read the scales and the compensation of one sample."""
    held = child(sample, "Transformations")
    scales = dict(_scales(held)) if held is not None else {}
    element = child(sample, "spilloverMatrix")
    if element is None:
        return SampleAxes(scales=scales, matrix=None, compensated={})
    matrix = _spillover(element)
    prefix, suffix = attribute(element, "prefix") or "", attribute(element, "suffix") or ""
    compensated = {f"{prefix}{name}{suffix}": name for name in matrix.fluorochromes}
    return SampleAxes(scales=scales, matrix=matrix, compensated=compensated)


def _scales(held: Element) -> Iterator[tuple[str, Scale | str]]:
    for element in children(held):
        kind, parameter = local(element), child(element, "parameter")
        name = None if parameter is None else attribute(parameter, "name")
        if name is None:
            raise damaged(what=f"an axis of kind {kind[:40]} names no channel")
        if kind not in _SCALES:
            yield name, kind
            continue
        build, names = _SCALES[kind]
        yield name, build(*(real(element, each) for each in names))


def _spillover(element: Element) -> Matrix:
    if attribute(element, "spectral") == "1":
        message = "the workspace unmixes spectra, which is not evaluated"
        raise InstrumentFileError(message, code="unsupported_feature")
    held = child(element, "parameters")
    names = (
        [attribute(each, "name") or "" for each in children(held, "parameter")]
        if (held is not None)
        else []
    )
    rows: dict[str, dict[str, float]] = {
        attribute(row, "parameter") or "": {
            attribute(each, "parameter") or "": real(each, "value")
            for each in children(row, "coefficient")
        }
        for row in children(element, "spillover")
    }
    if not names or any(set(rows.get(name, ())) != set(names) for name in names):
        raise damaged(what="the spillover matrix has not one number per pair of channels")
    mixing = np.array([[rows[name][other] for other in names] for name in names], dtype=np.float64)
    return Matrix(detectors=tuple(names), fluorochromes=tuple(names), unmix=inverted(mixing))


def read_gate(each: Population, known: SampleAxes, by_raw_path: Mapping[str, str]) -> Gate:
    """Read the gate of one population; a kind that is not evaluated is kept by its name."""
    kind = local(each.element)
    if kind in BOOLEAN:
        return Gate(region=_combination(each.element, kind, by_raw_path), parent=each.parent)
    held = child(each.element, "Gate")
    element = None if held is None else next(children(held), None)
    if element is None:
        return Gate(region=Unsupported(kind="population without a gate"), parent=each.parent)
    outside = attribute(element, "eventsInside") == "0"
    return Gate(region=_region(element, known), parent=each.parent, complement=outside)


def _combination(element: Element, kind: str, by_raw_path: Mapping[str, str]) -> Combination:
    held = child(element, "Dependents")
    names = [
        attribute(each, "name") or "" for each in (
            children(held, "Dependent") if held is not None else ()
        )
    ]  # fmt: skip
    if not names or any(name not in by_raw_path for name in names):
        raise damaged(what="a boolean population refers to one that is not in the tree")
    return Combination(
        operation=BOOLEAN[kind], operands=tuple((by_raw_path[name], False) for name in names)
    )


def _region(element: Element, known: SampleAxes) -> Shape | Unsupported:
    kind = local(element)
    if kind not in {"RectangleGate", "PolygonGate", "EllipsoidGate"}:
        return Unsupported(kind=kind[:40])
    axes = [_axis(each, known) for each in children(element, "dimension")]
    strange = next((axis for axis in axes if isinstance(axis, str)), None)
    if strange is not None:
        return Unsupported(kind=f"{kind} on a {strange[:40]} axis")
    dimensions = tuple(axis for axis in axes if isinstance(axis, Dimension))
    if not dimensions:
        raise damaged(what=f"a {kind} has no dimension")
    if kind == "RectangleGate":
        return Box(dimensions=dimensions)
    if kind == "PolygonGate":
        corners = vertices(element, dimensions)
        placed = [_placed(corners[:, place], axis) for place, axis in enumerate(dimensions)]
        return Polygon(dimensions=dimensions, vertices=np.stack(placed, axis=1))
    return _ellipse(element, dimensions)


def _axis(element: Element, known: SampleAxes) -> Dimension | str:
    """Axis of a gate with its bounds on the display, or the kind of a scale that is not known."""
    plain = child(element, "fcs-dimension")
    name = None if plain is None else attribute(plain, "name")
    if name is None:
        raise damaged(what="a dimension names no channel")
    channel = known.compensated.get(name, name)
    scale = known.scales.get(name, known.scales.get(channel))
    if isinstance(scale, str):
        return scale
    axis = Dimension(
        channel=channel,
        compensation=MATRIX if name in known.compensated else UNCOMPENSATED,
        scale=scale,
    )
    return dataclasses.replace(
        axis,
        low=_placed_bound(element, "min", axis, -math.inf),
        high=_placed_bound(element, "max", axis, math.inf),
    )


def _placed_bound(element: Element, word: str, axis: Dimension, default: float) -> float:
    if attribute(element, word) is None:
        return default
    return float(_placed(np.array([real(element, word)]), axis)[0])


def _placed(values: FloatArray, axis: Dimension) -> FloatArray:
    return values if axis.scale is None else axis.scale.apply(values)


def _ellipse(element: Element, dimensions: tuple[Dimension, ...]) -> FocalEllipse:
    """Ellipse by its foci and four points of its border, on a display of 256 x 256."""
    points = {
        part: [
            coordinates(each)
            for each in children(held, "vertex")
        ] if (held := child(element, part)) is not None else []
        for part in ("foci", "edge")
    }  # fmt: skip
    whole = all(len(at) == 2 for at in (*points["foci"], *points["edge"]))
    if not whole or len(dimensions) != 2 or len(points["foci"]) != 2 or not points["edge"]:
        raise damaged(what="an ellipse has not two foci and points of its border")
    foci, edge = np.array(points["foci"]), np.array(points["edge"])
    # The ends of the major axis are rounded least: theirs is the longest way by both foci.
    length = np.hypot(*(edge[:, None, :] - foci[None, :, :]).transpose(2, 0, 1)).sum(axis=1).max()
    display = tuple(dataclasses.replace(axis, scale=OnDisplay(axis.scale)) for axis in dimensions)
    return FocalEllipse(dimensions=display, foci=foci, length=float(length))


@dataclass(frozen=True)
class OnDisplay:
    """A scale stretched to the 256 places of FlowJo's display."""

    scale: Scale | None

    def apply(self, values: FloatArray) -> FloatArray:
        """Places on the display, 0 to 256."""
        if self.scale is None:
            return values
        top = BIEX_TOP if isinstance(self.scale, FlowJoBiex) else 1.0
        return self.scale.apply(values) * (_DISPLAY / top)
