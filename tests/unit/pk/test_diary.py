"""Exposure records split at the doses of a diary: clock times, gaps, open ends."""

import polars as pl
import pytest

from assayhouse.pk.diary import timed_doses
from assayhouse.pk.errors import EventTableError

RECORD = {
    "USUBJID": "A",
    "EXDOSE": 0.3,
    "EXDOSU": "mg",
    "EXDOSFRQ": "QD",
    "EXSTDTC": "2020-01-01",
    "EXENDTC": "2020-02-10",
}


def exposure(**changes):
    return pl.DataFrame([RECORD | changes], schema_overrides={"EXENDTC": pl.String})


def diary(*entries, subject="A"):
    schema = {"USUBJID": pl.String, "ECDTC": pl.String, "ECOCCUR": pl.String}
    rows = [(subject, at, taken) for at, taken in entries]
    return pl.DataFrame(rows, schema=schema, orient="row")


def runs(ex, ec):
    return timed_doses(ex, ec).select("EXSTDTC", "EXENDTC").rows()


def test_doses_follow_each_other_from_the_clock_time_of_the_entry_before():
    ec = diary(("2020-01-28T08:00", "Y"), ("2020-01-29T09:30", "Y"))
    assert runs(exposure(), ec) == [
        ("2020-01-01T08:00", "2020-01-27T08:00"),
        ("2020-01-28T08:00", "2020-01-28T08:00"),
        ("2020-01-29T09:30", "2020-02-10T09:30"),
    ]


def test_a_first_dose_in_the_diary_needs_no_record_before_it():
    ec = diary(("2020-01-01T10:00", "Y"))
    assert runs(exposure(), ec) == [("2020-01-01T10:00", "2020-02-10T10:00")]


def test_a_dose_that_was_not_taken_is_left_out():
    ec = diary(("2020-01-10T08:00", "N"), ("2020-01-11T08:00", "Y"))
    assert runs(exposure(EXENDTC="2020-01-11"), ec) == [
        ("2020-01-01T08:00", "2020-01-09T08:00"),
        ("2020-01-11T08:00", "2020-01-11T08:00"),
    ]


def test_the_run_after_a_dose_that_was_not_taken_begins_a_day_later():
    ec = diary(("2020-01-10T08:00", "N"), ("2020-01-20T08:00", "Y"))
    found = runs(exposure(EXENDTC="2020-01-20"), ec)
    assert found[1] == ("2020-01-11T08:00", "2020-01-19T08:00")


def test_exposure_without_an_end_ends_with_the_last_entry():
    ec = diary(("2020-01-28T08:00", "Y"))
    assert runs(exposure(EXENDTC=None), ec)[-1] == ("2020-01-28T08:00", "2020-01-28T08:00")


def test_a_subject_without_diary_keeps_the_record_as_it_is():
    assert runs(exposure(), diary(("2020-01-05T08:00", "Y"), subject="B")) == [
        ("2020-01-01", "2020-02-10")
    ]


def test_entries_outside_the_record_belong_to_another():
    ec = diary(("2019-12-31T08:00", "Y"), ("2020-02-11T08:00", "Y"), ("2020-01-02T08:00", "Y"))
    assert runs(exposure(), ec)[0] == ("2020-01-01T08:00", "2020-01-01T08:00")
    assert len(runs(exposure(), ec)) == 2


def test_two_records_keep_their_doses():
    ex = pl.concat([exposure(EXENDTC="2020-01-10"), exposure(EXSTDTC="2020-01-11", EXDOSE=0.6)])
    ec = diary(("2020-01-05T08:00", "Y"), ("2020-01-15T08:00", "Y"))
    assert timed_doses(ex, ec)["EXDOSE"].to_list() == [0.3, 0.3, 0.6, 0.6]


def test_twice_a_day_counts_in_half_days():
    ec = diary(("2020-01-03T08:00", "Y"))
    found = runs(exposure(EXDOSFRQ="BID", EXENDTC="2020-01-03"), ec)
    assert found[0] == ("2020-01-01T08:00", "2020-01-02T20:00")


def test_a_time_that_cannot_be_read_is_refused():
    with pytest.raises(EventTableError, match="ECDTC"):
        timed_doses(exposure(), diary(("this morning", "Y")))
