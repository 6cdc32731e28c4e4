"""Scales on which gates are drawn: Gating-ML 2.0's transformations and FlowJo 10's.

Each takes scale values and gives places on a display. Which channel has which scale is said
elsewhere.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeAlias

import numpy as np

from assayhouse.errors import InstrumentFileError

FloatArray: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
_LN10 = math.log(10.0)
_MOST_STEPS = 200


class Scale(Protocol):
    """A monotone function of scale values."""

    def apply(self, values: FloatArray) -> FloatArray:
        """Places on the display of ``values`` (n,)."""


def _require(*, holds: bool, what: str) -> None:
    if not holds:
        message = f"the transformation {what} has parameters out of its range"
        raise InstrumentFileError(message, code="damaged")


@dataclass(frozen=True)
class Linear:
    """``(x + A) / (T + A)`` [1]_ section 6.1.

    References
    ----------
    .. [1] Spidlen J et al (2015), Cytometry A 87A, 683-687: Gating-ML 2.0.
    """

    T: float
    A: float

    def __post_init__(self) -> None:
        _require(holds=self.T + self.A > 0, what="flin")

    def apply(self, values: FloatArray) -> FloatArray:
        """Places on the display."""
        return (values + self.A) / (self.T + self.A)


@dataclass(frozen=True)
class Log:
    """``log10(x / T) / M + 1``; nothing at or below zero has a place (Gating-ML 2.0, flog)."""

    T: float
    M: float

    def __post_init__(self) -> None:
        _require(holds=self.T > 0 and self.M > 0, what="flog")

    def apply(self, values: FloatArray) -> FloatArray:
        """Places on the display; minus infinity at zero, NaN below."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log10(values / self.T) / self.M + 1.0


@dataclass(frozen=True)
class Asinh:
    """``(asinh(x sinh(M ln 10) / T) + A ln 10) / ((M + A) ln 10)`` (Gating-ML 2.0, fasinh)."""

    T: float
    M: float
    A: float

    def __post_init__(self) -> None:
        usable = self.T > 0 and 0 < self.M < 100 and 0 <= self.A <= self.M
        _require(holds=usable, what="fasinh")

    def apply(self, values: FloatArray) -> FloatArray:
        """Places on the display."""
        at = np.arcsinh(values * (math.sinh(self.M * _LN10) / self.T))
        return (at + self.A * _LN10) / ((self.M + self.A) * _LN10)


def _solved(
    size: FloatArray, start: FloatArray, *, a: float, b: float, c: float, d: float | None
) -> FloatArray:
    """Newton's method for a convex rising function of ``y``, from ``start``.

    ``a e^(b y) - c e^(-d y) = size`` (logicle) or, without ``d``, ``a e^(b y) + c y = size``
    (hyperlog). After
    the first step every iterate is right of the root and falls, so it ends where nothing falls.
    """
    y = start
    for _step in range(_MOST_STEPS):
        rise = a * np.exp(b * y)
        if d is None:
            step = (rise + c * y - size) / (b * rise + c)
        else:
            fall = c * np.exp(-d * y)
            step = (rise - fall - size) / (b * rise + d * fall)
        y = y - step
        if not np.any(np.abs(step) > 4e-16 * np.maximum(np.abs(y), 1.0)):
            break
    return y


@dataclass(frozen=True)
class Logicle:
    """Inverse of ``a e^(b y) - c e^(-d y) - f`` [1]_ equations 8 to 13.

    References
    ----------
    .. [1] Moore WA, Parks DR (2012), Cytometry A 81A, 273-277.
    """

    T: float
    W: float
    M: float
    A: float

    def __post_init__(self) -> None:
        # M of 30 decades is beyond any instrument, and keeps the exponentials finite.
        usable = self.T > 0 and 0 < self.M <= 30 and 0 <= 2 * self.W <= self.M
        usable = usable and -self.W <= self.A <= self.M - 2 * self.W
        _require(holds=usable, what="logicle")

    @cached_property
    def _coefficients(self) -> tuple[float, float, float, float, float, float]:
        w = self.W / (self.M + self.A)
        x2 = self.A / (self.M + self.A)
        x1, x0 = x2 + w, x2 + 2 * w
        b = (self.M + self.A) * _LN10
        d = log_root(b, w)
        c_a = math.exp(x0 * (b + d))
        f_a = math.exp(b * x1) - c_a / math.exp(d * x1)
        a = self.T / (math.exp(b) - f_a - c_a / math.exp(d))
        return a, b, c_a * a, d, f_a * a, x1

    def apply(self, values: FloatArray) -> FloatArray:
        """Places on the display, symmetrical about that of zero."""
        a, b, c, d, f, x1 = self._coefficients
        size = np.abs(values)
        with np.errstate(all="ignore"):
            start = np.maximum(np.log((size + f) / a) / b, x1)
            start = np.where(np.isnan(start) & np.isfinite(size), x1, start)
            y = _solved(size + f, start, a=a, b=b, c=c, d=d)
        return np.where(np.isinf(values), values, np.where(values < 0, 2 * x1 - y, y))


def log_root(b: float, w: float) -> float:
    """Solve ``2 (ln d - ln b) + w (b + d) = 0`` for ``d`` in (0, b] by bisection [1]_.

    References
    ----------
    .. [1] Moore WA, Parks DR (2012), Cytometry A 81A, 273-277, equation 13.
    """
    low, high = 0.0, b
    if w == 0:
        return b
    while True:
        middle = (low + high) / 2
        if middle in {low, high}:
            return middle
        if 2 * (math.log(middle) - math.log(b)) + w * (b + middle) < 0:
            low = middle
        else:
            high = middle


@dataclass(frozen=True)
class Hyperlog:
    """Inverse of ``a e^(b y) + c y - f`` [1]_, as Gating-ML 2.0 fixes its parameters.

    References
    ----------
    .. [1] Bagwell CB (2005), Cytometry A 64A, 34-42.
    """

    T: float
    W: float
    M: float
    A: float

    def __post_init__(self) -> None:
        usable = self.T > 0 and 0 < self.M <= 30 and 0 < 2 * self.W <= self.M
        usable = usable and -self.W <= self.A <= self.M - 2 * self.W
        _require(holds=usable, what="hyperlog")

    @cached_property
    def _coefficients(self) -> tuple[float, float, float, float, float]:
        w = self.W / (self.M + self.A)
        x2 = self.A / (self.M + self.A)
        x1, x0 = x2 + w, x2 + 2 * w
        b = (self.M + self.A) * _LN10
        c_a = math.exp(b * x0) / w
        f_a = math.exp(b * x1) + c_a * x1
        a = self.T / (math.exp(b) + c_a - f_a)
        return a, b, c_a * a, f_a * a, x1

    def apply(self, values: FloatArray) -> FloatArray:
        """Places on the display, symmetrical about that of zero."""
        a, b, c, f, x1 = self._coefficients
        size = np.abs(values)
        with np.errstate(all="ignore"):
            # The right side without its linear part puts the start right of the root.
            y = _solved(size + f, np.log((size + f) / a) / b, a=a, b=b, c=c, d=None)
        return np.where(np.isinf(values), values, np.where(values < 0, 2 * x1 - y, y))


@dataclass(frozen=True)
class Bounded:
    """A scale whose places end at two bounds (``boundMin``, ``boundMax`` of Gating-ML 2.0)."""

    scale: Scale
    low: float = -math.inf
    high: float = math.inf

    def apply(self, values: FloatArray) -> FloatArray:
        """Places on the display."""
        return np.clip(self.scale.apply(values), self.low, self.high)
