"""Clinical data sets with their types, whatever the container; what is none is refused."""

import datetime as dt
import gzip
import json
import zlib

import pandas as pd
import polars as pl
import pyreadstat
import pytest

from assayhouse.errors import InstrumentFileError
from assayhouse.readers.clinical import read_table

COLUMNS = [
    {"name": "ID", "label": "Subject", "dataType": "string"},
    {"name": "AGE", "dataType": "integer"},
    {"name": "DOSE", "dataType": "decimal"},
    {"name": "TRTSDT", "dataType": "date", "targetDataType": "integer"},
    {"name": "TM", "dataType": "time", "targetDataType": "integer"},
    {"name": "DTM", "dataType": "datetime", "targetDataType": "integer"},
    {"name": "RFSTDTC", "dataType": "date"},
    {"name": "OK", "dataType": "boolean"},
]
ROWS = [
    ["a", 63, "1.50", "2014-01-02", "08:30:00", "2014-01-02T08:30:00", "2014-01", True],
    ["", "", None, "", "", "", "", None],
]
META = {"name": "DM", "records": 2, "columns": COLUMNS, "datasetJSONCreationDateTime": "now"}
DOCUMENT = json.dumps(META | {"rows": ROWS}).encode()
LINES = "\n".join(json.dumps(item) for item in [META, *ROWS]).encode()
CSV = b'"ID","N","LEAD","DTC","E"\n"a",1,"01","2014-01-02",NA\n"NA",2.5e1,"2","",\n'


@pytest.fixture
def table_of(tmp_path):
    def read(content, **options):
        path = tmp_path / "data.bin"
        path.write_bytes(content)
        return read_table(path, **options)

    return read


def xpt_of(tmp_path, frame, **options):
    path = tmp_path / "x.xpt"
    pyreadstat.write_xport(frame, str(path), file_format_version=5, table_name="DM", **options)
    return path.read_bytes()


def refused(table_of, content, **options):
    with pytest.raises(InstrumentFileError) as caught:
        table_of(content, **options)
    return caught.value.code


@pytest.mark.parametrize(
    "content", [DOCUMENT, LINES, gzip.compress(DOCUMENT), zlib.compress(LINES)]
)
def test_json_columns_have_their_declared_types_and_empty_texts_are_null(table_of, content):
    table = table_of(content)
    assert table.frame.row(0) == (
        *("a", 63.0, 1.5, dt.date(2014, 1, 2), dt.time(8, 30)),
        *(dt.datetime.fromisoformat("2014-01-02T08:30:00"), "2014-01", True),
    )
    assert table.frame.row(1) == (None,) * 8
    assert table.frame.dtypes[:2] == [pl.String, pl.Float64]
    assert (table.name, table.labels) == ("DM", {"ID": "Subject"})
    assert table.metadata["created"] == "now"


def test_transport_files_have_texts_numbers_and_dates(tmp_path, table_of):
    frame = pd.DataFrame(
        {"ID": ["a", ""], "N": [1.5, None], "D": [19725.0, None], "E": [None, None]}
    )
    frame["E"] = frame["E"].astype(float)
    content = xpt_of(
        tmp_path, frame, column_labels=["Subject", "", "", ""], variable_format={"D": "DATE9."}
    )
    table = table_of(content)
    assert table.frame["ID"].to_list() == ["a", None]
    assert table.frame["N"].to_list() == [1.5, None]
    assert table.frame["E"].to_list() == [None, None]
    assert table.labels["ID"] == "Subject"
    assert (table.name, table.metadata["encoding"], table.flags) == ("DM", "utf-8", ())


def test_text_that_is_not_utf_8_is_read_as_windows_1252_and_flagged(tmp_path, table_of):
    content = xpt_of(tmp_path, pd.DataFrame({"ID": ["caf#"], "N": [1.0]}))
    table = table_of(content.replace(b"caf#", b"caf\xe9"))
    assert table.frame["ID"][0] == "caf\u00e9"
    assert (table.metadata["encoding"], table.flags) == ("cp1252", ("not_utf8",))
    assert refused(table_of, content.replace(b"caf#", b"caf\xe9"), encoding="utf-8") == "damaged"
    assert refused(table_of, content, encoding="klingon") == "unsupported_feature"


def test_csv_from_r_has_numbers_only_where_all_cells_are_plain_numbers(table_of):
    frame = table_of(CSV).frame
    assert frame.rows() == [
        ("a", 1.0, "01", "2014-01-02", None),
        (None, 25.0, "2", None, None),
    ]
    assert table_of(gzip.compress(CSV)).frame.equals(frame)
    assert table_of(CSV.replace(b'"a"', b'"\xe9"')).flags == ("not_utf8",)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_clinical"),
        (b"<html>404</html>", "not_clinical"),
        (b"[1]", "not_clinical"),
        (b"\0\1", "not_clinical"),
        (b"hello", "not_clinical"),
        (b"a,a\n1,2\n", "not_clinical"),
        (b'{"rows": 1', "not_clinical"),
        (DOCUMENT.replace(b'"records": 2', b'"records": 3'), "truncated"),
        (DOCUMENT.replace(b'"1.50"', b'"much"'), "damaged"),
        (DOCUMENT.replace(b'"2014-01-02"', b'"2014-13-02"'), "damaged"),
        (gzip.compress(DOCUMENT)[:-9], "truncated"),
        (b"\x1f\x8b\x09\x00damaged data", "damaged"),
        (gzip.compress(b" " * 30_000_000), "too_large"),
        (CSV[:-3], "truncated"),
        (CSV + b'"b",1,1,1,1,1\n', "damaged"),
        (b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!" + b"0" * 200, "truncated"),
    ],
)
def test_what_is_no_data_set_or_a_broken_one_is_refused(table_of, content, code):
    assert refused(table_of, content) == code


def test_two_members_and_a_large_file_are_refused(tmp_path, table_of, monkeypatch):
    content = xpt_of(tmp_path, pd.DataFrame({"ID": ["a"], "N": [1.0]}))
    assert refused(table_of, content + content[240:]) == "unsupported_feature"
    assert refused(table_of, content[:-40]) == "truncated"
    monkeypatch.setattr("assayhouse.instruments.clinical_typed.LARGEST_FILE", 10)
    assert refused(table_of, content) == "too_large"


def test_columns_without_a_name_are_damage(tmp_path, table_of):
    """Found by fuzzing: the library adds to the name of the second, and there is none."""
    whole = xpt_of(tmp_path, pd.DataFrame({"FIRST": ["a"], "SECOND": ["b"]}))
    bare = whole.replace(b"FIRST   ", b"\0" * 8, 1).replace(b"SECOND  ", b"\0" * 8, 1)
    assert bare != whole
    assert refused(table_of, bare) == "damaged"
