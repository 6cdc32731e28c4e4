"""Cut points on trials small enough to check by eye, and the door that refuses what is no data."""

import json

import numpy as np
import polars as pl
import pytest

from assayhouse.stats import batting_plan
from assayhouse.stats.batting import (
    adjusted_p,
    batting,
    batting_many,
    cross_validate,
    optimism,
    response_curve,
    scan,
    validate,
)
from assayhouse.stats.batting_cells import grid_ranks
from assayhouse.stats.errors import InputError

from support.cut_points import small_trial

X = [1, 2, 3, 4, 1, 2, 3, 4]
ARM = [0, 0, 0, 0, 1, 1, 1, 1]
Y = [1, 0, 1, 0, 0, 0, 1, 1]


def test_higher_is_strictly_above_and_lower_strictly_below():
    high = scan(X, ARM, Y)
    assert high.cuts.tolist() == [1.0, 2.0, 3.0]
    assert high.n[0].tolist() == [[1, 3], [1, 3]]
    low = scan(X, ARM, Y, direction="lower")
    assert low.cuts.tolist() == [2.0, 3.0, 4.0]
    assert low.n[0].tolist() == [[3, 1], [3, 1]]


def test_given_cuts_are_taken_sorted_and_once_and_may_lie_between_values():
    found = scan(X, ARM, Y, candidates=[9.0, 2.5, 2.5, 0.0])
    assert found.cuts.tolist() == [0.0, 2.5, 9.0]
    assert found.admissible.tolist() == [False, True, False]
    assert np.isnan(found.p["lrt"]).tolist() == [True, False, True]


def test_a_statistic_without_interaction_is_zero():
    found = scan([1, 1, 2, 2] * 2, [0] * 4 + [1] * 4, [0, 1, 0, 1] * 2)
    assert found.statistic["lrt"].tolist() == [0.0]
    assert found.p["wald"].tolist() == [1.0]


def test_the_share_of_group_1_must_be_exceeded():
    found = scan(X, ARM, Y, min_share=0.25)
    assert found.admissible.tolist() == [True, True, False]


def test_a_cell_below_the_minimum_is_not_admissible():
    assert scan(X, ARM, Y, min_cell=2).admissible.tolist() == [False, True, False]


def test_weights_are_multiplicities():
    weights = [2, 0, 1, 1, 1, 1, 1, 1]
    found = scan(X, ARM, Y, weights=weights)
    assert found.n_used == 8
    assert found.n[0].tolist() == [[2, 2], [1, 3]]
    none = scan(X, ARM, Y, weights=[0, 1, 1, 1, 0, 1, 1, 1])
    assert none.cuts.tolist() == [2.0, 3.0]


def test_grid_ranks_round_half_to_even():
    # 20 values: U p - 1/2 = 0.5, 1.5, ..., 18.5, never whole, so the next rank is taken.
    assert grid_ranks(20).tolist() == list(range(1, 20))
    # 10 values: positions 0, 0.5, 1, 1.5, ...: whole and even stays, whole and odd goes on.
    assert grid_ranks(10).tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert grid_ranks(1).tolist() == [1]


def test_lists_series_and_nulls_are_columns():
    x, arm, y, _ = small_trial(1, n=30)
    x[4] = np.nan
    plain = batting(x, arm, y, n_boot=10, rng=1)
    holes = [None if np.isnan(value) else value for value in x.tolist()]
    for given in (
        (holes, arm.tolist(), y.tolist()),
        (pl.Series(holes), pl.Series(arm), pl.Series(y == 1)),
    ):
        assert batting(*given, n_boot=10, rng=1).to_dict() == plain.to_dict()


def test_a_draw_of_a_removed_row_has_no_weight():
    x, arm, y, _ = small_trial(2, n=20)
    x[0] = np.nan
    rows = np.tile(np.arange(20), (2, 1))
    rows[1, 5:9] = 0
    found = batting(x, arm, y, resamples=rows, min_cell=1)
    assert found.n_used.tolist() == [19, 15]
    assert found.seed is None
    assert found.rules["resample"] == "given"


def test_the_threshold_is_the_median_of_the_cuts_that_exist():
    x, arm, y, _ = small_trial(4, n=24)
    found = batting(x, arm, y, n_boot=40, rng=3, min_cell=4)
    known = found.cuts[~np.isnan(found.cuts)]
    assert found.threshold == np.median(known)
    assert found.iqr == pytest.approx(tuple(np.quantile(known, [0.25, 0.75])))
    assert found.n_failed == 40 - len(known)
    counts, edges = found.histogram(bins=7)
    assert counts.sum() == len(known)
    assert len(edges) == 8


def test_no_admissible_cut_is_nan_with_a_warning_and_json_knows_it():
    found = batting([1.0] * 8, ARM, Y, n_boot=5, rng=1)
    assert np.isnan(found.threshold)
    assert found.n_failed == 5
    assert "no threshold" in found.warnings[-1]
    text = json.dumps(found.to_dict(), allow_nan=False)
    assert json.loads(text)["threshold"] is None


def test_a_marker_without_values_has_no_threshold():
    assert np.isnan(batting([None] * 8, ARM, Y, n_boot=5, rng=1).threshold)


def test_auto_follows_the_interaction_with_the_marker_itself():
    x, arm, y, _ = small_trial(6, n=120)
    assert batting(x, arm, y, n_boot=2, rng=1).direction == "higher"
    assert batting(-x, arm, y, n_boot=2, rng=1).direction == "lower"
    assert batting(x, arm, y, n_boot=2, rng=1, larger_is_better=False).direction == "lower"
    assert batting(x, arm, 2.0 * y, n_boot=2, rng=1, endpoint="continuous").direction == "higher"


def test_auto_in_survival_takes_a_lower_hazard_for_better():
    x, arm, _, _ = small_trial(6, n=120)
    time = np.random.default_rng(1).exponential(size=120) * np.exp(2 * arm * x)
    asked = {"endpoint": "survival", "event": np.ones(120), "n_boot": 2, "rng": 1, "min_cell": 20}
    assert batting(x, arm, time, **asked).direction == "higher"


def test_auto_where_responses_are_separated_takes_the_sign_of_the_score():
    x = [*range(10), *range(10)]
    arm = [0] * 10 + [1] * 10
    y = [0, 1] * 5 + [0] * 5 + [1] * 5
    assert batting(x, arm, y, n_boot=2, rng=1, min_cell=1).direction == "higher"
    assert batting(x, arm, y[:10] + y[:9:-1], n_boot=2, rng=1, min_cell=1).direction == "lower"


def test_an_explicit_argument_wins_over_a_preset_even_with_a_defaults_value():
    x, arm, y, _ = small_trial(4, n=40)
    preset = batting(x, arm, y, n_boot=3, rng=1, preset="subgrpid")
    assert (preset.rules["test"], preset.rules["candidates"]) == ("wald_glm", "grid19")
    assert (preset.rules["min_cell"], preset.rules["min_share"]) == (0, 0.2)
    chosen = batting(x, arm, y, n_boot=3, rng=1, preset="subgrpid", test="lrt", min_cell=5)
    assert (chosen.rules["test"], chosen.rules["min_cell"]) == ("lrt", 5)
    paper = batting(x, arm, y, rng=1, preset="lipsky2022")
    assert paper.n_boot == 1000
    assert "not stated" in paper.warnings[0]


def test_resampling_within_arm_keeps_the_arms():
    x, arm, y, strata = small_trial(4, n=30)
    found = batting(x, arm, y, n_boot=20, rng=1, resample="arm_stratum", strata=strata)
    assert set(found.n_used.tolist()) == {30}


def test_without_numba_auto_is_numpy_and_numba_is_refused(monkeypatch):
    monkeypatch.setattr(batting_plan, "find_spec", lambda _: None)
    x, arm, y, _ = small_trial(4, n=30)
    assert batting(x, arm, y, n_boot=3, rng=1).rules["engine"] == "numpy"
    with pytest.raises(InputError, match="assayhouse\\[fast\\]"):
        batting(x, arm, y, n_boot=3, rng=1, engine="numba")


def test_results_cannot_be_changed():
    found = scan(X, ARM, Y)
    with pytest.raises(ValueError, match="read-only"):
        found.p["lrt"][0] = 0.0


def test_adjusted_p_is_small_with_a_planted_cut_and_the_nulls_agree_without():
    x, arm, y, _ = small_trial(6, n=150)
    y = np.where((arm == 1) & (x > 0), 1, y)
    for null in ("permutation", "parametric"):
        assert adjusted_p(x, arm, y, n_null=99, null=null, rng=1).p <= 0.05
    other = np.random.default_rng(1).normal(size=150)
    assert adjusted_p(other, arm, y, n_null=99, rng=1).p > 0.05


@pytest.mark.parametrize(
    "options",
    [
        {"statistic": "procedure", "n_boot": 5, "n_null": 9},
        {"candidates": "grid19", "n_null": 19},
        {"adjust": [0, 1] * 30, "n_null": 5},
        {"strata": ["a", "b", None] * 20, "n_null": 19},
    ],
)
def test_adjusted_p_repeats_any_search(options):
    x, arm, y, _ = small_trial(6, n=60)
    first = adjusted_p(x, arm, y, rng=2, **options)
    assert 0 < first.p <= 1
    assert first.to_dict() == adjusted_p(x, arm, y, rng=2, **options).to_dict()


def test_adjusted_p_takes_other_endpoints():
    x, arm, y, _ = small_trial(6, n=60)
    for null in ("permutation", "parametric"):
        found = adjusted_p(x, arm, 1.5 * y, endpoint="continuous", null=null, n_null=9, rng=1)
        assert 0 < found.p <= 1
    time = {"endpoint": "survival", "event": y, "n_null": 3, "rng": 1}
    assert 0 < adjusted_p(x, arm, x - x.min(), **time).p <= 1
    with pytest.raises(InputError, match="parametric"):
        adjusted_p(x, arm, x, null="parametric", **time)


def test_markers_share_replicates_or_have_their_own():
    x, arm, y, _ = small_trial(6, n=60)
    table = np.column_stack([x, np.where(np.arange(60) % 9 == 0, np.nan, -x)])
    many = batting_many(table, arm, y, n_boot=7, n_null=19, rng=5)
    alone = batting(x, arm, y, n_boot=7, rng=5, marker="*")
    assert many.results["x0"].cuts.tolist() == alone.cuts.tolist()
    assert many.results["x1"].direction == "lower"
    assert ((many.p_max_t > 0) & (many.p_max_t <= 1)).all()
    own = batting_many({"a": x}, arm, y, shared=False, n_boot=7, rng=5)
    assert (
        own.results["a"].cuts.tolist()
        == batting(x, arm, y, n_boot=7, rng=5, marker="a").cuts.tolist()
    )
    assert np.isnan(own.p_max_t).all()


def test_optimism_is_taken_off_the_apparent_difference():
    x, arm, y, _ = small_trial(6, n=80)
    found = optimism(x, arm, y, n_outer=6, n_boot=10, rng=1)
    for name in ("rd_high", "rd_low", "rd_difference"):
        assert found.corrected[name] == pytest.approx(found.apparent[name] - found.optimism[name])
    assert len(found.thresholds) == 6


def test_folds_are_balanced_on_arm_and_response_and_leave_missing_rows_out():
    x, arm, y, _ = small_trial(6, n=80)
    x[3] = np.nan
    found = cross_validate(x, arm, y, folds=4, repeats=3, n_boot=5, rng=1)
    assert (found.fold_of[:, 3] == -1).all()
    for fold_of in found.fold_of:
        sizes = np.bincount(fold_of[fold_of >= 0])
        assert sizes.max() - sizes.min() <= 1
        for group in range(4):
            inside = np.bincount(fold_of[(2 * arm + y == group) & (fold_of >= 0)], minlength=4)
            assert inside.max() - inside.min() <= 1
    assert found.p.shape == found.rd_high.shape == (3,)


def test_folds_without_a_threshold_are_counted_and_nothing_else_fails():
    found = cross_validate([1.0] * 8, ARM, Y, folds=2, repeats=2, n_boot=3, rng=1)
    assert found.failed_folds == 1.0
    assert np.isnan(found.p).all()


def test_a_fixed_sequence_stops_at_the_first_dose_that_fails():
    x = [*range(20)] * 4
    dose = np.repeat(["none", "a", "b", "c"], 20)
    beyond = np.arange(20) >= 10
    noise = np.arange(20) % 3 == 0
    y = np.concatenate([noise, beyond, noise, beyond])
    found = validate(9.5, x, dose, y, control="none", doses=["a", "b", "c"])
    assert [row.confirmatory for row in found.rows] == [True, True, False]
    assert [row.rejected for row in found.rows] == [True, False, False]
    assert found.rows[0].high.estimate == pytest.approx(1 - 0.3)
    assert found.rows[0].rd_difference == pytest.approx(0.7 + 0.4)
    assert "not independent" in found.warnings[0]
    assert [row.dose for row in validate(9.5, x, dose, y, control="none").rows] == ["a", "b", "c"]


def test_validation_takes_cut_and_direction_of_a_result():
    x, arm, y, _ = small_trial(6, n=60)
    made = batting(-x, arm, y, n_boot=5, rng=1)
    found = validate(made, -x, arm, y, control=0, shared_control=False)
    assert (found.direction, found.cut, found.warnings) == ("lower", made.threshold, ())


def test_a_band_is_wider_than_pointwise_limits_and_absent_where_few_are_left():
    x, arm, y, _ = small_trial(6, n=120)
    found = response_curve(x, arm, y, n_boot=200, rng=1, min_n=10)
    enough = found.n >= 10
    assert np.isnan(found.band_lower[~enough]).all()
    inside = enough & (found.rate > 0.2) & (found.rate < 0.8) & (found.n > 20)
    assert inside.any()
    assert (found.band_upper - found.band_lower)[inside].mean() > (found.upper - found.lower)[
        inside
    ].mean()
    assert found.difference == pytest.approx(found.rate[1] - found.rate[0], nan_ok=True)
    rows = np.tile(np.arange(120), (3, 1))
    still = response_curve(x, arm, y, resamples=rows)
    assert still.seed is None
    assert still.band_upper[0, 0] == pytest.approx(still.rate[0, 0])


REFUSED = {
    "length": {"arm": [0, 1]},
    "arm": {"arm": [0, 2] * 4},
    "text": {"arm": ["0", "1"] * 4},
    "response": {"response": [0, 2] * 4},
    "one arm": {"arm": [1] * 8},
    "infinite": {"x": [np.inf] * 8},
    "missing": {"x": [None, *X[1:]], "missing": "error"},
    "missing word": {"missing": "impute"},
    "test": {"test": "score"},
    "candidates": {"candidates": "some"},
    "no candidates": {"candidates": []},
    "missing candidates": {"candidates": [1.0, None]},
    "direction": {"direction": "up"},
    "endpoint": {"endpoint": "ordinal"},
    "resample": {"resample": "stratum"},
    "no strata": {"resample": "arm_stratum"},
    "engine": {"engine": "fortran"},
    "preset": {"preset": "other"},
    "share": {"min_share": 1.0},
    "negative share": {"min_share": -0.1},
    "cell": {"min_cell": -1},
    "n_boot": {"n_boot": 0},
    "conf_level": {"conf_level": 1.0},
    "jobs": {"n_jobs": 0},
    "chunk": {"chunk_size": 0},
    "rows shape": {"resamples": np.zeros((3, 7), dtype=int)},
    "rows float": {"resamples": np.zeros((3, 8))},
    "rows range": {"resamples": np.full((3, 8), 8)},
    "rows negative": {"resamples": np.full((3, 8), -1)},
    "event": {"event": [1] * 8},
    "no event": {"endpoint": "survival"},
    "firth continuous": {"endpoint": "continuous", "test": "firth"},
    "firth adjusted": {"adjust": [0, 1] * 4, "test": "firth"},
    "adjusted continuous": {"adjust": [0, 1] * 4, "endpoint": "continuous"},
    "seed": {"rng": -1},
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_breaks_a_rule_of_the_door_is_refused(name):
    given = {"x": X, "arm": ARM, "response": Y, "n_boot": 2, **REFUSED[name]}
    with pytest.raises(InputError):
        batting(**given)


@pytest.mark.parametrize(
    "call",
    [
        lambda: scan(X, ARM, Y, weights=[1.5] * 8),
        lambda: scan(X, ARM, Y, weights=[-1] * 8),
        lambda: scan(X, ARM, Y, endpoint="continuous", tests=("firth",)),
        lambda: adjusted_p(X, ARM, Y, statistic="mean"),
        lambda: adjusted_p(X, ARM, Y, null="bootstrap"),
        lambda: adjusted_p(X, ARM, Y, colour="red"),
        lambda: batting_many({}, ARM, Y),
        lambda: optimism(X, ARM, Y, resamples=np.zeros((1, 8), dtype=int)),
        lambda: cross_validate(X, ARM, Y, folds=1),
        lambda: cross_validate(X, ARM, Y, endpoint="survival", event=Y),
        lambda: validate(1.0, X, ARM, Y, control=7),
        lambda: validate(1.0, X, ARM, Y, control=0, doses=[1, 1]),
        lambda: validate(1.0, X, ARM, Y, control=0, alpha=0.0),
        lambda: response_curve(X, ARM, Y, bands="both"),
        lambda: response_curve(X, ARM, Y, min_n=-1),
    ],
)
def test_the_functions_around_it_refuse_as_well(call):
    with pytest.raises(InputError):
        call()
