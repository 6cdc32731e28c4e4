"""Laws of calibration curves for any parameters: inverse and value undo each other, order holds."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from assayhouse.stats.curves import CurveFit, combine_signals, fit_curve

PARAMETERS = st.tuples(
    st.floats(-5.0, 5.0),
    st.floats(1.0, 1e6),
    st.floats(-3.0, 2.5).map(lambda v: 10.0**v),
    st.booleans(),
    st.floats(-6.0, 6.0).map(lambda v: 10.0**v),
    st.floats(-5.0, 5.0).map(lambda v: 10.0**v),
)
SHARES = st.lists(st.floats(1e-9, 1 - 1e-9), min_size=1, max_size=10)


def curve_of(parameters):
    low, height, b, falls, c, g = parameters
    return CurveFit(a=low, d=low + height, b=-b if falls else b, c=c, g=g)


@settings(max_examples=300, deadline=None)
@given(PARAMETERS, SHARES)
def test_the_value_at_the_inverse_is_the_signal(parameters, shares):
    curve = curve_of(parameters)
    signal = curve.a + (curve.d - curve.a) * np.array(shares)
    read = curve.inverse(signal)
    held = np.array(read.states) == "ok"
    back = curve.predict(read.values[held])
    size = np.maximum(np.abs(signal[held]), 1e-3 * abs(curve.d))
    assert np.all(np.abs(back - signal[held]) <= 1e-7 * size)
    assert np.isnan(read.values[~held]).all()


@settings(max_examples=200, deadline=None)
@given(PARAMETERS, st.lists(st.floats(0, 1e8), min_size=2, max_size=20))
def test_a_curve_is_monotone_and_stays_between_its_limits(parameters, doses):
    curve = curve_of(parameters)
    value = curve.predict(np.sort(doses))
    low, high = min(curve.a, curve.d), max(curve.a, curve.d)
    slack = 1e-9 * (abs(low) + abs(high))
    assert np.all((value >= low - slack) & (value <= high + slack))
    step = np.diff(value) if curve.b > 0 else -np.diff(value)
    assert np.all(step >= -slack)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(1e-3, 1e3), st.floats(1e-2, 1e4))
def test_units_of_concentration_and_signal_change_nothing(seed, x_unit, y_unit):
    rng = np.random.default_rng(seed)
    x = np.array([0, 1, 3, 10, 30, 100, 300, 1000.0])
    y = (20 + 5000 / (1 + (50 / np.maximum(x, 1e-9)) ** 1.1)) * np.exp(0.05 * rng.normal(size=8))
    plain, scaled = fit_curve(x, y), fit_curve(x * x_unit, y * y_unit)
    assert np.allclose(scaled.fitted / y_unit, plain.fitted, rtol=1e-5)
    assert np.isclose(scaled.rss, plain.rss, rtol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_a_5pl_never_fits_worse_than_a_4pl(seed):
    rng = np.random.default_rng(seed)
    x = np.repeat([0.5, 2, 8, 32, 128, 512.0], 2)
    y = (20 + 5000 / (1 + (50 / x) ** 1.1)) * np.exp(0.1 * rng.normal(size=12))
    four, five = (fit_curve(x, y, model=model) for model in ("4pl", "5pl"))
    assert five.rss <= four.rss * (1 + 1e-9)


@given(st.lists(st.floats(0.01, 100.0), min_size=3, max_size=3), st.integers(0, 2))
def test_a_combination_lies_between_its_signals_and_ignores_a_missing_one(values, gone):
    x = np.array(values)[:, None]
    both = combine_signals(x, np.array([[1.0], [0.5], [2.0]]), [0.1, 0.2, 0.05])
    assert min(values) * (1 - 1e-12) <= both.value[0] <= max(values) * (1 + 1e-12)
    x[gone] = np.nan
    assert combine_signals(x, np.ones((3, 1)), [0.1] * 3).weights[gone, 0] == 0.0
