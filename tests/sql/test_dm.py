"""sdtm.dm: one row per subject, typed age and first exposure."""

from support.tables import ask, column, database, day, fill


def test_first_exposure_wins_over_the_reference_start():
    connection = database()
    fill(
        connection,
        "mapped.dm",
        {"USUBJID": "A", "RFSTDTC": "2018-03-01", "RFXSTDTC": "2018-03-02T09:00", "AGE": "40"},
        {"USUBJID": "B", "RFSTDTC": "2018-03-05"},
        {"USUBJID": "C"},
    )
    table = ask(connection, "sdtm.dm").sort("USUBJID")
    assert column(table, "RFXSTDT") == [day("2018-03-02"), day("2018-03-05"), None]
    assert column(table, "AGE") == [40, None, None]


def test_there_is_no_column_for_the_arm():
    assert not {"ARM", "ARMCD", "ACTARM", "TRT01P"} & set(ask(database(), "sdtm.dm").columns)
