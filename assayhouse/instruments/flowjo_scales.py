"""FlowJo 10's own scales: linear, log with a floor, and the biexponential lookup table.

FlowJo draws ellipses on a display of 256 x 256; ``top`` says which place is its far end.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.scales import FloatArray, log_root

BIEX_TOP = 4096.0


@dataclass(frozen=True)
class FlowJoLinear:
    """``(x - low) / (high - low)``: 0 and 1 are the ends of the display."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.high > self.low:
            message = "a linear axis of the workspace ends before it begins"
            raise InstrumentFileError(message, code="damaged")

    def apply(self, values: FloatArray) -> FloatArray:
        """Places on the display."""
        return (values - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class FlowJoLog:
    """``log10(max(x, offset) / offset) / decades``: all below the offset is on the axis."""

    offset: float
    decades: float

    def __post_init__(self) -> None:
        if not (self.offset > 0 and self.decades > 0):
            message = "a logarithmic axis of the workspace has no decades or begins at zero"
            raise InstrumentFileError(message, code="damaged")

    def apply(self, values: FloatArray) -> FloatArray:
        """Places on the display."""
        return np.log10(np.maximum(values, self.offset) / self.offset) / self.decades


@dataclass(frozen=True)
class FlowJoBiex:
    """FlowJo 10's biexponential axis: a table of 4097 channels, straight lines between them [1]_.

    Parameters
    ----------
    negative : float
        Extra decades below zero.
    width : float
        Width basis, below zero: how much of the data is squeezed into the linear part.
    positive : float
        Decades above zero.
    highest : float
        Value at the last channel but one.

    References
    ----------
    .. [1] Parks DR, Roederer M, Moore WA (2006), Cytometry A 69A, 541-551.
    """

    negative: float
    width: float
    positive: float
    highest: float

    def __post_init__(self) -> None:
        usable = (
            -1e6 <= self.width < 0
            and 0 < self.positive <= 30
            and abs(self.negative) <= 30
            and self.highest > 0
            and self.positive > math.log10(-self.width) / 2
            and max(self.negative, 0.0) + math.log10(-self.width) / 2 >= 0
        )
        if not usable:
            message = "a biexponential axis of the workspace has parameters out of their range"
            raise InstrumentFileError(message, code="damaged")

    @cached_property
    def table(self) -> FloatArray:
        """Value of the data at each channel from 0 to 4096."""
        n = int(BIEX_TOP)
        half_width = math.log10(-self.width) / 2
        decades = self.positive - half_width
        extra = max(self.negative, 0.0) + half_width
        zero = min(int(extra * n / (extra + decades)), n // 2)
        if zero > 0:
            decades = extra * n / zero
        w = half_width / decades
        b = decades * math.log(10.0)
        d = log_root(b, w) if w > 0 else b
        place = np.arange(n + 1) / (n + 1)
        rising = np.exp(place * b)
        falling = np.exp((b + d) * (w + extra / decades) - place * d)
        above = rising[zero:] - falling[zero:]
        above = (above - (rising[zero] - falling[zero])) * (self.highest / math.exp(b))
        return np.concatenate([-above[zero:0:-1], above])

    def apply(self, values: FloatArray) -> FloatArray:
        """Channels, 0 to 4096; what is beyond the table lies on its ends."""
        found = np.interp(values, self.table, np.arange(BIEX_TOP + 1))
        return np.where(np.isnan(values), np.nan, found)
