"""Which parts of a file stand for those of a reported row, by method."""

from types import SimpleNamespace

import polars as pl
import pytest

from assayhouse.pipeline.instrument_comparison import (
    FLOW,
    PLATES,
    QPCR,
    compare_with_files,
    read_instrument_parts,
    reported_tests,
)
from assayhouse.pipeline.recomputed import judged_unreported

NUMBERS = ("reported", "events", "bead_events", "beads", "volume", "dilution", "percent", "target",
           "reference", "efficiency", "factor", "area")  # fmt: skip
TEXTS = ("layout", "USUBJID", "REFID", "TESTCD", "VISIT", "DTC", "PLATE", "INJNO", "method",
         "written", "role", "scale", "source_file")  # fmt: skip
FILE = {"layout": "v.files", "source_file": "f1", "receipt": 7, "tolerance_pct": 2.0}
BLOOD = pl.DataFrame(
    {"USUBJID": ["U1"], "VISIT": ["V"], "DTC": ["2020-01-01T08:00"], "number": [1500.0]}
)


def reported(**changes):
    row = dict.fromkeys(TEXTS) | dict.fromkeys(NUMBERS) | {
        "layout": "v.results", "USUBJID": "U1", "REFID": "A1", "TESTCD": "T", "VISIT": "V",
        "DTC": "2020-01-01T09:00", "source_line": 3, "receipt": 1, "source_file": "r",
        "dilution": 1.0, "efficiency": 1.0, "factor": 1.0,
    }  # fmt: skip
    schema = dict.fromkeys(TEXTS, pl.String) | dict.fromkeys(NUMBERS, pl.Float64)
    schema |= {"source_line": pl.Int64, "receipt": pl.Int64}
    return pl.DataFrame([row | changes], schema=schema)


def files_of(sex="F", **tables):
    known = {"sdtm.dm": pl.DataFrame({"USUBJID": ["U1"], "SEX": [sex]}), **tables}
    context = SimpleNamespace(
        declarations=SimpleNamespace(tables=dict.fromkeys(known)), table=known.__getitem__
    )
    return read_instrument_parts(context)


def compared(rows, sex="F", **tables):
    return compare_with_files(files_of(sex, **tables), rows, BLOOD)


def counted(**changes):
    row = FILE | {
        "REFID": "A1", "TESTCD": "T", "events": 200.0, "bead_events": 1000.0, "beads": 50_000.0,
        "sample_ul": 50.0, "acquired_ul": 40.0, "percent": 10.0, "dilution": 2.0, "status": None,
    }  # fmt: skip
    return pl.DataFrame([row | changes], schema_overrides={"status": pl.String})


@pytest.mark.parametrize(
    ("method", "value"), [("single", 400.0), ("volumetric", 10.0), ("dual", 150.0)]
)
def test_a_count_is_made_of_the_file_s_own_parts(method, value):
    (row,) = compared(reported(method=method), **{FLOW: counted()}).rows(named=True)
    assert row["recomputed"] == pytest.approx(value)
    assert (row["instrument_file"], row["instrument_receipt"]) == ("f1", 7)
    assert row["dilution_ratios"] == [0.5, 2.0, 0.5]


def test_a_tube_that_gave_no_count_says_why():
    (row,) = compared(reported(method="single"), **{FLOW: counted(status="NO BEADS COUNTED")}).rows(
        named=True
    )
    assert (row["recomputed"], row["why"]) == (None, "NO BEADS COUNTED")


def wells(plate, receipt=7):
    return pl.DataFrame(
        [FILE | {"receipt": receipt, "REFID": "A1", "TESTCD": "T", "PLATE": plate, "dilution": 4.0,
                 "well_type": "UNK", "concentration": value, "status": None}
         for value in (2.0, 4.0)],
        schema_overrides={"status": pl.String},
    )  # fmt: skip


def test_wells_are_averaged_and_belong_to_the_reported_plate():
    rows = reported(method="curves", PLATE="P1")
    (row,) = compared(rows, **{PLATES: wells("P1")}).rows(named=True)
    assert row["recomputed"] == pytest.approx(12.0)
    assert compared(rows, **{PLATES: wells("P2")}).is_empty()


def test_the_file_that_came_last_counts():
    both = pl.concat(
        [wells("P1"), wells("P1", receipt=9).with_columns(pl.lit(8.0).alias("dilution"))]
    )
    (row,) = compared(reported(method="curves", PLATE="P1"), **{PLATES: both}).rows(named=True)
    assert (row["instrument_receipt"], row["recomputed"]) == (9, pytest.approx(24.0))


def copies():
    made = FILE | {"PLATE": "R1", "REFID": "A1", "copies": 100.0, "used_fl": "Y", "status": None,
                   "least_reference": 10.0}  # fmt: skip
    targets = [made | {"TESTCD": "T", "factor_f": 2.0, "factor_m": 1.0}]
    references = [made | {"TESTCD": None, "copies": 1000.0, "factor_f": None, "factor_m": None}]
    overrides = {"status": pl.String, "factor_f": pl.Float64, "factor_m": pl.Float64}
    return pl.DataFrame([*targets, *references], schema_overrides=overrides)


@pytest.mark.parametrize(
    ("sex", "value", "why"), [("F", 20.0, None), ("M", 10.0, None), ("U", None, "SEX UNKNOWN")]
)
def test_the_copy_factor_is_that_of_the_subject_s_sex(sex, value, why):
    rows = reported(method="copies", factor=1.0)
    (row,) = compared(rows, sex=sex, **{QPCR: copies()}).rows(named=True)
    assert row["recomputed"] == (None if value is None else pytest.approx(value))
    assert row["why"] == why


def test_a_specimen_without_a_file_is_not_compared():
    assert compared(reported(method="single", REFID="A9"), **{FLOW: counted()}).is_empty()


def unreported(rows, **tables):
    told = judged_unreported(files_of(**tables), reported_tests(rows))
    return told.select("layout", "receipt", "TESTCD", "verdict", "reason", "recomputed").rows()


def test_a_file_without_a_reported_value_is_told_once_with_what_is_wrong_in_it():
    """The value of T was reported, that of U was not; its file came twice."""
    tests = [counted(), counted(TESTCD="U"), counted(TESTCD="U", receipt=9)]
    told = unreported(reported(method="single"), **{FLOW: pl.concat(tests)})
    assert told == [("v.files", 9, "U", "not_recomputable", "NO RESULT REPORTED", None)]
    (row,) = unreported(reported(REFID="A9"), **{FLOW: counted(status="NO BEADS COUNTED")})
    assert row[4] == "NO RESULT REPORTED; NO BEADS COUNTED"


def test_another_vendor_s_value_is_not_the_reported_one():
    rows = reported(method="single", layout="w.results")
    assert len(unreported(rows, **{FLOW: counted()})) == 1
    assert unreported(reported(method="dual"), **{FLOW: counted()}) == []


def test_a_study_without_instrument_relations_has_no_files():
    assert files_of() is None
