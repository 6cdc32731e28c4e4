"""Medians of per cent changes on trials small enough to sort by eye."""

import polars as pl
import pytest

from assayhouse.analysis.median_changes import MEDIAN_SCHEMA, median_changes
from assayhouse.errors import ModelDataError
from assayhouse.stats.ranks import rank_comparison, signed_rank

from support.effects_long import change, trial


def subject(numbers):
    return pl.col("usubjid").is_in([f"S{number:03}" for number in numbers])


def pchg(frame, arm):
    """Per cent changes of an arm."""
    rows = frame.filter(arm=arm)
    return (100 * (rows["aval"] - rows["base"]) / rows["base"]).to_list()


def test_every_arm_visit_and_subgroup_has_its_row_in_sorted_order():
    result = median_changes(trial(per_arm=24), reference="control", subgroups=("module", "sex"))
    assert result.schema == pl.Schema(MEDIAN_SCHEMA)
    assert len(result) == 2 * 5 * 3
    keys = result.select("paramcd", "avisitn", "subgroup", "arm").rows()
    assert keys == sorted(keys)
    assert set(result["status"]) == {"ok"}


def test_numbers_are_those_of_the_rank_methods():
    frame = trial(visits=(4,))
    result = median_changes(frame, reference="control", conf_level=0.9)
    row = result.filter(arm="double").row(0, named=True)
    expected = rank_comparison(pchg(frame, "double"), pchg(frame, "control"), conf_level=0.9)
    assert row["median"] == pytest.approx(expected.median_active)
    assert (row["q1"], row["q3"]) == pytest.approx(expected.quartiles_active)
    assert row["hl_shift"] == pytest.approx(expected.hl_shift)
    assert (row["ci_lo"], row["ci_hi"]) == pytest.approx((expected.ci_low, expected.ci_high))
    assert row["p"] == pytest.approx(expected.p_value)
    assert row["p_signed"] == pytest.approx(signed_rank(pchg(frame, "double")).p_value)
    assert (row["n"], row["n_reference"]) == (12, 12)
    assert "Wilcoxon" in row["test"]


def test_the_reference_arm_has_a_description_and_a_test_of_its_own_change_only():
    row = median_changes(trial(), reference="control").filter(arm="control").row(0, named=True)
    assert row["median"] is not None
    assert row["p_signed"] is not None
    assert [row[name] for name in ("p", "hl_shift", "ci_lo", "ci_hi")] == [None] * 4


def test_a_subgroup_equals_an_analysis_of_its_subjects():
    frame = trial(per_arm=24)
    split = median_changes(frame, reference="control", subgroups=("module",))
    alone = median_changes(frame.filter(module="low"), reference="control")
    assert split.filter(subgroup="module=low").drop("subgroup").equals(alone.drop("subgroup"))


def test_visits_can_be_chosen_and_a_visit_nobody_has_is_too_few():
    result = median_changes(trial(), reference="control", visits=(8, 24))
    assert set(result.filter(avisitn=8)["status"]) == {"ok"}
    assert set(result.filter(avisitn=24)["status"]) == {"too_few"}
    assert set(result.filter(avisitn=24)["n"]) == {0}


def test_too_few_changes_keep_the_median_and_lose_the_tests():
    gone = [number for number in range(36) if number % 3 == 2][4:]
    frame = change(trial(visits=(4,)), subject(gone), aval=None)
    row = median_changes(frame, reference="control").filter(arm="double").row(0, named=True)
    assert (row["status"], row["n"]) == ("too_few", 4)
    assert row["median"] is not None
    assert row["p"] is None
    assert "the arm has 4 changes" in row["reasons"]


def test_a_base_at_zero_is_left_out_and_counted():
    frame = change(trial(visits=(4,)), subject([0, 3]), base=0.0)
    result = median_changes(frame, reference="control")
    assert result["n"].sum() == 34
    assert "2 with a base at or below zero" in result["reasons"][0]


def test_blq_values_stand_at_half_their_limit():
    frame = change(trial(visits=(4,)), subject(range(30)), blq=True, aval=77.0)
    by_hand = change(frame, subject(range(30)), blq=False, aval=0.25)
    ours = median_changes(frame, reference="control")
    assert ours.equals(median_changes(by_hand, reference="control"))
    assert set(ours["status"]) == {"ok"}


def test_malformed_data_are_an_error():
    with pytest.raises(ModelDataError, match="reference arm"):
        median_changes(trial(), reference="nobody")
    with pytest.raises(ModelDataError, match="no column"):
        median_changes(trial().drop("base"), reference="control")
