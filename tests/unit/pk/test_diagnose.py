"""Diagnostics, covariates, simulation."""

import math

import numpy as np
import polars as pl
import pytest

from assayhouse.pk import (
    Category,
    Exponential,
    FitOptions,
    Power,
    SpecError,
    TrialDesign,
    bootstrap,
    covariate_forest,
    covariate_screen,
    gof,
    importance_sampling,
    simulate,
    simulate_trial,
    vpc,
)

ONE = FitOptions(starts=1)


def test_time_after_dose_is_that_since_the_latest(fitted):
    table = gof(fitted)
    rich = table.filter(pl.col("TIME") == 384.0)
    assert rich["TAD"].unique().to_list() == [72.0]
    assert table.filter(pl.col("TIME") > 500)["TAD"].is_between(23.0, 24.0).all()


def test_a_predictive_check_covers_the_data_it_came_from(trial, fitted):
    table = vpc(fitted, trial[0], n=200, stratify="SLE", bins=3)
    assert table["STRATUM"].unique().sort().to_list() == ["0", "1"]
    middle = table.filter(pl.col("QUANTILE") == 0.5)
    covered = middle.filter(pl.col("OBSERVED").is_between("SIM_LOW", "SIM_HIGH"))
    assert covered.height >= 5 <= middle.height
    blq = table.filter(pl.col("QUANTILE") == -1)
    assert blq["OBSERVED"].is_between(0, 1).all()


def test_quantiles_among_samples_below_the_limit_are_null(fitted):
    events, _ = simulate_trial(TrialDesign(n=(12, 12, 12), rich=15, lloq=0.15), seed=7)
    table = vpc(fitted, events, n=20, bins=[600.0, 700.0], prediction_corrected=False)
    low = table.filter(pl.col("QUANTILE") == 0.05)
    assert low["OBSERVED"].to_list() == [None]


@pytest.mark.parametrize("wrong", [{"n": 0}, {"stratify": "X"}, {"bins": 0}, {"bins": [1.0]}])
def test_a_predictive_check_that_cannot_be_is_refused(trial, fitted, wrong):
    with pytest.raises(SpecError):
        vpc(fitted, trial[0], **{"n": 2} | wrong)


def test_sampling_agrees_with_foce_on_such_data(trial, fitted):
    first = importance_sampling(fitted, trial[0], n=300)
    assert first == pytest.approx(fitted.minus2ll, abs=6)
    assert first == importance_sampling(fitted, trial[0], n=300)


def test_a_forest_shows_ratios_of_exposure_to_the_reference(trial, fitted):
    forest = covariate_forest(fitted, trial[0])
    first = trial[0].frame.group_by("ID").first()
    low = np.quantile(first["WT"].to_numpy(), 0.05)
    row = forest.row(0, named=True)
    b = fitted.params["CL~WT"]
    assert row["VALUE"] == pytest.approx(low)
    assert row["RATIO"] == pytest.approx((low / 70) ** -b)
    assert row["LOW"] * row["HIGH"] == pytest.approx(row["RATIO"] ** 2)
    width = math.log(row["HIGH"] / row["LOW"]) / 2
    assert width == pytest.approx(1.6449 * fitted.se["CL~WT"] * abs(math.log(low / 70)), rel=1e-4)
    ill = forest.filter(pl.col("COVARIATE") == "SLE").row(0, named=True)
    assert ill["RATIO"] == pytest.approx(math.exp(-fitted.params["CL~SLE=1"]))
    assert ill["N"] == first.filter(pl.col("SLE") == 1).height
    turned = covariate_forest(fitted, trial[0], reference={"SLE": 1})
    healthy = turned.filter(pl.col("COVARIATE") == "SLE").row(0, named=True)
    assert healthy["RATIO"] == pytest.approx(1 / ill["RATIO"])


def test_a_forest_refuses_what_is_not_in_the_model(trial, fitted):
    with pytest.raises(SpecError, match="KA"):
        covariate_forest(fitted, trial[0], parameter="KA")
    with pytest.raises(SpecError, match="AGE"):
        covariate_forest(fitted, trial[0], reference={"AGE": 40})


def test_candidates_are_tested_one_by_one(trial, fitted):
    from dataclasses import replace

    plain = replace(fitted.spec, covariates=())
    candidates = [
        Power("CL", "WT", 70.0),
        (Category("CL", "SLE", 1), Exponential("CL", "AGE", 40.0)),
    ]
    table = covariate_screen(plain, trial[0], candidates, options=ONE)
    assert table["DF"].to_list() == [1, 2]
    assert table["FORM"].to_list() == ["power", "category"]
    assert (table["DOFV"] < 1e-3).all()
    assert table["P_VALUE"].is_between(0, 1).all()
    assert table["ESTIMATE"].null_count() == 1


def test_a_bootstrap_keeps_the_strata(trial, fitted):
    table = bootstrap(fitted.spec, trial[0], n=2, stratify="SLE")
    assert table["REPLICATE"].to_list() == [1, 2]
    assert table["CL"].is_between(10, 40).all()
    with pytest.raises(SpecError):
        bootstrap(fitted.spec, trial[0], n=0)


def test_a_simulated_table_keeps_doses_and_marks_what_is_below(trial, fitted):
    events, truth = simulate(fitted.spec, fitted.params, trial[0], seed=3)
    again, _ = simulate(fitted.spec, fitted.params, trial[0], seed=3)
    assert events.content_hash == again.content_hash != trial[0].content_hash
    samples = events.frame.filter(pl.col("EVID") == 0)
    assert (samples["DV"] >= samples["LLOQ"]).all()
    assert (samples.filter(pl.col("BLQ") == 1)["DV"] == 0.05).all()
    assert truth.columns == ["ID", "CL_TRUE", "V1_TRUE", "Q_TRUE", "V2_TRUE", "KA_TRUE"]


def test_a_trial_has_the_design_asked_for(trial):
    events, truth = trial
    assert (events.amt_unit, events.dv_unit) == ("mg", "ng/mL")
    assert truth["DOSE_MG"].to_list()[:36] == [0.15] * 12 + [0.3] * 12 + [0.45] * 12
    assert truth["AUCSS_TRUE"][0] == pytest.approx(150 / truth["CL_TRUE"][0])
    assert events.n_subjects == 51
    same, _ = simulate_trial(TrialDesign(n=(12, 12, 12), rich=15), seed=7)
    assert same.content_hash == events.content_hash


def test_a_missed_dose_lowers_what_is_found_before_the_next(trial):
    design = TrialDesign(n=(12, 12, 12), rich=0, missed_dose=0.99)
    missed, _ = simulate_trial(design, seed=7)
    assert missed.frame.filter(pl.col("EVID") == 1).height == 36
    assert missed.n_blq > trial[0].n_blq


def test_clearance_may_rise_with_the_dose():
    design = TrialDesign(n=(60, 0, 60), rich=0, dose_exponent_cl=2.0)
    _, truth = simulate_trial(design, seed=1)
    low, high = (truth.filter(pl.col("DOSE_MG") == d)["CL_TRUE"].median() for d in (0.15, 0.45))
    assert high / low == pytest.approx(9, rel=0.25)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n": (1,)},
        {"doses": (0.0, 0.3, 0.4)},
        {"weeks": ()},
        {"lloq": 0.0},
        {"miss": 1.0},
        {"params": {"XX": 1.0}},
        {"jitter_h": 20.0},
        {"rich": -1},
    ],
)
def test_a_design_that_cannot_be_is_refused(wrong):
    with pytest.raises(SpecError):
        TrialDesign(**wrong)
