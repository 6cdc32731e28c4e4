"""Starting values where a specification has none: usual variances, the rest from the data.

The structural parameters come from a naive pooled fit: all subjects as one, least squares of the
logarithms. That is enough to start from and nothing more.
"""

from collections.abc import Mapping

import numpy as np
from scipy.optimize import least_squares

from assayhouse.pk.arrays import FloatArray
from assayhouse.pk.curves import compute_curves
from assayhouse.pk.problem import Problem
from assayhouse.pk.spec import ModelSpec

_OMEGA2 = 0.1
_SIGMA_PROP = 0.2
_SIGMA_ADD_SHARE = 0.1
_RATES = (0.02, 0.2, 2.0)
_ABSORPTIONS = (0.3, 1.0, 3.0)
_REACH = 7.0
"""Largest distance of a pooled estimate from its rough start, on the log scale."""


def complete_start(problem: Problem, given: Mapping[str, float]) -> dict[str, float]:
    """Fill the gaps of starting values.

    Parameters
    ----------
    problem : Problem
        Data and model.
    given : mapping of str to float
        What is known; it is kept.

    Returns
    -------
    dict of str to float
        A value for every parameter.
    """
    spec = problem.spec
    start = default_start(spec) | {name: float(value) for name, value in given.items()}
    if any(name not in start for name in spec.structural):
        start = _pooled(problem, start) | start
    if "sigma_add" in spec.sigmas and "sigma_add" not in start:
        values = problem.y[~problem.is_blq]
        positive = values[values > 0]
        level = float(np.median(positive)) if len(positive) else 1.0
        start["sigma_add"] = _SIGMA_ADD_SHARE * level
    return {name: start[name] for name in spec.parameter_names}


def default_start(spec: ModelSpec) -> dict[str, float]:
    """Values that need no data: variances, proportional error, coefficients."""
    start = {effect.name: effect.init for effect in spec.covariates}
    for name in spec.parameter_names:
        if name.startswith("omega2("):
            start[name] = _OMEGA2
        elif name.startswith("omega("):
            start[name] = 0.0
        elif name == "sigma_prop":
            start[name] = _SIGMA_PROP
    return start


def _pooled(problem: Problem, start: Mapping[str, float]) -> dict[str, float]:
    """Structural parameters of the pooled fit with the smallest sum of squares."""
    names = problem.spec.structural
    fits = [
        _fit_pooled(problem, _rough(problem, rate, absorption) | dict(start))
        for rate in _RATES
        for absorption in _ABSORPTIONS
    ]
    best = min(fits, key=lambda fit: fit[0])
    return dict(zip(names, np.exp(best[1]).tolist(), strict=True))


def _rough(problem: Problem, rate: float, absorption: float) -> dict[str, float]:
    """Volumes and clearances that bring the predictions to the height of the concentrations."""
    schedule = problem.schedule
    dose = float(np.median(schedule.amount)) if len(schedule.amount) else 1.0
    values = problem.y[~problem.is_blq]
    high = float(np.quantile(values, 0.9)) if len(values) else 1.0
    volume = problem.scale * dose / max(high, 1e-12)
    rough = {"V": volume, "V1": volume, "V2": volume, "CL": rate * volume, "Q": rate * volume}
    elapsed = schedule.elapsed[schedule.elapsed > 0]
    first = float(elapsed.min()) if len(elapsed) else 0.1
    rough |= {"KA": max(absorption, 2 * rate), "TLAG": 0.5 * first}
    return {name: rough[name] for name in problem.spec.structural}


def _fit_pooled(problem: Problem, start: Mapping[str, float]) -> tuple[float, FloatArray]:
    names = problem.spec.structural
    x0 = np.log([start[name] for name in names])
    used = ~problem.is_blq & (problem.y > 0)
    active = np.arange(len(names))
    least = 1e-3 * float(problem.y[used].min()) if used.any() else 1e-12

    def curves(x: FloatArray) -> tuple[FloatArray, FloatArray]:
        phi = np.repeat(x[:, None], problem.n_subjects, axis=1)
        found = compute_curves(
            problem.spec.structure,
            problem.schedule,
            phi,
            active=active,
            scale=problem.scale,
            doses=problem.doses,
        )
        return found.f[used], found.g[:, used]

    def residuals(x: FloatArray) -> FloatArray:
        return np.log(curves(x)[0] + least) - np.log(problem.y[used] + least)

    def derivatives(x: FloatArray) -> FloatArray:
        f, g = curves(x)
        return np.asarray((g / (f + least)).T)

    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if not used.any() or not np.isfinite(residuals(x0)).all():
            return np.inf, x0
        done = least_squares(
            residuals,
            x0,
            jac=derivatives,
            bounds=(x0 - _REACH, x0 + _REACH),
            loss="soft_l1",
            max_nfev=60,
        )
    return float(done.cost), np.asarray(done.x)
