"""Peak tables of GeneMapper and Peak Scanner as one layout, and what is refused."""

import pytest

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments import identify, inspect
from assayhouse.instruments.electrophoresis import read_peak_table

SIZING = (
    "Dye/Sample Peak\tSample File Name\tSize\tHeight\tArea\tData Point\t\r\n"
    '"B,3"\ta.fsa\t225.48\t7799\t102925\t4936\t\r\n'
    '"Y, 12"\ta.fsa\t\t126\t956\t5616\t\r\n'
)
SCANNER_COLUMNS = (
    '"Sample Filename","Dye Color","Dye, Sample Peak","Size","Height","Area (Data Point)",'
    '"Area (Base Pairs)","Data Point",\n'
)
SCANNER = SCANNER_COLUMNS + (
    '"k.fsa","ORANGE","O, 1","*60.00","1923.00","0.00","1405.64","980.00",\n'
    '"k.fsa","BLUE","B, 2","61.50","99.00","12.00","1.00","985.00",\n'
)
GENOTYPES = (
    "Sample File\tSample Name\tMarker\tDye\tAllele 1\tAllele 2\tSize 1\tSize 2\tHeight 1\t"
    "Height 2\tPeak Area 1\tPeak Area 2\tData Point 1\tData Point 2\n"
    "f.fsa\tS1\tM1\tG\t146\t?\t145.36\t-2.0\t120\t-2.0\t1138\t\t3418\t\n"
    "\tS2\tM1\t\tOL\t\t\t\t\t\t\t\t\t\n"
)


@pytest.fixture
def table_of(tmp_path):
    def read(content, encoding="utf-8"):
        path = tmp_path / "table.bin"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return read_peak_table(path)

    return read


def refused(table_of, content):
    with pytest.raises(InstrumentFileError) as caught:
        table_of(content)
    return caught.value.code


def test_a_sizing_table_has_unsized_rows_and_a_trailing_tab(table_of):
    table = table_of(SIZING)
    assert table.select("sample", "dye", "peak", "size_bp", "height", "area", "scan").rows() == [
        ("a.fsa", "B", 3, 225.48, 7799.0, 102925.0, 4936),
        ("a.fsa", "Y", 12, None, 126.0, 956.0, 5616),
    ]
    assert table["is_ladder"].to_list() == [False, False]
    assert table["marker"].null_count() == table["allele"].null_count() == 2


def test_a_star_marks_the_ladder_and_the_area_in_base_pairs_replaces_zero(table_of):
    table = table_of(SCANNER)
    assert table.select("dye", "peak", "size_bp", "area", "scan", "is_ladder").rows() == [
        ("O", 1, 60.0, 1405.64, 980, True),
        ("B", 2, 61.5, 12.0, 985, False),
    ]


def test_a_wide_table_becomes_one_row_per_slot_and_marks_of_nothing_are_null(table_of):
    table = table_of(GENOTYPES)
    assert table.select(
        "sample", "dye", "peak", "size_bp", "height", "area", "scan", "marker", "allele"
    ).rows() == [
        ("f.fsa", "G", 1, 145.36, 120.0, 1138.0, 3418, "M1", "146"),
        ("S2", None, 1, None, None, None, None, "M1", "OL"),
    ]


def test_ragged_genotypes_from_r_are_read(table_of):
    table = table_of("Sample.Name\tMarker\tAllele.1\tAllele.2\nA1\tloc1\t110\nA2\tloc1\t1\t2\n")
    assert table.select("sample", "peak", "allele").rows() == [
        ("A1", 1, "110"),
        ("A2", 1, "1"),
        ("A2", 2, "2"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_the_header(table_of, encoding):
    assert table_of(SIZING, encoding).height == 2


def test_a_name_in_windows_1252_is_read(table_of):
    assert table_of(SIZING.replace("a.fsa", "\u00e9.fsa"), "cp1252")["sample"][0] == "\u00e9.fsa"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "not_peak_table"),
        ("<html></html>", "not_peak_table"),
        (b"Dye/Sample Peak\tSize\0", "not_peak_table"),
        (SIZING.replace("7799", "many"), "damaged"),
        (SIZING.replace("7799", "inf"), "damaged"),
        (SIZING.replace("7799", "7_799"), "damaged"),
        (SIZING.replace('"B,3"', "B3"), "damaged"),
        (SIZING.replace("4936\t", "4936\t\tmore"), "damaged"),
        (SIZING[:-12], "truncated"),
        (SCANNER[:-20], "truncated"),
        (SCANNER.replace('"Dye Color",', '"Dye Color"\t'), "damaged"),
        (SCANNER.replace('"BLUE"', '"BL"UE'), "damaged"),
        (SIZING.replace("a.fsa", "a" * 70_000), "damaged"),
    ],
)
def test_what_is_no_table_or_a_broken_one_is_refused(table_of, content, code):
    assert refused(table_of, content) == code


def test_a_table_larger_than_the_limit_is_refused(table_of, monkeypatch):
    monkeypatch.setattr("assayhouse.instruments.text_rows.LARGEST_TEXT", 10)
    assert refused(table_of, SIZING) == "too_large"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (SIZING, "genemapper_sizing"),
        (GENOTYPES, "genemapper_genotypes"),
        (SCANNER, "peak_scanner"),
        ("Sample\tSize\n", "unknown"),
        ("\0\0", "unknown"),
    ],
)
def test_a_table_is_recognised_by_its_columns(tmp_path, content, kind):
    path = tmp_path / "any.fcs"
    path.write_text(content)
    assert identify(path) == kind
    if kind != "unknown":
        found = inspect(path)
        assert (found.format, found.metadata["peaks"]) == (kind, 2)
