"""The five-parameter logistic curve in logarithms: value, inverse and derivatives.

y = d + (a - d) S, S = (1 + (x/c)^b)^-g = exp(-g z), z = log(1 + exp(t)), t = b (log x - log c).
Holds formulas only; what a value out of range is called, and fitting, are elsewhere.
"""

from dataclasses import dataclass

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray

LARGEST_LOG = 700.0
"""Logarithm of a concentration beyond which a double cannot hold it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What bends the curve: slope b, logarithms of the midpoint c and of the asymmetry g."""

    b: float
    log_c: float
    log_g: float = 0.0


def compute_exponent(log_x: FloatArray, shape: Shape) -> FloatArray:
    """Compute t = b (log x - log c); log x of a zero is minus infinity."""
    return np.asarray(shape.b * (log_x - shape.log_c), dtype=np.float64)


def compute_value(log_x: FloatArray, a: float, d: float, shape: Shape) -> FloatArray:
    """Compute y at logarithms of x, without loss near either limit."""
    with np.errstate(all="ignore"):
        z = np.logaddexp(0.0, compute_exponent(log_x, shape))
        scaled = np.exp(shape.log_g) * z
        kept, gone = np.exp(-scaled), -np.expm1(-scaled)
    value = np.where(kept < 0.5, d + (a - d) * kept, a + (d - a) * gone)
    return np.asarray(value, dtype=np.float64)


def compute_log_x(y: FloatArray, a: float, d: float, shape: Shape) -> tuple[FloatArray, BoolArray]:
    """Compute log x where y lies between the limits (second result), NaN elsewhere."""
    y = np.asarray(y, dtype=np.float64)
    low, high = min(a, d), max(a, d)
    inside = np.asarray((y > low) & (y < high), dtype=np.bool_)
    y = np.where(inside, y, 0.5 * low + 0.5 * high)
    with np.errstate(all="ignore"):
        kept, gone = (y - d) / (a - d), (y - a) / (d - a)
        z = -np.where(kept < 0.5, np.log(kept), np.log1p(-gone)) / np.exp(shape.log_g)
        t = np.where(z > 1.0, z + np.log1p(-np.exp(-z)), np.log(np.expm1(z)))
        log_x = shape.log_c + t / shape.b
    return np.where(inside, log_x, np.nan), inside


def compute_log_slope(log_x: FloatArray, a: float, d: float, shape: Shape) -> FloatArray:
    """Compute d log y / d log x, the sensitivity of a signal to its concentration."""
    parts = compute_derivatives(log_x, a, d, shape)
    value = compute_value(log_x, a, d, shape)
    with np.errstate(all="ignore"):
        return np.asarray(-parts[:, 2] / value, dtype=np.float64)


def compute_derivatives(log_x: FloatArray, a: float, d: float, shape: Shape) -> FloatArray:
    """Differentiate y by a, d, log c, log |b| and log g, to (n, 5).

    Parameters
    ----------
    log_x : (n,) array
        Logarithms of concentrations; minus infinity for zero.
    a, d : float
        Limits of the curve.
    shape : Shape
        Its bends.
    """
    g = np.exp(shape.log_g)
    with np.errstate(all="ignore"):
        t = compute_exponent(log_x, shape)
        z = np.logaddexp(0.0, t)
        kept = np.exp(-g * z)
        # Where x is 0 the curve stands at a limit, and no bend moves it.
        finite = np.isfinite(t)
        steep = np.where(finite, g * kept * np.exp(t - z), 0.0)
        by_t = -(a - d) * steep
        by_log_g = np.where(finite, -(a - d) * g * z * kept, 0.0)
        by_slope = np.where(finite & (steep > 0), by_t * t, 0.0)
        columns = [kept, -np.expm1(-g * z), -shape.b * by_t, by_slope, by_log_g]
    return np.stack(columns, axis=1)
