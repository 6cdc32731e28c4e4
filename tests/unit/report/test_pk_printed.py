"""Printed tables of the population model: parameters, and either choice of subjects beside."""

import polars as pl
import pytest

from assayhouse.report.errors import ReportInputError
from assayhouse.report.pk_printed import parameters_table, population_rule_table
from assayhouse.report.words import DASH

from support import pk_report as given


def printed(*, failed=False):
    return population_rule_table(
        given.proportionality(failed=failed), given.summary(empty=failed),
        table_id="t2", title="Rule",
    )  # fmt: skip


def test_parameters_are_those_of_the_main_run_with_its_status():
    table = parameters_table(given.parameters(), table_id="t1", title="Parameters")
    assert table.rows["pk_parameter"].to_list() == ["CL", "omega2(CL)"]
    assert table.rows["estimate"].to_list() == [20.0, 20.0]
    assert "19 to 21" in table.markup
    assert "Status of the fit: WARN. shrinkage: KA." in table.markup


def test_a_failed_fit_prints_its_reasons_and_no_number():
    table = parameters_table(given.parameters(failed=True), table_id="t1", title="Parameters")
    assert table.rows["estimate"].null_count() == 2
    assert "FAILED. hessian_not_pd: flat." in table.markup
    assert DASH in table.markup


def test_either_choice_of_subjects_has_its_doses_and_its_slope():
    table = printed()
    assert table.rows["run"].to_list() == ["main"] * 3 + ["sensitivity"] * 3
    assert table.rows["n_missing"].to_list() == [1, 1, 1, 0, 0, 0]
    assert table.rows["dose_slope"].to_list() == [0.84] * 6
    assert table.markup.index("Subjects with a quantifiable sample (main)") < table.markup.index(
        "Every sampled subject (sensitivity)"
    )
    assert "90 % CI 0.76 to 0.92" in table.markup
    assert "bends the slope downwards" in table.markup


def test_a_run_that_failed_gives_its_reason_in_place_of_the_slope():
    assert "the main run is FAILED" in printed(failed=True).markup


def test_a_relation_without_its_columns_is_refused():
    with pytest.raises(ReportInputError, match="rse_pct"):
        parameters_table(given.parameters().drop("rse_pct"), table_id="t", title="T")
    with pytest.raises(ReportInputError, match="box_median"):
        population_rule_table(
            given.proportionality(), given.summary().drop("box_median"), table_id="t", title="T"
        )
    twice = pl.concat([given.proportionality()] * 2)
    with pytest.raises(ReportInputError, match="more than one row"):
        population_rule_table(twice, given.summary(), table_id="t", title="T")
