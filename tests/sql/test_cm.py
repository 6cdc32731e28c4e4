"""sdtm.cm: concomitant medication as delivered."""

from support.tables import ask, column, database, fill


def test_a_dose_becomes_a_number_and_dates_stay_as_delivered():
    connection = database()
    fill(
        connection,
        "mapped.cm",
        {"USUBJID": "A", "CMSEQ": "1", "CMTRT": "PREDNISONE", "CMCLAS": "STEROID", "CMDOSE": "7.5"},
        {"USUBJID": "A", "CMSEQ": "2", "CMTRT": "AZATHIOPRINE", "CMSTDTC": "2017-05"},
    )
    table = ask(connection, "sdtm.cm").sort("CMSEQ")
    assert column(table, "CMDOSE") == [7.5, None]
    assert column(table, "CMCLAS") == ["STEROID", None]
    assert column(table, "CMSTDTC") == [None, "2017-05"]
    assert column(table, "DOMAIN") == ["CM", "CM"]


def test_every_row_leads_to_file_and_line():
    connection = database()
    origin = {"source_file": "c.csv", "source_line": 7, "sha256": "f0", "receipt": 3}
    fill(connection, "mapped.cm", {"USUBJID": "A", "CMSEQ": "1", "layout": "edc.cm"} | origin)
    (row,) = ask(connection, "sdtm.cm").rows(named=True)
    assert {name: row[name] for name in origin} == origin
    assert row["layout"] == "edc.cm"
