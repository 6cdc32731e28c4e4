"""Counts of values in bins of a round width, one bin ending at a given value. Estimates nothing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from assayhouse.report.sketch import Point

WANTED = 28
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """One bin: above ``low``, up to and including ``high``.

    Parameters
    ----------
    low, high : float
        Ends.
    count : int
        Values inside.
    """

    low: float
    high: float
    count: int

    @property
    def middle(self) -> float:
        """Middle of the bin."""
        return (self.low + self.high) / 2


def round_width(span: float, *, wanted: int = WANTED) -> float:
    """Return a round width that cuts a span into at most as many bins as wanted.

    Parameters
    ----------
    span : float
        Largest minus smallest value.
    wanted : int
        Number of bins.

    Returns
    -------
    float
        1, 2, 2.5 or 5 times a power of ten; 1 where the span is zero.

    Examples
    --------
    >>> round_width(5.6), round_width(0.0)
    (0.2, 1.0)
    """
    if span <= 0:
        return 1.0
    raw = span / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    return power * next(step for step in STEPS if step * power >= raw * 0.999)


def count_in_bins(
    values: Sequence[float], *, anchor: float, wanted: int = WANTED
) -> tuple[Bin, ...]:
    """Count values in bins of which one ends exactly at ``anchor``.

    So a value at the anchor counts below it, as a cut-off reads it.

    Parameters
    ----------
    values : sequence of float
        Finite.
    anchor : float
        A cut-off or a threshold.
    wanted : int
        Number of bins, about.

    Returns
    -------
    tuple of Bin
        Without a gap from the first to the last that holds a value; empty without values.
    """
    if not values:
        return ()
    width = round_width(max(values) - min(values), wanted=wanted)
    # The difference is exactly zero at the anchor, so a value there is never above it.
    ranks = [math.ceil((value - anchor) / width) for value in values]
    return tuple(
        Bin(low=anchor + (rank - 1) * width, high=anchor + rank * width, count=ranks.count(rank))
        for rank in range(min(ranks), max(ranks) + 1)
    )


def outline(bins: Sequence[Bin]) -> list[Point]:
    """Return the upper edge of the bars as one line, for a small picture.

    Parameters
    ----------
    bins : sequence of Bin
        Without a gap.

    Returns
    -------
    list of (float, float)
        Starts and ends at zero.
    """
    if not bins:
        return []
    line: list[Point] = [(bins[0].low, 0.0)]
    for one in bins:
        line += [(one.low, float(one.count)), (one.high, float(one.count))]
    return [*line, (bins[-1].high, 0.0)]
