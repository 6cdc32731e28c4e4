"""Borders of gates of two axes, to be drawn: corners in the units of the gate's own axes."""

from dataclasses import replace

import numpy as np

from assayhouse.instruments.gates import Box, Ellipsoid, FocalEllipse, Gate, Polygon
from assayhouse.instruments.scales import FloatArray

_TURN = np.linspace(0.0, 2.0 * np.pi, 48, endpoint=False)
_CIRCLE = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1)


def outline(gate: Gate) -> FloatArray | None:
    """Give the border of a gate's region, whichever side of it is inside.

    Parameters
    ----------
    gate : Gate
        Any gate.

    Returns
    -------
    (k, 2) array or None
        Corners in order, infinite where the region is open; those of a polygon near the border of
        an ellipse. None for a combination, a region of one or of many axes, and an ellipse without
        an inside.
    """
    region = gate.region
    if len(getattr(region, "dimensions", ())) != 2:
        return None
    if isinstance(region, Box):
        x, y = region.dimensions
        return np.array([[x.low, y.low], [x.high, y.low], [x.high, y.high], [x.low, y.high]])
    if isinstance(region, Polygon):
        return region.vertices
    if isinstance(region, Ellipsoid):
        return _ellipsoid(region)
    return _focal(region) if isinstance(region, FocalEllipse) else None


def flattened(gate: Gate) -> Gate:
    """Give the shadow of a gate of many axes on the first two; any other as it is.

    Parameters
    ----------
    gate : Gate
        Any gate.
    """
    region = gate.region
    if len(getattr(region, "dimensions", ())) < 3:
        return gate
    if isinstance(region, Box):
        return replace(gate, region=replace(region, dimensions=region.dimensions[:2]))
    if isinstance(region, Ellipsoid):
        spread = np.linalg.pinv(region.inverse)[:2, :2]
        flat = replace(
            region,
            dimensions=region.dimensions[:2],
            mean=region.mean[:2],
            inverse=np.linalg.pinv(spread),
        )
        return replace(gate, region=flat)
    return gate


def _ellipsoid(region: Ellipsoid) -> FloatArray | None:
    try:
        stretch = np.linalg.cholesky(np.linalg.inv(region.inverse))
    except np.linalg.LinAlgError:
        return None
    found: FloatArray = region.mean + np.sqrt(region.distance_square) * _CIRCLE @ stretch.T
    return found


def _focal(region: FocalEllipse) -> FloatArray | None:
    first, second = region.foci
    along = (second - first) / 2.0
    distance = float(np.hypot(*along))
    major = region.length / 2.0
    if not major > distance:
        return None
    minor = np.sqrt(major**2 - distance**2)
    unit = along / distance if distance else np.array([1.0, 0.0])
    across = np.array([-unit[1], unit[0]])
    centre = (first + second) / 2.0
    found: FloatArray = centre + _CIRCLE * (major, minor) @ np.stack([unit, across])
    return found
