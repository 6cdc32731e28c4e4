"""Curvature of the objective, distance to its minimum, standard errors and intervals."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from assayhouse.pk.arrays import BoolArray, FloatArray
from assayhouse.pk.focei import Objective, ObjectiveError, evaluate_objective
from assayhouse.pk.optimise import Box, smallest_concentration
from assayhouse.pk.options import FitOptions
from assayhouse.pk.parameters import Scale
from assayhouse.pk.problem import Problem

_STEP = 1e-4
_SINGULAR = 1e-9
"""Least eigenvalue, as a share of the largest, of a curvature that counts as positive definite."""

_FLAT = 10.0
"""SD of a log structural parameter beyond which the data say nothing about it."""

_SMALL_OMEGA = 1e-3
_SMALL_SIGMA = 0.01
_POLISH = 1e-6
_MAX_POLISH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Curvature:
    """Curvature at the end of a search.

    Parameters
    ----------
    objective : Objective
        Where it was taken.
    used : (p,) array of bool
        Entries that are estimated and not held at a boundary.
    held : (p,) array of bool
        Entries held at a boundary.
    r : (u, u) array or None
        Hessian of OFV/2 in the used entries; None where it cannot be had.
    positive : bool
        Whether ``r`` is positive definite.
    edm : float or None
        g'H^-1 g / 2.
    """

    objective: Objective
    used: BoolArray
    held: BoolArray
    r: FloatArray | None
    positive: bool
    edm: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Covariances on the natural scale, of the parameters in ``names``.

    Parameters
    ----------
    names : tuple of str
        Parameters that are estimated and not held.
    hessian, sandwich : (u, u) array
        R^-1 and R^-1 S R^-1.
    condition_number : float
        Largest over smallest eigenvalue of the correlations of R^-1.
    """

    names: tuple[str, ...]
    hessian: FloatArray
    sandwich: FloatArray
    condition_number: float


def held_entries(problem: Problem, scale: Scale, vector: FloatArray, box: Box) -> BoolArray:
    """Entries at a boundary: at a limit, an omega SD below 1e-3, an additive SD that is nothing.

    Parameters
    ----------
    problem : Problem
        For the smallest concentration.
    scale : Scale
        What the entries are.
    vector : (p,) array
        Where the search ended.
    box : Box
        Limits of the search.
    """
    held = box.held(vector)
    point = scale.at(vector)
    deviations = np.sqrt(np.diag(point.omega))
    for at, (i, _) in enumerate(scale.entries):
        held[scale.first_omega + at] |= deviations[i] < _SMALL_OMEGA
    if "sigma_add" in problem.spec.sigmas:
        little = _SMALL_SIGMA * smallest_concentration(problem)
        held[scale.first_sigma] |= point.sigma[0] < little
    return held & scale.free


def compute_curvature(
    problem: Problem, scale: Scale, objective: Objective, box: Box, tolerance: float
) -> Curvature:
    """Curvature by central differences of the exact gradient, after a last Newton step if needed.

    Parameters
    ----------
    problem : Problem
        Data and model.
    scale : Scale
        What the entries are.
    objective : Objective
        Where the search ended.
    box : Box
        Limits of the search.
    tolerance : float
        Newton decrement of the modes.
    """
    found = _curvature_at(problem, scale, objective, box, tolerance)
    for _ in range(_MAX_POLISH):
        if not found.positive or found.edm is None or found.edm < _POLISH:
            break
        nearer = _newton_step(problem, scale, found, box, tolerance)
        if nearer is None:
            break
        found = _curvature_at(problem, scale, nearer, box, tolerance)
    return found


def _curvature_at(
    problem: Problem, scale: Scale, objective: Objective, box: Box, tolerance: float
) -> Curvature:
    held = held_entries(problem, scale, objective.vector, box)
    used = scale.free & ~held
    r = _half_hessian(problem, scale, objective, used, tolerance)
    positive = (
        r is not None and is_positive(r) and _is_identified(r, int(used[: scale.n_theta].sum()))
    )
    edm = None
    if r is not None and positive:
        gradient = objective.gradient.sum(axis=1)[used]
        edm = float(gradient @ np.linalg.solve(2 * r, gradient) / 2)
    return Curvature(objective=objective, used=used, held=held, r=r, positive=positive, edm=edm)


def _half_hessian(
    problem: Problem,
    scale: Scale,
    objective: Objective,
    used: BoolArray,
    tolerance: float,
) -> FloatArray | None:
    columns = []
    for at in np.flatnonzero(used):
        sides = []
        for sign in (1, -1):
            vector = objective.vector.copy()
            vector[at] += sign * _STEP
            try:
                near = evaluate_objective(
                    problem, scale, vector, near=objective, tolerance=tolerance
                )
            except ObjectiveError:
                return None
            sides.append(near.gradient.sum(axis=1)[used])
        columns.append((sides[0] - sides[1]) / (4 * _STEP))
    if not columns:
        return np.zeros((0, 0))
    r = np.array(columns)
    return np.asarray((r + r.T) / 2)


def is_positive(matrix: FloatArray) -> bool:
    """Whether a symmetric matrix is positive definite beyond rounding, whatever the units."""
    diagonal = np.diag(matrix)
    if not np.isfinite(matrix).all() or (diagonal <= 0).any():
        return False
    if not len(diagonal):
        return True
    scaled = matrix / np.sqrt(np.outer(diagonal, diagonal))
    values = np.linalg.eigvalsh(scaled)
    return bool(values[0] > _SINGULAR * values[-1])


def _is_identified(r: FloatArray, n_theta: int) -> bool:
    """Whether no structural parameter lies in a valley so flat that its curvature is rounding."""
    variances = np.diag(np.linalg.inv(r))[:n_theta]
    return bool((variances < _FLAT**2).all())


def _newton_step(
    problem: Problem, scale: Scale, found: Curvature, box: Box, tolerance: float
) -> Objective | None:
    """One step to the minimum of the quadratic; None where it does not lead down."""
    if found.r is None:
        return None
    gradient = found.objective.gradient.sum(axis=1)[found.used]
    vector = found.objective.vector.copy()
    vector[found.used] -= np.linalg.solve(2 * found.r, gradient)
    vector = np.clip(vector, box.low, box.high)
    try:
        nearer = evaluate_objective(
            problem, scale, vector, near=found.objective, tolerance=tolerance
        )
    except ObjectiveError:
        return None
    return nearer if nearer.total < found.objective.total else None


def compute_errors(scale: Scale, curvature: Curvature) -> Errors | None:
    """Covariances by the delta method; None where the curvature is not positive definite.

    Parameters
    ----------
    scale : Scale
        What the entries are.
    curvature : Curvature
        At the end of the search.

    References
    ----------
    .. [1] Beal SL, Sheiner LB et al. (2009), NONMEM User's Guide, part II ($COVARIANCE, R and S).
    """
    r, used = curvature.r, curvature.used
    if r is None or not curvature.positive:
        return None
    scores = curvature.objective.gradient[used] / 2
    inverse = np.linalg.inv(r)
    jacobian = scale.jacobian(curvature.objective.vector)[np.ix_(used, used)]
    sandwich = inverse @ (scores @ scores.T) @ inverse
    spread = np.sqrt(np.diag(inverse))
    values = np.linalg.eigvalsh(inverse / np.outer(spread, spread)) if len(spread) else np.ones(1)
    return Errors(
        names=tuple(name for name, use in zip(scale.names, used, strict=True) if use),
        hessian=jacobian @ inverse @ jacobian.T,
        sandwich=jacobian @ sandwich @ jacobian.T,
        condition_number=float(values[-1] / values[0]),
    )


def standard_errors(
    names: tuple[str, ...], errors: Errors | None, kind: str
) -> dict[str, float | None]:
    """Take the standard error of every parameter, None where there is none."""
    found: dict[str, float | None] = dict.fromkeys(names)
    if errors is not None and kind != "none":
        matrix = errors.hessian if kind == "hessian" else errors.sandwich
        spread = np.sqrt(np.maximum(np.diag(matrix), 0.0))
        found.update(zip(errors.names, spread.tolist(), strict=True))
    return found


def intervals(
    params: dict[str, float], se: dict[str, float | None], options: FitOptions
) -> dict[str, tuple[float, float] | None]:
    """Wald intervals: on the log scale but for coefficients and covariances.

    Parameters
    ----------
    params : dict of str to float
        Estimates.
    se : dict of str to float or None
        Their standard errors.
    options : FitOptions
        For the level.
    """
    z = float(ndtri((1 + options.ci_level) / 2))
    found: dict[str, tuple[float, float] | None] = {}
    for name, estimate in params.items():
        error = se[name]
        if error is None:
            found[name] = None
        elif "~" in name or name.startswith("omega("):
            found[name] = (estimate - z * error, estimate + z * error)
        else:
            width = float(np.exp(np.minimum(z * error / estimate, 700.0)))
            found[name] = (estimate / width, estimate * width)
    return found
