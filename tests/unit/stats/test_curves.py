"""Calibration curves: what a fit says about itself, out-of-range states, converters, weights."""

import numpy as np
import pytest

from assayhouse.errors import ModelDataError
from assayhouse.stats.curves import (
    CurveFit,
    combine_signals,
    fit_curve,
    fit_nonlinear,
    from_bioplex,
    from_drc,
)
from assayhouse.stats.errors import InputError

DOSES = np.array([0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0])


def rising(x, *, a=10.0, b=1.2, c=5.0, d=1000.0, g=1.0):
    return d + (a - d) / (1 + (x / c) ** b) ** g


def rising_at(x, parameters):
    return rising(x, **dict(zip("abcd", parameters, strict=True)))


def test_a_clean_4pl_is_found_again_with_its_zero_standard():
    fit = fit_curve(DOSES, rising(DOSES))
    assert fit.status == "ok"
    assert (fit.n, fit.g) == (9, 1.0)
    assert [fit.a, fit.b, fit.c, fit.d] == pytest.approx([10.0, 1.2, 5.0, 1000.0])
    assert fit.fitted == pytest.approx(rising(DOSES))
    assert sorted(fit.std_errors) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("b", [1.2, -0.9])
@pytest.mark.parametrize("g", [0.4, 2.5])
def test_a_clean_5pl_is_found_again_with_either_sign_of_b(b, g):
    x = np.concatenate([DOSES[1:], DOSES[1:] * 40, DOSES[1:] / 40])
    a, d = (10.0, 1000.0) if b > 0 else (1000.0, 10.0)
    fit = fit_curve(x, rising(x, a=a, b=b, d=d, g=g), model="5pl")
    assert fit.rss < 1e-12
    assert [fit.b, fit.g] == pytest.approx([b, g], rel=1e-4)
    assert sorted(fit.std_errors) == ["a", "b", "c", "d", "g"]


def test_standard_errors_are_those_of_the_information_at_the_fit():
    rng = np.random.default_rng(3)
    x = np.repeat(DOSES, 3)
    y = rising(x) * (1 + 0.02 * rng.normal(size=x.size))
    fit = fit_curve(x, y)
    at = np.array([fit.a, fit.b, fit.c, fit.d])
    columns = []
    for k in range(4):
        h = np.zeros(4)
        h[k] = 1e-5 * at[k]
        columns.append((rising_at(x, at + h) - rising_at(x, at - h)) / (2 * h[k]))
    J = np.stack(columns, axis=1) / y[:, None]
    expected = np.sqrt(np.diag(np.linalg.inv(J.T @ J)) * fit.rss / (x.size - 4))
    assert [fit.std_errors[k] for k in "abcd"] == pytest.approx(expected.tolist(), rel=1e-5)


def test_a_signal_that_never_saturates_is_flagged_and_still_inverts():
    x = DOSES[DOSES < 20]
    y = rising(x, a=1.0, c=5e4, d=1e6)
    fit = fit_curve(x, y * np.array([1.01, 0.99, 1.0, 1.02, 0.99, 1.01]))
    assert fit.status == "asymptote_not_identified"
    assert fit.inverse(fit.predict([0.5])).values == pytest.approx([0.5])


def test_an_asymmetry_that_ran_off_is_flagged():
    x = DOSES[1:]
    fit = fit_curve(x, 1000.0 * np.exp(-((x / 5.0) ** 0.8)) + 5.0, model="5pl")
    assert fit.status == "asymptote_not_identified"
    assert fit.fitted == pytest.approx(1000.0 * np.exp(-((x / 5.0) ** 0.8)) + 5.0, rel=1e-3)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]),
        ([1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 3.0, 4.0]),
        (DOSES.tolist(), [7.0] * 9),
    ],
    ids=["too few", "one concentration", "flat"],
)
def test_standards_that_determine_no_curve_fail_without_numbers(x, y):
    fit = fit_curve(x, y)
    assert fit.status == "failed"
    assert np.isnan([fit.a, fit.b, fit.c, fit.d, fit.g, fit.rss]).all()
    assert np.isnan(fit.predict([1.0])).all()
    with pytest.raises(ModelDataError):
        fit.inverse([1.0])


def test_the_same_seed_gives_the_same_fit_to_the_last_bit():
    y = rising(DOSES) * (1 + 0.03 * np.sin(np.arange(9)))
    first, second = (fit_curve(DOSES, y, model="5pl", seed=4) for _ in range(2))
    assert (first.a, first.b, first.c, first.d, first.g) == (
        *(second.a, second.b, second.c),
        *(second.d, second.g),
    )


def test_out_of_range_signals_have_a_state_and_no_number():
    curve = from_bioplex(1000.0, -1.0, 5.0, 10.0)
    read = curve.inverse([5.0, 10.0, 505.0, 1000.0, 2000.0], dilution=4.0)
    assert read.states == ("below", "below", "ok", "above", "above")
    assert read.values[2] == pytest.approx(20.0)
    assert np.isnan(read.values[[0, 1, 3, 4]]).all()


def test_on_a_falling_curve_a_high_signal_means_a_low_concentration():
    curve = CurveFit(a=1000.0, b=1.0, c=5.0, d=10.0)
    assert curve.inverse([2000.0, 500.0, 1.0]).states == ("below", "ok", "above")


def test_dilution_may_differ_by_signal():
    curve = from_bioplex(1000.0, -1.0, 5.0, 10.0)
    assert curve.inverse([505.0, 505.0], dilution=[1.0, 2.0]).values == pytest.approx([5.0, 10.0])
    for wrong in ([1.0, 2.0, 3.0], 0.0, -1.0):
        with pytest.raises(ModelDataError):
            curve.inverse([505.0, 505.0], dilution=wrong)


def test_a_concentration_that_no_double_holds_is_out_of_range():
    curve = CurveFit(a=0.0, b=0.01, c=1.0, d=1.0)
    assert curve.inverse([1e-5, 0.5, 1 - 1e-5]).states == ("below", "ok", "above")


def test_the_curve_of_drc_is_the_formula_of_its_manual():
    x = np.array([0.0, 0.5, 2.0, 50.0])
    with np.errstate(divide="ignore"):
        manual = 0.48 + (7.8 - 0.48) / (1 + np.exp(2.98 * (np.log(x) - np.log(3.06)))) ** 0.7
    curve = from_drc(2.98, 0.48, 7.8, 3.06, 0.7)
    assert curve.predict(x) == pytest.approx(manual)
    assert (curve.status, curve.n, curve.std_errors, curve.fitted.size) == ("ok", 0, {}, 0)
    assert np.isnan(curve.rss)


@pytest.mark.parametrize("wrong", [(1, 0, 2, 3, 4), (1, -1, 0, 3, 1), (1, -1, 2, 3, 0)])
def test_parameters_that_make_no_curve_are_refused(wrong):
    with pytest.raises(ModelDataError):
        from_bioplex(*wrong)


@pytest.mark.parametrize(
    ("weights", "made"),
    [("1/y2", lambda y: y**-2.0), ("1/y", lambda y: 1 / y), ("none", np.ones_like)],
)
def test_weights_by_name_are_those_given_as_numbers(weights, made):
    y = rising(DOSES) * (1 + 0.03 * np.sin(np.arange(9)))
    named, given = fit_curve(DOSES, y, weights=weights), fit_curve(DOSES, y, weights=made(y))
    assert named.rss == given.rss
    assert named.rss == pytest.approx(np.sum(made(y) * (named.fitted - y) ** 2))


@pytest.mark.parametrize("weights", ["1/y2", "1/y"])
def test_a_signal_of_zero_cannot_make_weights_and_its_row_is_named(weights):
    y = rising(DOSES)
    y[2] = 0.0
    with pytest.raises(ModelDataError) as caught:
        fit_curve(DOSES, y, weights=weights)
    assert caught.value.rows == (2,)


@pytest.mark.parametrize("wrong", [[1.0], [-1.0] * 9, [0.0] * 9])
def test_weights_of_the_wrong_shape_or_sign_are_refused(wrong):
    with pytest.raises(ModelDataError):
        fit_curve(DOSES, rising(DOSES), weights=wrong)


def test_the_door_refuses_what_is_no_standard():
    with pytest.raises(ModelDataError):
        fit_curve([-1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0])
    with pytest.raises(ModelDataError):
        fit_curve([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ModelDataError):
        fit_curve([1.0, np.nan], [1.0, 2.0])
    with pytest.raises(InputError):
        fit_curve(DOSES, rising(DOSES), model="3pl")
    with pytest.raises(InputError):
        fit_curve(DOSES, rising(DOSES), weights="1/x")
    with pytest.raises(InputError):
        fit_curve(DOSES, rising(DOSES), starts=0)


def test_combined_signals_weigh_by_squared_slope_over_squared_cv():
    both = combine_signals(
        [[2.0, 2.0, np.nan], [8.0, np.nan, np.nan]], [[1, 1, 1], [2, 1, 1]], [0.1, 0.2]
    )
    assert both.weights == pytest.approx(np.array([[100, 100, 0], [100, 0, 0]]))
    assert both.value[:2] == pytest.approx([4.0, 2.0])
    assert np.isnan(both.value[2])


def test_combined_signals_refuse_shapes_and_cvs_that_do_not_fit():
    with pytest.raises(ModelDataError):
        combine_signals([[1.0, 2.0]], [[1.0]], [0.1])
    with pytest.raises(ModelDataError):
        combine_signals([[1.0, 2.0]], [[1.0, 1.0]], [[0.1, 0.0]])


def test_the_log_slope_is_the_derivative_in_logarithms():
    curve = from_bioplex(1000.0, -1.3, 5.0, 10.0, 0.6)
    up, down = curve.predict([2.0 * 1.0001]), curve.predict([2.0 / 1.0001])
    numeric = (np.log(up) - np.log(down)) / (2 * np.log(1.0001))
    assert curve.log_slope([2.0]) == pytest.approx(numeric, rel=1e-6)


def test_a_start_from_which_no_minimum_is_reached_is_a_failed_fit():
    x = np.linspace(0, 1, 12)
    flat = fit_nonlinear(lambda x, p: p[0] + p[1] + 0 * x, x, x, [1.0, 1.0])
    assert flat.status == "failed"
    assert np.isnan(flat.std_errors).all()
    nowhere = fit_nonlinear(lambda x, p: np.log(p[0]) + x, x, x, [-1.0])
    assert (nowhere.status, nowhere.rss) == ("failed", np.inf)


def test_weights_count_in_a_free_model():
    x = np.array([1.0, 2.0, 3.0])
    y = np.array([1.0, 2.0, 9.0])
    fit = fit_nonlinear(lambda x, p: p[0] * x, x, y, [0.5], weights=[1.0, 1.0, 0.0])
    assert fit.parameters == pytest.approx([1.0])


def test_a_model_of_the_wrong_shape_is_told():
    with pytest.raises(InputError):
        fit_nonlinear(lambda _, p: p, [1.0, 2.0], [1.0, 2.0], [1.0, 1.0, 1.0])
