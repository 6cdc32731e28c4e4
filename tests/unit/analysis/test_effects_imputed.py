"""Effects with multiple imputation: populations, statuses, given sets, families, presets."""

import numpy as np
import polars as pl
import pytest

from assayhouse.analysis.effects import EffectSpec, ImputeSpec, estimate_effects, preset
from assayhouse.analysis.stages import completed_sets, fit_completed, impute_long, pool_fits
from assayhouse.errors import ModelDataError
from assayhouse.stats.pooling import pool_rubin

from support.effects_long import change, trial

NUMBERS = ["estimate", "se", "df", "statistic", "ci_lo", "ci_hi", "p"]
POOLING = ["fmi", "riv", "lambda", "mc_error"]
ARMS = ("active", "control")


def gappy(*, per_arm=20, share=0.2, seed=3, **options):
    """A trial in which some values are missing at random."""
    frame = trial(per_arm=per_arm, **options)
    hidden = pl.Series(np.random.default_rng(seed).random(len(frame)) < share)
    return frame.with_columns(aval=pl.when(hidden).then(None).otherwise(pl.col("aval")))


def mi(reference="control", *, m=6, impute=None, **changes):
    """Imputation with a few data sets."""
    return EffectSpec(reference, impute=ImputeSpec(**({"m": m} | (impute or {}))), **changes)


def statuses(result):
    return sorted(set(result["status"].to_list()))


def subject(numbers):
    return pl.col("usubjid").is_in([f"S{number:03}" for number in numbers])


def test_everybody_with_a_base_is_analysed_and_counted():
    frame = change(gappy(), subject([0]), base=None)
    result = estimate_effects(frame, mi(responses=("abs",)))
    observed = frame.filter(pl.col("base").is_not_null(), pl.col("aval").is_not_null())
    counts = dict(observed.group_by("avisitn").len().rows())
    for visit in (4, 8):
        row = result.filter(avisitn=visit).row(0, named=True)
        assert (row["n"], row["n_observed"]) == (59, counts[visit])
        assert row["n_imputed"] == 59 - counts[visit]
    assert set(result["m"]) == {6}
    assert statuses(result) == ["ok"]
    assert result.select(NUMBERS + POOLING).null_count().sum_horizontal()[0] == 0


def test_a_subject_without_any_later_value_is_in_the_population_by_one_empty_row():
    frame = change(gappy(), subject([7]), aval=None)
    frame = frame.filter(~(subject([7]) & (pl.col("avisitn") == 8)))
    result = estimate_effects(frame, mi(responses=("log",)))
    assert set(result["n"]) == {60}


def written_out(frame, spec):
    return completed_sets(frame, impute_long(frame, spec), spec)


def test_nothing_missing_gives_no_variance_between_sets():
    complete = trial(per_arm=20)
    result = estimate_effects(complete, mi(responses=("abs", "log")))
    for name in ("riv", "lambda", "mc_error"):
        assert set(result[name]) == {0.0}
    p = 4
    assert result["df"].to_list() == pytest.approx([(57 / 59) * 56] * len(result))
    assert 60 - p == 56
    one = EffectSpec(
        "control",
        responses=("abs", "log"),
        population="observed_at_visit",
        impute=ImputeSpec(method="none"),
    )
    single = estimate_effects(complete, one)
    assert result["estimate"].to_list() == pytest.approx(single["estimate"].to_list(), rel=1e-12)
    assert result["se"].to_list() == pytest.approx(single["se"].to_list(), rel=1e-12)


def test_stages_one_by_one_are_the_whole():
    frame = gappy(parameters=("A", "B"))
    spec = mi(strata=("site",), subgroups=("module",), multiplicity="bh", family=("avisitn",))
    imputed = impute_long(frame, spec)
    fits = fit_completed(frame, imputed, spec)
    whole = estimate_effects(frame, spec)
    assert pool_fits(fits, spec).equals(whole)
    completed = completed_sets(frame, imputed, spec)
    assert estimate_effects(frame, spec, completed=completed).equals(whole)
    seen = completed.filter(~pl.col("imputed")).join(
        frame.select("paramcd", "usubjid", "avisitn", value="aval"),
        on=["paramcd", "usubjid", "avisitn"],
    )
    assert (seen["aval"] == seen["value"]).all()


def test_a_changed_option_of_pooling_needs_the_last_stage_only():
    frame = gappy()
    spec = mi(responses=("log",))
    fits = fit_completed(frame, impute_long(frame, spec), spec)
    other = mi(responses=("log",), df_method="rubin1987", conf_level=0.9)
    assert pool_fits(fits, other).equals(estimate_effects(frame, other))


def test_a_pooled_row_is_rubins_rules_over_the_fits():
    frame = gappy()
    spec = mi(responses=("log",))
    fits = fit_completed(frame, impute_long(frame, spec), spec)
    row = estimate_effects(frame, spec).filter(avisitn=8, term="diff", arm="double")
    sets = fits.filter(avisitn=8, term="diff", arm="double")
    numbers = (sets[name][0] for name in ("estimates", "variances"))
    pooled = pool_rubin(*numbers, df_complete=sets["df_complete"][0])
    assert row["estimate"][0] == pytest.approx(pooled.estimate, rel=1e-12)
    assert row["df"][0] == pytest.approx(pooled.df, rel=1e-12)
    assert row["fmi"][0] == pytest.approx(pooled.fmi, rel=1e-12)


def test_refused_cells_survive_the_stages():
    frame = change(gappy(), (pl.col("arm") == "double") & (pl.col("avisitn") == 8), blq=True)
    frame = change(frame, (pl.col("arm") == "active") & (pl.col("avisitn") == 4), aval=None)
    spec = mi(responses=("log", "abs"))
    imputed = impute_long(frame, spec)
    assert set(imputed.filter(pl.col("draws").is_not_null())["avisitn"]) == {8}
    assert set(imputed.filter(avisitn=4)["no_draws"]) == {"an arm has 0 values, 5 are needed"}
    assert set(completed_sets(frame, imputed, spec)["avisitn"]) == {8}
    whole = estimate_effects(frame, spec)
    assert pool_fits(fit_completed(frame, imputed, spec), spec).equals(whole)
    assert statuses(whole.filter(avisitn=4)) == ["too_few"]
    assert "an arm has 0 values" in whole.filter(avisitn=4)["reasons"][0]
    refused = whole.filter(avisitn=8, status="blq_majority")
    assert set(refused["arm"]) == {"double"}
    assert len(refused) == 4


def test_adding_a_parameter_or_analysing_another_visit_changes_no_digit():
    frame = gappy(parameters=("A", "B"), visits=(4, 8, 12))
    spec = mi(responses=("log",), strata=("site",))
    both = estimate_effects(frame, spec)
    alone = estimate_effects(frame.filter(paramcd="B"), spec)
    assert alone.equals(both.filter(paramcd="B"))
    only = estimate_effects(frame, mi(responses=("log",), strata=("site",), visits=(12,)))
    assert only.select(NUMBERS).equals(both.filter(avisitn=12).select(NUMBERS))


def test_order_chunk_and_workers_change_no_digit():
    frame = gappy(parameters=("A", "B", "C"))
    spec = mi(responses=("log", "abs"), subgroups=("sex",))
    whole = estimate_effects(frame, spec)
    mixed = frame.sample(fraction=1.0, shuffle=True, seed=2)
    assert estimate_effects(mixed, spec).equals(whole)
    assert estimate_effects(frame, spec, chunk=2).equals(whole)
    assert estimate_effects(frame, spec, workers=2).equals(whole)


def test_the_first_imputations_of_many_are_the_few():
    frame = gappy()
    few = impute_long(frame, mi(m=4))
    many = impute_long(frame, mi(m=9)).with_columns(pl.col("draws").list.head(4))
    assert few.equals(many)


def test_imputation_happens_once_before_the_split_into_subgroups():
    frame = gappy(per_arm=40)
    whole = estimate_effects(frame, mi(responses=("log",)))
    split = estimate_effects(frame, mi(responses=("log",), subgroups=("module",)))
    assert split.filter(subgroup="all").select(NUMBERS).equals(whole.select(NUMBERS))
    sizes = dict(split.select("subgroup", "n").unique().rows())
    assert sizes["module=high"] + sizes["module=low"] == sizes["all"]


def test_delta_moves_the_imputed_values_of_active_arms_only():
    frame = gappy()
    zero = written_out(frame, mi())
    moved = written_out(frame, mi(impute={"delta": 0.5}))
    arms = frame.select("usubjid", "arm").unique()
    ratio = zero.with_columns(ratio=moved["aval"] / zero["aval"]).join(arms, on="usubjid")
    shifted = pl.col("imputed") & (pl.col("arm") != "control")
    assert ratio.filter(shifted)["ratio"].to_list() == pytest.approx(
        [np.exp(0.5)] * ratio.filter(shifted).height
    )
    assert set(ratio.filter(~shifted)["ratio"]) == {1.0}


def test_censored_values_are_drawn_below_their_limit_and_count_as_observed():
    frame = gappy(share=0.1)
    below = pl.col("aval").is_not_null() & (pl.col("aval") < 5.0)
    frame = frame.with_columns(blq=below.fill_null(value=False), lloq=pl.lit(5.0))
    spec = mi(blq_rule="censored", responses=("log",))
    drawn = written_out(frame, spec).join(
        frame.select("usubjid", "avisitn", "blq"), on=["usubjid", "avisitn"]
    )
    assert drawn.filter("blq")["aval"].max() <= 5.0
    assert drawn.filter("blq")["aval"].n_unique() > 20
    assert drawn.filter("blq")["imputed"].all()
    result = estimate_effects(frame, spec)
    assert statuses(result) == ["ok"]
    assert (result["n_observed"] > 50).all()
    assert (result["pct_blq"] > 0).any()


@pytest.mark.parametrize("by_arm", [True, False])
@pytest.mark.parametrize("method", ["fcs_norm", "monotone"])
@pytest.mark.parametrize("scale", ["log", "raw"])
def test_every_normal_model_gives_ok_rows(method, scale, by_arm):
    impute = {"method": method, "scale": scale, "by_arm": by_arm}
    result = estimate_effects(
        gappy(), mi(impute=impute, strata=("site",), responses=("abs", "pchg"))
    )
    assert statuses(result) == ["ok"]


@pytest.mark.parametrize("name", ["paper", "mass", "sas-like", "recommended"])
def test_every_preset_runs(name):
    impute = preset(name, "control").impute
    small = ImputeSpec(method=impute.method, by_arm=impute.by_arm, m=5)
    result = estimate_effects(gappy(), preset(name, "control", impute=small))
    assert set(result["status"]) <= {"ok", "not_converged"}
    assert "ok" in set(result["status"])


def test_a_base_at_zero_stays_in_abs_and_leaves_log_counted():
    frame = change(gappy(), subject([3, 4]), base=0.0)
    result = estimate_effects(frame, mi())
    assert statuses(result) == ["ok"]
    assert dict(result.select("response", "n").unique().rows()) == {
        "abs": 60, "chg": 60, "pchg": 58, "log": 58,
    }  # fmt: skip
    assert "2 with a base at or below zero" in result.filter(response="log")["reasons"][0]


def test_a_value_at_zero_cannot_be_imputed_on_the_log_scale():
    frame = change(gappy(), subject([3]) & pl.col("aval").is_not_null(), aval=0.0)
    with pytest.raises(ModelDataError, match=r'A: .* impute.scale="raw"'):
        estimate_effects(frame, mi(responses=("abs",)))
    raw = estimate_effects(frame, mi(responses=("abs",), impute={"scale": "raw"}))
    assert statuses(raw) == ["ok"]
    with pytest.raises(ModelDataError, match="no logarithm"):
        estimate_effects(frame, mi(responses=("log",), impute={"scale": "raw"}))


def test_an_arm_with_fewer_values_than_columns_asks_for_main_effects():
    frame = gappy(per_arm=9, visits=(1, 2, 3, 4), share=0.25)
    strata = ("site", "sex", "module")
    arm_wise = estimate_effects(frame, mi(responses=("abs",), strata=strata))
    assert "too_few" in statuses(arm_wise)
    assert any("impute.by_arm=False" in text for text in arm_wise["reasons"])
    shared = estimate_effects(
        frame, mi(responses=("abs",), strata=strata, impute={"by_arm": False})
    )
    assert not any("impute.by_arm" in text for text in shared["reasons"])


def test_one_fit_that_does_not_settle_costs_its_pooled_row():
    result = estimate_effects(gappy(), mi(responses=("abs",), max_iterations=3))
    assert statuses(result) == ["not_converged"]
    assert "completed data sets" in result["reasons"][0]
    assert result.select(NUMBERS).null_count().sum_horizontal()[0] == len(result) * 7
    assert (result["converged_share"] < 1).all()


def test_families_are_the_differences_equal_in_the_declared_columns():
    spec = mi(multiplicity="bonferroni", family=("avisitn", "response"), responses=("abs", "log"))
    result = estimate_effects(gappy(parameters=("A", "B")), spec)
    differences = result.filter(term="diff")
    expected = np.minimum(differences["p"].to_numpy() * 4, 1)
    assert differences["p_adj"].to_list() == pytest.approx(expected.tolist())
    assert set(differences["family"]) == {
        f"avisitn={visit}; response={response}" for visit in (4, 8) for response in ("abs", "log")
    }
    assert result.filter(term="lsmean").select("p_adj", "family").null_count().row(0) == (
        12 * 2,
        24,
    )


def test_a_refused_row_counts_in_its_family_and_stays_null():
    frame = gappy()
    one = (pl.col("arm") == "double") & (pl.col("avisitn") == 8)
    result = estimate_effects(
        change(frame, one, blq=True),
        mi(multiplicity="bonferroni", family=("response",), responses=("abs",)),
    ).filter(term="diff")
    assert result.filter(status="blq_majority")["p_adj"].to_list() == [None]
    ok = result.filter(status="ok")
    assert ok["p_adj"].to_list() == pytest.approx(np.minimum(ok["p"] * 4, 1).to_list())


def test_observed_cases_can_be_adjusted_too():
    spec = EffectSpec(
        "control",
        population="observed_at_visit",
        impute=ImputeSpec(method="none"),
        multiplicity="holm",
        family=("avisitn", "response"),
    )
    result = estimate_effects(trial(), spec)
    assert result.filter(term="diff")["p_adj"].null_count() == 0


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda c: c.drop("imp"), "no column imp"),
        (lambda c: c.filter(pl.col("imp") == 1), "fewer than two"),
        (lambda c: pl.concat([c, c.head(1)]), "more than one row"),
        (lambda c: c.slice(1), "lacks 1 values of A"),
        (lambda c: c.with_columns(usubjid=pl.lit("X") + pl.col("usubjid")), "60 subjects"),
        (lambda c: c.with_columns(aval=pl.lit(None, dtype=pl.Float64)), "missing or infinite"),
        (lambda c: c.with_columns(aval=pl.lit("high")), "cast"),
        (lambda c: c.with_columns(imp=pl.col("imp") + 0.5), "whole numbers"),
    ],
)
def test_completed_sets_that_are_not_whole_are_an_error(edit, message):
    frame = gappy()
    completed = written_out(frame, mi())
    with pytest.raises(ModelDataError, match=message):
        estimate_effects(frame, mi(), completed=edit(completed))


def test_given_sets_without_a_parameter_or_visit_refuse_its_rows():
    frame = gappy(parameters=("A", "B"))
    completed = written_out(frame, mi()).filter(paramcd="A", avisitn=4)
    result = estimate_effects(frame, mi(responses=("abs",)), completed=completed)
    assert statuses(result.filter(paramcd="A", avisitn=4)) == ["ok"]
    assert "do not have the visit" in result.filter(paramcd="A", avisitn=8)["reasons"][0]
    assert "do not have the parameter" in result.filter(paramcd="B")["reasons"][0]


@pytest.mark.parametrize(
    ("spec", "given", "message"),
    [
        (mi(m=1), False, "at least two"),
        (preset("mass", "control", population="observed_at_visit", impute=ImputeSpec("none")),
         True, "go with"),
        (preset("recommended", "control", population="observed_at_visit",
                impute=ImputeSpec("none")), False, "needs imputation"),
    ],
)  # fmt: skip
def test_options_that_do_not_go_together_are_an_error(spec, given, message):
    completed = written_out(gappy(), mi()) if given else None
    with pytest.raises(ModelDataError, match=message):
        estimate_effects(gappy(), spec, completed=completed)


def test_stages_refuse_what_is_not_theirs():
    observed = EffectSpec(
        "control", population="observed_at_visit", impute=ImputeSpec(method="none")
    )
    with pytest.raises(ModelDataError, match="nothing to impute"):
        impute_long(gappy(), observed)
    with pytest.raises(ModelDataError, match="columns of fit_completed"):
        pool_fits(pl.DataFrame({"a": [1]}), mi())


def test_a_visit_asked_for_that_a_parameter_lacks_is_refused():
    result = estimate_effects(gappy(), mi(visits=(8, 24), responses=("abs",)))
    assert statuses(result.filter(avisitn=8)) == ["ok"]
    assert statuses(result.filter(avisitn=24)) == ["too_few"]


@pytest.mark.parametrize("strategy", ["MAR", "J2R", "CR", "CIR"])
def test_every_strategy_gives_ok_rows_and_is_drawn_from_the_mixed_model(strategy):
    impute = {"method": "mvn", "strategy": strategy}
    result = estimate_effects(gappy(per_arm=25), mi(impute=impute, responses=("log",)))
    assert statuses(result) == ["ok"]


def test_another_strategy_than_mar_takes_the_mixed_model_and_says_so():
    assert ImputeSpec(strategy="J2R").method == "mvn"
    assert ImputeSpec(strategy="J2R").to_dict()["method"] == "mvn"
    with pytest.raises(ModelDataError, match="goes with"):
        ImputeSpec(method="monotone", strategy="CIR")


def test_jump_to_reference_draws_the_difference_towards_zero():
    frame = change(gappy(per_arm=30), pl.col("arm") == "double", module="high")
    lost = (pl.col("avisitn") == 8) & (pl.col("usubjid") > "S055")
    frame = change(frame, lost, aval=None).with_columns(
        aval=pl.when(pl.col("arm") == "double").then(pl.col("aval") * 2).otherwise(pl.col("aval"))
    )
    found = {
        strategy: estimate_effects(
            frame,
            mi(m=20, impute={"method": "mvn", "strategy": strategy}, responses=("log",)),
        ).filter(avisitn=8, term="diff", arm="double")["estimate"][0]
        for strategy in ("MAR", "J2R")
    }
    assert 0 < found["J2R"] < found["MAR"] * 0.9


def test_censored_values_and_strategies_go_together():
    frame = gappy(per_arm=25, share=0.1)
    below = pl.col("aval").is_not_null() & (pl.col("aval") < 5.0)
    frame = frame.with_columns(blq=below.fill_null(value=False), lloq=pl.lit(5.0))
    spec = mi(blq_rule="censored", impute={"strategy": "J2R", "m": 3}, responses=("log",))
    drawn = written_out(frame, spec).join(
        frame.select("usubjid", "avisitn", "blq"), on=["usubjid", "avisitn"]
    )
    assert drawn.filter("blq")["aval"].max() <= 5.0
    assert statuses(estimate_effects(frame, spec)) == ["ok"]
    more = mi(blq_rule="censored", impute={"strategy": "J2R", "m": 5}, responses=("log",))
    first = impute_long(frame, more).with_columns(pl.col("draws").list.head(3))
    assert first.equals(impute_long(frame, spec))


def test_lmcf_of_a_subject_without_any_value_is_refused_with_the_parameter():
    frame = change(gappy(per_arm=25), subject([7]), aval=None)
    with pytest.raises(ModelDataError, match=r"A: .*last mean"):
        estimate_effects(frame, mi(impute={"strategy": "LMCF"}))


def test_a_mixed_model_that_cannot_be_fitted_refuses_its_parameter_and_no_other():
    # Nobody is seen at both visits: the covariance between them is not there to be estimated.
    frame = gappy(per_arm=24, share=0, parameters=("A", "B"))
    number = pl.col("usubjid").str.slice(1).cast(pl.Int64)
    lost = (number % 4 < 2) == (pl.col("avisitn") == 4)
    frame = change(frame, lost & (pl.col("paramcd") == "A"), aval=None)
    result = estimate_effects(frame, mi(impute={"method": "mvn"}, responses=("log",)))
    assert statuses(result.filter(paramcd="A")) == ["too_few"]
    assert "mixed model" in result.filter(paramcd="A")["reasons"][0]
    assert statuses(result.filter(paramcd="B")) == ["ok"]
