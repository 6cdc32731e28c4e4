"""adam.subset_flags: high or low at baseline, on the scale of the cut-off only."""

import pytest

from support.tables import ask, column, database, day, fill


def flags(*records, interest="high", scale="log2", dosed="2018-03-01"):
    connection = database()
    dosed = None if dosed is None else day(dosed)
    fill(connection, "sdtm.dm", {"USUBJID": "A", "RFXSTDT": dosed})
    cut_off = {"cut_off": "c", "PARAMCD": "X", "scale": scale, "cut_off_value": -0.5}
    fill(connection, "ref.cut_offs", cut_off | {"level_of_interest": interest})
    for record in records:
        given = {"USUBJID": "A", "PARAMCD": "X", "scale": "log2", "ABLFL": "Y"}
        fill(connection, "adam.adbm", given | record)
    return ask(connection, "adam.subset_flags")


@pytest.mark.parametrize(
    ("value", "level"), [(-0.6, "low"), (-0.5, "low"), (-0.499, "high"), (2.0, "high")]
)
def test_low_is_at_or_below_the_cut_off(value, level):
    (row,) = flags({"AVAL": value}).rows(named=True)
    assert row["level"] == level
    assert (row["BASE"], row["cut_off_value"], row["reasons"]) == (value, -0.5, None)


@pytest.mark.parametrize(("interest", "flag"), [("high", "Y"), ("low", "N")])
def test_the_cut_off_says_which_level_is_of_interest(interest, flag):
    assert column(flags({"AVAL": 1.0}, interest=interest), "of_interest_fl") == [flag]


def test_another_scale_gives_no_level_and_a_reason():
    (row,) = flags({"AVAL": 1.0, "scale": "ratio"}).rows(named=True)
    assert (row["level"], row["of_interest_fl"]) == (None, None)
    assert row["reasons"] == "the value is on another scale than the cut-off"


def test_without_a_baseline_there_is_no_level_and_the_reason_says_so():
    for records in ((), ({"AVAL": 1.0, "ABLFL": None},), ({"AVAL": 1.0, "PARAMCD": "Y"},)):
        (row,) = flags(*records).rows(named=True)
        assert (row["level"], row["of_interest_fl"]) == (None, None)
        assert row["reasons"] == "no baseline value"


def test_a_subject_who_was_never_treated_is_in_no_subset():
    assert flags({"AVAL": 1.0}, dosed=None).height == 0
