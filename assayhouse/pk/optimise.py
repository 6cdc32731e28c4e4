"""The search for the lowest objective: L-BFGS-B from several starts. No standard errors here."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from assayhouse.pk.arrays import BoolArray, FloatArray
from assayhouse.pk.focei import Objective, ObjectiveError, evaluate_objective
from assayhouse.pk.options import FitOptions
from assayhouse.pk.parameters import Scale
from assayhouse.pk.problem import Problem

_FTOL = 1e-12
_MEMORY = 30
_CLOSER = 0.3
"""Ends a search so near that no Newton step, with its second curvature, is needed after it."""
RUNAWAY = np.log(1e3)
"""Distance of a structural parameter from the given start that nothing real has."""

_FARTHEST = np.log(1e4)
"""Largest distance of a structural parameter from its start, on the log scale."""

_SMALLEST_SD = np.log(1e-4)
_LARGEST_SD = np.log(50.0)
_SMALLEST_PROPORTIONAL = np.log(1e-6)
_SMALLEST_ADDITIVE = 1e-6
"""Least additive SD, as a share of the smallest concentration or limit."""

_AGREE = 0.01


@dataclass(frozen=True, slots=True)
class Run:
    """One search.

    Parameters
    ----------
    objective : Objective or None
        Where it ended; None where it could not be evaluated.
    converged : bool
        Whether the search says it has converged.
    message : str
        How it ended.
    code : str
        Why it failed, empty where it did not.
    """

    objective: Objective | None
    converged: bool
    message: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """Limits of the search.

    Parameters
    ----------
    start : (p,) array
        The given start.
    low, high : (p,) array
        On the estimation scale.
    unit : (p,) array
        What one step of the search is in each entry; `scaled_box` sets it.
    """

    start: FloatArray
    low: FloatArray
    high: FloatArray
    unit: FloatArray

    def held(self, vector: FloatArray) -> BoolArray:
        """Entries at one of their limits."""
        near = 1e-8 * np.maximum(1.0, np.abs(vector))
        return (vector - self.low < near) | (self.high - vector < near)


def search_box(problem: Problem, scale: Scale, start: FloatArray) -> Box:
    """Limits around a start: wide enough that only a runaway search meets them.

    Parameters
    ----------
    problem : Problem
        Data, for the scale of concentrations and covariates.
    scale : Scale
        What the vector's entries are.
    start : (p,) array
        The given start.
    """
    low, high = np.full(len(start), -np.inf), np.full(len(start), np.inf)
    theta = slice(0, scale.n_theta)
    low[theta], high[theta] = start[theta] - _FARTHEST, start[theta] + _FARTHEST
    for at, (i, j) in enumerate(scale.entries):
        if i == j:
            low[scale.first_omega + at] = _SMALLEST_SD
            high[scale.first_omega + at] = _LARGEST_SD
    for at, name in enumerate(problem.spec.sigmas):
        if name == "sigma_add":
            least = np.log(_SMALLEST_ADDITIVE * smallest_concentration(problem))
        else:
            least = _SMALLEST_PROPORTIONAL
        low[scale.first_sigma + at] = least
    return Box(start.copy(), low, high, np.ones(len(start)))


def scaled_box(box: Box, objective: Objective) -> Box:
    """Take as one step in each entry about its standard error, from the scores of the subjects.

    In such units the curvature is near 1 in every direction, and the search needs half the steps.

    Parameters
    ----------
    box : Box
        Limits of the search.
    objective : Objective
        Where the search begins.

    References
    ----------
    .. [1] Berndt EK, Hall BH, Hall RE, Hausman JA (1974), Ann Econ Soc Meas 3, 653-665.
    """
    information = ((objective.gradient / 2) ** 2).sum(axis=1)
    known = np.isfinite(information) & (information > 0)
    return replace(box, unit=1 / np.sqrt(np.where(known, information, 1.0)))


def smallest_concentration(problem: Problem) -> float:
    """Smallest limit of quantification or quantified concentration above 0."""
    limits = problem.samples["LLOQ"].drop_nulls().to_numpy()
    values = np.concatenate([problem.y, limits])
    positive = values[values > 0]
    return float(positive.min()) if len(positive) else 1.0


def search(
    problem: Problem, scale: Scale, start: FloatArray, options: FitOptions
) -> tuple[list[Run], Box]:
    """Search from the given start and from others around it.

    Parameters
    ----------
    problem : Problem
        Data and model.
    scale : Scale
        What the vector's entries are.
    start : (p,) array
        The given start on the estimation scale.
    options : FitOptions
        How many starts, how far, how long.

    Returns
    -------
    tuple
        One `Run` per start, and the limits of the search.

    References
    ----------
    .. [1] Byrd RH, Lu P, Nocedal J, Zhu C (1995), SIAM J Sci Comput 16, 1190-1208 (L-BFGS-B).
    """
    box = search_box(problem, scale, start)
    rng = np.random.default_rng(options.seed)
    runs = []
    for number in range(options.starts):
        from_here = start.copy()
        shift = rng.normal(0.0, options.start_sd, scale.n_theta) if number else 0.0
        moves = np.where(scale.free[: scale.n_theta], shift, 0.0)
        from_here[: scale.n_theta] += moves
        runs.append(_search_once(problem, scale, box, from_here, options))
    return runs, box


def best_run(runs: list[Run]) -> Run | None:
    """Choose the run with the lowest objective; the first of equals."""
    ended = [run for run in runs if run.objective is not None]
    return min(ended, key=_total, default=None)


def n_agreeing(runs: list[Run]) -> int:
    """How many runs come within 0.01 of the lowest objective."""
    totals = [_total(run) for run in runs]
    return sum(total <= min(totals) + _AGREE for total in totals)


def _total(run: Run) -> float:
    return np.inf if run.objective is None else run.objective.total


class _Walk:
    """What L-BFGS-B asks for, remembering where the modes were."""

    def __init__(
        self, problem: Problem, scale: Scale, box: Box, first: Objective, tolerance: float
    ) -> None:
        self._problem, self._scale, self._tolerance = problem, scale, tolerance
        self._vector, self._unit = first.vector.copy(), box.unit[scale.free]
        self.now = self.best = first

    def vector(self, x: FloatArray) -> FloatArray:
        vector = self._vector.copy()
        vector[self._scale.free] = x * self._unit
        return vector

    def __call__(self, x: FloatArray) -> tuple[float, FloatArray]:
        try:
            self.now = evaluate_objective(
                self._problem,
                self._scale,
                self.vector(x),
                near=self.now,
                tolerance=self._tolerance,
            )
        except ObjectiveError:
            # A step too far: high enough that the line search comes back, finite so that it can.
            return self.best.total + 1e4 * (1 + abs(self.best.total)), np.zeros_like(x)
        if self.now.total < self.best.total:
            self.best = self.now
        gradient = self.now.gradient.sum(axis=1)[self._scale.free]
        return self.now.total, gradient * self._unit


def _search_once(
    problem: Problem, scale: Scale, box: Box, vector: FloatArray, options: FitOptions
) -> Run:
    vector = np.clip(vector, box.low, box.high)
    try:
        first = evaluate_objective(problem, scale, vector, tolerance=options.inner_tol)
    except ObjectiveError as error:
        return Run(None, converged=False, message=str(error), code=error.code)
    box = scaled_box(box, first)
    walk = _Walk(problem, scale, box, first, options.inner_tol)
    free, unit = scale.free, box.unit[scale.free]
    if not free.any():
        return Run(walk.best, converged=True, message="nothing to estimate")
    bounds = list(zip(box.low[free] / unit, box.high[free] / unit, strict=True))

    def stop_runaway(intermediate_result: OptimizeResult) -> None:
        moved = walk.vector(intermediate_result.x) - box.start
        if (np.abs(moved[: scale.n_theta]) > RUNAWAY).any():
            raise StopIteration

    done = minimize(
        walk,
        vector[free] / unit,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        callback=stop_runaway,
        options={
            "maxiter": options.max_iter,
            "ftol": _FTOL,
            "gtol": _CLOSER * options.gtol,
            "maxcor": _MEMORY,
        },
    )
    return Run(walk.best, converged=bool(done.success), message=str(done.message))
