"""Simulated samples of a model, for predictive checks and for simulation."""

import numpy as np

from assayhouse.pk.arrays import FloatArray
from assayhouse.pk.curves import predict_values
from assayhouse.pk.modes import population_phi
from assayhouse.pk.parameters import Point
from assayhouse.pk.problem import Problem
from assayhouse.pk.residual import compute_variance


def drawn_effects(problem: Problem, point: Point, rng: np.random.Generator) -> FloatArray:
    """Draw random effects of every subject: (q, n)."""
    return np.asarray(point.cholesky @ rng.standard_normal((len(problem.iiv), problem.n_subjects)))


def values_given(
    problem: Problem, point: Point, eta: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Draw the samples of subjects with these random effects: (m,)."""
    phi = population_phi(problem, point)
    phi[problem.iiv] += eta
    f = predict_values(problem.spec.structure, problem.schedule, phi, problem.scale, problem.doses)
    variance = compute_variance(f, problem.spec.error, point.sigma, 0.0).r
    return np.asarray(f + np.sqrt(variance) * rng.standard_normal(len(f)))


def simulated_values(problem: Problem, point: Point, rng: np.random.Generator) -> FloatArray:
    """Draw random effects and samples of one trial: (m,)."""
    return values_given(problem, point, drawn_effects(problem, point, rng), rng)
