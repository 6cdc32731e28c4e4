"""Plate exports of every layout become the same rows; what is broken has a code or a flag."""

import pytest

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments import identify, inspect
from assayhouse.instruments.plate_dates import read_moment
from assayhouse.instruments.plate_values import type_by_name
from assayhouse.instruments.plates import read_plate

from support import plate_files as files


@pytest.fixture
def plate_of(tmp_path):
    def read(content):
        path = tmp_path / "plate.dat"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_plate(path)

    return read


def columns(run, *names):
    return run.wells.select(*names).rows()


def refused(plate_of, content):
    with pytest.raises(InstrumentFileError) as caught:
        plate_of(content)
    return caught.value.code


def test_xponent_blocks_meet_in_one_row_per_well_and_analyte(plate_of):
    run = plate_of(files.XPONENT)
    assert columns(run, "well", "type", "analyte", "signal", "background", "state") == [
        ("A01", "STD", "a", 100.0, 2.0, "ok"),
        ("A01", "STD", "b", None, None, "not_available"),
        ("B01", "CTRL", "a", 50.0, 2.0, "ok"),
        ("B01", "CTRL", "b", 40.0, 0.0, "above"),
        ("C01", "UNK", "a", 30.0, 2.0, "extrapolated"),
        ("C01", "UNK", "b", 20.0, 0.0, "ok"),
        ("D01", "UNK", "a", 5.0, 2.0, "below"),
        ("D01", "UNK", "b", 900.0, 0.0, "not_available"),
    ]
    assert columns(run, "expected_conc", "dilution", "replicate", "count")[::2] == [
        (12.0, None, 1, 60.0),
        (6.0, None, 1, None),
        (None, 4.0, 1, None),
        (None, None, 2, None),
    ]
    assert run.curves.rows() == [
        ("1", "a", "5pl", 900.0, -1.5, 20.0, 1.0, 0.5, "Logistic 5P"),
    ]
    assert run.flags == ("missing_values", "unreadable_value")
    assert run.metadata["run_datetime"].isoformat() == "2014-02-28T21:44:35"
    assert run.metadata["operator"] == "op"


def test_xponent_without_results_is_judged_by_its_signals(plate_of):
    text = files.XPONENT.replace('"Result"', '"Other"')
    states = [row[0] for row in columns(plate_of(text), "state")]
    assert states == ["ok", "not_available", *["ok"] * 6]


def test_an_undecided_date_and_a_missing_checksum_are_flagged(plate_of):
    text = files.XPONENT.replace("28/02/2014", "03/02/2014").split("-- CRC")[0]
    run = plate_of(text)
    assert run.flags[:2] == ("ambiguous_date", "no_checksum")
    assert run.metadata["run_datetime"].month == 3


def test_intelliflex_dry_wells_keep_their_row_under_the_region_s_analyte(plate_of):
    run = plate_of(files.INTELLIFLEX)
    assert columns(run, "well", "type", "analyte", "signal", "background", "state", "count") == [
        ("A01", "UNK", "IL", None, None, "not_available", None),
        ("B01", "STD", "IL", 30.5, 10.0, "ok", 50.0),
    ]


def test_msd_states_follow_the_printed_range_and_kinds_the_names(plate_of):
    run = plate_of(files.MSD)
    assert columns(run, "well", "type", "signal", "background", "reported_conc", "state") == [
        ("A01", "BLANK", 100.0, None, None, "not_available"),
        ("A02", "STD", 1000.0, 100.0, 4.5, "ok"),
        ("A03", "CTRL", 2000.0, 100.0, 8.0, "extrapolated"),
        ("A04", "UNK", 5.0, 1.0, None, "below"),
        ("A05", "UNK", 5.0, 1.0, None, "not_available"),
    ]
    assert columns(run, "expected_conc", "dilution", "replicate")[1::2] == [
        (0.0, None, 1),
        (None, 50.0, 1),
    ]
    assert run.metadata["run_id"] == "Run 7"


def test_a_line_with_the_plate_s_name_serves_what_follows(plate_of):
    table = "Plate_9,,,,\nSample,Assay,Well,Spot,Signal\nS001,X,A1,1,5\nU,X,A2,1,\n"
    assert columns(plate_of(table), "plate", "type", "state") == [
        ("Plate_9", "STD", "not_available"),
        ("Plate_9", "UNK", "not_available"),
    ]


def test_raw_spots_stand_below_each_other(plate_of):
    run = plate_of(files.MSD_RAW)
    assert run.wells.height == 24
    assert columns(run, "plate", "well", "analyte", "signal")[6] == ("B7", "A01", "Spot 2", 11.0)
    assert run.metadata["run_datetime"].isoformat() == "2023-09-18T13:39:33"
    bare = "\n".join(files.MSD_RAW.split("\n")[8:11])
    assert plate_of(bare).wells["plate"].unique().to_list() == ["1"]


def test_single_molecule_wells_have_one_row_per_signal(plate_of):
    run = plate_of(files.DIGITAL)
    assert columns(run, "well", "sample", "replicate", "signal_kind", "signal", "state")[:4] == [
        ("A01", "S1", 1, "DE", 10.0, "ok"),
        ("A01", "S1", 1, "EP", 20.0, "ok"),
        ("A01", "S1", 1, "TP", 30.0, "ok"),
        ("A02", "ACC1", 2, "DE", 11.0, "below"),
    ]
    assert columns(run, "state", "reported_conc", "reported_text")[-1] == ("masked", None, "1.5")


def test_bioplex_workbook_marks_become_states_and_its_footer_a_curve(plate_of):
    run = plate_of(files.WORKBOOK)
    assert run.format == "bioplex_xlsx"
    assert columns(run, "well", "type", "signal", "reported_conc", "reported_text", "state") == [
        ("G12", "BLANK", 15.5, None, None, "not_available"),
        ("A01", "STD", 100.0, 12.3, "*12.3", "extrapolated"),
        ("B01", "STD", 104.0, None, "OOR >", "above"),
        ("C01,D01", "UNK", 50.0, 3.25, "3.25", "ok"),
        ("E01", "UNK", None, None, "---", "masked"),
    ]
    assert columns(run, "plate", "background", "replicate", "count")[2] == ("PL", 15.5, 2, 100.0)
    curve = run.curves.row(0, named=True)
    assert [curve[k] for k in "abcdg"] == [31000.0, -4.1, 12.2, -0.5, 0.3]
    assert run.flags == ("summarised_wells",)
    assert run.metadata["serial_number"] == "LX1"


def test_a_sheet_without_footer_and_an_unknown_equation_are_flagged(plate_of):
    rows = files.SHEET[:8]
    assert plate_of(files.xlsx(("a", rows))).flags == ("no_footer",)
    odd = [*files.SHEET[:8], [], ["Std. Curve: FI = spline"]]
    assert plate_of(files.xlsx(("a", odd))).flags == ("unreadable_equation",)


def test_manager_xml_has_the_well_s_own_reading(plate_of):
    run = plate_of(files.XML)
    assert columns(run, "plate", "well", "type", "sample", "analyte", "signal", "background") == [
        ("P", "A02", "UNK", "d", "a", 51.0, 10.0)
    ]
    assert columns(run, "reported_conc", "state", "count", "dilution") == [(7.5, "ok", 60.0, 2.0)]
    assert run.curves["a"].to_list() == [90.0]


@pytest.mark.parametrize(
    ("attributes", "state"),
    [
        ('ReadingOK="false" ReadError="Data field has not been set"', "not_available"),
        ('ReadingOK="false" ReadError="OOR Below"', "below"),
        ('ReadingOK="false" ReadError="OOR Above"', "above"),
    ],
)
def test_a_reading_that_failed_has_no_number(plate_of, attributes, state):
    run = plate_of(files.XML.replace('ReadingOK="true"', attributes))
    assert columns(run, "reported_conc", "state") == [(None, state)]
    masked = plate_of(files.XML.replace('OutlierType="None"', 'OutlierType="User"'))
    assert columns(masked, "state") == [("masked",)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_plate"),
        (b"hello", "not_plate"),
        (b"\0\1\2", "not_plate"),
        ("<html></html>", "not_plate"),
        (files.XML[:-30], "truncated"),
        (files.XML.replace("?>", "?><!DOCTYPE b [<!ENTITY x 'y'>]>"), "unsafe_xml"),
        (files.XML.replace('RowNo="1"', 'RowNo="99"'), "damaged"),
        (files.WORKBOOK[:900], "truncated"),
        (files.xlsx(("a", [["x"]])), "not_plate"),
        (files.xlsx(("a", []), extra={"xl/pad.xml": "x" * 9_000_000}), "too_large"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "damaged"),
        (files.XPONENT.replace('"Median"', '"Mode"'), "truncated"),
        (files.XPONENT.replace("1(1,A1)", "one"), "damaged"),
        (files.INTELLIFLEX.replace(",B1,", ",row,"), "damaged"),
        (files.INTELLIFLEX.replace(",20.5,50,", ""), "truncated"),
        (files.MSD.replace("A05", "here"), "damaged"),
        (files.MSD[:-3], "truncated"),
        (files.MSD_RAW.replace("B\t1\t2", "B\t1"), "truncated"),
        (files.MSD_RAW.split("\nB\t")[0], "truncated"),
        (files.DIGITAL.replace('"Rows","3"', '"Rows","4"'), "truncated"),
        (files.DIGITAL.replace('"Rows","3"\r\n', ""), "truncated"),
        (files.DIGITAL.replace('"UNK"', '"WHAT"'), "damaged"),
        (files.XPONENT.replace('"Results"', '"Results'), "damaged"),
    ],
)
def test_what_is_no_plate_or_a_broken_one_is_refused(plate_of, content, code):
    assert refused(plate_of, content) == code


def test_a_plate_larger_than_the_limit_is_refused(plate_of, monkeypatch):
    monkeypatch.setattr("assayhouse.instruments.plate_rows.MOST_ROWS", 3)
    assert refused(plate_of, files.XPONENT) == "too_large"
    monkeypatch.setattr("assayhouse.instruments.plates.LARGEST_TEXT", 10)
    assert refused(plate_of, files.XPONENT) == "too_large"


@pytest.mark.parametrize(
    ("text", "iso", "undecided"),
    [
        ("17/05/2023 6:42 PM", "2023-05-17T18:42:00", False),
        ("05/17/2023", "2023-05-17T00:00:00", False),
        ("2023-05-09 18:55:02", "2023-05-09T18:55:02", False),
        ("04/05/2023", "2023-04-05T00:00:00", True),
        ("21-Jun-2011, 01:50 PM", "2011-06-21T13:50:00", False),
    ],
)
def test_dates_in_three_orders(text, iso, undecided):
    moment, open_question = read_moment(text)
    assert (moment.isoformat(), open_question) == (iso, undecided)
    assert read_moment("04/05/2023", others=["13/05/2023"])[0].day == 4
    assert read_moment("never") == (None, False)


def test_usual_names_tell_the_kind_of_a_well():
    names = [
        "Standard3",
        "CAL2",
        "Background0",
        "Blank (Diluent)",
        "Control1",
        "VIP Cont 4",
        "QC 1",
    ]
    assert [type_by_name(name) for name in [*names, "Sample 1", None]] == [
        *("STD", "STD", "BLANK", "BLANK", "CTRL", "CTRL", "CTRL"),
        *("UNK", "UNK"),
    ]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (files.XPONENT, "xponent"),
        (files.INTELLIFLEX, "intelliflex"),
        (files.MSD, "msd_csv"),
        (files.MSD_RAW, "msd_txt"),
        (files.DIGITAL, "erenna_wells"),
        (files.XML, "bioplex_xml"),
        (files.WORKBOOK, "bioplex_xlsx"),
    ],
)
def test_inspection_counts_results_and_draws_standards(tmp_path, content, kind):
    path = tmp_path / "any.pdf"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert identify(path) == kind
    found = inspect(path)
    assert found.metadata["results"] == found.tables["wells"].height > 0
    assert found.picture.series


@pytest.mark.parametrize("number", ["9" * 31, "0", "-1", "1.5"])
def test_a_replicate_that_is_no_number_of_one_is_flagged_and_counted_in_order(plate_of, number):
    run = plate_of(files.DIGITAL.replace('"ACC1","2"', f'"ACC1","{number}"'))
    assert "unreadable_value" in run.flags
    assert run.wells["replicate"].null_count() == 0
    assert run.wells["replicate"].min() >= 1
