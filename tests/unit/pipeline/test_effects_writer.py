"""What goes into the effects and what is added to them: population, provenance, units."""

import dataclasses

import polars as pl
import pytest

from assayhouse.contracts import declarations
from assayhouse.errors import ModelDataError
from assayhouse.pipeline.effects import describe, effect_spec, long_form, with_units
from assayhouse.pipeline.population import method_by_parameter

from support.cytokine_study import cytokine_declarations

STUDY = cytokine_declarations().study
SHIPPED = declarations.load().study
PARAMETERS = pl.DataFrame({"PARAMCD": ["X"], "unit": ["pg/mL"], "scale": ["linear"]})


def adbm(*rows):
    given = {
        "USUBJID": "A",
        "PARAMCD": "X",
        "AVISITN": 4,
        "AVAL": 2.0,
        "BASE": 1.0,
        "ANL01FL": "Y",
        "blq_fl": "N",
        "lloq": 0.1,
    }
    return pl.DataFrame([given | row for row in rows])


def adsl(*rows):
    given = {"USUBJID": "A", "ARMCD": "P", "SAFFL": "Y", "STRATA1": "Y", "STRATA2": "N"}
    return pl.DataFrame([given | row for row in rows])


def test_only_analysed_post_baseline_records_with_a_baseline_enter():
    rows = (
        {"AVISITN": 0},
        {"AVISITN": 4},
        {"AVISITN": 12, "ANL01FL": None},
        {"AVISITN": 24, "BASE": None},
    )
    assert long_form(adbm(*rows), adsl({}), STUDY)["avisitn"].to_list() == [4]


def test_a_declared_lowest_baseline_leaves_out_who_had_less_of_that_parameter_only():
    plan = dataclasses.replace(STUDY.plan, base_at_least={"X": 8.0})
    study = dataclasses.replace(STUDY, plan=plan)
    rows = adbm(
        {"USUBJID": "A", "BASE": 8.0}, {"USUBJID": "B", "BASE": 7.9},
        {"USUBJID": "C", "BASE": None},
        {"USUBJID": "B", "PARAMCD": "Y", "BASE": 7.9}, {"USUBJID": "A", "AVISITN": 0, "BASE": 8.0},
        {"USUBJID": "B", "AVISITN": 0, "BASE": 7.9},
    )  # fmt: skip
    subjects = adsl(*({"USUBJID": name} for name in "ABC"))
    found = long_form(rows, subjects, study, everybody_with_base=True)
    assert found.select("usubjid", "paramcd").rows() == [("A", "X"), ("B", "Y")]
    named = PARAMETERS.with_columns(PARAM=pl.lit("Antibody"))
    told = found.select(method=method_by_parameter("ranks", named, study))["method"].to_list()
    assert told == ["ranks; Antibody: subjects with a baseline of at least 8 pg/mL", "ranks"]


def test_a_subject_without_later_records_has_an_empty_row_where_an_imputation_asks():
    rows = adbm(
        {"AVISITN": 0}, {"AVISITN": 12}, {"USUBJID": "B", "AVISITN": 0, "AVAL": 1.0, "blq_fl": "Y"}
    )
    subjects = adsl({}, {"USUBJID": "B"})
    assert long_form(rows, subjects, STUDY)["usubjid"].to_list() == ["A"]
    long = long_form(rows, subjects, STUDY, everybody_with_base=True)
    found = long.select("usubjid", "avisitn", "aval", "base", "blq").rows()
    assert found == [("A", 12, 2.0, 1.0, False), ("B", 4, None, 1.0, False)]


def test_untreated_subjects_do_not_enter():
    subjects = adsl({}, {"USUBJID": "B", "SAFFL": "N"})
    long = long_form(adbm({}, {"USUBJID": "B"}), subjects, STUDY)
    assert long["usubjid"].to_list() == ["A"]


def test_strata_and_limit_flags_go_along():
    long = long_form(adbm({"blq_fl": "Y"}), adsl({}), STUDY)
    assert long.select("blq", "lloq", "STRATA1", "STRATA2", "arm").rows() == [
        (True, 0.1, "Y", "N", "P")
    ]


def test_row_order_of_the_parents_changes_nothing():
    rows = [{"USUBJID": name, "AVISITN": visit} for name in "BA" for visit in (24, 4)]
    subjects = [{"USUBJID": name} for name in "AB"]
    left = long_form(adbm(*rows), adsl(*subjects), STUDY)
    assert left.equals(long_form(adbm(*rows[::-1]), adsl(*subjects[::-1]), STUDY))


def results(*responses):
    return pl.DataFrame({"paramcd": ["X"] * len(responses), "response": responses})


def test_every_row_says_its_unit_and_scale():
    rows = with_units(results("abs", "chg", "pchg", "log"), PARAMETERS)
    assert rows["estimate_unit"].to_list() == ["pg/mL", "pg/mL", "%", "log of pg/mL"]
    assert rows["scale"].to_list() == ["linear", "linear", "percent", "log"]


def test_the_method_is_said_with_all_its_options():
    said = describe(effect_spec(STUDY))
    covariance = STUDY.plan.effects["covariance"]
    for word in ("huber", "mad", covariance, "observed cases", "baseline", *STUDY.strata):
        assert word in said


@pytest.mark.parametrize(("study", "imputation"), [(STUDY, "none"), (SHIPPED, "fcs_norm")])
def test_the_declared_method_is_the_one_that_is_run(study, imputation):
    spec = effect_spec(study)
    assert spec.reference == study.reference_arm
    assert spec.strata == study.strata
    assert spec.population == study.plan.effects["population"]
    assert spec.impute.method == imputation


def planned(effects):
    """The study with other options of its effects."""
    return dataclasses.replace(STUDY, plan=dataclasses.replace(STUDY.plan, effects=effects))


def test_an_option_that_is_not_known_is_refused_by_name():
    with pytest.raises(ModelDataError, match="colour"):
        effect_spec(planned({**STUDY.plan.effects, "colour": "red"}))


def test_imputation_is_said_with_its_options():
    options = {
        "population": "baseline_observed",
        "impute": {"m": 20, "delta": 0.5, "by_arm": False},
    }
    said = describe(effect_spec(planned(options)))
    for word in ("20 imputations", "fcs_norm", "log scale", "main effects", "MAR", "delta 0.5"):
        assert word in said
