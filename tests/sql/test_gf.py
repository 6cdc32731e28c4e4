"""sdtm.gf: gene expression as delivered, numbered by subject."""

from support.tables import ask, database, fill


def gf(*peaks):
    connection = database()
    for line, peak in enumerate(peaks, start=2):
        given = {"USUBJID": "A", "REFID": "D1", "INJNO": "1", "DTC": "2018-03-01"}
        fill(connection, "mapped.gf", given | {"source_file": "f", "source_line": line} | peak)
    return ask(connection, "sdtm.gf").sort("USUBJID", "GFSEQ")


def test_numbers_are_typed_and_symbols_kept():
    (row,) = gf(
        {"SYM": "CD19", "ROLE": "TARGET", "ORRES": "-1.250", "number": "-1.250", "scale": "log2"}
        | {"height": "810", "area": "6100.5", "size_bp": "151.2", "below_fl": "N"}
    ).rows(named=True)
    assert (row["GFSYM"], row["gene_role"], row["scale"]) == ("CD19", "TARGET", "log2")
    assert (row["GFORRES"], row["GFSTRESN"]) == ("-1.250", -1.25)
    assert (row["height_rfu"], row["area"], row["size_bp"]) == (810.0, 6100.5, 151.2)


def test_a_reference_gene_has_a_signal_and_no_result():
    (row,) = gf({"SYM": "ACTB", "ROLE": "REF", "area": "9000"}).rows(named=True)
    assert row["GFSTRESN"] is None
    assert row["area"] == 9000.0


def test_numbers_run_within_the_subject_in_a_settled_order():
    peaks = [
        {"SYM": "MX1", "DTC": "2018-04-01", "REFID": "D2"},
        {"SYM": "MX1"},
        {"SYM": "CD22"},
        {"SYM": "CD22", "INJNO": "2"},
        {"SYM": "MX1", "USUBJID": "B"},
    ]
    for rows in (peaks, peaks[::-1]):
        table = gf(*rows)
        named = table.select("USUBJID", "GFSEQ", "GFREFID", "GFSYM", "injection").rows()
        assert named == [
            ("A", 1, "D1", "CD22", "1"),
            ("A", 2, "D1", "MX1", "1"),
            ("A", 3, "D1", "CD22", "2"),
            ("A", 4, "D2", "MX1", "1"),
            ("B", 1, "D1", "MX1", "1"),
        ]
