"""Borders of gates: what lies just inside is in the gate, what lies just outside is not."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from assayhouse.instruments.gate_outlines import outline
from assayhouse.instruments.gates import (
    Box,
    Combination,
    Dimension,
    Ellipsoid,
    FocalEllipse,
    Gate,
    Polygon,
)

PLANE = (Dimension(channel="A"), Dimension(channel="B"))
TILTED = np.array([[4.0, 1.5], [1.5, 1.0]])
ROUND = {
    "ellipsoid": Ellipsoid(
        dimensions=PLANE, mean=np.array([3.0, -2.0]), inverse=np.linalg.inv(TILTED),
        distance_square=2.0,
    ),
    "ellipse": FocalEllipse(dimensions=PLANE, foci=np.array([[0.0, 1.0], [4.0, 3.0]]), length=6.0),
    "circle": FocalEllipse(dimensions=PLANE, foci=np.array([[2.0, 2.0], [2.0, 2.0]]), length=3.0),
    "triangle": Polygon(
        dimensions=PLANE, vertices=np.array([[0.0, 0.0], [5.0, 1.0], [2.0, 4.0]])
    ),
    "box": Box(dimensions=(Dimension(channel="A", low=-1.0, high=2.0),
                           Dimension(channel="B", low=0.0, high=1.0))),
}  # fmt: skip


@pytest.mark.parametrize("region", ROUND.values(), ids=ROUND)
def test_the_border_divides_inside_from_outside(region):
    corners = outline(Gate(region=region))
    middle = corners.mean(axis=0)
    for share, within in ((0.99, True), (1.01, False)):
        points = middle + share * (corners - middle)
        axes = SimpleNamespace(values=lambda each, at=points: at[:, "AB".index(each.channel)])
        assert (region.contains(axes) == within).all()


def test_an_open_box_has_infinite_corners():
    region = Box(dimensions=(Dimension(channel="A", low=1.0), PLANE[1]))
    assert outline(Gate(region=region)).tolist() == [
        [1.0, -math.inf], [math.inf, -math.inf], [math.inf, math.inf], [1.0, math.inf]
    ]  # fmt: skip


@pytest.mark.parametrize(
    "region",
    [
        Box(dimensions=PLANE[:1]),
        Box(dimensions=(*PLANE, Dimension(channel="C"))),
        Combination(operation="and", operands=(("x", False),)),
        FocalEllipse(dimensions=PLANE, foci=np.array([[0.0, 0.0], [4.0, 0.0]]), length=3.0),
        Ellipsoid(dimensions=PLANE, mean=np.zeros(2), inverse=np.zeros((2, 2)),
                  distance_square=1.0),
    ],
)  # fmt: skip
def test_what_has_no_border_in_a_plane_has_no_outline(region):
    assert outline(Gate(region=region)) is None
