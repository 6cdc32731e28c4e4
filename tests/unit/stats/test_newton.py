"""Leaps of Huber's iteration: the same fits in fewer steps, and none where they would mislead."""

import numpy as np
import pytest

from assayhouse.stats import irls, newton
from assayhouse.stats.basis import build_basis
from assayhouse.stats.newton import leap, may_leap
from assayhouse.stats.robust import PHI75, m_regression


def problems(seed=1, *, n=60, b=40):
    """A design of four columns and responses with heavy tails."""
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
    return design, design @ [1.0, 2.0, 0.0, -1.0] + rng.standard_t(3, size=(b, n))


def without_leaps(monkeypatch, design, response, **options):
    with monkeypatch.context() as patch:
        patch.setattr(newton, "NEAR", 0.0)
        return m_regression(design, response, **options)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("own", [False, True], ids=["shared design", "designs of their own"])
def test_leaps_end_in_the_fits_of_the_plain_iteration(monkeypatch, seed, own):
    design, response = problems(seed, n=60 + seed)
    design = np.repeat(design[None], len(response), axis=0) if own else design
    fit = m_regression(design, response)
    plain = without_leaps(monkeypatch, design, response)
    assert fit.status.tolist() == plain.status.tolist() == ["ok"] * len(response)
    gap = np.abs(fit.coefficients - plain.coefficients) / plain.std_errors
    assert gap.max() < 1e-8
    assert fit.scale == pytest.approx(plain.scale, rel=1e-8)
    assert fit.iterations.sum() < 0.6 * plain.iterations.sum()


@pytest.mark.parametrize("options", [{"psi": "bisquare"}, {"scale": "proposal2"}])
def test_there_are_no_leaps_for_the_bisquare_and_proposal_2(monkeypatch, options):
    design, response = problems()
    fit = m_regression(design, response, **options)
    plain = without_leaps(monkeypatch, design, response, **options)
    assert np.array_equal(fit.coefficients, plain.coefficients)
    assert np.array_equal(fit.iterations, plain.iterations)


def test_a_fit_that_cycles_on_ties_still_does(monkeypatch):
    rng = np.random.default_rng(11)
    design = np.column_stack([np.ones(40), np.repeat([0.0, 1.0], 20)])
    response = np.round(rng.exponential(1.0, size=(300, 40)), 0) + 0.5
    fit = m_regression(design, response, max_iterations=300)
    plain = without_leaps(monkeypatch, design, response, max_iterations=300)
    assert "not_converged" in plain.status
    assert fit.status.tolist() == plain.status.tolist()


def test_a_leap_from_near_the_solution_lands_on_it():
    design, response = problems(b=5)
    fit = m_regression(design, response)
    basis, _ = build_basis(design)
    residuals = response - fit.coefficients @ design.T
    away = basis.predict(np.full((5, 4), 1e-7))
    step = leap(basis, residuals + away, tuning=1.345, mad_constant=PHI75, way=np.full(5, 1.0))
    assert np.abs(away + step).max() < 1e-9
    assert np.abs(away).max() > 1e-8


def test_a_leap_longer_than_what_the_iteration_has_ahead_is_not_made():
    design, response = problems(b=5)
    basis, _ = build_basis(design)
    start = response - response.mean(axis=1, keepdims=True)
    step = leap(basis, start, tuning=1.345, mad_constant=PHI75, way=np.full(5, 1e-6))
    assert not step.any()


def test_a_leap_is_tried_where_steps_are_short_and_become_shorter():
    scale = np.ones(4)
    moved = np.array([0.01, 0.01, 0.1, 0.01])
    rate = np.array([0.5, 0.99, 0.5, np.nan])
    assert may_leap(moved, rate, scale).tolist() == [True, False, False, False]


def test_a_leap_that_missed_is_taken_back_and_the_next_one_waits(monkeypatch):
    design, response = problems(b=8)
    calls = []

    def astray(basis, residuals, **_options):
        calls.append(len(residuals))
        return basis.predict(np.full((len(residuals), 4), 0.5))

    plain = without_leaps(monkeypatch, design, response)
    monkeypatch.setattr(irls, "leap", astray)
    fit = m_regression(design, response)
    assert calls
    assert fit.status.tolist() == ["ok"] * 8
    assert fit.coefficients == pytest.approx(plain.coefficients, abs=1e-8)
