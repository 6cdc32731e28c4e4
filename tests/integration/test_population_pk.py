"""The demonstration's concentrations recover what was planted; a fit that fails gives nothing.

Sparse predose samples of the trial and rich ones of earlier studies go from files through intake
to the population model and what stands on it. The truth is what the simulation planted.
"""

import shutil
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from assayhouse.analysis import pk_tables
from assayhouse.analysis.exposure import PREDOSE
from assayhouse.analysis.pk_runs import MAIN, SENSITIVITY
from assayhouse.errors import AssayhouseError
from assayhouse.pipeline import population_pk
from assayhouse.pipeline.publication import unblind
from assayhouse.pipeline.relations import build_relation
from assayhouse.pk import FitResult
from assayhouse.pk.errors import FitFailedError, UnitError
from assayhouse.simulate.individuals import subject_table
from assayhouse.simulate.pooled import planted_kinetics, pooled_subject_table
from assayhouse.simulate.world import World
from assayhouse.warehouse.home import Home
from assayhouse.warehouse.lake import Lake
from dagster_project.checks import table_results
from dagster_project.defs.population import CHECK, FITS, PREDICTIONS, population_metadata
from dagster_project.night import _Night

from support.clean_study import AT, clean_home, rows_of

pytestmark = pytest.mark.slow
LAYOUTS = (
    *("central_lab.lb", "pk_lab.pc", "pk_pool.events", "edc.dm", "edc.site", "edc.vs"),
    *("edc.ex", "edc.ec", "irt.rand", "irt.strata"),
)
RELATIONS = (
    *("ard.population_pk", "ard.exposure_summary", "ard.dose_proportionality"),
    *("ard.covariate_forest", "ard.population_predictions", "ard.predictive_check"),
    "ard.exposure_response",
)
HANGING = (
    *("ard.population_pk", "ard.exposure", "ard.exposure_summary", "ard.dose_proportionality"),
    *("ard.covariate_forest", "ard.population_predictions", "ard.predictive_check"),
    "ard.exposure_response",
)
RAISED = ", limit 0.12 ng/mL"
Z99 = 2.576
T90 = 1.66


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("population_pk")
    return clean_home(folder / "home", RELATIONS, layouts=LAYOUTS)


@pytest.fixture(scope="module")
def world(built):
    return World(built[1].seed, built[1].subjects)


@pytest.fixture(scope="module")
def truth(built, world):
    """Planted clearance, exposure, dose and weight of every subject, earlier studies too."""
    wanted = ("usubjid", "dose_mg", "clearance_l_per_h", "auc_ss", "weight_kg")
    both = (subject_table(world), pooled_subject_table(built[1].seed))
    return pl.concat([part.select(wanted) for part in both])


def table(built, relation):
    return rows_of(built[0], built[2], relation)


def parameters(built, run):
    rows = table(built, "ard.population_pk").filter(pl.col("run") == run)
    return {row["pk_parameter"]: row for row in rows.iter_rows(named=True)}


def test_the_events_hold_every_dose_and_sample_of_who_was_given_the_drug(built, truth):
    rows = table(built, "adam.adppk")
    assert set(rows["pk_source"].unique()) == {"trial", "earlier"}
    assert rows.select("AMTU", "DVU").unique().drop_nulls().height >= 1
    trial = rows.filter(pl.col("pk_source") == "trial")
    given = truth.filter(pl.col("dose_mg") > 0, ~pl.col("usubjid").str.starts_with("DEMO-PK"))
    assert set(trial["USUBJID"]) == set(given["usubjid"])
    samples = trial.filter(pl.col("EVID") == 0)
    analysed = table(built, "adam.adpc").filter(pl.col("ANL01FL") == "Y")
    own = analysed.filter(pl.col("USUBJID").is_in(trial["USUBJID"].to_list()))
    assert sorted(samples["SPECREF"]) == sorted(own["SPECREF"])
    assert samples.select(pl.col("source_file", "source_line").is_not_null().all()).row(0) == (
        True,
        True,
    )


def test_a_sample_lies_about_a_day_after_the_last_dose_as_the_diary_says(built):
    rows = table(built, "ard.population_predictions").filter(pl.col("pk_source") == "trial")
    assert rows["hours_since_dose"].is_between(18, 30).all()


@pytest.mark.parametrize("name", ["CL", "V1", "Q", "V2", "TLAG", "CL~WT", "CL~DOSE"])
def test_a_planted_parameter_lies_inside_its_interval(built, name):
    planted = dict(planted_kinetics().iter_rows())
    row = parameters(built, "dose effect")[name]
    assert abs(row["estimate"] - planted[name]) < Z99 * row["se"]


def test_typical_clearance_is_that_of_the_subjects_drawn(built, truth):
    """The mean of the planted clearances themselves, of those who are in the fit."""
    rows = parameters(built, "dose effect")
    fitted = set(table(built, "ard.population_predictions")["USUBJID"])
    own = truth.filter(pl.col("usubjid").is_in(list(fitted)))
    size = np.log(own["weight_kg"].to_numpy() / 70.0)
    dose = np.log(own["dose_mg"].to_numpy() / 0.3)
    design = np.column_stack([np.ones(len(size)), size, dose])
    solved, *_ = np.linalg.lstsq(design, np.log(own["clearance_l_per_h"].to_numpy()))
    assert abs(rows["CL"]["estimate"] - np.exp(solved[0])) < 1.96 * rows["CL"]["se"]
    assert abs(rows["CL~WT"]["estimate"] - solved[1]) < 1.96 * rows["CL~WT"]["se"]
    assert abs(rows["CL~DOSE"]["estimate"] - solved[2]) < 1.96 * rows["CL~DOSE"]["se"]


def test_absorption_is_that_of_the_earlier_subjects_drawn(built):
    """Sixty subjects tell it; their own mean is a sample of what was planted."""
    drawn = pooled_subject_table(built[1].seed)["absorption_per_h"].log().mean()
    row = parameters(built, "dose effect")["KA"]
    assert abs(row["estimate"] - np.exp(drawn)) < 1.96 * row["se"]


@pytest.mark.parametrize("dose", [0.15, 0.3, 0.45])
def test_planted_exposure_of_a_dose_lies_inside_the_interval_of_its_geometric_mean(
    built, truth, dose
):
    own = table(built, "ard.exposure").filter(
        pl.col("exposure_measure") == pk_tables.AUC, pl.col("dose_mg") == dose
    )
    joined = own.drop_nulls("exposure_value").join(truth, on="usubjid")
    found = np.log(joined["exposure_value"].to_numpy())
    planted = np.log(joined["auc_ss"].to_numpy())
    half = T90 * found.std(ddof=1) / np.sqrt(len(found))
    assert abs(found.mean() - planted.mean()) < half
    assert np.corrcoef(found, planted)[0, 1] > 0.6, "individuals are told apart"


def test_the_planted_slope_lies_inside_the_interval_of_either_population(built):
    planted = dict(planted_kinetics().iter_rows())["dose slope of AUCss"]
    rows = table(built, "ard.dose_proportionality")
    assert set(rows["run"]) == {MAIN, SENSITIVITY, *(f"{r}{RAISED}" for r in (MAIN, SENSITIVITY))}
    rows = rows.filter(~pl.col("run").str.ends_with(RAISED)).sort("run")
    for row in rows.iter_rows(named=True):
        assert row["ci_lo"] < planted < row["ci_hi"], row["run"]
        assert row["conclusion"] == "inconclusive", "0.83 with this n is neither"
    main = rows.row(0, named=True)
    assert main["dose_exponent_lo"] < 1 - planted < main["dose_exponent_hi"]
    assert main["d_ofv"] < -3.84


def test_what_the_rule_of_one_quantifiable_sample_does_is_shown(built):
    """Who has only samples below the limit is left out by the one and kept by the other."""
    exposure = table(built, "ard.exposure")
    doses = {row["run"]: row for row in table(built, "ard.dose_proportionality").to_dicts()}
    boxes = table(built, "ard.exposure_summary").filter(pl.col("cut_off") == "")
    kept = boxes.filter(pl.col("exposure_measure") == pk_tables.AUC_ALL)["n_blq_only"].sum()
    lost = doses[MAIN]["n_missing"] - doses[SENSITIVITY]["n_missing"]
    assert lost == kept > 0
    assert doses[MAIN]["dose_slope"] < doses[SENSITIVITY]["dose_slope"], "the rule bends it down"
    why = exposure.filter(
        pl.col("exposure_measure") == pk_tables.AUC, pl.col("exposure_value").is_null()
    )["reasons"]
    assert (why == "no sample above the limit of quantification").sum() == lost


def test_with_a_less_sensitive_assay_the_rule_would_take_a_fifth_of_the_lowest_dose(built):
    """The same samples at a limit of 0.12 ng/mL: who is lost, and what that does to the slope."""
    doses = {row["run"]: row for row in table(built, "ard.dose_proportionality").to_dicts()}
    main, other = (doses[f"{name}{RAISED}"] for name in (MAIN, SENSITIVITY))
    assert other["n_missing"] == doses[SENSITIVITY]["n_missing"]
    boxes = table(built, "ard.exposure_summary").filter(
        pl.col("cut_off") == "", pl.col("exposure_measure") == main["exposure_measure"]
    )
    assert boxes["n_missing"].sum() == main["n_missing"] > 20
    share = dict(
        boxes.select(
            "dose_mg", pl.col("n_missing") / (pl.col("n_missing") + pl.col("n_subjects"))
        ).iter_rows()
    )
    assert share[0.15] > 0.2 > share[0.3] > share[0.45]
    assert main["dose_slope"] < other["dose_slope"] - 0.05, "the rule bends it down"
    planted = dict(planted_kinetics().iter_rows())["dose slope of AUCss"]
    assert other["ci_lo"] < planted < other["ci_hi"], "who has no such sample still counts"


def test_no_planted_covariate_but_weight_moves_exposure_beyond_the_band(built):
    rows = table(built, "ard.covariate_forest")
    assert set(rows["covariate"]) == {"WT", "AGE", "CRCL", "SEX", "RACE", "ETHNIC", "DISEASE"}
    assert rows["within_band"].all()
    labels = rows["label"].to_list()
    assert any(label.startswith("Creatinine clearance, 95th percentile: ") for label in labels)
    assert "Sex: M" in labels
    assert sum(label.endswith(" kg") for label in labels) == 2
    weight = rows.filter(pl.col("covariate") == "WT").sort("covariate_value")
    assert weight["ratio"].to_list() == sorted(weight["ratio"], reverse=True)
    planted = (70.0 / weight["covariate_value"].to_numpy()) ** 0.25
    assert (planted > weight["ratio_lo"].to_numpy() - 0.05).all()
    assert (planted < weight["ratio_hi"].to_numpy() + 0.05).all()


def test_the_predictive_check_covers_most_quantiles(built):
    rows = table(built, "ard.predictive_check").drop_nulls(["of_samples", "sim_low", "sim_high"])
    inside = rows["of_samples"].is_between(rows["sim_low"] * 0.999, rows["sim_high"] * 1.001)
    assert inside.mean() > 0.8
    assert set(rows["pk_source"]) == {"trial", "earlier"}


def test_residuals_are_about_standard_normal(built):
    residuals = table(built, "ard.population_predictions")["cwres"].drop_nulls()
    assert abs(residuals.mean()) < 0.15
    assert 0.85 < residuals.std() < 1.15


def test_exposure_and_every_biomarker_s_change_are_joined(built):
    rows = table(built, "ard.exposure_response")
    asked = table(built, "adam.adbm").filter(
        pl.col("AVISITN") == 24, pl.col("ANL01FL") == "Y", pl.col("CHG").is_not_null()
    )
    for measure in (pk_tables.AUC, PREDOSE):
        own = rows.filter(pl.col("exposure_measure") == measure)
        assert set(own["paramcd"]) == set(asked["PARAMCD"])
        assert (own["n"] >= 10).all()


def test_a_second_build_has_the_same_content(built):
    home, _, loaded = built
    former = Lake(home, loaded).head("ard.population_fits")
    again = build_relation(home, loaded, "ard.population_fits")
    assert not again.changed
    assert again.content_hash == former.content_hash


@pytest.fixture(scope="module")
def sparse(built, tmp_path_factory):
    """A copy of the home in which no earlier study was pooled, built anew."""
    home, _, loaded = built
    folder = tmp_path_factory.mktemp("sparse") / "home"
    shutil.copytree(home.root, folder)
    copy = Home(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(population_pk, "POOLED", "a shape that nothing maps to")
        for relation in ("adam.adppk", "ard.population_fits", *HANGING):
            build_relation(copy, loaded, relation)
    return copy, loaded


def of(sparse, relation):
    return rows_of(*sparse, relation)


def test_sparse_data_alone_fail_with_reasons_and_publish_no_individual_estimate(sparse):
    assert set(of(sparse, "adam.adppk")["pk_source"]) == {"trial"}
    runs = {row["run"]: row for row in of(sparse, "ard.population_fits").to_dicts()}
    main = runs[MAIN]
    assert main["status"] == "FAILED"
    assert {"hessian_not_pd", "runaway_parameter"} & set(main["codes"].split(", "))
    assert main["codes"].split(", ")[0] in main["reasons"]
    assert main["ofv"] is None
    result = FitResult.from_json(main["result"])
    assert result.ebe is None
    assert result.predictions is None
    with pytest.raises(FitFailedError):
        result.require_ok()
    for blocked in ("dose effect", "full model"):
        assert (runs[blocked]["status"], runs[blocked]["codes"]) == ("FAILED", "main_failed")
        assert main["codes"] in runs[blocked]["reasons"]


def test_what_hangs_on_a_failed_fit_is_not_available_and_says_why(sparse):
    runs = {row["run"]: row for row in of(sparse, "ard.population_fits").to_dicts()}
    code = runs[MAIN]["codes"].split(", ")[0]
    exposures = of(sparse, "ard.exposure")
    simple = pl.col("exposure_measure") == PREDOSE
    modelled = exposures.filter(~simple)
    assert modelled["exposure_value"].null_count() == modelled.height > 0
    assert set(modelled["status"]) == {"not_available"}
    main = modelled.filter(pl.col("exposure_measure") == pk_tables.AUC)
    assert main["reasons"].str.contains(code).all()
    assert exposures.filter(simple)["exposure_value"].drop_nulls().len() > 0, "needs no model"
    dose = of(sparse, "ard.dose_proportionality").filter(pl.col("run") == MAIN).row(0, named=True)
    assert (dose["status"], dose["dose_slope"]) == ("not_available", None)
    assert code in dose["reasons"]
    forest = of(sparse, "ard.covariate_forest")
    assert forest["status"].to_list() == ["not_available"]
    assert of(sparse, "ard.population_predictions").is_empty()
    assert of(sparse, "ard.predictive_check").is_empty()
    told = of(sparse, "ard.population_pk").filter(pl.col("run") == MAIN)
    assert told["estimate"].null_count() == told.height > 5
    boxes = of(sparse, "ard.exposure_summary")
    assert boxes.filter(pl.col("exposure_measure") == pk_tables.AUC)["n_subjects"].sum() == 0
    joined = of(sparse, "ard.exposure_response")
    auc = joined.filter(pl.col("exposure_measure") == pk_tables.AUC)
    assert set(auc["status"]) == {"not_available"}
    assert auc["reasons"].str.contains(code).all()
    assert set(auc["paramcd"]) == set(joined.filter(simple)["paramcd"])


def test_the_reasons_of_a_failed_fit_stand_on_the_asset_s_page(sparse):
    lake = Lake(*sparse)
    (check,) = table_results(lake, FITS)
    assert not check.passed
    assert check.metadata["unexpected"].value == 6
    shown = population_metadata(lake, FITS)
    assert str(shown["main_status"]).startswith("FAILED ")
    assert shown["full_model_status"] == "FAILED main_failed"
    assert population_metadata(lake, "ard.exposure") == {}


def test_before_the_unblinding_the_pages_show_counts_and_afterwards_pictures(built, tmp_path):
    home, _, loaded = built
    copy = Home(tmp_path / "home")
    shutil.copytree(home.root, copy.root)
    lake = Lake(copy, loaded)
    before = population_metadata(lake, FITS)
    assert before["main_counts"].value["n_subjects"] > 200
    assert not [name for name in before if "reasons" in name]
    for relation in (PREDICTIONS, CHECK):
        assert "after unblinding" in population_metadata(lake, relation)["diagnostic"].value
    unblind(copy, loaded, planned="planned", reason="the analysis", at=AT, who="anna")
    after = population_metadata(lake, FITS)
    assert "shrinkage" in after["main_reasons"]
    for relation in (PREDICTIONS, CHECK):
        picture = population_metadata(lake, relation)["diagnostic"].value
        assert "data:image/svg+xml;base64," in picture
        assert len(picture) < 70_000
    night = _Night(
        instance=SimpleNamespace(get_run_tags=lambda **_: []),
        study=None, lake=lake, job=None, tell=print,
    )  # fmt: skip
    assert set(night.unshown_figures()) == {"report.figures", PREDICTIONS, CHECK}
    (passed,) = table_results(lake, FITS)
    assert passed.passed


def test_a_wrong_unit_of_the_dose_stops_the_events_and_nothing_is_written(built, monkeypatch):
    """0.3 of another unit would be a factor of 1000 in every clearance."""
    home, _, loaded = built
    former = Lake(home, loaded).head("adam.adppk")
    honest = population_pk.BuildContext.table

    def in_micrograms(context, relation):
        frame = honest(context, relation)
        if relation == "sdtm.ex":
            frame = frame.with_columns(pl.lit("ug").alias("EXDOSU"))
        return frame

    monkeypatch.setattr(population_pk.BuildContext, "table", in_micrograms)
    with pytest.raises(UnitError, match="no dose of any arm"):
        build_relation(home, loaded, "adam.adppk")
    assert issubclass(UnitError, AssayhouseError)
    assert Lake(home, loaded).head("adam.adppk") == former
