"""Laws that a robust fit keeps for any data: equivariance, order, batches, the limit of OLS."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from assayhouse.stats.robust import m_regression
from assayhouse.stats.sandwich import COVARIANCES

MODELS = st.sampled_from(
    [("huber", "mad"), ("huber", "proposal2"), ("bisquare", "mad"), ("bisquare", "proposal2")]
)
SEEDS = st.integers(0, 10_000)
few = settings(max_examples=40, deadline=None)


def problem(seed, *, n=60, b=1):
    """A design with two dummies and a covariate, and responses with heavy tails."""
    rng = np.random.default_rng(seed)
    group = rng.permutation(np.arange(n) % 3)
    base = rng.lognormal(size=n)
    design = np.column_stack([np.ones(n), group == 1, group == 2, base])
    return design, base + group + rng.standard_t(3, size=(b, n))


def fit_ok(design, response, model, **options):
    """A fit, where all of the batch converge."""
    psi, scale = model
    fit = m_regression(design, response, psi=psi, scale=scale, **options)
    assume(set(fit.status.tolist()) == {"ok"})
    return fit


def close(one, other, *, within=1e-8):
    """Coefficients within a share of their standard errors, errors and scale within a share."""
    gap = np.abs(one.coefficients - other.coefficients) / other.std_errors
    assert gap.max() <= within
    assert one.std_errors == pytest.approx(other.std_errors, rel=within)
    assert one.scale == pytest.approx(other.scale, rel=within)


@few
@given(
    SEEDS,
    MODELS,
    st.sampled_from([1e-9, 1e9, -1.0, 0.37, -2e5]),
    st.sampled_from([0.0, 1.0, -40.0]),
)
def test_a_response_in_another_unit_gives_the_same_fit_in_that_unit(seed, model, unit, offset):
    design, response = problem(seed)
    plain = fit_ok(design, response, model)
    moved = fit_ok(design, unit * (response + offset), model)
    back = moved.coefficients / unit - [offset, 0.0, 0.0, 0.0]
    assert np.max(np.abs(back - plain.coefficients) / plain.std_errors) <= 1e-8
    assert moved.std_errors / abs(unit) == pytest.approx(plain.std_errors, rel=1e-8)
    assert moved.scale / abs(unit) == pytest.approx(plain.scale, rel=1e-8)
    assert moved.weights == pytest.approx(plain.weights, abs=1e-8)


@few
@given(SEEDS, MODELS, st.integers(-40, 40))
def test_a_power_of_two_as_unit_changes_no_digit(seed, model, power):
    design, response = problem(seed)
    plain = fit_ok(design, response, model)
    moved = fit_ok(design, response * 2.0**power, model)
    assert np.array_equal(moved.coefficients, plain.coefficients * 2.0**power)
    assert np.array_equal(moved.weights, plain.weights)
    assert np.array_equal(moved.iterations, plain.iterations)


@few
@given(SEEDS, MODELS)
def test_a_multiple_of_the_covariate_in_the_response_moves_its_coefficient_only(seed, model):
    design, response = problem(seed)
    plain = fit_ok(design, response, model)
    moved = fit_ok(design, response + 3.0 * design[:, 3], model)
    gap = moved.coefficients - plain.coefficients - [0.0, 0.0, 0.0, 3.0]
    assert np.max(np.abs(gap) / plain.std_errors) <= 1e-8


@few
@given(SEEDS, MODELS, st.sampled_from([1e-9, 1e9]), st.sampled_from([0.0, 1e5]))
def test_a_covariate_in_another_unit_or_origin_moves_nothing_but_itself(seed, model, unit, origin):
    design, response = problem(seed)
    plain = fit_ok(design, response, model)
    other = design.copy()
    other[:, 3] = unit * (design[:, 3] + origin)
    moved = fit_ok(other, response, model)
    gap = np.abs(moved.coefficients - plain.coefficients)[0, 1:3] / plain.std_errors[0, 1:3]
    assert gap.max() <= 1e-8
    assert moved.scale == pytest.approx(plain.scale, rel=1e-8)


@few
@given(SEEDS, MODELS, st.sampled_from(COVARIANCES))
def test_the_order_of_the_subjects_does_not_matter(seed, model, covariance):
    design, response = problem(seed)
    order = np.random.default_rng(seed + 1).permutation(len(design))
    plain = fit_ok(design, response, model, covariance=covariance)
    mixed = fit_ok(design[order], response[:, order], model, covariance=covariance)
    close(mixed, plain)
    assert mixed.weights == pytest.approx(plain.weights[:, order], abs=1e-8)


@few
@given(SEEDS, MODELS)
def test_another_reference_gives_the_same_differences(seed, model):
    design, response = problem(seed)
    other = np.column_stack(
        [design[:, 0], design[:, 2], 1.0 - design[:, 1] - design[:, 2], design[:, 3]]
    )
    plain, moved = fit_ok(design, response, model), fit_ok(other, response, model)
    # Group 2 against group 0 is the coefficient 2 of one, and 1 less 2 of the other.
    difference = moved.coefficients[0, 1] - moved.coefficients[0, 2]
    gap = abs(difference - plain.coefficients[0, 2]) / plain.std_errors[0, 2]
    assert gap <= 1e-8
    assert moved.scale == pytest.approx(plain.scale, rel=1e-8)


@few
@given(SEEDS, st.sampled_from(["huber", "bisquare"]), st.sampled_from(["h1", "h2", "h3"]))
def test_huge_tuning_is_least_squares(seed, psi, covariance):
    design, response = problem(seed)
    robust = m_regression(design, response, psi=psi, tuning=1e9, covariance=covariance)
    ols = m_regression(design, response, psi="ols")
    assert np.max(np.abs(robust.coefficients - ols.coefficients) / ols.std_errors) <= 1e-9
    assert robust.std_errors == pytest.approx(ols.std_errors, rel=1e-9)


@few
@given(SEEDS)
def test_the_sandwich_of_least_squares_is_what_leaving_out_each_subject_gives(seed):
    design, response = problem(seed)
    whole = m_regression(design, response, psi="ols", covariance="sandwich")
    moves = [
        np.linalg.lstsq(np.delete(design, i, 0), np.delete(response[0], i))[0]
        - whole.coefficients[0]
        for i in range(len(design))
    ]
    expected = np.einsum("ip,iq->pq", moves, moves)
    assert whole.covariance[0] == pytest.approx(expected, rel=1e-7, abs=1e-9 * expected.max())
    huge = m_regression(design, response, tuning=1e9, covariance="sandwich")
    assert huge.std_errors == pytest.approx(whole.std_errors, rel=1e-7)


@few
@given(SEEDS, MODELS, st.integers(1, 11), st.sampled_from(["h1", "h3", "sandwich"]))
def test_cutting_a_batch_changes_no_digit(seed, model, cut, covariance):
    design, response = problem(seed, b=12)
    response[3] = 1.0  # one that collapses at once
    response[7] = np.round(response[7])  # one with ties, which may take long
    psi, scale = model
    options = {"psi": psi, "scale": scale, "covariance": covariance, "max_iterations": 60}
    whole = m_regression(design, response, **options)
    parts = [m_regression(design, part, **options) for part in np.split(response, [cut])]
    for name in ("coefficients", "covariance", "scale", "weights", "iterations"):
        together = np.concatenate([getattr(part, name) for part in parts])
        assert np.array_equal(getattr(whole, name), together, equal_nan=True), name
    assert whole.status.tolist() == [word for part in parts for word in part.status.tolist()]


@few
@given(SEEDS, MODELS, st.sampled_from(["h1", "sandwich"]))
def test_designs_of_their_own_change_no_digit(seed, model, covariance):
    design, response = problem(seed, b=5)
    psi, scale = model
    options = {"psi": psi, "scale": scale, "covariance": covariance}
    shared = m_regression(design, response, **options)
    own = m_regression(np.stack([design] * 5), response, **options)
    assert np.array_equal(shared.coefficients, own.coefficients)
    assert np.array_equal(shared.covariance, own.covariance)
    assert shared.status.tolist() == own.status.tolist()


@few
@given(SEEDS, MODELS)
def test_the_estimate_solves_its_equation(seed, model):
    design, response = problem(seed)
    fit = fit_ok(design, response, model, tolerance=1e-13)
    residuals = response[0] - design @ fit.coefficients[0]
    pull = fit.weights[0] * residuals / fit.scale[0]
    assert np.abs(design.T @ pull).max() <= 1e-8 * np.abs(design).max() * len(design)


@few
@given(SEEDS, MODELS)
def test_covariances_are_symmetric_and_positive(seed, model):
    design, response = problem(seed, b=3)
    for covariance in COVARIANCES:
        fit = fit_ok(design, response, model, covariance=covariance)
        assert fit.covariance == pytest.approx(fit.covariance.transpose(0, 2, 1), rel=1e-9)
        assert np.linalg.eigvalsh(fit.covariance).min() > 0


@few
@given(SEEDS, st.lists(st.integers(0, 3), min_size=20, max_size=40))
def test_any_integers_end_in_a_status_and_never_in_an_exception(seed, values):
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(len(values)), rng.integers(0, 2, len(values))])
    fit = m_regression(design, np.array(values, dtype=float), covariance="h2", max_iterations=200)
    known = {
        "ok", "rank_deficient", "too_few", "scale_collapsed", "not_converged",
        "covariance_undefined",
    }  # fmt: skip
    assert set(fit.status.tolist()) <= known
    if fit.status[0] == "ok":
        assert np.isfinite(fit.coefficients).all()
        assert (fit.std_errors > 0).all()
