"""sdtm.be: one row per vendor and specimen that a laboratory reported on."""

from support.tables import ask, column, database, fill


def be(*specimens):
    connection = database()
    given = {"USUBJID": "A", "VENDOR": "v", "REFID": "X1", "layout": "v.a", "source_file": "f"}
    for line, specimen in enumerate(specimens, start=2):
        fill(connection, "mapped.specimen", given | {"source_line": line, "receipt": 1} | specimen)
    return ask(connection, "sdtm.be").sort("vendor", "BEREFID")


def test_many_results_of_a_specimen_are_one_specimen():
    table = be({}, {}, {"REFID": "X2"})
    assert column(table, "BEREFID") == ["X1", "X2"]
    assert column(table, "DOMAIN") == ["BE", "BE"]


def test_the_first_row_stands_for_the_specimen_whatever_the_order():
    first = {"VISIT": "Week 4", "receipt": 1, "source_line": 5}
    later = {"VISIT": "Week 12", "receipt": 1, "source_line": 9}
    newer = {"VISIT": "Week 24", "receipt": 2, "source_line": 2}
    for rows in ((first, later, newer), (newer, later, first)):
        table = be(*rows)
        assert column(table, "VISIT") == ["Week 4"]
        assert column(table, "source_line") == [5]


def test_one_accession_of_two_vendors_is_two_specimens():
    table = be({"VENDOR": "v"}, {"VENDOR": "w"})
    assert column(table, "vendor") == ["v", "w"]


def test_a_row_without_accession_names_no_specimen():
    assert be({"REFID": None}).height == 0
