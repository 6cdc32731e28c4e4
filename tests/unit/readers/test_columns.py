"""The header against the declared columns: renamed, missing, doubled, extra, in another order."""

import polars as pl
import pytest

from assayhouse.contracts.vendor_file import ColumnSpec
from assayhouse.errors import DeliveryRejectedError
from assayhouse.readers.columns import match_header
from assayhouse.readers.delimited import DelimitedReading

from support.small_study import layout

COLUMNS = (
    ColumnSpec(name="SUBJID", label="Subject", required=True),
    ColumnSpec(name="ORRES", label="Result", aliases=("RESULT", "Result_Value")),
    ColumnSpec(name="COMMENT", label="Comment", optional_column=True),
)


@pytest.fixture
def reading(tmp_path):
    spec = layout("lab.res", COLUMNS, "SUBJID")
    return DelimitedReading(
        tmp_path / "x.csv", spec, study_id="S", block_bytes=64, file="lab_0001.csv"
    )


def refused(found, reading, line=1):
    with pytest.raises(DeliveryRejectedError) as caught:
        match_header(found, reading, line=line)
    return caught.value


def test_the_declared_header_is_taken_without_a_finding(reading):
    header = match_header(["SUBJID", "ORRES", "COMMENT"], reading, line=1)
    assert header.names == header.declared == ("SUBJID", "ORRES", "COMMENT")
    assert reading.findings == ()


def test_blanks_around_a_name_do_not_count(reading):
    header = match_header([" SUBJID ", "ORRES\t", "COMMENT"], reading, line=1)
    assert header.names == header.declared


def test_columns_in_another_order_are_read_by_name_f09(reading):
    header = match_header(["ORRES", "COMMENT", "SUBJID"], reading, line=4)
    frame = pl.DataFrame({"ORRES": ["1"], "COMMENT": ["c"], "SUBJID": ["s"]})
    assert header.conform(frame).rows(named=True) == [{"SUBJID": "s", "ORRES": "1", "COMMENT": "c"}]
    (finding,) = reading.findings
    assert (finding.rule, finding.disposition, finding.line) == ("F09", "W", 4)


def test_a_renamed_column_is_refused_and_the_nearest_name_told_f10(reading):
    error = refused(["SUBJID", "ORRES_1", "COMMENT"], reading, line=3)
    assert (error.rule, error.line, error.column) == ("F10", 3, "ORRES")
    assert "ORRES_1" in str(error)
    assert "alias" in str(error)


def test_a_missing_column_is_refused_f10(reading):
    error = refused(["ORRES", "COMMENT"], reading)
    assert (error.rule, error.column) == ("F10", "SUBJID")
    assert "nearest" not in str(error)


@pytest.mark.parametrize("alias", ["RESULT", "Result_Value"])
def test_a_declared_alias_is_accepted_under_the_declared_name(reading, alias):
    header = match_header(["SUBJID", alias, "COMMENT"], reading, line=1)
    assert header.names == ("SUBJID", "ORRES", "COMMENT")
    assert reading.findings == ()


@pytest.mark.parametrize("second", ["ORRES", "RESULT"])
def test_a_column_that_is_there_twice_is_refused_f10(reading, second):
    error = refused(["SUBJID", "ORRES", second], reading)
    assert (error.rule, error.column) == ("F10", "ORRES")
    assert "twice" in str(error)


def test_an_optional_column_may_be_absent_and_is_null(reading):
    header = match_header(["SUBJID", "ORRES"], reading, line=1)
    frame = header.conform(pl.DataFrame({"SUBJID": ["s"], "ORRES": ["1"]}))
    assert frame.columns == ["SUBJID", "ORRES", "COMMENT"]
    assert frame["COMMENT"].to_list() == [None]
    assert frame.schema["COMMENT"] == pl.String()


def test_an_extra_column_is_left_out_and_told_f11(reading):
    header = match_header(["SUBJID", "BATCH", "ORRES", "COMMENT"], reading, line=2)
    assert header.declared == ("SUBJID", "ORRES", "COMMENT")
    (finding,) = reading.findings
    assert (finding.rule, finding.disposition, finding.column) == ("F11", "W", "BATCH")


@pytest.mark.parametrize(
    "extras", [["X", "X"], ["", ""], ["X", "X", "X\x1f2"], ["\x1f2", "X", "\x1f2"]]
)
def test_extra_columns_of_one_name_can_stand_in_one_frame(reading, extras):
    header = match_header(["SUBJID", "ORRES", *extras], reading, line=1)
    assert len(set(header.names)) == 2 + len(extras)
    row = dict(zip(header.names, ["s", "1", *extras], strict=True))
    kept = header.conform(pl.DataFrame([row]))
    assert kept.row(0) == ("s", "1", None)


@pytest.mark.parametrize(
    "name",
    ["ARM", "ACTARM", "Arm Code", "TRT01P", "TRTA", "TREATMENT", "Dose", "dose_mg", "KIT",
     "KITNO", "RANDNO", "randomisation", "study_drug", "TRTGRP", "EXTRT", "ARMDESC", "EXDOSE"],
)  # fmt: skip
def test_a_column_named_after_treatment_is_refused_without_its_name_f35(reading, name):
    error = refused(["SUBJID", "ORRES", name], reading, line=2)
    assert (error.rule, error.line, error.column) == ("F35", 2, None)
    assert name not in str(error)
    assert all(name not in finding.message for finding in reading.findings)


@pytest.mark.parametrize("name", ["ALARM", "KITCHEN", "CHARM", "OVERDOSED", "BRAND", "START"])
def test_a_name_that_only_contains_such_letters_is_merely_extra(reading, name):
    match_header(["SUBJID", "ORRES", name], reading, line=1)
    assert [finding.rule for finding in reading.findings] == ["F11"]


def test_a_treatment_name_is_not_offered_as_the_nearest(tmp_path):
    columns = (ColumnSpec(name="ARMS_OPENED", label="Number of limbs"),)
    spec = layout("lab.res", columns, "ARMS_OPENED")
    reading = DelimitedReading(tmp_path / "x", spec, study_id="S", block_bytes=64, file="x.csv")
    error = refused(["ARM_OPENED"], reading)
    assert error.rule in {"F10", "F35"}
    assert "ARM_OPENED" not in str(error)
    assert "nearest" not in str(error)
