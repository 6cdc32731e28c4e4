"""Where the labels of a panel go so that none covers another. Geometry only, in points."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Edges = npt.NDArray[np.float64]
GAP = 4.5
RISES = (GAP, GAP + 5, GAP + 11, GAP + 18, GAP + 26, GAP + 35, GAP + 45)
PADDING = 0.8
LINE_LIMIT = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """An upright rectangle; x grows to the right, y upwards.

    Parameters
    ----------
    left, bottom, right, top : float
        Edges, in points.
    """

    left: float
    bottom: float
    right: float
    top: float

    def overlap(self, other: "Box") -> float:
        """Return the common area, in square points.

        Parameters
        ----------
        other : Box
            The other rectangle.

        Returns
        -------
        float
            Zero where they only touch.
        """
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return width * height if width > 0 and height > 0 else 0.0

    def contains(self, other: "Box") -> bool:
        """Return whether the other rectangle lies inside this one.

        Parameters
        ----------
        other : Box
            The other rectangle.

        Returns
        -------
        bool
            True also where edges coincide.
        """
        return (
            self.left <= other.left
            and self.right >= other.right
            and self.bottom <= other.bottom
            and self.top >= other.top
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRequest:
    """A label that wants a place near its point.

    Parameters
    ----------
    x, y : float
        The point, in points of the page.
    width, height : float
        Size of the text.
    """

    x: float
    y: float
    width: float
    height: float


def place_labels(
    requests: Sequence[LabelRequest],
    *,
    bounds: Box,
    solid: Sequence[Box],
    lines: Sequence[Box],
) -> tuple[Box | None, ...]:
    """Find a place above or below its point for each label, the most important first.

    A label never covers another one, a marker or an error bar, nor leaves the panel; it may
    touch a connecting line, at a price. One that finds no place is left out, and the caller
    says so.

    Parameters
    ----------
    requests : sequence of LabelRequest
        In order of importance.
    bounds : Box
        Where labels may be.
    solid : sequence of Box
        Markers and error bars.
    lines : sequence of Box
        Small boxes along the connecting lines.

    Returns
    -------
    tuple of Box or None
        One per request, in the same order.
    """
    taken, near = _edges(solid), _edges(lines)
    places: list[Box | None] = []
    for request in requests:
        boxes = [box for box in _candidates(request) if bounds.contains(box)]
        best = _best(request, boxes, taken=taken, lines=near)
        places.append(best)
        if best is not None:
            taken = np.concatenate([taken, _edges([best])])
    return tuple(places)


def _best(request: LabelRequest, boxes: Sequence[Box], *, taken: Edges, lines: Edges) -> Box | None:
    """Return the cheapest free place, the first of equally cheap ones."""
    edges = _edges(boxes)
    covered = _areas(edges, lines).sum(axis=1)
    free = ~(_areas(edges, taken) > 0).any(axis=1) & (covered <= LINE_LIMIT)
    if not free.any():
        return None
    sideways = np.abs((edges[:, 0] + edges[:, 2]) / 2 - request.x)
    upwards = np.abs((edges[:, 1] + edges[:, 3]) / 2 - request.y)
    price = upwards + 0.5 * sideways + 2.0 * covered
    return boxes[int(np.argmin(np.where(free, price, np.inf)))]


def _edges(boxes: Sequence[Box]) -> Edges:
    """Return left, bottom, right, top of each box, shape (boxes, 4)."""
    rows = [(box.left, box.bottom, box.right, box.top) for box in boxes]
    return np.array(rows, dtype=np.float64).reshape(-1, 4)


def _areas(boxes: Edges, others: Edges) -> Edges:
    """Return the common area of each box with each other one, shape (boxes, others)."""
    one, two = boxes[:, None, :], others[None, :, :]
    sides = np.minimum(one[..., 2:], two[..., 2:]) - np.maximum(one[..., :2], two[..., :2])
    common: Edges = np.clip(sides, 0.0, None).prod(axis=-1)
    return common


def _candidates(request: LabelRequest) -> Iterator[Box]:
    half, reach = request.width / 2, request.width / 2 + GAP
    for rise, shift in itertools.product(RISES, (0.0, half / 2, -half / 2, half, -half)):
        for bottom in (request.y + rise, request.y - rise - request.height):
            yield _box(request, request.x + shift, bottom)
    for shift in (reach, -reach):
        yield _box(request, request.x + shift, request.y - request.height / 2)


def _box(request: LabelRequest, centre: float, bottom: float) -> Box:
    return Box(
        left=centre - request.width / 2 - PADDING,
        right=centre + request.width / 2 + PADDING,
        bottom=bottom - PADDING,
        top=bottom + request.height + PADDING,
    )


def stack_labels(
    wanted: Sequence[float], *, height: float, low: float, high: float
) -> tuple[float, ...]:
    """Spread labels of one column upwards and downwards until none overlaps, order kept.

    Parameters
    ----------
    wanted : sequence of float
        Heights the labels would like for their centres.
    height : float
        Distance two centres need.
    low, high : float
        Limits for the centres.

    Returns
    -------
    tuple of float
        Centres, in the order given. Where the column is too short for all, they share it evenly.

    Examples
    --------
    >>> stack_labels([10.0, 11.0], height=4.0, low=0.0, high=100.0)
    (8.5, 12.5)
    """
    order = sorted(range(len(wanted)), key=lambda index: (wanted[index], index))
    step = min(height, (high - low) / max(1, len(order) - 1))
    groups: list[list[float]] = []  # [sum of (wanted - rank within group * step), size]
    for index in order:
        groups.append([wanted[index], 1.0])
        while len(groups) > 1 and _start(groups[-2]) + groups[-2][1] * step > _start(groups[-1]):
            total, size = groups.pop()
            groups[-1][0] += total - size * groups[-1][1] * step
            groups[-1][1] += size
    centres = [_start(group) + rank * step for group in groups for rank in range(int(group[1]))]
    clipped = _clip(centres, step=step, low=low, high=high)
    placed = dict(zip(order, clipped, strict=True))
    return tuple(placed[index] for index in range(len(wanted)))


def _start(group: Sequence[float]) -> float:
    return group[0] / group[1]


def _clip(centres: Sequence[float], *, step: float, low: float, high: float) -> list[float]:
    pushed = [max(centre, low + rank * step) for rank, centre in enumerate(centres)]
    last = len(pushed) - 1
    return [min(centre, high - (last - rank) * step) for rank, centre in enumerate(pushed)]
