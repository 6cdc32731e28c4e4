"""Gates as geometry: regions of the space of their axes. No file format, no events.

Bounds of intervals are closed below and open above, as in Gating-ML 2.0.
"""

import math
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.scales import FloatArray, Scale

BoolArray: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
UNCOMPENSATED, BY_FILE = "uncompensated", "FCS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """``A (x - B) / (y - C)`` of two channels (Gating-ML 2.0, fratio)."""

    channels: tuple[str, str]
    A: float
    B: float
    C: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One axis of a gate: a channel or a ratio of two, how compensated, on which scale."""

    channel: str | Ratio
    compensation: str = UNCOMPENSATED
    scale: Scale | None = None
    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A compensation: ``unmix`` (n_detectors, n_fluorochromes) is multiplied from the right."""

    detectors: tuple[str, ...]
    fluorochromes: tuple[str, ...]
    unmix: FloatArray


class Axes(Protocol):
    """What a gate asks for the values along its axes."""

    def values(self, dimension: Dimension) -> FloatArray:
        """Values (n_events,) along one axis."""


class Shape(Protocol):
    """A region of the space of a gate's axes."""

    def contains(self, axes: Axes) -> BoolArray:
        """Which events (n_events,) lie inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Rectangle, range, or box of any number of axes; also one quadrant."""

    dimensions: tuple[Dimension, ...]

    def contains(self, axes: Axes) -> BoolArray:
        """Which events lie inside: low <= value < high on every axis."""
        inside: BoolArray | None = None
        for dimension in self.dimensions:
            values = axes.values(dimension)
            within = (values >= dimension.low) & (values < dimension.high)
            inside = within if inside is None else inside & within
        return np.array([], dtype=np.bool_) if inside is None else inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Polygon:
    """Polygon of ``vertices`` (k, 2); where it crosses itself, by the even-odd rule."""

    dimensions: tuple[Dimension, ...]
    vertices: FloatArray

    def contains(self, axes: Axes) -> BoolArray:
        """Which events lie inside: a ray to the right crosses the border an odd number of times."""
        x, y = (axes.values(dimension) for dimension in self.dimensions)
        inside = np.zeros(x.shape, dtype=np.bool_)
        for (x0, y0), (x1, y1) in zip(
            self.vertices, np.roll(self.vertices, -1, axis=0), strict=True
        ):
            if y0 == y1:
                continue
            crosses = (y < y0) != (y < y1)
            with np.errstate(invalid="ignore", over="ignore"):
                # Positive left of a rising edge, negative left of a falling one.
                side = (x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)
            inside ^= crosses & ((side > 0) if y1 > y0 else (side < 0))
        return inside & np.isfinite(x) & np.isfinite(y)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ellipsoid:
    """``(x - mean)' C^-1 (x - mean) <= distance_square`` in any number of axes."""

    dimensions: tuple[Dimension, ...]
    mean: FloatArray
    inverse: FloatArray
    distance_square: float

    def contains(self, axes: Axes) -> BoolArray:
        """Which events lie inside or on the border."""
        offset = np.stack([axes.values(dimension) for dimension in self.dimensions], axis=1)
        offset = offset - self.mean
        with np.errstate(invalid="ignore", over="ignore"):
            distance = np.einsum("ij,jk,ik->i", offset, self.inverse, offset)
        return np.asarray(distance <= self.distance_square)


@dataclass(frozen=True, slots=True, kw_only=True)
class FocalEllipse:
    """Points whose distances to two foci sum to at most ``length`` (the major axis)."""

    dimensions: tuple[Dimension, ...]
    foci: FloatArray
    length: float

    def contains(self, axes: Axes) -> BoolArray:
        """Which events lie inside or on the border."""
        x, y = (axes.values(dimension) for dimension in self.dimensions)
        total = sum(np.hypot(x - at[0], y - at[1]) for at in self.foci)
        return np.asarray(total <= self.length)


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """``and``, ``or`` or ``not`` of other gates, each perhaps as its complement."""

    operation: str
    operands: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsupported:
    """A gate of a kind that is not evaluated; its name is said when it is asked."""

    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One gate of a tree: a region or combination within its parent, perhaps turned inside out."""

    region: Shape | Combination | Unsupported
    parent: str | None = None
    complement: bool = False

    @property
    def needs(self) -> tuple[str, ...]:
        """Identifiers of the gates that must be known first."""
        parent = () if self.parent is None else (self.parent,)
        if isinstance(self.region, Combination):
            return (*parent, *(name for name, _complement in self.region.operands))
        return parent


def inverted(mixing: FloatArray) -> FloatArray:
    """Unmixing of a mixing (n_fluorochromes, n_detectors): its inverse, or least squares.

    Raises
    ------
    InstrumentFileError
        ``damaged``: the matrix has no inverse.
    """
    rank = int(np.linalg.matrix_rank(mixing))
    if rank < mixing.shape[0]:
        message = "a compensation matrix has no inverse: two of its rows say the same"
        raise InstrumentFileError(message, code="damaged")
    if mixing.shape[0] == mixing.shape[1]:
        return np.asarray(np.linalg.inv(mixing), dtype=np.float64)
    return np.asarray(np.linalg.pinv(mixing), dtype=np.float64)
