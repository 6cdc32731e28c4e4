"""Assumptions after an event: means and covariances by hand, edges, refusals, the jackknife."""

import numpy as np
import pytest

from assayhouse.errors import ModelDataError
from assayhouse.stats.errors import InputError
from assayhouse.stats.mmrm import fit_mmrm
from assayhouse.stats.reference_based import impute_reference_based, jackknife
from assayhouse.stats.strategies import STRATEGIES, assumed_covariance, assumed_mean

OWN, OTHER = np.array([1.0, 2.0, 3.0, 4.0]), np.array([10.0, 20.0, 40.0, 80.0])


def trial(*, n=80, seed=7):
    """Four visits; about a third of the subjects drop out, one has a gap."""
    rng = np.random.default_rng(seed)
    arm = np.tile(["act", "ctl"], n // 2)
    base = rng.normal(20, 3, n)
    values = 0.5 * base[:, None] + (arm == "act")[:, None] * np.arange(1, 5) * 2.0
    values = values + rng.normal(0, 1, (n, 1)) + rng.normal(0, 1, (n, 4))
    event = np.where(rng.random(n) < 0.35, rng.integers(1, 4, n), 4)
    values[np.arange(4) >= event[:, None]] = np.nan
    gap = int(np.flatnonzero((event == 4) & (arm == "act"))[0])
    values[gap, 1] = np.nan
    return {"values": values, "arm": arm, "base": base, "event": event, "gap": gap}


def impute(data, strategy="MAR", **options):
    chosen = {"engine": "conditional_mean", "reference": "ctl", "strategy": strategy} | options
    return impute_reference_based(
        data["values"], data["arm"], data["base"], {}, data["event"], **chosen
    )


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("MAR", [1, 2, 3, 4]),
        ("J2R", [1, 2, 40, 80]),
        ("CR", [10, 20, 40, 80]),
        ("CIR", [1, 2, 22, 62]),
        ("LMCF", [1, 2, 2, 2]),
    ],
)
def test_means_of_each_strategy_by_hand(strategy, expected):
    assert assumed_mean(strategy, OWN, OTHER, 2).tolist() == expected


@pytest.mark.parametrize("strategy", ["J2R", "CR", "CIR"])
def test_without_a_visit_before_the_event_everything_is_the_reference(strategy):
    assert assumed_mean(strategy, OWN, OTHER, 0).tolist() == OTHER.tolist()
    a, r = np.diag([1.0, 2, 3, 4]), np.diag([5.0, 6, 7, 8])
    assert assumed_covariance(strategy, a, r, 0).tolist() == r.tolist()


def test_a_joined_covariance_has_the_own_past_and_the_reference_regression():
    rng = np.random.default_rng(1)
    a, r = (m @ m.T + np.eye(4) for m in rng.normal(0, 1, (2, 4, 4)))
    joined = assumed_covariance("J2R", a, r, 2)
    assert joined[:2, :2] == pytest.approx(a[:2, :2])
    slope = np.linalg.solve(r[:2, :2], r[:2, 2:])
    assert np.linalg.solve(joined[:2, :2], joined[:2, 2:]) == pytest.approx(slope)
    left = r[2:, 2:] - r[2:, :2] @ slope
    ours = joined[2:, 2:] - joined[2:, :2] @ np.linalg.solve(joined[:2, :2], joined[:2, 2:])
    assert ours == pytest.approx(left)
    assert assumed_covariance("J2R", r, r, 2) == pytest.approx(r)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("engine", ["conditional_mean", "draws"])
@pytest.mark.parametrize("covariance", ["shared", "by_arm"])
def test_observed_values_come_back_and_nothing_is_missing(strategy, engine, covariance):
    data = trial()
    drawn = impute(
        data, strategy, engine=engine, n_imputations=3, seed=1, key="A", covariance=covariance
    )
    seen = ~np.isnan(data["values"])
    assert drawn.shape == ((1 if engine == "conditional_mean" else 3), 80, 4)
    assert (drawn[:, seen] == data["values"][seen]).all()
    assert np.isfinite(drawn).all()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_gap_before_the_event_stays_mar(strategy):
    data = trial()
    gap = data["gap"]
    assert impute(data, strategy)[0, gap, 1] == pytest.approx(impute(data)[0, gap, 1], rel=1e-12)
    early = dict(data)
    early["values"], early["event"] = data["values"].copy(), data["event"].copy()
    early["values"][gap, 3], early["event"][gap] = np.nan, 3
    fit = fit_mmrm(early["values"], early["arm"], early["base"], {}, reference="ctl")
    assert impute(early, strategy, fit=fit)[0, gap, 1] == pytest.approx(
        impute(early, fit=fit)[0, gap, 1], rel=1e-12
    )


@pytest.mark.parametrize("strategy", ["J2R", "CR", "CIR"])
def test_the_reference_arm_stays_mar(strategy):
    data = trial()
    control = data["arm"] == "ctl"
    assert np.array_equal(impute(data, strategy)[:, control], impute(data)[:, control])
    assert not np.array_equal(impute(data, strategy)[:, ~control], impute(data)[:, ~control])


def test_last_mean_carried_forward_holds_for_the_reference_arm_too():
    data = trial()
    control = data["arm"] == "ctl"
    assert not np.array_equal(impute(data, "LMCF")[:, control], impute(data)[:, control])


def test_delta_is_added_to_imputed_values_only():
    data = trial()
    missing = np.isnan(data["values"])
    moved = impute(data, delta=2.5) - impute(data)
    assert moved[0][missing] == pytest.approx(2.5)
    assert (moved[0][~missing] == 0).all()
    by_cell = np.arange(320.0).reshape(80, 4)
    assert (impute(data, delta=by_cell) - impute(data))[0][missing] == pytest.approx(
        by_cell[missing]
    )


def test_draws_scatter_about_conditional_means():
    data = trial()
    drawn = impute(data, engine="draws", n_imputations=200, seed=1, key="A")
    missing = np.isnan(data["values"])
    centre, spread = drawn[:, missing].mean(axis=0), drawn[:, missing].std(axis=0)
    z = (centre - impute(data)[0][missing]) / spread
    assert np.abs(z).mean() < 0.15
    assert (spread > 0.5).all()


def test_an_imputation_depends_on_its_number_alone():
    data = trial()
    many = impute(data, "J2R", engine="draws", n_imputations=12, seed=1, key="A")
    few = impute(data, "J2R", engine="draws", n_imputations=5, seed=1, key="A")
    assert np.array_equal(many[:5], few)
    other = impute(data, "J2R", engine="draws", n_imputations=5, seed=1, key="B")
    assert not np.array_equal(other, few)


def test_a_shared_fit_saves_fitting_and_changes_nothing():
    data = trial()
    fit = fit_mmrm(data["values"], data["arm"], data["base"], {}, reference="ctl")
    assert impute(data, "CIR", fit=fit) == pytest.approx(impute(data, "CIR"), rel=1e-12)


def test_lmcf_without_a_visit_before_the_event_names_the_rows_and_imputes_nothing():
    data = trial()
    data["values"][[4, 9]] = np.nan
    data["event"][[4, 9]] = 0
    with pytest.raises(ModelDataError, match="last mean") as caught:
        impute(data, "LMCF")
    assert caught.value.rows == (4, 9)
    assert np.isfinite(impute(data, "J2R")).all()


def test_a_value_after_the_event_names_the_rows():
    data = trial()
    data["event"][data["gap"]] = 2
    with pytest.raises(ModelDataError, match="at or after") as caught:
        impute(data)
    assert caught.value.rows == (data["gap"],)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"event": np.full(80, 5)}, "0 to 4"),
        ({"event": np.full(79, 4)}, "80 whole numbers"),
        ({"event": np.full(80, 3.5)}, "whole numbers"),
    ],
)
def test_events_that_cannot_be_are_an_error(change, message):
    with pytest.raises(ModelDataError, match=message):
        impute(trial() | change)


@pytest.mark.parametrize(
    "options",
    [
        {"strategy": "LOCF"},
        {"engine": "bayes"},
        {"engine": "draws"},
        {"engine": "draws", "seed": 1, "key": "A", "n_imputations": 0},
    ],
)
def test_options_that_cannot_be_are_an_error(options):
    with pytest.raises(InputError):
        impute(trial(), **options)


def test_a_fit_goes_with_conditional_means_of_the_same_model():
    data = trial()
    fit = fit_mmrm(data["values"], data["arm"], data["base"], {}, reference="ctl")
    with pytest.raises(InputError, match="shared fit"):
        impute(data, engine="draws", seed=1, key="A", fit=fit)
    with pytest.raises(ModelDataError, match="covariance"):
        impute(data, fit=fit, covariance="by_arm")
    other = fit_mmrm(data["values"][:, :3], data["arm"], data["base"], {}, reference="ctl")
    with pytest.raises(ModelDataError, match="other columns"):
        impute(data, fit=other)


def test_delta_of_another_shape_and_a_model_that_cannot_be_fitted_are_errors():
    data = trial()
    with pytest.raises(ModelDataError, match="delta"):
        impute(data, delta=np.ones(4))
    lost = dict(data)
    lost["values"] = data["values"].copy()
    lost["values"][lost["arm"] == "act", 3] = np.nan
    lost["event"] = np.where(lost["arm"] == "act", np.minimum(data["event"], 3), data["event"])
    with pytest.raises(ModelDataError, match="rank_deficient"):
        impute(lost)
    with pytest.raises(ModelDataError, match="bootstrap"):
        impute(lost, engine="draws", seed=1, key="A", n_imputations=2)


def test_the_jackknife_of_a_mean_is_its_standard_error():
    y = np.array([1.0, 4.0, 4.0, 9.0, 12.0])
    found = jackknife(lambda part: np.array([part["y"].mean(), 1.0]), {"y": y})
    assert found.estimate.tolist() == [6.0, 1.0]
    assert found.std_error[0] == pytest.approx(y.std(ddof=1) / 5**0.5)
    assert found.std_error[1] == 0
    assert found.replicates.shape == (5, 2)


def test_the_jackknife_cuts_mappings_inside_the_data_the_same_way():
    data = {"y": np.arange(4.0), "factors": {"site": np.array(["a", "b", "c", "d"])}}
    seen = []

    def estimator(part):
        seen.append((part["y"].tolist(), part["factors"]["site"].tolist()))
        return [0.0]

    jackknife(estimator, data)
    assert seen[1] == ([1.0, 2.0, 3.0], ["b", "c", "d"])


@pytest.mark.parametrize(
    "data", [{"y": np.ones(1)}, {"y": np.ones(3), "z": np.ones(2)}, {}, {"f": {}}]
)
def test_the_jackknife_needs_subjects(data):
    with pytest.raises(ModelDataError):
        jackknife(lambda _part: [1.0], data)


def test_an_estimator_without_a_number_is_an_error():
    with pytest.raises(ModelDataError, match="finite"):
        jackknife(lambda part: [np.nan if len(part["y"]) == 2 else 1.0], {"y": np.ones(3)})
