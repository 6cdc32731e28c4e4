"""sdtm.ex: exposure as delivered."""

from support.tables import ask, column, database, fill


def test_doses_and_dates_are_kept_as_delivered():
    connection = database()
    fill(
        connection,
        "mapped.ex",
        {"USUBJID": "A", "EXSEQ": "1", "EXDOSE": "0.45", "EXDOSU": "mg", "EXSTDTC": "2018-03-01"},
        {"USUBJID": "A", "EXSEQ": "2", "EXDOSE": "0", "EXDOSU": "mg", "EXSTDTC": "2018-03"},
    )
    table = ask(connection, "sdtm.ex").sort("EXSEQ")
    assert column(table, "EXDOSE") == [0.45, 0.0]
    assert column(table, "EXSTDTC") == ["2018-03-01", "2018-03"]
