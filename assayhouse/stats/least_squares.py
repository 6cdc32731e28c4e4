"""Nonlinear least squares by Levenberg and Marquardt, inside a box, for small problems.

Holds the iteration and what makes its end believable. It knows no model, no starting values and
no weights: residuals come weighted.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from assayhouse.stats.arrays import BoolArray, FloatArray

Residuals = Callable[[FloatArray], FloatArray]
Jacobian = Callable[[FloatArray], FloatArray]

MAX_ITERATIONS = 1000
"""Trial steps of one descent."""

FINE = 1e-14
"""Relative size of a step, or relative decrease of the sum of squares, that is rounding."""

SINGULAR = 1e-13
"""Reciprocal condition of the column-scaled Jacobian below which it counts as singular."""

SETTLED = 1e-5
"""Largest relative Gauss-Newton step at an end that is still called a minimum."""

POLISHING = 20
"""Undamped steps at the end."""

ROUNDING = 1e-10
"""Relative growth of the sum of squares that an undamped step may cost."""

_MILD, _FIRM = 1e-3, 1e3


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimum:
    """Where a descent ended.

    Parameters
    ----------
    parameters : (p,) array
        Parameters at the end.
    rss : float
        Sum of the squared residuals; infinite where the start has none.
    settled : bool
        The Jacobian is regular and a further Gauss-Newton step would move nothing.
    """

    parameters: FloatArray
    rss: float
    settled: bool


@dataclass(slots=True, kw_only=True)
class _State:
    parameters: FloatArray
    residuals: FloatArray
    jacobian: FloatArray
    rss: float
    scale: FloatArray
    damping: float
    growth: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Residuals, their derivatives and the box in which the parameters may move."""

    residuals: Residuals
    jacobian: Jacobian
    lower: FloatArray
    upper: FloatArray
    max_iterations: int = MAX_ITERATIONS


def minimise(problem: Problem, start: FloatArray, *, damping: float = _MILD) -> Minimum:
    """Descend from one start.

    Parameters
    ----------
    problem : Problem
        n residuals of p parameters.
    start : (p,) array
        Where to begin; moved into the box.
    damping : float
        First damping, relative to the squared column norms of the Jacobian. Large values begin
        with small steps.

    References
    ----------
    .. [1] Moré JJ (1978), The Levenberg-Marquardt algorithm: implementation and theory, LNM 630.
    .. [2] Nielsen HB (1999), Damping parameter in Marquardt's method, IMM-REP-1999-05, eq. 2.9.
    """
    with np.errstate(all="ignore"):
        state = _begin(problem, np.clip(start, problem.lower, problem.upper), damping)
        if state is None:
            return Minimum(parameters=start.copy(), rss=np.inf, settled=False)
        for _ in range(problem.max_iterations):
            if _advance(problem, state):
                break
        _polish(problem, state)
        return Minimum(
            parameters=state.parameters,
            rss=state.rss,
            settled=_is_settled(problem, state),
        )


def minimise_stubbornly(problem: Problem, start: FloatArray) -> Minimum:
    """Descend with bold and with careful first steps and keep the lower believable end."""
    ends = [minimise(problem, start, damping=damping) for damping in (_MILD, 1.0, _FIRM)]
    return min(ends, key=lambda end: (not end.settled, end.rss))


def _begin(problem: Problem, parameters: FloatArray, damping: float) -> _State | None:
    residuals = problem.residuals(parameters)
    jacobian = problem.jacobian(parameters)
    if not (np.isfinite(residuals).all() and np.isfinite(jacobian).all()):
        return None
    return _State(
        parameters=parameters,
        residuals=residuals,
        jacobian=jacobian,
        rss=float(residuals @ residuals),
        scale=np.linalg.norm(jacobian, axis=0),
        damping=damping,
    )


def _advance(problem: Problem, state: _State) -> bool:
    """Try one step; True when nothing more is to be gained."""
    free = _free(problem, state.parameters, state.jacobian.T @ state.residuals)
    step = _damped_step(state, free)
    trial = np.clip(state.parameters + step, problem.lower, problem.upper)
    moved = trial - state.parameters
    size = float(np.max(np.abs(moved) / (np.abs(state.parameters) + FINE), initial=0.0))
    residuals = problem.residuals(trial)
    rss = float(residuals @ residuals)
    change = state.jacobian @ moved
    predicted = -float(change @ (2.0 * state.residuals + change))
    gain = (state.rss - rss) / predicted if predicted > 0 else -1.0
    if not (np.isfinite(rss) and gain > 0):
        state.damping *= state.growth
        state.growth *= 2.0
        return size <= FINE or not np.isfinite(state.damping)
    jacobian = problem.jacobian(trial)
    if not np.isfinite(jacobian).all():
        state.damping *= 10.0
        return size <= FINE
    small = size <= FINE or state.rss - rss <= FINE * FINE * state.rss
    state.parameters, state.residuals, state.jacobian, state.rss = trial, residuals, jacobian, rss
    state.scale = np.maximum(state.scale, np.linalg.norm(jacobian, axis=0))
    state.damping *= max(1.0 / 3.0, 1.0 - (2.0 * gain - 1.0) ** 3)
    state.damping = max(state.damping, 1e-20)
    state.growth = 2.0
    return small


def _free(problem: Problem, parameters: FloatArray, gradient: FloatArray) -> BoolArray:
    """Parameters that are not held at a wall by the descent itself."""
    held = ((parameters <= problem.lower) & (gradient > 0)) | (
        (parameters >= problem.upper) & (gradient < 0)
    )
    return np.asarray(~held, dtype=np.bool_)


def _damped_step(state: _State, free: BoolArray) -> FloatArray:
    step = np.zeros_like(state.parameters)
    scale = np.where(state.scale > 0, state.scale, 1.0)[free]
    if not free.any():
        return step
    scaled = state.jacobian[:, free] / scale
    wall = np.sqrt(state.damping) * np.eye(int(free.sum()))
    target = np.concatenate([-state.residuals, np.zeros(int(free.sum()))])
    solved = np.linalg.lstsq(np.vstack([scaled, wall]), target, rcond=None)[0]
    step[free] = solved / scale
    return step


def _polish(problem: Problem, state: _State) -> None:
    """Take undamped steps while they shrink: near the end the sum of squares is only rounding."""
    last = SETTLED
    for _ in range(POLISHING):
        step = _newton_step(state)
        if step is None:
            return
        trial = state.parameters + step
        size = float(np.max(np.abs(step) / (np.abs(state.parameters) + FINE)))
        if size >= last or np.any(trial < problem.lower) or np.any(trial > problem.upper):
            return
        residuals, jacobian = problem.residuals(trial), problem.jacobian(trial)
        rss = float(residuals @ residuals)
        if not (rss <= state.rss * (1.0 + ROUNDING) and np.isfinite(jacobian).all()):
            return
        last = size
        state.parameters, state.residuals, state.jacobian = trial, residuals, jacobian
        state.rss = rss


def _newton_step(state: _State) -> FloatArray | None:
    """Undamped Gauss-Newton step; None where the Jacobian is singular."""
    norms = np.linalg.norm(state.jacobian, axis=0)
    if not (np.all(norms > 0) and np.isfinite(norms).all()):
        return None
    u, s, vt = np.linalg.svd(state.jacobian / norms, full_matrices=False)
    if s[-1] <= SINGULAR * s[0]:
        return None
    return np.asarray((vt.T @ ((u.T @ -state.residuals) / s)) / norms, dtype=np.float64)


def _is_settled(problem: Problem, state: _State) -> bool:
    free = _free(problem, state.parameters, state.jacobian.T @ state.residuals)
    step = _newton_step(state)
    if step is None or not free.all() or not np.isfinite(state.rss):
        return False
    return bool(np.all(np.abs(step) <= SETTLED * np.abs(state.parameters) + FINE))


def differences(model: Residuals, parameters: FloatArray, scale: FloatArray) -> FloatArray:
    """Differentiate a model by central differences of fourth order, to (n, p).

    Parameters
    ----------
    model : callable
        (p,) to (n,).
    parameters : (p,) array
        Where.
    scale : (p,) array
        Size of a parameter that is zero here.

    References
    ----------
    .. [1] Abramowitz M, Stegun IA (1964), Handbook of Mathematical Functions, 25.3.6.
    """
    columns = []
    for place, value in enumerate(parameters):
        h = 7e-4 * (abs(value) if value else scale[place])
        wide, narrow = (
            _difference(model, parameters, place, distance) for distance in (2.0 * h, h)
        )
        columns.append((8.0 * narrow - wide) / (12.0 * h))
    return np.stack(columns, axis=1)


def _difference(
    model: Residuals, parameters: FloatArray, place: int, distance: float
) -> FloatArray:
    up, down = parameters.copy(), parameters.copy()
    up[place] += distance
    down[place] -= distance
    return model(up) - model(down)


def compute_std_errors(jacobian: FloatArray, rss: float) -> FloatArray:
    """Square roots of the diagonal of (J'J)^-1 rss / (n - p); NaN where that is singular.

    Parameters
    ----------
    jacobian : (n, p) array
        Derivatives of the weighted fitted values.
    rss : float
        Weighted residual sum of squares.

    References
    ----------
    .. [1] Bates DM, Watts DG (1988), Nonlinear Regression Analysis, eq. 2.18.
    """
    n, p = jacobian.shape
    unknown = np.full(p, np.nan)
    if n <= p or not np.isfinite(jacobian).all():
        return unknown
    norms = np.linalg.norm(jacobian, axis=0)
    if not np.all(norms > 0):
        return unknown
    _, s, vt = np.linalg.svd(jacobian / norms, full_matrices=False)
    if s[-1] <= SINGULAR * s[0]:
        return unknown
    diagonal = np.sum((vt / s[:, None]) ** 2, axis=0)
    return np.asarray(np.sqrt(diagonal * rss / (n - p)) / norms, dtype=np.float64)
