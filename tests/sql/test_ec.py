"""sdtm.ec: the dosing diary as delivered."""

from support.tables import ask, column, database, fill


def test_a_dose_not_taken_is_an_entry_of_its_own():
    connection = database()
    fill(
        connection,
        "mapped.ec",
        {"USUBJID": "A", "ECSEQ": "1", "ECDTC": "2018-03-01T08:10", "ECOCCUR": "Y"},
        {"USUBJID": "A", "ECSEQ": "2", "ECDTC": "2018-03-02", "ECOCCUR": "N"},
    )
    table = ask(connection, "sdtm.ec").sort("ECSEQ")
    assert column(table, "ECSEQ") == [1, 2]
    assert column(table, "ECOCCUR") == ["Y", "N"]
    assert column(table, "ECDTC") == ["2018-03-01T08:10", "2018-03-02"]
