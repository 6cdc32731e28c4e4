"""Results of a fit: form, JSON, determinism, statuses with their reasons."""

import dataclasses
import json
import math

import numpy as np
import polars as pl
import pytest

from assayhouse.pk import (
    EventTable,
    FitFailedError,
    FitOptions,
    FitResult,
    ModelSpec,
    Power,
    SpecError,
    covariate_forest,
    evaluate,
    exposure,
    fit,
    gof,
    importance_sampling,
    vpc,
)
from assayhouse.pk.problem import build_problem
from assayhouse.pk.starts import complete_start

ONE = FitOptions(starts=1)


def same(first, second):
    """Whether two field values are the same, with their types."""
    if isinstance(first, pl.DataFrame):
        return first.schema == second.schema and first.equals(second, null_equal=True)
    if isinstance(first, np.ndarray):
        return first.dtype == second.dtype and np.array_equal(first, second)
    return type(first) is type(second) and first == second


def test_json_gives_every_field_back_with_its_type(fitted):
    text = fitted.to_json()
    again = FitResult.from_json(text)
    for field in dataclasses.fields(FitResult):
        assert same(getattr(fitted, field.name), getattr(again, field.name)), field.name
    assert again.to_json() == text
    json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not strict JSON"))


def test_a_result_can_be_changed_by_replace(fitted):
    assert dataclasses.replace(fitted, version="x").version == "x"


def test_the_same_inputs_give_the_same_bytes(trial, fitted):
    again = fit(fitted.spec, trial[0], fitted.options)
    assert (
        dataclasses.replace(again, cpu_seconds=0.0).to_json()
        == dataclasses.replace(fitted, cpu_seconds=0.0).to_json()
    )


def test_a_result_names_parameters_in_one_order(fitted):
    names = fitted.spec.parameter_names
    for field in ("params", "se", "se_hessian", "se_sandwich", "rse_pct", "ci"):
        assert tuple(getattr(fitted, field)) == names
    assert fitted.covariance.shape == (len(fitted.covariance_names),) * 2
    assert fitted.ebe.columns[:6] == ["ID", "CL", "V1", "Q", "V2", "KA"]
    assert fitted.ebe.columns[-3:] == ["N_OBS", "N_BLQ", "OBJI"]
    assert fitted.ebe["N_BLQ"].sum() == fitted.n_blq
    assert fitted.ebe["OBJI"].sum() == pytest.approx(fitted.ofv)


def test_residuals_below_the_limit_are_null(fitted):
    below = fitted.predictions.filter(pl.col("BLQ") == 1)
    assert below.height == fitted.n_blq > 0
    assert below["IWRES"].null_count() == below["CWRES"].null_count() == below.height


def test_intervals_are_on_the_log_scale_but_for_coefficients(fitted):
    low, high = fitted.ci["CL"]
    assert low * high == pytest.approx(fitted.params["CL"] ** 2)
    low, high = fitted.ci["CL~WT"]
    assert low + high == pytest.approx(2 * fitted.params["CL~WT"])


def test_standard_errors_are_of_the_kind_asked_for(trial, fitted):
    other = fit(fitted.spec, trial[0], FitOptions(starts=1, covariance="hessian"))
    assert other.se == other.se_hessian == fitted.se_hessian
    assert fitted.se == fitted.se_sandwich != fitted.se_hessian
    none = fit(fitted.spec, trial[0], FitOptions(starts=1, covariance="none"))
    assert set(none.se.values()) == {None}
    assert none.covariance is None
    assert none.edm < 1e-3


def test_a_fixed_parameter_stays_and_has_no_error(trial):
    spec = ModelSpec(
        "oral2",
        ("CL",),
        "proportional",
        init={"CL": 18.0, "V1": 100.0, "Q": 12.0, "V2": 150.0, "KA": 1.0},
        fixed=("KA", "Q"),
        covariates=(Power("CL", "WT", 70.0, 0.25, fixed=True),),
    )
    result = fit(spec, trial[0], ONE)
    assert (result.params["KA"], result.params["Q"], result.params["CL~WT"]) == (1.0, 12.0, 0.25)
    assert {name for name, se in result.se.items() if se is None} == {"KA", "Q", "CL~WT"}


def test_starts_from_the_data_end_where_given_ones_do(trial, fitted):
    spec = dataclasses.replace(fitted.spec, init={})
    start = complete_start(build_problem(spec, trial[0]), {})
    assert set(start) == set(spec.parameter_names)
    assert fit(spec, trial[0], ONE).ofv == pytest.approx(fitted.ofv, abs=0.01)


def test_several_starts_agree_and_are_all_reported(trial, fitted):
    result = fit(fitted.spec, trial[0], FitOptions(starts=3))
    assert result.starts["START"].to_list() == [1, 2, 3]
    assert result.ofv == pytest.approx(min(result.starts["OFV"]), abs=1e-6)
    assert "starts_disagree" not in {reason.code for reason in result.reasons}


def flat_table():
    """One sample each, so that nothing but a level can be learned."""
    rows = []
    for subject in range(8):
        common = {"ID": subject, "DV": None, "AMT": 0.0}
        rows.append({**common, "TIME": 0.0, "EVID": 1, "AMT": 10.0})
        rows.append({**common, "TIME": 5.0, "EVID": 0, "DV": 1.0 + 0.1 * subject})
    return EventTable.from_frame(
        pl.DataFrame(rows, infer_schema_length=None), amt_unit="mg", dv_unit="mg/L"
    )


@pytest.fixture(scope="module")
def failed():
    init = {"CL": 1.0, "V": 10.0, "KA": 1.0, "sigma_prop": 0.2}
    return fit(ModelSpec("oral1", ("CL",), "proportional", init), flat_table(), ONE)


def test_what_the_data_do_not_identify_fails_with_reasons(failed):
    assert failed.status == "FAILED"
    assert "hessian_not_pd" in {reason.code for reason in failed.reasons}
    assert failed.ebe is failed.predictions is None
    assert FitResult.from_json(failed.to_json()).to_json() == failed.to_json()


@pytest.mark.parametrize(
    "ask",
    [
        lambda failed: failed.require_ok(),
        gof,
        lambda failed: exposure(failed, pl.DataFrame()),
        lambda failed: vpc(failed, flat_table(), n=0),
        lambda failed: covariate_forest(failed, flat_table()),
        lambda failed: importance_sampling(failed, flat_table(), n=0),
    ],
)
def test_nothing_is_derived_from_a_failed_fit(failed, ask):
    with pytest.raises(FitFailedError, match="hessian_not_pd") as caught:
        ask(failed)
    assert {reason.severity for reason in caught.value.reasons} == {"FAILED"}


def test_a_fit_that_never_began_has_no_estimates():
    rows = {"ID": [1, 1], "TIME": [0.0, 1e6], "EVID": [1, 0], "AMT": [10.0, 0.0], "DV": [None, 1.0]}
    events = EventTable.from_frame(pl.DataFrame(rows), amt_unit="mg", dv_unit="mg/L")
    spec = ModelSpec("bolus1", ("CL",), "additive", {"CL": 1e200, "V": 1e-200, "sigma_add": 1e-200})
    result = fit(spec, events, ONE)
    assert result.status == "FAILED"
    assert result.reasons[0].code == "no_start_succeeded"
    assert math.isnan(result.ofv)
    assert FitResult.from_json(result.to_json()).to_json() == result.to_json()
    assert math.isnan(evaluate(spec, events).ofv)


@pytest.mark.parametrize(("subjects", "samples"), [(1, 2), (2, 8), (8, 1)])
def test_data_too_few_for_the_model_fail_whatever_the_search_says(trial, subjects, samples):
    """Two random effects and eight parameters: of one subject nothing can be told."""
    spec = ModelSpec(
        "oral1", ("CL", "V"), "combined", init={"CL": 18.0, "V": 200.0, "KA": 1.0},
        covariates=(Power("CL", "WT", 70.0),),
    )  # fmt: skip
    rich = trial[0].frame.filter(pl.col("ID").is_in(trial[1].tail(15)["ID"].to_list()))
    kept = rich.filter(
        pl.col("ID").is_in(rich["ID"].unique(maintain_order=True).to_list()[:subjects])
    )
    number = pl.col("EVID").eq(0).cum_sum().over("ID")
    kept = kept.filter((pl.col("EVID") != 0) | (number <= samples))
    events = EventTable.from_frame(
        kept, amt_unit="mg", dv_unit="ng/mL", covariates=("WT",), subject_rule="observed"
    )
    result = fit(spec, events, ONE)
    assert result.status == "FAILED"
    assert "too_few_data" in {reason.code for reason in result.reasons}
    assert result.ebe is None
    assert FitResult.from_json(result.to_json()).to_json() == result.to_json()


def test_subjects_without_a_quantifiable_sample_leave_under_m1(trial):
    spec = ModelSpec(
        "oral2",
        ("CL",),
        "proportional",
        init={"CL": 18.0, "V1": 100.0, "Q": 12.0, "V2": 150.0, "KA": 1.0},
        blq="M1",
    )
    result = fit(spec, trial[0], ONE)
    lost = trial[0].n_subjects - result.n_subjects
    assert result.excluded["REASON"].to_list() == ["no_quantifiable"] * lost
    assert (result.n_blq, result.n_obs) == (0, trial[0].n_obs - trial[0].n_blq)


@pytest.mark.parametrize(
    "wrong",
    [
        {"structure": "oral3"},
        {"error": "poisson"},
        {"blq": "M4"},
        {"iiv": ("V",)},
        {"iiv": ("CL", "CL")},
        {"block": (("CL", "V1"),)},
        {"init": {"CL": 0.0}},
        {"init": {"XX": 1.0}},
        {"init": {"omega2(V1)": 0.1}},
        {"fixed": ("XX",)},
        {"covariates": (Power("V", "WT", 70.0),)},
        {"covariates": (Power("CL", "WT", 70.0), Power("CL", "WT", 71.0))},
    ],
)
def test_a_specification_that_cannot_be_is_refused(wrong):
    with pytest.raises(SpecError):
        ModelSpec(**{"structure": "oral2", "iiv": ("CL",), "error": "additive"} | wrong)


def test_a_power_effect_needs_a_reference_above_zero():
    with pytest.raises(SpecError, match="reference"):
        Power("CL", "WT", 0.0)


def test_a_fit_needs_variability_and_columns_that_are_there(trial):
    with pytest.raises(SpecError, match="iiv"):
        fit(ModelSpec("oral2", (), "additive"), trial[0])
    with pytest.raises(SpecError, match="HEIGHT"):
        fit(
            ModelSpec("oral2", ("CL",), "additive", covariates=(Power("CL", "HEIGHT", 170.0),)),
            trial[0],
        )


def test_omega_must_be_positive_definite(trial):
    init = {"omega2(CL)": 0.1, "omega2(V1)": 0.1, "omega(CL,V1)": 0.2}
    with pytest.raises(SpecError, match="positive definite"):
        evaluate(ModelSpec("oral2", ("CL", "V1"), "additive", init, (("CL", "V1"),)), trial[0])


@pytest.mark.parametrize("wrong", [{"starts": 0}, {"covariance": "x"}, {"ci_level": 1.0}])
def test_an_option_out_of_range_is_refused(wrong):
    with pytest.raises(SpecError):
        FitOptions(**wrong)


def test_a_specification_survives_its_mapping(fitted):
    spec = fitted.spec
    assert ModelSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    with pytest.raises(SpecError, match="key"):
        ModelSpec.from_dict({"structure": "oral1", "iiv": [], "error": "additive", "x": 1})
    with pytest.raises(SpecError, match="form"):
        ModelSpec.from_dict(
            {**spec.to_dict(), "covariates": [{"parameter": "CL", "column": "WT", "form": "cubic"}]}
        )
