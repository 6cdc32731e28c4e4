"""adam.adsl: planned treatment, dates of treatment and populations."""

from support.tables import ask, column, database, day, fill


def subjects(connection, *names):
    fill(connection, "sdtm.dm", *({"USUBJID": n, "RFXSTDT": day("2018-03-01")} for n in names))


def test_arm_comes_from_the_assignment_and_its_order_from_the_study():
    connection = database()
    subjects(connection, "A", "B")
    fill(
        connection,
        "ref.arms",
        {"ARMCD": "P", "ARM": "Placebo", "arm_order": 1},
        {"ARMCD": "X", "ARM": "Drug X", "arm_order": 2},
    )
    fill(connection, "mapped.assignment", {"USUBJID": "B", "ARMCD": "X", "RANDDTC": "2018-02-27"})
    table = ask(connection, "adam.adsl").sort("USUBJID")
    assert column(table, "TRT01P") == [None, "Drug X"]
    assert column(table, "TRT01PN") == [None, 2]
    assert column(table, "RANDFL") == ["N", "Y"]
    assert column(table, "RANDDT") == [None, day("2018-02-27")]


def test_exposure_records_win_over_demographics_for_the_dates_of_treatment():
    connection = database()
    subjects(connection, "A", "B")
    fill(
        connection,
        "sdtm.ex",
        {"USUBJID": "A", "EXSEQ": 1, "EXSTDTC": "2018-03-03", "EXENDTC": "2018-03-30"},
        {"USUBJID": "A", "EXSEQ": 2, "EXSTDTC": "2018-03-31", "EXENDTC": "2018-05-02"},
    )
    table = ask(connection, "adam.adsl").sort("USUBJID")
    assert column(table, "TRTSDT") == [day("2018-03-03"), day("2018-03-01")]
    assert column(table, "TRTEDT") == [day("2018-05-02"), None]


def test_safety_population_needs_an_arm_and_a_first_dose():
    connection = database()
    fill(
        connection,
        "sdtm.dm",
        {"USUBJID": "A", "RFXSTDT": day("2018-03-01")},
        {"USUBJID": "B"},
        {"USUBJID": "C", "RFXSTDT": day("2018-03-01")},
    )
    fill(
        connection,
        "mapped.assignment",
        {"USUBJID": "A", "ARMCD": "P"},
        {"USUBJID": "B", "ARMCD": "P"},
    )
    table = ask(connection, "adam.adsl").sort("USUBJID")
    assert column(table, "SAFFL") == ["Y", "N", "N"]


def test_strata_are_joined_by_subject():
    connection = database()
    subjects(connection, "A", "B")
    fill(connection, "mapped.strata", {"USUBJID": "A", "STRATA1": "Y", "STRATA2": "N"})
    table = ask(connection, "adam.adsl").sort("USUBJID")
    assert column(table, "STRATA1") == ["Y", None]
    assert column(table, "STRATA3") == [None, None]
