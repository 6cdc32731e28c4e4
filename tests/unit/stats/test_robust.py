"""Every status of a robust fit, its shapes, and the door that refuses what is no data."""

import numpy as np
import pytest
from scipy.special import ndtri

from assayhouse.errors import AssayhouseError, ModelDataError
from assayhouse.stats.errors import InputError
from assayhouse.stats.robust import MASS_MAD, PHI75, m_regression

N = 40


def line(n=N, *, noise=1.0, seed=7):
    """A design of intercept and slope, and a response around a line."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0, 10, n)
    return np.column_stack([np.ones(n), x]), 3.0 + 2.0 * x + noise * rng.normal(size=n)


def two_far_subjects(distance):
    """A column that only two subjects have, and they lie far off on either side."""
    design, response = line()
    extra = np.zeros(N)
    extra[[10, 20]] = 1.0
    response[10] += distance
    response[20] -= distance
    return np.column_stack([design, extra]), response


def status(*arguments, **options):
    """Status of a single fit."""
    return m_regression(*arguments, **options).status.tolist()


def test_a_clean_fit_is_ok_and_has_the_declared_shapes():
    design, response = line()
    fit = m_regression(design, response)
    assert fit.status.tolist() == ["ok"]
    assert fit.coefficients.shape == fit.std_errors.shape == (1, 2)
    assert fit.covariance.shape == (1, 2, 2)
    assert fit.weights.shape == (1, N)
    assert fit.scale.shape == fit.iterations.shape == (1,)
    assert (fit.df, type(fit.df)) == (N - 2, int)
    assert fit.std_errors[0, 1] ** 2 == pytest.approx(fit.covariance[0, 1, 1])


def test_an_outlier_gets_little_weight_and_hardly_moves_the_line():
    design, response = line()
    clean = m_regression(design, response)
    response[39] += 1e6
    fit = m_regression(design, response)
    assert fit.weights[0, 39] < 1e-4
    assert abs(fit.coefficients[0, 1] - clean.coefficients[0, 1]) < 2 * clean.std_errors[0, 1]


def test_a_result_cannot_be_changed():
    fit = m_regression(*line())
    with pytest.raises(AttributeError):
        fit.df = 3


@pytest.mark.parametrize("psi", ["huber", "bisquare", "ols"])
def test_a_column_twice_is_rank_deficient(psi):
    design, response = line()
    twice = np.column_stack([design, 3.0 * design[:, 1]])
    assert status(twice, response, psi=psi) == ["rank_deficient"]


def test_a_column_of_zeros_is_rank_deficient():
    design, response = line()
    assert status(np.column_stack([design, np.zeros(N)]), response) == ["rank_deficient"]


def test_a_constant_covariate_beside_the_intercept_is_rank_deficient():
    _, response = line()
    assert status(np.column_stack([np.ones(N), np.full(N, 0.1)]), response) == ["rank_deficient"]


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_the_unit_of_a_covariate_does_not_make_a_design_singular(unit):
    design, response = line()
    assert status(design * [1.0, unit], response) == ["ok"]


def test_fewer_subjects_than_columns_is_rank_deficient():
    design = np.eye(3, 4)
    assert status(design, np.array([1.0, 2.0, 3.0])) == ["rank_deficient"]


def test_weights_that_empty_a_column_are_rank_deficient():
    design, response = two_far_subjects(1e6)
    assert status(design, response, psi="bisquare") == ["rank_deficient"]


@pytest.mark.parametrize(("n", "expected"), [(12, "ok"), (11, "too_few")])
def test_ten_residual_degrees_of_freedom_are_enough(n, expected):
    assert status(*line(n)) == [expected]


def test_rank_deficient_is_said_before_too_few():
    assert status(np.ones((8, 2)), np.arange(8.0)) == ["rank_deficient"]


@pytest.mark.parametrize("psi", ["huber", "bisquare", "ols"])
def test_a_perfect_line_collapses_the_scale(psi):
    design, response = line(noise=0.0)
    assert status(design, response, psi=psi) == ["scale_collapsed"]


@pytest.mark.parametrize("scale", ["mad", "proposal2"])
@pytest.mark.parametrize("value", [0.0, 5.0])
def test_a_constant_response_collapses_the_scale(scale, value):
    design, _ = line()
    assert status(design, np.full(N, value), scale=scale) == ["scale_collapsed"]


def tied(ties):
    """A response with so many equal values at its lower end."""
    return np.concatenate([np.full(ties, 0.5), np.random.default_rng(1).gamma(2, size=N - ties)])


@pytest.mark.parametrize("psi", ["huber", "bisquare"])
def test_three_quarters_tied_values_collapse_the_mad(psi):
    assert status(np.ones((N, 1)), tied(30), psi=psi) == ["scale_collapsed"]


def test_five_eighths_tied_values_have_a_huber_root_away_from_the_tie():
    # The tie then pulls 25 x 0.6745 against at most 15 x 1.345: only more than two thirds win.
    fit = m_regression(np.ones((N, 1)), tied(25))
    assert fit.status.tolist() == ["ok"]
    assert fit.scale[0] * PHI75 == pytest.approx(fit.coefficients[0, 0] - 0.5)


def test_more_than_half_residuals_of_nothing_collapse_proposal_2():
    tails = np.linspace(1, 2, 8)
    response = np.concatenate([np.zeros(24), tails, -tails])
    assert status(np.ones((N, 1)), response, scale="proposal2") == ["scale_collapsed"]


def test_just_under_half_tied_values_do_not_collapse():
    assert status(np.ones((N, 1)), tied(19)) == ["ok"]


def test_a_collapse_is_measured_against_the_responses_spread_not_its_unit():
    design, response = line()
    assert status(design, response * 1e-12) == ["ok"]


def test_too_few_steps_are_not_converged():
    fit = m_regression(*line(), max_iterations=2)
    assert fit.status.tolist() == ["not_converged"]
    assert fit.iterations.tolist() == [2]


@pytest.mark.parametrize("covariance", ["h2", "h3", "sandwich"])
def test_h2_and_what_is_like_it_do_not_exist_where_a_columns_slopes_are_all_zero(covariance):
    design, response = two_far_subjects(50.0)
    assert status(design, response, covariance=covariance) == ["covariance_undefined"]


def test_h1_exists_where_h2_does_not():
    design, response = two_far_subjects(50.0)
    assert status(design, response, covariance="h1") == ["ok"]


def unequal_arms(n=80):
    """Two arms of equal size, the second with a tenth of the first one's spread."""
    arm = np.arange(n) % 2
    z = ndtri((np.arange(n) // 2 + 0.5) / (n // 2))
    return np.column_stack([1.0 - arm, arm]), np.where(arm == 0, 10.0 * z, z)


def test_the_sandwich_tells_each_arm_its_own_spread_and_h1_does_not():
    design, response = unequal_arms()
    pooled = m_regression(design, response).std_errors[0]
    own = m_regression(design, response, covariance="sandwich").std_errors[0]
    assert pooled[0] / pooled[1] == pytest.approx(1.0)
    assert own[0] > 3 * pooled[0]
    assert own[1] == pytest.approx(1.0 / np.sqrt(40), rel=0.1)


def test_the_sandwich_is_the_formula_written_out_subject_by_subject():
    design, response = line()
    response = response.copy()
    response[3] += 50.0
    fit = m_regression(design, response, covariance="sandwich")
    scale, inverse = fit.scale[0], np.linalg.inv(design.T @ design)
    bread, meat = np.zeros((2, 2)), np.zeros((2, 2))
    for x, y in zip(design, response, strict=True):
        u = (y - x @ fit.coefficients[0]) / scale
        bread += (abs(u) <= 1.345) * np.outer(x, x)
        pull = scale * np.clip(u, -1.345, 1.345) / (1.0 - x @ inverse @ x)
        meat += pull**2 * np.outer(x, x)
    expected = np.linalg.inv(bread) @ meat @ np.linalg.inv(bread)
    assert fit.covariance[0] == pytest.approx(expected, rel=1e-8)


def test_a_subject_who_alone_decides_a_coefficient_adds_nothing_to_the_sandwich():
    design, response = line()
    alone = np.column_stack([design, np.arange(N) == 5])
    fit = m_regression(alone, response, covariance="sandwich")
    rest = np.arange(N) != 5
    others = m_regression(design[rest], response[rest], covariance="sandwich")
    assert fit.status.tolist() == ["ok"]
    assert fit.std_errors[0, :2] == pytest.approx(others.std_errors[0], rel=0.1)


def test_least_squares_is_numpys():
    design, response = line()
    fit = m_regression(design, response, psi="ols")
    expected, rss, *_ = np.linalg.lstsq(design, response)
    assert fit.coefficients[0] == pytest.approx(expected, rel=1e-12)
    assert fit.scale[0] ** 2 == pytest.approx(rss[0] / (N - 2), rel=1e-12)
    inverse = np.linalg.inv(design.T @ design)
    assert fit.covariance[0] == pytest.approx(inverse * rss[0] / (N - 2), rel=1e-10)
    assert fit.iterations.tolist() == [0]


def test_problems_of_every_fate_in_one_batch_end_as_they_do_alone():
    design, response = line()
    tied = np.where(np.arange(N) < 25, 3.0 + 2.0 * design[:, 1], response)
    slow = response.copy()
    slow[::3] += 30.0
    batch = np.stack([response, tied, np.zeros(N), slow, response * 1e6])
    together = m_regression(design, batch, max_iterations=15)
    alone = [m_regression(design, row, max_iterations=15) for row in batch]
    assert together.status.tolist() == [fit.status[0] for fit in alone]
    assert len(set(together.status.tolist())) == 3
    for name in ("coefficients", "covariance", "scale", "weights", "iterations"):
        ours = getattr(together, name)
        assert np.array_equal(ours, [getattr(fit, name)[0] for fit in alone], equal_nan=True)


def test_a_batch_longer_than_one_pass_equals_its_problems_alone():
    n = 4000
    rng = np.random.default_rng(3)
    design = np.column_stack([np.ones(n), rng.normal(size=n)])
    batch = rng.standard_t(3, size=(40, n))
    together = m_regression(design, batch)
    last = m_regression(design, batch[39])
    assert np.array_equal(together.coefficients[39], last.coefficients[0])


def test_designs_of_their_own_give_what_the_shared_design_gives():
    design, response = line()
    batch = np.stack([response, response[::-1], response**2])
    shared = m_regression(design, batch, psi="bisquare")
    own = m_regression(np.stack([design] * 3), batch, psi="bisquare")
    assert np.array_equal(shared.coefficients, own.coefficients)
    assert np.array_equal(shared.covariance, own.covariance)


def test_one_singular_design_of_several_leaves_the_others_alone():
    design, response = line()
    bad = design.copy()
    bad[:, 1] = 2.0
    fit = m_regression(np.stack([design, bad, design]), np.stack([response] * 3))
    assert fit.status.tolist() == ["ok", "rank_deficient", "ok"]
    assert np.array_equal(fit.coefficients[0], fit.coefficients[2])
    assert np.isnan(fit.coefficients[1]).all()


def test_both_mad_constants_are_offered_and_differ_a_little():
    exact = m_regression(*line(), mad_constant=PHI75)
    rounded = m_regression(*line(), mad_constant=MASS_MAD)
    gap = abs(exact.coefficients - rounded.coefficients) / exact.std_errors
    assert 0 < gap.max() < 1e-3


def test_ddof_1_widens_the_standard_errors_a_little():
    narrow = m_regression(*line()).std_errors
    wide = m_regression(*line(), variance_ddof=1).std_errors
    assert np.all((wide > narrow) & (wide < 1.01 * narrow))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", ["design", "response"])
def test_a_value_that_is_not_finite_is_an_error_with_its_rows(place, value):
    design, response = line()
    data = {"design": design, "response": response}
    data[place][4] = value
    with pytest.raises(ModelDataError, match=f"{place} holds") as caught:
        m_regression(design, response)
    assert caught.value.rows == (4,)


@pytest.mark.parametrize(
    ("design", "response"),
    [
        (np.ones((5, 1)), np.ones(4)),
        (np.ones(5), np.ones(5)),
        (np.ones((2, 5, 1)), np.ones((3, 5))),
        (np.ones((5, 1)), np.ones((1, 1, 5))),
        (np.ones((0, 1)), np.ones(0)),
        (np.ones((5, 0)), np.ones(5)),
        ([[1.0], [1.0, 2.0]], np.ones(2)),
        (np.array([["a"]] * 5), np.ones(5)),
    ],
)
def test_shapes_that_do_not_belong_together_are_an_error(design, response):
    with pytest.raises(ModelDataError):
        m_regression(design, response)


@pytest.mark.parametrize(
    "options",
    [
        {"psi": "hampel"},
        {"scale": "iqr"},
        {"covariance": "h4"},
        {"variance_ddof": 2},
        {"tuning": 0.0},
        {"tuning": np.nan},
        {"mad_constant": -1.0},
        {"tolerance": 0.0},
        {"max_iterations": 0},
    ],
)
def test_an_unknown_option_is_an_error_that_names_it(options):
    (name,) = options
    with pytest.raises(InputError, match=name) as caught:
        m_regression(*line(), **options)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, AssayhouseError)
