"""Where the labels of a panel go so that none covers another. Geometry only, in points."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
    taken = list(solid)
    places: list[Box | None] = []
    for request in requests:
        near = _within_reach(request, lines)
        options = [
            (_price(box, request, near), rank, box)
            for rank, box in enumerate(_candidates(request))
            if bounds.contains(box)
            and not any(box.overlap(other) for other in taken)
            and _covered(box, near) <= LINE_LIMIT
        ]
        best = min(options, key=lambda option: option[:2])[2] if options else None
        places.append(best)
        if best is not None:
            taken.append(best)
    return tuple(places)


def _within_reach(request: LabelRequest, lines: Sequence[Box]) -> list[Box]:
    """Leave out what no candidate can touch: it costs nothing, but time to look at."""
    across = 1.5 * request.width + GAP + PADDING
    up = RISES[-1] + request.height + PADDING
    reach = Box(
        left=request.x - across, right=request.x + across,
        bottom=request.y - up, top=request.y + up,
    )  # fmt: skip
    return [line for line in lines if line.overlap(reach)]


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


def _price(box: Box, request: LabelRequest, lines: Sequence[Box]) -> float:
    sideways = abs((box.left + box.right) / 2 - request.x)
    upwards = abs((box.bottom + box.top) / 2 - request.y)
    return upwards + 0.5 * sideways + 2.0 * _covered(box, lines)


def _covered(box: Box, lines: Sequence[Box]) -> float:
    return sum(box.overlap(line) for line in lines)


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
