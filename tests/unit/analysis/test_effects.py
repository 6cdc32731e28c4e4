"""Rows, statuses and refusals of `estimate_effects` on trials of a few dozen subjects."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from assayhouse.analysis.effects import (
    RESULT_SCHEMA,
    EffectSpec,
    ImputeSpec,
    estimate_effects,
)
from assayhouse.errors import ModelDataError
from assayhouse.stats.contrasts import contrast_matrix
from assayhouse.stats.robust import m_regression

from support.effects_long import ARMS, change, spec, trial

NUMBERS = ["estimate", "se", "df", "statistic", "ci_lo", "ci_hi", "p"]
KEYS = ["paramcd", "avisitn", "response", "subgroup", "term", "arm"]


def statuses(result):
    """The different statuses of a result."""
    return sorted(set(result["status"].to_list()))


def subject(numbers):
    """Condition on the numbers of subjects."""
    return pl.col("usubjid").is_in([f"S{number:03}" for number in numbers])


def arm_at(arm, visit):
    """Condition on an arm's rows at a visit."""
    return (pl.col("arm") == arm) & (pl.col("avisitn") == visit)


def test_every_visit_response_term_and_arm_has_its_row_in_sorted_order():
    result = estimate_effects(trial(), spec())
    assert result.schema == pl.Schema(RESULT_SCHEMA)
    assert len(result) == 2 * 4 * (3 + 2)
    assert result.select(KEYS).rows() == sorted(result.select(KEYS).rows())
    assert statuses(result) == ["ok"]
    assert result.filter(term="diff")["arm"].unique().sort().to_list() == ["active", "double"]


def test_numbers_of_a_row_are_the_fits_t_test_and_interval():
    frame = trial(visits=(4,)).sort("usubjid")
    result = estimate_effects(frame, spec(responses=("abs",), strata=("site",), conf_level=0.9))
    built = contrast_matrix(
        frame["arm"].to_list(),
        frame["base"].to_numpy(),
        {"site": frame["site"].to_list()},
        reference="control",
    )
    fit = m_regression(built.design, frame["aval"].to_numpy())
    row = result.row(
        by_predicate=(pl.col("term") == "diff") & (pl.col("arm") == "double"), named=True
    )
    estimate, se = fit.coefficients[0, 2], fit.std_errors[0, 2]
    assert (row["estimate"], row["se"]) == pytest.approx((estimate, se), rel=1e-12)
    assert row["df"] == 36 - 5
    assert row["statistic"] == pytest.approx(estimate / se)
    assert row["p"] == pytest.approx(2 * stats.t.sf(abs(estimate / se), 31))
    low, high = stats.t.interval(0.9, 31, estimate, se)
    assert (row["ci_lo"], row["ci_hi"]) == pytest.approx((low, high))


def test_observed_cases_have_one_set_nothing_imputed_and_null_pooling_figures():
    result = estimate_effects(trial(), spec())
    assert set(result["m"]) == {1}
    assert set(result["n_imputed"]) == {0}
    assert set(result["converged_share"]) == {1.0}
    for name in ("riv", "fmi", "lambda", "mc_error", "p_adj", "family"):
        assert result[name].is_null().all()


def test_abs_and_chg_have_the_same_differences_and_means_apart_by_mean_base():
    frame = trial(visits=(4,))
    result = estimate_effects(frame, spec(responses=("abs", "chg")))
    values = {
        name: result.filter(response=name, term="diff")["estimate"] for name in ("abs", "chg")
    }
    assert values["abs"].to_list() == pytest.approx(values["chg"].to_list(), rel=1e-10)
    means = {
        name: result.filter(response=name, term="lsmean")["estimate"] for name in ("abs", "chg")
    }
    gap = (means["abs"] - means["chg"]).to_list()
    assert gap == pytest.approx([frame["base"].mean()] * 3, rel=1e-10)


def test_pchg_and_log_are_models_of_their_own():
    frame = trial(visits=(4,)).sort("usubjid")
    result = estimate_effects(frame, spec(responses=("pchg", "log")))
    base, value = frame["base"].to_numpy(), frame["aval"].to_numpy()
    models = {"pchg": (100 * (value - base) / base, base), "log": (np.log(value), np.log(base))}
    for response, (y, x) in models.items():
        built = contrast_matrix(frame["arm"].to_list(), x, {}, reference="control")
        expected = built.matrix @ m_regression(built.design, y).coefficients[0]
        rows = {
            (r["term"], r["arm"]): r["estimate"]
            for r in result.filter(response=response).rows(named=True)
        }
        ours = [rows[tuple(label.split(":"))] for label in built.labels]
        assert ours == pytest.approx(list(expected), rel=1e-10)


def test_subjects_without_base_or_value_at_the_visit_are_not_in_its_fit():
    frame = change(trial(), subject([0]), base=None)
    frame = change(frame, subject([1]) & (pl.col("avisitn") == 8), aval=None)
    frame = frame.filter(~(subject([2]) & (pl.col("avisitn") == 8)))
    result = estimate_effects(frame, spec(responses=("abs",)))
    counts = result.select("avisitn", "n", "n_observed").unique().sort("avisitn").rows()
    assert counts == [(4, 35, 35), (8, 33, 33)]


def test_a_base_at_zero_leaves_pchg_and_log_and_is_counted():
    frame = change(trial(visits=(4,)), subject([3, 4]), base=0.0)
    result = estimate_effects(frame, spec())
    sizes = dict(result.select("response", "n").unique().rows())
    assert sizes == {"abs": 36, "chg": 36, "pchg": 34, "log": 34}
    assert statuses(result) == ["ok"]
    for response in ("pchg", "log"):
        (reason,) = set(result.filter(response=response)["reasons"])
        assert "2 with a base at or below zero" in reason
    assert set(result.filter(response="abs")["reasons"]) == {""}


def test_a_value_at_zero_leaves_log_only():
    frame = change(trial(visits=(4,)), subject([3]), aval=0.0)
    result = estimate_effects(frame, spec())
    assert dict(result.select("response", "n").unique().rows())["log"] == 35
    assert dict(result.select("response", "n").unique().rows())["pchg"] == 36
    assert "1 with a value at or below zero" in result.filter(response="log")["reasons"][0]


@pytest.mark.parametrize(("rule", "stand_in"), [("lloq/2", 0.25), ("lloq/sqrt2", 0.5 / 2**0.5)])
def test_a_blq_value_is_replaced_by_the_rule(rule, stand_in):
    frame = change(trial(visits=(4,)), subject([5, 6]), blq=True, aval=99.0)
    ours = estimate_effects(frame, spec(blq_rule=rule))
    by_hand = change(frame, subject([5, 6]), blq=False, aval=stand_in)
    theirs = estimate_effects(by_hand, spec(blq_rule=rule))
    assert ours.select(NUMBERS).equals(theirs.select(NUMBERS))


def test_pct_blq_is_that_of_the_rows_arm_at_the_visit():
    frame = change(trial(), arm_at("double", 4) & subject(range(12)), blq=True)
    result = estimate_effects(frame, spec(responses=("abs",)))
    shares = dict(result.filter(avisitn=4, term="lsmean").select("arm", "pct_blq").rows())
    assert shares == {"active": 0.0, "control": 0.0, "double": pytest.approx(100 * 4 / 12)}
    assert set(result.filter(avisitn=8)["pct_blq"]) == {0.0}


def test_exactly_half_blq_is_not_a_majority():
    frame = change(trial(visits=(4,)), subject(range(18)), blq=True)
    result = estimate_effects(frame, spec(responses=("abs",)))
    assert "blq_majority" not in statuses(result)


def test_blq_majority_of_the_visit_refuses_every_row_of_that_visit_only():
    frame = change(trial(), subject(range(19)) & (pl.col("avisitn") == 8), blq=True)
    result = estimate_effects(frame, spec())
    assert statuses(result.filter(avisitn=8)) == ["blq_majority"]
    assert statuses(result.filter(avisitn=4)) == ["ok"]
    assert result.filter(avisitn=8).select(NUMBERS).null_count().sum_horizontal()[0] == 20 * 7
    assert result.filter(avisitn=8)["converged_share"].is_null().all()


def test_blq_majority_of_the_reference_arm_refuses_every_row():
    frame = trial(visits=(4,))
    frame = change(frame, arm_at("control", 4) & subject(range(22)), blq=True)
    assert statuses(estimate_effects(frame, spec())) == ["blq_majority"]


def test_blq_majority_of_one_other_arm_refuses_its_two_rows():
    frame = change(trial(visits=(4,)), arm_at("double", 4) & subject(range(24)), blq=True)
    result = estimate_effects(frame, spec(responses=("log",)))
    refused = result.filter(status="blq_majority").select("term", "arm").rows()
    assert refused == [("diff", "double"), ("lsmean", "double")]
    assert statuses(result.filter(arm="active")) == ["ok"]


def test_a_limit_of_1_switches_blq_majority_off():
    frame = change(trial(visits=(4,)), subject(range(24)), blq=True)
    result = estimate_effects(frame, spec(responses=("abs",), blq_limit=1))
    assert "blq_majority" not in statuses(result)


def test_values_tied_beyond_measure_collapse_the_scale():
    frame = change(trial(visits=(4,)), subject(range(30)), aval=3.0)
    result = estimate_effects(frame, spec(responses=("abs",)))
    assert statuses(result) == ["scale_collapsed"]
    assert set(result["converged_share"]) == {0.0}
    assert result["p"].is_null().all()


def test_too_few_steps_are_not_converged():
    result = estimate_effects(trial(), spec(responses=("abs",), max_iterations=2))
    assert statuses(result) == ["not_converged"]
    assert set(result["converged_share"]) == {0.0}


def test_nobody_observed_in_an_arm_is_rank_deficient():
    result = estimate_effects(change(trial(), arm_at("double", 8), aval=None), spec())
    assert statuses(result.filter(avisitn=4)) == ["ok"]
    assert statuses(result.filter(avisitn=8)) == ["rank_deficient"]
    assert "arm double" in result.filter(avisitn=8)["reasons"][0]
    assert result.filter(avisitn=8, arm="double")["pct_blq"].is_null().all()


def test_a_stratum_level_nobody_observed_has_is_rank_deficient():
    frame = change(trial(), (pl.col("sex") == "M") & (pl.col("avisitn") == 8), aval=None)
    result = estimate_effects(frame, spec(strata=("sex",)))
    assert statuses(result.filter(avisitn=8)) == ["rank_deficient"]
    assert "sex=M" in result.filter(avisitn=8)["reasons"][0]
    assert statuses(result.filter(avisitn=4)) == ["ok"]


def test_a_stratum_that_equals_the_arm_is_rank_deficient():
    frame = trial().with_columns(site=pl.col("arm"))
    assert statuses(estimate_effects(frame, spec(strata=("site",)))) == ["rank_deficient"]


def test_a_visit_asked_for_that_a_parameter_lacks_has_rows_that_say_so():
    result = estimate_effects(trial(), spec(visits=(4, 24)))
    assert result["avisitn"].unique().sort().to_list() == [4, 24]
    assert statuses(result.filter(avisitn=24)) == ["rank_deficient"]
    assert set(result.filter(avisitn=24)["n"]) == {0}


@pytest.mark.parametrize(("left", "expected"), [(4, "too_few"), (5, "ok")])
def test_an_arm_needs_five_observed_values(left, expected):
    gone = [number for number in range(36) if number % 3 == 2][left:]
    frame = change(trial(visits=(4,)), subject(gone), aval=None)
    assert statuses(estimate_effects(frame, spec(responses=("abs",)))) == [expected]


def test_ten_residual_degrees_of_freedom_are_needed():
    frame = trial(per_arm=6, visits=(4,), arms=("a", "b"))
    result = estimate_effects(frame, spec("a", responses=("abs",)))
    assert statuses(result) == ["too_few"]
    assert result["converged_share"].is_null().all()


def test_a_covariance_that_does_not_exist_refuses_the_row():
    # One stratum level of two subjects far off on either side: all its slopes are zero.
    frame = change(trial(visits=(4,)), pl.lit(value=True), site="south")
    frame = change(frame, subject([7]), site="north", aval=400.0)
    frame = change(frame, subject([20]), site="north", aval=1.0)
    strata = {"responses": ("abs",), "strata": ("site",)}
    assert statuses(estimate_effects(frame, spec(**strata, covariance="h2"))) == [
        "covariance_undefined"
    ]
    assert statuses(estimate_effects(frame, spec(**strata, covariance="h1"))) == ["ok"]


def test_every_refusal_names_its_status_and_the_rank_method():
    frame = change(trial(), subject(range(24)), blq=True)
    result = estimate_effects(frame, spec())
    assert all("blq_majority" in text and "rank_comparison" in text for text in result["reasons"])


def test_reasons_hold_no_subject_and_no_value():
    frame = change(trial(visits=(4,)), subject(range(30)), aval=123.456)
    for text in estimate_effects(frame, spec())["reasons"]:
        assert "123.456" not in text
        assert "S0" not in text


def test_subgroups_stand_beside_the_whole_and_equal_an_analysis_of_their_subjects():
    frame = trial(per_arm=24, visits=(4,))
    result = estimate_effects(frame, spec(subgroups=("module", "sex"), strata=("site",)))
    assert result["subgroup"].unique().sort().to_list() == [
        "all", "module=high", "module=low", "sex=F", "sex=M",
    ]  # fmt: skip
    alone = estimate_effects(frame.filter(module="high"), spec(strata=("site",)))
    ours = result.filter(subgroup="module=high")
    assert ours.select(NUMBERS).equals(alone.select(NUMBERS))
    whole = estimate_effects(frame, spec(strata=("site",)))
    assert result.filter(subgroup="all").select(NUMBERS).equals(whole.select(NUMBERS))


def test_a_subject_without_a_subgroup_level_is_in_the_whole_only():
    frame = change(trial(visits=(4,)), subject([0, 1, 2]), module=None)
    result = estimate_effects(frame, spec(responses=("abs",), subgroups=("module",)))
    sizes = dict(result.select("subgroup", "n").unique().rows())
    assert sizes["all"] == 36
    assert sizes["module=high"] + sizes["module=low"] == 33


def test_a_stratum_can_be_a_subgroup_too():
    frame = trial(per_arm=24, visits=(4,))
    result = estimate_effects(frame, spec(subgroups=("site",), strata=("site",)))
    assert statuses(result) == ["ok"]


def test_weights_move_the_means_and_not_the_differences():
    frame = trial(visits=(4,))
    strata = {"responses": ("abs",), "strata": ("sex",)}
    om = estimate_effects(frame, spec(**strata, weights="om"))
    equal = estimate_effects(frame, spec(**strata, weights="equal"))
    assert om.filter(term="diff")["estimate"].equals(equal.filter(term="diff")["estimate"])
    assert (om.filter(term="lsmean")["estimate"] != equal.filter(term="lsmean")["estimate"]).all()


def test_options_of_the_fit_reach_it():
    results = [
        estimate_effects(trial(visits=(4,)), spec(responses=("abs",), **options))["se"].to_list()
        for options in (
            {},
            {"psi": "bisquare"},
            {"psi": "ols"},
            {"tuning": 2.0},
            {"scale": "proposal2"},
            {"mad_constant": 0.6745},
            {"covariance": "h2"},
            {"covariance": "h3"},
            {"variance_ddof": 1},
        )
    ]
    assert len({tuple(values) for values in results}) == len(results)


def test_the_spec_hash_is_on_every_row():
    chosen = spec()
    assert set(estimate_effects(trial(), chosen)["spec_hash"]) == {chosen.spec_hash()}


def test_row_order_other_parameters_chunk_and_workers_change_nothing():
    frame = trial(parameters=("A", "B", "C"))
    whole = estimate_effects(frame, spec(strata=("site",)))
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=4)
    assert estimate_effects(shuffled, spec(strata=("site",))).equals(whole)
    alone = estimate_effects(frame.filter(paramcd="B"), spec(strata=("site",)))
    assert alone.equals(whole.filter(paramcd="B"))
    assert estimate_effects(frame, spec(strata=("site",)), chunk=1).equals(whole)
    assert estimate_effects(frame, spec(strata=("site",)), workers=2).equals(whole)


def test_a_parameter_without_the_reference_arm_is_refused_not_raised():
    frame = trial(parameters=("A", "B")).filter(
        (pl.col("paramcd") == "A") | (pl.col("arm") != "control")
    )
    result = estimate_effects(frame, spec())
    assert statuses(result.filter(paramcd="B")) == ["rank_deficient"]
    assert statuses(result.filter(paramcd="A")) == ["ok"]


def test_numeric_strata_and_categories_are_taken_as_text():
    frame = trial().with_columns(
        site=(pl.col("site") == "north").cast(pl.Int8), arm=pl.col("arm").cast(pl.Categorical)
    )
    result = estimate_effects(frame, spec(strata=("site",)))
    expected = estimate_effects(trial(), spec(strata=("site",)))
    # south is 0 and north is 1, so the dummy changes its sign and the effects do not.
    ours, theirs = result["estimate"].to_list(), expected["estimate"].to_list()
    assert ours == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (trial().drop("lloq", "base"), "no column base, lloq"),
        (change(trial(), subject([3]), arm=None), "arm is missing"),
        (change(trial(), subject([3]), site=None), "site is missing"),
        (change(trial(), subject([3]), aval=float("inf")), "aval is not finite"),
        (change(trial(), subject([3]), base=float("nan")), "base is not finite"),
        (change(trial(), subject([3]), blq=None), "blq is missing"),
        (change(trial(), subject([3]), blq=True, lloq=None), "needs its lloq"),
        (change(trial(), subject([3]), blq=True, lloq=0.0), "needs its lloq"),
        (pl.concat([trial(), trial().filter(subject([3]))]), "more than one row"),
        (change(trial(), subject([3]) & (pl.col("avisitn") == 8), base=7.0), "base differs"),
        (change(trial(), subject([3]) & (pl.col("avisitn") == 8), arm="double"), "arm differs"),
        (change(trial(), subject([3]) & (pl.col("avisitn") == 8), site="x"), "site differs"),
        (change(trial(), subject([3]) & (pl.col("avisitn") == 8), module="x"), "module differs"),
        (trial().with_columns(avisitn=pl.col("avisitn") + 0.5), "whole number"),
        (trial().with_columns(aval=pl.lit("lots")), "not of its type"),
        (trial().clear(), "reference arm"),
    ],
)
def test_data_that_are_not_as_described_are_an_error(frame, message):
    with pytest.raises(ModelDataError, match=message):
        estimate_effects(frame, spec(strata=("site",), subgroups=("module",)))


def test_an_error_gives_the_rows_as_they_stood_in_the_frame():
    frame = change(trial(), subject([3]), aval=float("inf"))
    with pytest.raises(ModelDataError, match="counted from 0: 6, 7") as caught:
        estimate_effects(frame, spec())
    assert caught.value.rows == (6, 7)


def test_a_base_missing_for_one_subject_at_all_visits_is_no_error():
    frame = change(trial(), subject([3]), base=None, blq=None, aval=None)
    assert statuses(estimate_effects(frame, spec())) == ["ok"]


def test_an_unknown_reference_is_an_error_that_lists_the_arms():
    with pytest.raises(ModelDataError, match="'nobody' is not in the data"):
        estimate_effects(trial(), spec("nobody"))


@pytest.mark.parametrize("options", [{"chunk": 0}, {"workers": 0}])
def test_chunk_and_workers_start_at_one(options):
    with pytest.raises(ModelDataError, match="at least 1"):
        estimate_effects(trial(), spec(), **options)


def test_two_arms_and_one_arm_work():
    two = estimate_effects(trial(arms=ARMS[:2]), spec())
    assert set(two.filter(term="diff")["arm"]) == {"active"}
    one = estimate_effects(trial(arms=("control",)), spec())
    assert set(one["term"]) == {"lsmean"}
    assert statuses(one) == ["ok"]


def test_the_spec_class_and_the_imputation_class_are_offered_here():
    assert EffectSpec("a").impute == ImputeSpec()
