"""Runs of a population plan and the tables that stand on them, with what is not available."""

import itertools
import json

import polars as pl
import pytest

from assayhouse.analysis import pk_tables
from assayhouse.analysis.pk_diagnostics import check_rows, forest_rows, prediction_rows
from assayhouse.analysis.pk_runs import (
    DOSE,
    FULL,
    MAIN,
    SENSITIVITY,
    PopulationPlan,
    Run,
    population_runs,
    settled_text,
)
from assayhouse.pk.errors import EventTableError, SpecError
from assayhouse.pk.fit import FitResult

from support import pk_trial


def plan(**changes):
    given = {
        "subject_rule": "quantifiable",
        "dose_effect": pk_trial.EFFECT,
        "full": pk_trial.FULL,
        "starts": 1,
    }
    return PopulationPlan.read(pk_trial.MODEL, **(given | changes))


@pytest.fixture(scope="module")
def rows():
    return pk_trial.pooled_rows(lloq=0.12)


@pytest.fixture(scope="module")
def runs(rows):
    return population_runs(rows, plan())


@pytest.fixture(scope="module")
def named(runs):
    return pk_tables.by_name(runs)


@pytest.fixture(scope="module")
def exposures(rows, runs):
    return pk_tables.exposure_rows(rows, runs, pk_trial.subjects_of(rows))


def test_either_population_is_fitted_and_each_added_effect(named):
    assert list(named) == [MAIN, SENSITIVITY, DOSE, FULL]
    assert named[MAIN].subject_rule == "quantifiable"
    assert named[SENSITIVITY].subject_rule == "observed"
    assert named[SENSITIVITY].result.n_subjects > named[MAIN].result.n_subjects
    assert all(run.status in {"OK", "WARN"} for run in named.values())
    added = set(named[DOSE].result.params) - set(named[MAIN].result.params)
    assert added == {"CL~DOSE"}
    assert named[DOSE].result.ofv < named[MAIN].result.ofv


def test_an_effect_nobody_can_tell_apart_is_left_out_and_named(named):
    assert "CL~RACE=ASIAN" not in named[FULL].result.params
    assert "CL~RACE=ASIAN" in named[FULL].notes
    assert "CL~DISEASE=WELL" in named[FULL].result.params


def test_only_runs_whose_individuals_are_used_keep_them(named):
    assert named[MAIN].result.ebe is not None
    assert named[SENSITIVITY].result.ebe is not None
    assert named[FULL].result.ebe is None


def test_the_kept_text_has_neither_time_nor_digits_that_differ(named):
    text = settled_text(named[MAIN].result)
    assert settled_text(FitResult.from_json(text)) == text
    fields = json.loads(text)
    assert fields["cpu_seconds"] == 0.0
    assert fields["ofv"] == float(f"{named[MAIN].result.ofv:.12g}")


def test_parameters_have_units_errors_and_the_change_of_the_objective(runs):
    table = pk_tables.parameter_table(runs)
    main = {r["pk_parameter"]: r for r in table.filter(pl.col("run") == MAIN).to_dicts()}
    units = {name: main[name]["estimate_unit"] for name in ("CL", "V1", "KA", "CL~WT", "sigma_add")}
    assert units == {"CL": "L/h", "V1": "L", "KA": "1/h", "CL~WT": "1", "sigma_add": "ng/mL"}
    assert main["CL"]["ci_lo"] < main["CL"]["estimate"] < main["CL"]["ci_hi"]
    assert main["omega2(CL)"]["shrinkage_pct"] is not None
    assert main["CL"]["shrinkage_pct"] is None
    added = table.filter(pl.col("run") == DOSE)["d_ofv"].unique().to_list()
    assert added[0] < -3.84
    assert table.filter(pl.col("run") == SENSITIVITY)["d_ofv"].null_count() > 0


def test_exposure_of_the_active_has_every_measure_and_its_unit(exposures, rows):
    active = pk_trial.subjects_of(rows).filter(pl.col("dose_mg") > 0).height
    counts = dict(exposures["exposure_measure"].value_counts().iter_rows())
    assert set(counts.values()) == {active}
    units = dict(exposures.select("exposure_measure", "unit").unique().iter_rows())
    assert units[pk_tables.AUC] == "h*ng/mL"
    assert units["CL/F"] == "L/h"
    wide = exposures.filter(pl.col("status") == "ok").pivot(
        on="exposure_measure", index=["usubjid", "dose_mg"], values="exposure_value"
    )
    product = wide[pk_tables.AUC] * wide["CL/F"] / wide["dose_mg"]
    assert product.drop_nulls().is_between(999.999, 1000.001).all()


def test_who_is_left_out_has_no_value_and_a_reason(exposures):
    lost = exposures.filter(pl.col("exposure_value").is_null())
    assert set(lost["reasons"]) == {"no sample above the limit of quantification"}
    assert set(lost["status"]) == {"not_available"}
    whole = exposures.filter(pl.col("exposure_measure") == pk_tables.AUC_ALL)
    assert whole["exposure_value"].null_count() == 0
    only = whole.filter(pl.col("reasons") != "")
    assert only.height == lost.filter(pl.col("exposure_measure") == pk_tables.AUC).height > 0


def test_the_rule_of_one_quantifiable_sample_bends_the_slope(exposures, runs):
    doses = pk_tables.dose_rows(exposures, runs, level=0.9)
    main, other = doses.to_dicts()
    assert main["n_missing"] > other["n_missing"] == 0
    assert main["dose_slope"] < other["dose_slope"] - 0.02
    assert main["dose_exponent_lo"] < main["dose_exponent"] < main["dose_exponent_hi"]
    assert other["dose_exponent"] is None


def test_boxes_are_for_all_and_by_level_and_count_who_is_missing(exposures, rows):
    levels = pk_trial.levels_of(pk_trial.subjects_of(rows))
    boxes = pk_tables.exposure_boxes(exposures, levels)
    every = boxes.filter(pl.col("cut_off") == "")
    assert set(every["exposure_measure"]) == {
        pk_tables.AUC, pk_tables.AUC_ALL, pk_tables.NORMALISED,
    }  # fmt: skip
    auc = every.filter(pl.col("exposure_measure") == pk_tables.AUC)
    lost = exposures.filter(
        pl.col("exposure_measure") == pk_tables.AUC, pl.col("exposure_value").is_null()
    )
    assert auc["n_missing"].sum() == lost.height
    split = boxes.filter(pl.col("cut_off") == "K1")
    assert split["n_subjects"].sum() == auc["n_subjects"].sum()
    ordered = ("whisker_low", "box_q1", "box_median", "box_q3", "whisker_high")
    for low, high in itertools.pairwise(ordered):
        assert (boxes[low] <= boxes[high]).all()
    normal = every.filter(pl.col("exposure_measure") == pk_tables.NORMALISED)
    assert (normal["box_median"] * normal["dose_mg"]).to_list() == pytest.approx(
        auc["box_median"].to_list()
    )


def test_the_forest_shows_the_full_model(rows, named):
    forest = forest_rows(rows, named[FULL], parameter="CL", level=0.9, band=(0.8, 1.25))
    assert set(forest["covariate"]) == {"WT", "AGE", "DISEASE"}
    assert (forest["ratio_lo"] < forest["ratio"]).all()
    assert "RACE" in forest["reasons"][0]


def test_predictions_keep_their_source_and_the_check_is_apart_by_it(rows, named):
    predictions = prediction_rows(rows, named[MAIN])
    assert set(predictions["pk_source"]) == {"trial", "earlier"}
    assert predictions.select("USUBJID", "ASEQ").is_duplicated().sum() == 0
    check = check_rows(rows, named[MAIN], replicates=20, seed=1)
    assert set(check["pk_source"]) == {"trial", "earlier"}
    assert check["quantile"].is_in([-1.0, 0.05, 0.5, 0.95]).all()


def test_a_plan_without_further_effects_has_two_runs(rows):
    alone = population_runs(rows, plan(dose_effect={}, full=()))
    assert [run.name for run in alone] == [MAIN, SENSITIVITY]
    assert forest_rows(rows, alone[0], parameter="CL", level=0.9, band=(0.8, 1.25)).height == 2


def test_a_higher_limit_gives_what_an_assay_with_that_limit_would_have_given(named):
    sensitive = pk_trial.pooled_rows(lloq=0.05)
    runs = population_runs(sensitive, plan(dose_effect={}, full=(), limits=[0.12]))
    names = [run.name for run in runs]
    assert names == [MAIN, SENSITIVITY, "main, limit 0.12 ng/mL", "sensitivity, limit 0.12 ng/mL"]
    for run, same in zip(runs[2:], (MAIN, SENSITIVITY), strict=True):
        assert run.result.n_blq == named[same].result.n_blq
        assert run.result.ofv == pytest.approx(named[same].result.ofv, abs=1e-4)
        assert run.result.params == pytest.approx(named[same].result.params, rel=1e-3, abs=1e-5)
    subjects = pk_trial.subjects_of(sensitive)
    exposures = pk_tables.exposure_rows(sensitive, runs, subjects)
    doses = pk_tables.dose_rows(exposures, runs, level=0.9)
    assert doses["run"].to_list() == names
    lost = dict(doses.select("run", "n_missing").iter_rows())
    assert lost[names[2]] > lost[MAIN] >= lost[names[3]] == 0
    assert doses["exposure_measure"].n_unique() == 4


def test_nobody_to_analyse_is_a_failed_run_not_an_error():
    empty = pk_trial.pooled_rows().filter(pl.col("EVID") == 1)
    main = population_runs(empty, plan())[0]
    assert (main.status, main.codes, main.result) == ("FAILED", "no_subjects", None)
    table = pk_tables.parameter_table([main])
    assert table.select("run", "pk_parameter", "status").row(0) == (MAIN, "none", "FAILED")


def test_rows_that_cannot_be_used_are_an_error():
    broken = pk_trial.pooled_rows().with_columns(pl.col("AFRLT").reverse())
    with pytest.raises(EventTableError):
        population_runs(broken, plan())


def test_a_model_the_method_does_not_know_is_refused():
    with pytest.raises(SpecError):
        PopulationPlan.read(
            {"structure": "oral9"}, subject_rule="observed", dose_effect={}, full=(), starts=1
        )


def test_one_dose_only_has_no_proportionality(exposures, runs):
    one = exposures.filter(pl.col("dose_mg") == 0.3)
    row = pk_tables.dose_rows(one, runs, level=0.9).row(0, named=True)
    assert row["status"] == "not_available"
    assert "two doses" in row["reasons"]


def test_a_run_without_result_says_so():
    run = Run(name=MAIN, subject_rule="observed", result=None, codes="x", reasons="x: why.")
    assert (run.status, run.usable) == ("FAILED", None)
    assert pk_tables.unavailable(run) == "not available: the main run is FAILED. x: why."
