"""The smoothest way to give a ladder's fragments to peaks: a path through fragments and peaks.

Scans per base pair change slowly along a run. A path pays for every change between neighbouring
gaps, for unequal heights of neighbours and for every fragment left out; the cheapest is found by
dynamic programming over (fragment, peak) with the last gap as memory.
"""

from dataclasses import dataclass, field

import numpy as np

from assayhouse.instruments.peaks import FloatArray, IntArray

BEND = 0.08
"""Usual change of the scans per base pair from gap to gap, as a logarithm: costs 1."""

LARGEST_BEND = 0.2
"""Median change beyond which an assignment is no ladder."""

UNEQUAL = 0.7
"""Usual difference of neighbouring peaks' heights, as a logarithm: costs 1."""

MISSING = 8.0
"""Cost of a fragment that is left out."""

_PACE = (0.15, 1.6)
_STEPS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Course:
    """Peaks in order of their scans, expected fragments, and scans per base pair of the whole."""

    scans: FloatArray
    log_heights: FloatArray
    sizes: FloatArray
    pace: float


@dataclass(slots=True)
class _Node:
    """Ways into one fragment at one peak: log of the last pace, cost, and where it came from."""

    pace: list[float] = field(default_factory=list)
    cost: list[float] = field(default_factory=list)
    origin: list[tuple[int, int, int]] = field(default_factory=list)


def find_path(
    scans: FloatArray, log_heights: FloatArray, sizes: FloatArray
) -> tuple[IntArray, IntArray]:
    """Give fragments to peaks.

    Parameters
    ----------
    scans, log_heights : (k,) array
        Peaks in order of their scans.
    sizes : (n,) array
        Expected fragments, rising.

    Returns
    -------
    (m,) array of int, (m,) array of int
        Positions of the fragments found and of their peaks; empty where there is no path.

    References
    ----------
    .. [1] Bellman R (1957), Dynamic Programming, ch. 3.
    """
    nothing = np.empty(0, dtype=np.int64)
    if len(scans) < 3 or len(sizes) < 3 or scans[-1] <= scans[0]:
        return nothing, nothing
    pace = (scans[-1] - scans[0]) / (sizes[-1] - sizes[0])
    course = _Course(scans=scans, log_heights=log_heights, sizes=sizes, pace=float(pace))
    nodes: dict[tuple[int, int], _Node] = {}
    for fragment in range(len(sizes)):
        for peak in range(len(scans)):
            _leave(nodes, (fragment, peak), course)
    return _follow(nodes, len(sizes))


def _leave(nodes: dict[tuple[int, int], _Node], at: tuple[int, int], course: _Course) -> None:
    """Enter every way from one fragment at one peak into the next fragments' nodes."""
    scans, sizes = course.scans, course.sizes
    fragment, peak = at
    node = nodes.get(at)
    begin_cost = MISSING * fragment
    for step in range(1, min(_STEPS, len(sizes) - 1 - fragment) + 1):
        gap = sizes[fragment + step] - sizes[fragment]
        first, last = np.searchsorted(
            scans, scans[peak] + gap * course.pace * np.array(_PACE), side="right"
        )
        if first >= last:
            continue
        targets = np.arange(max(first, peak + 1), last)
        paces = np.log((scans[targets] - scans[peak]) / gap)
        unequal = (course.log_heights[targets] - course.log_heights[peak]) / UNEQUAL
        toll = MISSING * (step - 1) + unequal**2
        costs, ways = _cheapest(node, paces, begin_cost)
        for target, log_pace, cost, way in zip(
            targets.tolist(), paces.tolist(), (costs + toll).tolist(), ways.tolist(), strict=True
        ):
            into = nodes.setdefault((fragment + step, target), _Node())
            into.pace.append(log_pace)
            into.cost.append(cost)
            into.origin.append((fragment, peak, way))


def _cheapest(
    node: _Node | None, paces: FloatArray, begin_cost: float
) -> tuple[FloatArray, IntArray]:
    """Cost of going on at each pace, and the way in that it continues; -1 where it begins."""
    costs = np.full(paces.shape, begin_cost)
    ways = np.full(paces.shape, -1, dtype=np.int64)
    if node is None:
        return costs, ways
    bends = ((paces[None] - np.array(node.pace)[:, None]) / BEND) ** 2
    going = np.array(node.cost)[:, None] + bends
    best = np.argmin(going, axis=0)
    cheapest = going[best, np.arange(len(paces))]
    better = cheapest < costs
    return np.where(better, cheapest, costs), np.where(better, best, ways)


def _follow(nodes: dict[tuple[int, int], _Node], n_sizes: int) -> tuple[IntArray, IntArray]:
    """Go back from the cheapest end; fragments behind it count as left out."""
    best: tuple[float, tuple[int, int], int] | None = None
    for at, node in nodes.items():
        way = int(np.argmin(node.cost))
        cost = node.cost[way] + MISSING * (n_sizes - 1 - at[0])
        if best is None or cost < best[0]:
            best = (cost, at, way)
    path: list[tuple[int, int]] = []
    if best is not None:
        _, at, way = best
        path.append(at)
        while way >= 0:
            fragment, peak, way = nodes[at].origin[way]
            at = (fragment, peak)
            path.append(at)
    pairs = np.array(path[::-1], dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]
