"""Modes of the random effects: damped Newton over all subjects at once. Parameters do not move."""

from dataclasses import dataclass

import numpy as np

from assayhouse.pk import small
from assayhouse.pk.arrays import BoolArray, FloatArray
from assayhouse.pk.curves import Curves, compute_curves
from assayhouse.pk.jets import square, unpack
from assayhouse.pk.parameters import Point
from assayhouse.pk.problem import Problem
from assayhouse.pk.residual import Contributions, compute_contributions

_MAX_STEPS = 100
_MAX_HALVINGS = 20
_EXACT = 1e-5
"""Share of the tolerance below which one more Newton step would change nothing."""

_CLOSE = 1e-6
"""Decrement below which the full step is taken: rounding may hide that the objective falls."""

_SLACK = 1e-11
"""Rise of the objective, relative to its size, that is rounding."""


@dataclass(frozen=True, slots=True)
class Modes:
    """Random effects at the mode.

    Parameters
    ----------
    eta : (q, n) array
        Modes.
    converged : (n,) array of bool
        Where the Newton decrement is below the tolerance.
    """

    eta: FloatArray
    converged: BoolArray


@dataclass(frozen=True, slots=True)
class _State:
    objective: FloatArray
    gradient: FloatArray
    curves: Curves
    parts: Contributions


def population_phi(problem: Problem, point: Point) -> FloatArray:
    """Log parameters of every subject at eta = 0: (k, n)."""
    phi = np.repeat(point.log_theta[:, None], problem.n_subjects, axis=1)
    for (at, x), coefficient in zip(problem.effects, point.beta, strict=True):
        phi[at] += coefficient * x
    return phi


def find_modes(problem: Problem, point: Point, start: FloatArray, tolerance: float) -> Modes:
    """Find the mode of every subject, from a start and, where that fails, from 0.

    Parameters
    ----------
    problem : Problem
        Data and model.
    point : Point
        Parameters.
    start : (q, n) array
        Random effects to start from.
    tolerance : float
        Newton decrement that ends the search; one more step is then made.

    Returns
    -------
    Modes
        With the subjects that did not converge marked.

    References
    ----------
    .. [1] Boyd S, Vandenberghe L (2004), Convex Optimization, section 9.5 (Newton decrement).
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        found = _newton(problem, point, start, tolerance)
        if found.converged.all() or not start.any():
            return found
        return _newton(problem, point, np.where(found.converged, found.eta, 0.0), tolerance)


def _newton(problem: Problem, point: Point, eta: FloatArray, tolerance: float) -> Modes:
    phi = population_phi(problem, point)
    state = _evaluate(problem, point, phi, eta)
    converged = np.zeros(problem.n_subjects, dtype=np.bool_)
    for _ in range(_MAX_STEPS):
        if not np.isfinite(state.objective).all():
            return Modes(eta, np.isfinite(state.objective) & converged)
        step, decrement = _direction(problem, point, state)
        converged = decrement < tolerance
        settled = decrement < tolerance * _EXACT
        if converged.all():
            return Modes(eta + np.where(settled, 0.0, step), converged)
        largest = np.abs(step).max(axis=0)
        step *= np.where(settled, 0.0, 1 / np.maximum(1.0, largest))
        eta, state, moved = _descend(
            problem, point, phi, eta=eta, step=step, state=state, close=decrement < _CLOSE
        )
        if not moved:
            return Modes(eta, converged)
    return Modes(eta, converged)


def _descend(
    problem: Problem,
    point: Point,
    phi: FloatArray,
    *,
    eta: FloatArray,
    step: FloatArray,
    state: _State,
    close: BoolArray,
) -> tuple[FloatArray, _State, bool]:
    """Shorten each subject's step until its objective does not rise."""
    share = np.ones(problem.n_subjects)
    limit = state.objective + _SLACK * np.maximum(1.0, np.abs(state.objective))
    for _ in range(_MAX_HALVINGS):
        trial = eta + share * step
        found = _evaluate(problem, point, phi, trial)
        worse = ~((found.objective <= limit) | (close & np.isfinite(found.objective)))
        if not worse.any():
            return trial, found, True
        share[worse] *= 0.3
    share[worse] = 0.0
    trial = eta + share * step
    return trial, _evaluate(problem, point, phi, trial), bool(share.any())


def _evaluate(problem: Problem, point: Point, phi: FloatArray, eta: FloatArray) -> _State:
    schedule, iiv = problem.schedule, problem.iiv
    individual = phi.copy()
    individual[iiv] += eta
    curves = compute_curves(
        problem.spec.structure,
        schedule,
        individual,
        active=iiv,
        scale=problem.scale,
        doses=problem.doses,
    )
    parts = compute_contributions(problem, curves.f, point.sigma)
    pull = point.omega_inverse @ eta
    objective = np.add.reduceat(parts.u, schedule.starts) + 0.5 * (eta * pull).sum(axis=0)
    gradient = np.add.reduceat(parts.u1 * curves.g, schedule.starts, axis=1) + pull
    return _State(objective, gradient, curves, parts)


def _direction(problem: Problem, point: Point, state: _State) -> tuple[FloatArray, FloatArray]:
    """Newton step and decrement; Gauss-Newton where the Hessian is not positive definite."""
    starts, q = problem.schedule.starts, len(point.omega)
    products = square(state.curves.g)
    prior = point.omega_inverse[:, :, None]
    packed = np.add.reduceat(state.parts.u2 * products, starts, axis=1)
    packed += state.curves.weighted_hessian(state.parts.u1, starts)
    hessian = unpack(packed, q) + prior
    lower, good = small.factor(hessian)
    if not good.all():
        other = unpack(np.add.reduceat(state.parts.w * products, starts, axis=1), q) + prior
        lower, _ = small.factor(np.where(good, hessian, other))
    step = -small.solve(lower, state.gradient)
    return step, -(step * state.gradient).sum(axis=0)
