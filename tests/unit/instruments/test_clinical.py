"""Clinical containers: every value as text, and a typed error for whatever is no data set."""

import datetime as dt
import gzip
import json
import zlib

import pandas as pd
import pyreadstat
import pytest

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments import clinical
from assayhouse.instruments.clinical import read_clinical


def document(rows, names=("ID", "N"), **meta):
    """One Dataset-JSON document."""
    columns = [{"itemOID": name, "name": name} for name in names]
    return json.dumps({"columns": columns, "rows": rows, **meta}).encode()


def lines(rows, names=("ID", "N"), **meta):
    """The same as lines of JSON."""
    columns = [{"name": name} for name in names]
    return "\n".join(json.dumps(item) for item in [{"columns": columns, **meta}, *rows]).encode()


def json_rows(content):
    return read_clinical(content, kind="dataset_json").frame.rows()


def error_of(content, kind="dataset_json"):
    with pytest.raises(InstrumentFileError) as caught:
        read_clinical(content, kind=kind)
    return caught.value


def xpt(folder, **columns):
    path = folder / "data.xpt"
    pyreadstat.write_xport(pd.DataFrame(columns), str(path), file_format_version=5)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"),
        ("", None),
        (None, None),
        (3, "3"),
        (3.0, "3"),
        (-0.5, "-0.5"),
        (0.1, "0.1"),
        (1e22, "1e+22"),
        (2.0**53, "9007199254740992.0"),
        (True, "true"),
        (False, "false"),
        (" é ", " é "),
    ],
)
def test_a_value_becomes_its_shortest_text(value, text):
    assert json_rows(document([["a", value]])) == [("a", text)]


@pytest.mark.parametrize("number", ["1e999", "-1e999", "Infinity"])
def test_an_infinite_number_is_text_that_no_number_rule_admits(number):
    content = document([["a", 7.5]]).replace(b"7.5", number.encode())
    ((_, text),) = json_rows(content)
    assert text.lstrip("-") == "inf"


def test_a_number_that_is_none_is_null():
    assert json_rows(document([["a", float("nan")]])) == [("a", None)]


def test_document_lines_and_compressed_hold_the_same_table():
    rows = [["a", 1], ["b", 2.5], ["c", None]]
    expected = [("a", "1"), ("b", "2.5"), ("c", None)]
    whole = document(rows)
    for content in (whole, lines(rows), zlib.compress(whole), gzip.compress(lines(rows))):
        assert json_rows(content) == expected


@pytest.mark.parametrize("value", [[1], {"a": 1}])
def test_a_value_is_never_a_list_or_an_object(value):
    assert error_of(document([["a", value]])).code == "bad_structure"


@pytest.mark.parametrize("pack", [zlib.compress, gzip.compress])
def test_compressed_data_cut_off_or_too_large_are_told(pack, monkeypatch):
    packed = pack(document([["a", 1]]))
    assert error_of(packed[:-5]).code == "truncated"
    assert error_of(packed[:20] + b"\0" * 9 + packed[29:]).code in {"truncated", "not_json"}
    monkeypatch.setattr(clinical, "LARGEST_UNPACKED", 40)
    assert error_of(packed).code == "bad_structure"


def test_a_byte_order_mark_is_accepted():
    assert json_rows(b"\xef\xbb\xbf" + document([["a", 1]])) == [("a", "1")]


def test_a_line_separator_of_unicode_stays_in_its_value():
    content = lines([["a\u2028b\x85", 1]]).decode()
    content = content.replace("\\u2028", "\u2028").replace("\\x85", "\x85")
    assert json_rows(content.encode()) == [("a\u2028b\x85", "1")]


def test_the_declared_number_of_records_is_checked():
    assert len(json_rows(document([["a", 1]], records=1))) == 1
    assert error_of(document([["a", 1]], records=2)).code == "truncated"
    assert error_of(lines([["a", 1]], records=2)).code == "truncated"


def test_a_document_cut_off_is_told():
    content = lines([["a", 1], ["b", 2]])
    assert error_of(content[:-3]).code == "truncated"
    assert error_of(zlib.compress(content)[:-4]).code == "truncated"
    assert error_of(gzip.compress(content)[:-9]).code == "truncated"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"<html>", "not_json"),
        (b"[1, 2]", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"12", "not_json"),
        (b"1" * 5000, "not_json"),
        (b" \n ", "not_json"),
        (b"caf\xe9", "encoding"),
        (b"{}", "bad_structure"),
        (b'{"columns": [1], "rows": []}', "bad_structure"),
        (b'{"columns": [{"name": 1}], "rows": []}', "bad_structure"),
        (b'{"columns": [{"name": "A"}], "rows": {}}', "bad_structure"),
        (b'{"columns": [{"name": "A"}], "rows": [[1, 2]]}', "bad_structure"),
        (b'{"columns": [{"name": "A"}], "rows": [7]}', "bad_structure"),
        (b'{"columns": [{"name": "A"}, {"name": "A"}], "rows": [[1, 2]]}', "bad_structure"),
        (b'{"columns": [{"name": "A"}], "rows": [[[1]]]}', "bad_structure"),
        (b'{"columns": [{"name": "A"}], "rows": [["\\ud800"]]}', "encoding"),
        (b'{"columns": [{"name": "\\ud800"}], "rows": [["a"]]}', "encoding"),
        (b'{"columns": [{"name": "A"}], "rows": [[' + b"1" * 5000 + b"]]}", "not_json"),
    ],
)  # fmt: skip
def test_what_is_no_dataset_json_is_a_typed_error(content, code):
    error = error_of(content)
    if b"[" * 50 in content:
        assert error.code in {"not_json", "bad_structure"}
    else:
        assert error.code == code


def test_transport_holds_text_numbers_dates_and_times(tmp_path):
    content = xpt(
        tmp_path,
        ID=["a", ""],
        N=[1.5, None],
        DAY=[dt.date(2018, 1, 2), None],
        AT=[dt.time(8, 5), None],
        WHEN=[dt.datetime(2018, 1, 2, 3, 4), None],  # noqa: DTZ001 - the format has no zones
    )
    table = read_clinical(content, kind="xpt")
    assert table.notes == ()
    assert table.frame.rows() == [
        ("a", "1.5", "2018-01-02", "08:05:00", "2018-01-02T03:04:00"),
        (None, None, None, None, None),
    ]


def test_transport_in_windows_1252_is_read_and_said_so(tmp_path):
    content = xpt(tmp_path, ID=["caf~"]).replace(b"caf~", b"caf\xe9")
    table = read_clinical(content, kind="xpt")
    assert table.frame["ID"].to_list() == ["café"]
    assert len(table.notes) == 1
    assert "cp1252" in table.notes[0]


def test_transport_in_no_known_encoding_is_a_typed_error(tmp_path):
    content = xpt(tmp_path, ID=["caf~"]).replace(b"caf~", b"ca\x81\xff")
    assert error_of(content, "xpt").code == "encoding"


@pytest.mark.parametrize("gone", [1, 79, 80, 81, 160, 800])
def test_transport_cut_off_inside_a_row_is_told(tmp_path, gone):
    content = xpt(tmp_path, ID=["x" * 150] * 20, N=[1.0] * 20)
    assert len(read_clinical(content, kind="xpt").frame) == 20
    assert error_of(content[:-gone], "xpt").code == "truncated"


@pytest.mark.parametrize("width", [1, 7, 8, 40, 79, 80, 81, 200])
@pytest.mark.parametrize("count", [1, 2, 9, 10, 11])
def test_transport_that_is_whole_is_never_called_cut_off(tmp_path, width, count):
    content = xpt(tmp_path, ID=["x" * width] * count, N=[1.0] * count)
    assert read_clinical(content, kind="xpt").frame.height == count


def test_a_second_data_set_in_one_file_is_refused_not_dropped(tmp_path):
    content = xpt(tmp_path, ID=["a"])
    member = content.index(b"HEADER RECORD*******MEMBER  HEADER")
    error = error_of(content + content[member:], kind="xpt")
    assert error.code == "bad_structure"
    assert "several data sets" in str(error)


def test_what_is_no_transport_file_is_a_typed_error(tmp_path):
    assert error_of(b"", "xpt").code == "empty"
    assert error_of(b"<!DOCTYPE html><html></html>", "xpt").code == "not_xpt"
    assert error_of(b"SUBJID,ORRES\n1,2\n", "xpt").code == "not_xpt"
    assert error_of(xpt(tmp_path, ID=["a"])[:320], "xpt").code == "truncated"


def test_no_error_repeats_a_value():
    subject = "SUBJECT-0042"
    for content in (
        lines([[subject, 1], [subject]]),
        lines([[subject, 1]])[:-2],
        document([[subject, 1]], records=9),
        document([[subject]]),
        b'{"columns": [{"name": "A"}], "rows": [["' + subject.encode() + b'\\ud800"]]}',
    ):
        assert subject not in str(error_of(content))
