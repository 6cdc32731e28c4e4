"""Search for the best 4PL or 5PL: candidate shapes, their profiled fit, descent from the best.

Given the shape, the limits a and d are linear; a coarse look at many shapes therefore costs one
small regression each, and only the most promising become starts of a descent.
"""

from dataclasses import dataclass

import numpy as np

from assayhouse.stats.arrays import FloatArray, IntArray
from assayhouse.stats.least_squares import Minimum, Problem, minimise
from assayhouse.stats.logistic_curve import Shape, compute_derivatives, compute_value

SLOPES = (0.25, 0.5, 0.8, 1.2, 2.0, 4.0, 10.0, 30.0)
ASYMMETRIES = (0.03, 0.15, 0.5, 1.0, 2.0, 6.0, 40.0)
MIDPOINTS = 9

LOG_B = (np.log(1e-2), np.log(1e3))
LOG_G = (np.log(1e-6), np.log(1e6))
RUN_OFF = 100.0
"""How far, in logarithms, the midpoint may leave the standards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Logarithms of the concentrations, signals, and square roots of the weights, each (n,)."""

    log_x: FloatArray
    y: FloatArray
    root: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The best curve found, in natural parameters."""

    a: float
    d: float
    shape: Shape
    rss: float


def search(data: Data, *, asymmetric: bool, starts: int, rng: np.random.Generator) -> Found | None:
    """Find the curve with the smallest weighted sum of squares; None where no descent began.

    Parameters
    ----------
    data : Data
        n standards.
    asymmetric : bool
        5PL, both signs of b; otherwise 4PL with b > 0, which covers both directions.
    starts : int
        Descents.
    rng : numpy.random.Generator
        Moves the candidate shapes inside their cells.

    References
    ----------
    .. [1] Golub GH, Pereyra V (1973), SIAM J Numer Anal 10(2), 413-432: separable problems.
    """
    candidates = _candidates(data, asymmetric=asymmetric, rng=rng)
    rss, limits = _profile(data, candidates)
    best: tuple[float, Minimum] | None = None
    for place in _pick(candidates, rss, starts):
        sign = float(np.sign(candidates[place, 1]))
        end = _descend(data, candidates[place], limits[place], asymmetric=asymmetric)
        if best is None or end.rss < best[1].rss:
            best = (sign, end)
    if best is None or not np.isfinite(best[1].rss):
        return None
    sign, end = best
    shape = _shape(end.parameters, sign)
    return Found(a=float(end.parameters[0]), d=float(end.parameters[1]), shape=shape, rss=end.rss)


def _candidates(data: Data, *, asymmetric: bool, rng: np.random.Generator) -> FloatArray:
    """Shapes to look at: log c, b, log g, one row each."""
    known = data.log_x[np.isfinite(data.log_x)]
    low, high = float(known.min()), float(known.max())
    width = max(high - low, 1.0)
    middles = np.linspace(low - 0.25 * width, high + 0.25 * width, MIDPOINTS)
    slopes = np.array(SLOPES)
    if asymmetric:
        slopes = np.concatenate([slopes, -slopes])
    asymmetries = np.log(ASYMMETRIES) if asymmetric else np.zeros(1)
    grid = np.stack(np.meshgrid(middles, slopes, asymmetries, indexing="ij"), axis=-1)
    candidates = grid.reshape(-1, 3)
    moves = rng.uniform(-0.5, 0.5, size=(len(candidates), 3))
    candidates[:, 0] += moves[:, 0] * (middles[1] - middles[0])
    candidates[:, 1] *= np.exp(0.5 * moves[:, 1])
    if asymmetric:
        candidates[:, 2] += moves[:, 2]
    return candidates


def _profile(data: Data, candidates: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weighted RSS (m,) and best limits a, d (m, 2) of every candidate shape."""
    with np.errstate(all="ignore"):
        t = candidates[:, 1, None] * (data.log_x[None] - candidates[:, 0, None])
        scaled = np.exp(candidates[:, 2, None]) * np.logaddexp(0.0, t)
        first, second = np.exp(-scaled) * data.root, -np.expm1(-scaled) * data.root
        target = data.y * data.root
        aa, dd = (first * first).sum(axis=1), (second * second).sum(axis=1)
        ad = (first * second).sum(axis=1)
        ay, dy = first @ target, second @ target
        determinant = aa * dd - ad * ad
        regular = determinant > 1e-10 * aa * dd
        determinant = np.where(regular, determinant, 1.0)
        limits = np.stack([dd * ay - ad * dy, aa * dy - ad * ay], axis=1) / determinant[:, None]
        rest = first * limits[:, :1] + second * limits[:, 1:] - target
        rss = np.where(regular, (rest * rest).sum(axis=1), np.inf)
    return rss, limits


def _pick(candidates: FloatArray, rss: FloatArray, starts: int) -> IntArray:
    """Choose the best candidates that are not neighbours of a better one."""
    order = np.argsort(rss, kind="stable")
    order = order[np.isfinite(rss[order])]
    width = max(float(np.ptp(candidates[:, 0])), 1.0)
    coordinates = np.stack(
        [
            candidates[:, 0] / width * 4.0,
            np.log(np.abs(candidates[:, 1])) + 10.0 * np.sign(candidates[:, 1]),
            candidates[:, 2] / 2.0,
        ],
        axis=1,
    )
    picked: list[int] = []
    for place in order:
        if len(picked) == starts:
            break
        gaps = coordinates[picked] - coordinates[place]
        if not picked or np.min(np.abs(gaps).sum(axis=1)) > 1.0:
            picked.append(int(place))
    return np.array(picked, dtype=np.int64)


def _shape(parameters: FloatArray, sign: float) -> Shape:
    log_g = float(parameters[4]) if len(parameters) == 5 else 0.0
    return Shape(b=sign * float(np.exp(parameters[3])), log_c=float(parameters[2]), log_g=log_g)


def _descend(data: Data, candidate: FloatArray, limits: FloatArray, *, asymmetric: bool) -> Minimum:
    sign = float(np.sign(candidate[1]))
    columns = 5 if asymmetric else 4
    start = np.array([*limits, candidate[0], np.log(abs(candidate[1])), candidate[2]])[:columns]

    def residuals(parameters: FloatArray) -> FloatArray:
        value = compute_value(data.log_x, parameters[0], parameters[1], _shape(parameters, sign))
        return np.asarray((value - data.y) * data.root, dtype=np.float64)

    def jacobian(parameters: FloatArray) -> FloatArray:
        shape = _shape(parameters, sign)
        by_all = compute_derivatives(data.log_x, parameters[0], parameters[1], shape)
        return np.asarray(by_all[:, :columns] * data.root[:, None], dtype=np.float64)

    known = data.log_x[np.isfinite(data.log_x)]
    lower = [-np.inf, -np.inf, known.min() - RUN_OFF, LOG_B[0], LOG_G[0]]
    upper = [np.inf, np.inf, known.max() + RUN_OFF, LOG_B[1], LOG_G[1]]
    problem = Problem(
        residuals=residuals,
        jacobian=jacobian,
        lower=np.array(lower[:columns]),
        upper=np.array(upper[:columns]),
        max_iterations=200,
    )
    return minimise(problem, start)
