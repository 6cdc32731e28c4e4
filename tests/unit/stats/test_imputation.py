"""Imputation of small matrices: what is kept, what is drawn, and from which distribution."""

import numpy as np
import pytest

from assayhouse.errors import ModelDataError
from assayhouse.stats import imputation
from assayhouse.stats.errors import InputError
from assayhouse.stats.imputation import impute_normal

EMPTY = np.empty((60, 0))


def trial(*, n=60, visits=3, seed=4, missing=0.25):
    """Values of three visits that hang together, base and two arms as predictors."""
    rng = np.random.default_rng(seed)
    base = rng.normal(5, 1, n)
    arm = np.arange(n) % 2
    common = rng.normal(0, 0.5, (n, 1))
    values = 5 + 0.6 * (base[:, None] - 5) + arm[:, None] + common
    values = values + rng.normal(0, 0.4, (n, visits))
    values[rng.random((n, visits)) < missing] = np.nan
    return values, np.column_stack([base, arm * 1.0]), np.where(arm, "b", "a")


METHODS = [
    {"method": "fcs_norm"},
    {"method": "monotone"},
    {"method": "fcs_norm", "by": trial()[2]},
]


@pytest.mark.parametrize("options", METHODS)
def test_observed_values_come_back_bit_for_bit_and_nothing_is_missing(options):
    values, predictors, _ = trial()
    drawn = impute_normal(values, predictors, n_imputations=7, seed=1, key="A", **options)
    seen = np.isfinite(values)
    assert drawn.shape == (7, 60, 3)
    assert (drawn[:, seen] == values[seen]).all()
    assert np.isfinite(drawn).all()
    assert (np.ptp(drawn[:, ~seen], axis=0) > 0).all()


@pytest.mark.parametrize("options", METHODS)
def test_an_imputation_depends_on_its_number_alone(options, monkeypatch):
    values, predictors, _ = trial()
    many = impute_normal(values, predictors, n_imputations=30, seed=1, key="A", **options)
    few = impute_normal(values, predictors, n_imputations=7, seed=1, key="A", **options)
    assert np.array_equal(many[:7], few)
    monkeypatch.setattr(imputation, "_PART", 900)
    parts = impute_normal(values, predictors, n_imputations=30, seed=1, key="A", **options)
    assert np.array_equal(parts, many)


def test_another_seed_or_key_gives_other_draws():
    values, predictors, _ = trial()
    one = impute_normal(values, predictors, n_imputations=2, seed=1, key="A")
    assert not np.array_equal(
        one, impute_normal(values, predictors, n_imputations=2, seed=2, key="A")
    )
    assert not np.array_equal(
        one, impute_normal(values, predictors, n_imputations=2, seed=1, key="B")
    )


def test_complete_values_are_repeated():
    values, predictors, _ = trial(missing=0)
    assert (impute_normal(values, predictors, n_imputations=3, seed=1, key="A") == values).all()


@pytest.mark.parametrize("options", METHODS)
@pytest.mark.parametrize(("scale", "shift"), [(1e-9, 0.0), (1e9, 0.0), (3.0, -700.0)])
def test_another_unit_of_the_values_moves_the_draws_with_it(options, scale, shift):
    values, predictors, _ = trial()
    before = impute_normal(values, predictors, n_imputations=4, seed=1, key="A", **options)
    after = impute_normal(
        values * scale + shift, predictors, n_imputations=4, seed=1, key="A", **options
    )
    assert np.abs((after - shift) / scale - before).max() < 1e-9


def test_another_unit_of_a_predictor_changes_nothing():
    values, predictors, _ = trial()
    before = impute_normal(values, predictors, n_imputations=4, seed=1, key="A")
    after = impute_normal(values, predictors * 1e6 + 5, n_imputations=4, seed=1, key="A")
    assert np.abs(after - before).max() < 1e-9


@pytest.mark.parametrize("method", ["fcs_norm", "monotone"])
def test_draws_follow_the_posterior_of_a_regression(method):
    # One visit, no predictor: y_mis = mean + sigma* z (1 + 1/n)^0.5, a t with n - 1 df.
    values = np.array([[1.0], [2.0], [4.0], [5.0], [8.0], [10.0], [12.0], [14.0], [np.nan]])
    drawn = impute_normal(
        values, np.empty((9, 0)), n_imputations=20_000, seed=3, key="A", method=method
    )
    new = drawn[:, 8, 0]
    seen = values[:8, 0]
    variance = seen.var(ddof=1) * (1 + 1 / 8) * 7 / 5
    assert abs(new.mean() - seen.mean()) < 5 * (variance / 20_000) ** 0.5
    assert new.var() == pytest.approx(variance, rel=0.06)


def test_a_predictor_and_a_later_visit_inform_the_draw():
    rng = np.random.default_rng(8)
    base = rng.normal(0, 1, 400)
    later = 2 * base + rng.normal(0, 1, 400)
    first = base + later + rng.normal(0, 0.1, 400)
    hidden = base > 0.5
    values = np.column_stack([np.where(hidden, np.nan, first), later])
    drawn = impute_normal(values, base[:, None], n_imputations=40, seed=1, key="A")
    error = drawn[:, hidden, 0].mean(axis=0) - first[hidden]
    assert abs(error.mean()) < 0.05
    assert error.std() < 0.2


def test_arm_wise_models_give_each_arm_its_own_spread():
    rng = np.random.default_rng(2)
    arm = np.repeat(["a", "b"], 300)
    values = np.where(arm == "a", 0.1, 5.0) * rng.normal(0, 1, 600)
    hidden = np.arange(600) % 3 == 0
    values = np.where(hidden, np.nan, values)[:, None]
    drawn = impute_normal(values, np.empty((600, 0)), n_imputations=20, seed=1, key="A", by=arm)
    assert drawn[:, hidden & (arm == "a")].std() == pytest.approx(0.1, rel=0.15)
    assert drawn[:, hidden & (arm == "b")].std() == pytest.approx(5.0, rel=0.15)


def test_censored_values_are_drawn_within_their_limits_and_restore_the_distribution():
    rng = np.random.default_rng(6)
    truth = rng.normal(0, 1, 800)
    low, high = truth < -0.4, truth > 1.2
    values = np.where(low | high, np.nan, truth)[:, None]
    upper = np.where(low, -0.4, np.nan)[:, None]
    lower = np.where(high, 1.2, np.nan)[:, None]
    drawn = impute_normal(
        values, np.empty((800, 0)), n_imputations=30, seed=1, key="A", lower=lower, upper=upper
    )[:, :, 0]
    assert (drawn[:, low] <= -0.4).all()
    assert (drawn[:, high] >= 1.2).all()
    assert drawn.mean() == pytest.approx(truth.mean(), abs=0.05)
    assert drawn.std() == pytest.approx(truth.std(), abs=0.06)


def test_an_interval_keeps_draws_between_two_limits():
    values, predictors, _ = trial()
    values[0, 0] = np.nan
    lower, upper = np.full((60, 3), np.nan), np.full((60, 3), np.nan)
    lower[0, 0], upper[0, 0] = 20.0, 20.5
    drawn = impute_normal(
        values, predictors, n_imputations=20, seed=1, key="A", lower=lower, upper=upper
    )
    assert (drawn[:, 0, 0] >= 20.0).all()
    assert (drawn[:, 0, 0] <= 20.5).all()


def test_limits_of_an_observed_value_do_nothing():
    values, predictors, _ = trial()
    before = impute_normal(values, predictors, n_imputations=3, seed=1, key="A")
    upper = np.where(np.isfinite(values), values - 1.0, np.nan)
    after = impute_normal(values, predictors, n_imputations=3, seed=1, key="A", upper=upper)
    assert np.array_equal(before, after)


def test_a_later_visit_does_not_change_earlier_ones_of_a_monotone_pattern():
    values, predictors, _ = trial(missing=0)
    values[:20, 1:] = np.nan
    values[20:30, 2] = np.nan
    whole = impute_normal(values, predictors, n_imputations=5, seed=1, key="A", method="monotone")
    first = impute_normal(
        values[:, :2], predictors, n_imputations=5, seed=1, key="A", method="monotone"
    )
    assert np.abs(whole[:, :, :2] - first).max() < 1e-12


def test_columns_that_cannot_be_told_apart_do_no_harm():
    values, predictors, _ = trial()
    doubled = np.column_stack([predictors, predictors, np.ones(60)])
    drawn = impute_normal(values, doubled, n_imputations=10, seed=1, key="A")
    assert np.abs(drawn).max() < 30


def test_a_visit_without_any_spread_is_filled_with_its_value():
    values, predictors, _ = trial()
    values[:, 1] = np.where(np.isfinite(values[:, 1]), 2.0, np.nan)
    drawn = impute_normal(values, predictors, n_imputations=3, seed=1, key="A")
    assert np.abs(drawn[:, :, 1] - 2.0).max() < 1e-12


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": np.full((60, 3), np.inf)}, "infinite"),
        ({"values": np.zeros(60)}, "shape"),
        ({"values": [["a"]]}, "numbers"),
        ({"values": np.full((60, 1), np.nan)}, "observed value"),
        ({"predictors": np.full((60, 1), np.nan)}, "predictors"),
        ({"predictors": np.ones((59, 1))}, "60 rows"),
        ({"by": ["a"] * 59}, "by has shape"),
        ({"by": [None] * 60}, "texts"),
        ({"upper": np.zeros((2, 2))}, "upper"),
        ({"lower": np.full((60, 3), 2.0), "upper": np.full((60, 3), 1.0)}, "limit"),
    ],
)
def test_data_that_cannot_be_imputed_are_an_error(change, message):
    values, predictors, _ = trial()
    options = {"values": values, "predictors": predictors, "seed": 1, "key": "A"} | change
    with pytest.raises(ModelDataError, match=message):
        impute_normal(**options)


@pytest.mark.parametrize(
    "change",
    [{"n_imputations": 0}, {"sweeps": 1.5}, {"method": "pmm"}, {"seed": -1}, {"key": 3}],
)
def test_options_that_cannot_be_are_an_error(change):
    values, predictors, _ = trial()
    options = {"seed": 1, "key": "A"} | change
    with pytest.raises(InputError, match=next(iter(change))):
        impute_normal(values, predictors, **options)


def test_the_rows_of_a_group_without_observed_values_are_named():
    values, predictors, arm = trial()
    values[arm == "b", 1] = np.nan
    with pytest.raises(ModelDataError, match="visits") as caught:
        impute_normal(values, predictors, seed=1, key="A", by=arm)
    assert caught.value.rows == tuple(range(1, 60, 2))
