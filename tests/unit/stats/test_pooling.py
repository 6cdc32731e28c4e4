"""Rubin's rules worked by hand, and their limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from assayhouse.errors import ModelDataError
from assayhouse.stats.errors import InputError
from assayhouse.stats.pooling import pool_rubin

Q = np.array([1.0, 1.2, 0.8])
U = np.array([0.2, 0.25, 0.3])


def test_mean_within_between_and_total():
    pooled = pool_rubin(Q, U)
    assert pooled.estimate == pytest.approx(1.0)
    assert pooled.within == pytest.approx(0.25)
    assert pooled.between == pytest.approx(0.04)
    total = 0.25 + 4 / 3 * 0.04
    assert pooled.std_error == pytest.approx(total**0.5)
    assert pooled.riv == pytest.approx(4 / 3 * 0.04 / 0.25)
    assert pooled.lambda_ == pytest.approx(4 / 3 * 0.04 / total)
    assert pooled.mc_error == pytest.approx((0.04 / 3) ** 0.5)
    assert pooled.m == 3


def test_degrees_of_freedom_of_both_methods():
    share = pool_rubin(Q, U).lambda_
    old = 2 / share**2
    assert pool_rubin(Q, U, df_complete=50, df_method="rubin1987").df == pytest.approx(old)
    seen = 51 / 53 * 50 * (1 - share)
    pooled = pool_rubin(Q, U, df_complete=50)
    assert pooled.df == pytest.approx(old * seen / (old + seen))
    assert pooled.fmi == pytest.approx((pooled.riv + 2 / (pooled.df + 3)) / (1 + pooled.riv))


def test_test_and_interval_are_students():
    pooled = pool_rubin(Q, U, df_complete=50, conf_level=0.9)
    expected = 2 * stats.t.sf(abs(pooled.statistic), pooled.df)
    assert pooled.p_value == pytest.approx(expected, rel=1e-12)
    low, high = stats.t.interval(0.9, pooled.df, pooled.estimate, pooled.std_error)
    assert (pooled.ci_low, pooled.ci_high) == pytest.approx((low, high), rel=1e-12)


def test_without_variance_between_sets_nothing_is_added():
    same = [0.1, 0.1, 0.1]
    pooled = pool_rubin(same, U, df_complete=50)
    assert (pooled.between, pooled.riv, pooled.lambda_, pooled.mc_error) == (0, 0, 0, 0)
    assert pooled.df == pytest.approx(51 / 53 * 50)
    assert pool_rubin(same, U, df_complete=50, df_method="rubin1987").df == np.inf


def test_infinite_degrees_of_freedom_are_the_normal_distribution():
    pooled = pool_rubin([0.3, 0.3], [0.04, 0.04])
    assert pooled.df == np.inf
    assert pooled.fmi == 0
    assert pooled.p_value == pytest.approx(2 * stats.norm.sf(1.5), rel=1e-12)
    assert pooled.ci_high == pytest.approx(0.3 + 0.2 * stats.norm.ppf(0.975), rel=1e-12)


def test_the_floor_acts_inside_the_degrees_of_freedom_only():
    same = [0.1, 0.1, 0.1]
    pooled = pool_rubin(same, U, df_complete=50, lambda_floor=1e-4)
    old, seen = 2 / 1e-8, 51 / 53 * 50 * (1 - 1e-4)
    assert pooled.df == pytest.approx(old * seen / (old + seen), rel=1e-12)
    assert pooled.lambda_ == 0


def test_columns_are_pooled_each_for_itself():
    both = pool_rubin(np.column_stack([Q, 2 * Q]), np.column_stack([U, U]), df_complete=40)
    one = pool_rubin(2 * Q, U, df_complete=40)
    assert both.estimate.shape == (2,)
    assert both.df[1] == pytest.approx(one.df, rel=1e-14)
    assert isinstance(one.df, float)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=12),
    st.floats(1e-6, 1e6),
    st.floats(1, 1e4),
)
def test_pooling_never_adds_precision(estimates, variance, df):
    pooled = pool_rubin(estimates, [variance] * len(estimates), df_complete=df)
    assert pooled.std_error**2 >= variance * (1 - 1e-12)
    assert pooled.df <= df
    assert 0 <= pooled.lambda_ <= 1
    assert pooled.ci_low <= pooled.estimate <= pooled.ci_high


@pytest.mark.parametrize(
    ("estimates", "variances"),
    [
        ([1.0], [1.0]),
        ([1.0, 2.0], [1.0]),
        ([1.0, np.nan], [1.0, 1.0]),
        ([1.0, 2.0], [1.0, -1.0]),
        ([1.0, 2.0], [0.0, 1.0]),
        ([], []),
    ],
)
def test_what_cannot_be_pooled_is_an_error(estimates, variances):
    with pytest.raises(ModelDataError):
        pool_rubin(estimates, variances)


@pytest.mark.parametrize(
    "options",
    [
        {"df_complete": 0},
        {"df_complete": np.nan},
        {"df_method": "satterthwaite"},
        {"lambda_floor": 1.0},
        {"conf_level": 0.0},
    ],
)
def test_an_option_that_cannot_be_is_an_error(options):
    with pytest.raises(InputError, match=next(iter(options))):
        pool_rubin(Q, U, **options)
