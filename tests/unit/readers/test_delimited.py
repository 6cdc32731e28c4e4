"""Delimited files by their dialect: what keeps a file out, what is noted, what is counted."""

import dataclasses
import gzip

import pytest

from assayhouse.contracts.vendor_file import ColumnSpec, Dialect
from assayhouse.errors import DeliveryRejectedError
from assayhouse.readers import open_delivery

from support.small_study import layout

COLUMNS = (
    ColumnSpec(name="ID", label="Identifier"),
    ColumnSpec(name="VALUE", label="Value"),
    ColumnSpec(name="NOTE", label="Note", optional_column=True),
)
ROWS = b"ID,VALUE,NOTE\ns1,1.5,x\ns2,2.5,y\n"
TRAILER = r"Rows,(?P<rows>\d+)"


def opened(folder, content, *, columns=COLUMNS, block_bytes=1 << 16, **dialect):
    path = folder / "archived.bin"
    path.write_bytes(content)
    spec = dataclasses.replace(layout("lab.res", columns, columns[0].name))
    spec = dataclasses.replace(spec, dialect=Dialect(**dialect))
    return open_delivery(path, spec, study_id="DEMO.01", block_bytes=block_bytes, file="lab.csv")


def read(folder, content, **more):
    """Rows of text and the reading they came from."""
    reading = opened(folder, content, **more)
    frames = [batch.frame for batch in reading.batches()]
    rows = [row for frame in frames for row in frame.drop("source_line", "line_span").rows()]
    assert reading.account.balanced
    assert reading.account.data_rows == len(rows)
    assert reading.account.physical_lines == physical_lines(content, more)
    return rows, reading


def joined(batches):
    """Rows of all batches, and their text as in the file."""
    rows = [row for batch in batches for row in batch.frame.rows()]
    raw = [text for batch in batches for text in batch.raw_text(range(batch.frame.height))]
    return rows, raw


def physical_lines(content, more):
    if more.get("compression") == "gzip":
        content = gzip.decompress(content)
    text = content.decode(more.get("encoding", "utf-8"))
    ends = text.replace("\r\n", "\n").count("\n")
    return ends + (not text.endswith("\n"))


def refused(folder, content, **more):
    with pytest.raises(DeliveryRejectedError) as caught:
        list(opened(folder, content, **more).batches())
    error = caught.value
    assert error.file == "lab.csv"
    assert "lab.csv" in str(error)
    assert not any(value in str(error) for value in ("s1", "s2", "1.5", "2.5"))
    return error


def rules(reading):
    return [(finding.rule, finding.disposition) for finding in reading.findings]


def test_a_clean_file_is_rows_of_text_with_their_lines(tmp_path):
    reading = opened(tmp_path, ROWS)
    batches = list(reading.batches())
    for batch in batches:
        assert batch.frame.columns == ["ID", "VALUE", "NOTE", "source_line", "line_span"]
    rows, raw = joined(batches)
    assert rows == [("s1", "1.5", "x", 2, 1), ("s2", "2.5", "y", 3, 1)]
    assert raw == ["s1,1.5,x", "s2,2.5,y"]
    assert reading.findings == ()
    account = reading.account
    assert (account.header, account.data_lines, account.physical_lines) == (1, 2, 3)


def test_a_file_cut_inside_a_row_is_refused_with_its_line_f01(tmp_path):
    error = refused(tmp_path, ROWS[:-6])
    assert (error.rule, error.line) == ("F01", 3)
    assert "cut off" in str(error)


def test_a_file_cut_inside_its_last_field_is_noted_f01(tmp_path):
    rows, reading = read(tmp_path, ROWS[:-1])
    assert rows == [("s1", "1.5", "x"), ("s2", "2.5", "y")]
    assert rules(reading) == [("F01", "W")]


@pytest.mark.parametrize("end", [b'"y', b'"y\n', b'"y\ns3,1,z\n'])
def test_a_quote_that_is_never_closed_is_refused_with_its_line_f01(tmp_path, end):
    error = refused(tmp_path, ROWS[:-2] + end)
    assert (error.rule, error.line) == ("F01", 3)


def test_a_quote_not_closed_for_long_is_refused_before_memory_is_full_f01(tmp_path):
    endless = ROWS + b'"s3' + b"\nx,y,z" * 600_000
    error = refused(tmp_path, endless, block_bytes=1 << 19)
    assert error.rule == "F01"
    assert error.line in {3, 4}  # the row itself, or the whole one before it


def test_a_trailer_that_promises_other_rows_is_refused_f02(tmp_path):
    assert len(read(tmp_path, ROWS + b"Rows,2\n", trailer=TRAILER)[0]) == 2
    error = refused(tmp_path, ROWS + b"Rows,5\n", trailer=TRAILER)
    assert (error.rule, error.line) == ("F02", 4)
    assert "5 rows" in str(error)


def test_a_missing_trailer_is_refused_f02(tmp_path):
    error = refused(tmp_path, ROWS, trailer=TRAILER)
    assert (error.rule, error.line) == ("F02", 3)
    assert "trailer" in str(error)


def test_a_trailer_counts_as_its_own_line(tmp_path):
    _, reading = read(tmp_path, ROWS + b"Rows,2\n\n\n", trailer=TRAILER)
    assert (reading.account.trailer, reading.account.blank) == (1, 2)
    assert reading.account.data_rows == 2


def test_a_trailer_without_a_count_need_not_match_rows(tmp_path):
    assert len(read(tmp_path, ROWS + b"END\n", trailer="END")[0]) == 2


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused_f03(tmp_path, content):
    assert refused(tmp_path, content).rule == "F03"


@pytest.mark.parametrize("content", [b"ID,VALUE,NOTE\n", b"ID,VALUE,NOTE", b"ID,VALUE,NOTE\n\n\n"])
def test_a_file_of_a_header_alone_is_refused_f03(tmp_path, content):
    error = refused(tmp_path, content)
    assert error.rule == "F03"
    assert "header" in str(error)


def test_a_file_that_ends_in_its_preamble_is_refused_f03(tmp_path):
    assert refused(tmp_path, b"Study,DEMO.01\n", preamble=("Study,{STUDYID}",)).rule == "F03"


def test_a_preamble_names_this_study_or_the_file_is_refused_f07(tmp_path):
    declared = ("Study,{STUDYID}", r"Report,\d+")
    content = b"Study,DEMO.01\nReport,7\n" + ROWS
    rows, reading = read(tmp_path, content, preamble=declared)
    assert len(rows) == 2
    assert (reading.account.preamble, reading.account.header) == (2, 1)
    for wrong, line in ((b"DEMO-01", 1), (b"DEMOx01", 1), (b"DEMO.011", 1)):
        error = refused(tmp_path, content.replace(b"DEMO.01", wrong), preamble=declared)
        assert (error.rule, error.line) == ("F07", line)
    error = refused(tmp_path, content.replace(b",7", b",x"), preamble=declared)
    assert (error.rule, error.line) == ("F07", 2)


@pytest.mark.parametrize(
    "page", [b"<!DOCTYPE html>\n<html>", b"  \n<HTML><body>", b"<?xml version='1.0'?>\n<a/>"]
)
def test_a_web_page_is_refused_as_one_f07(tmp_path, page):
    error = refused(tmp_path, page)
    assert error.rule == "F07"
    assert "web page" in str(error)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (ROWS + b"Total records: 2\n", 4),
        (ROWS.replace(b"s2", b"--- page 2 ---\ns2"), 3),
        (ROWS.replace(b"s2,", b"s2,,"), 3),
    ],
)
def test_a_line_that_is_not_declared_is_refused_f08(tmp_path, content, line):
    error = refused(tmp_path, content)
    assert (error.rule, error.line) == ("F08", line)


def test_a_file_cut_off_behind_an_undeclared_line_tells_the_undeclared_line(tmp_path):
    error = refused(tmp_path, ROWS.replace(b"s1", b"page 2\ns1")[:-6])
    assert "line 2" in str(error)


@pytest.mark.parametrize("field", [b'5" plate', b'"a"b', b'a"b"', b' "a"', b'"a" ', b'"a""b"c"'])
def test_a_quote_where_none_may_stand_is_refused(tmp_path, field):
    content = ROWS.replace(b"x\n", field + b"\n")
    assert refused(tmp_path, content).rule in {"F01", "F08"}
    if field.count(b'"') % 2 == 0:
        assert refused(tmp_path, content).line == 2


def test_rows_are_never_joined_by_quotes_inside_fields(tmp_path):
    tricky = b'1,a"b\n2,"c\nd,d\ne,5"\n6,e"f\n'
    error = refused(tmp_path, b"ID,VALUE\n" + tricky)
    assert (error.rule, error.line) == ("F08", 2)


def test_columns_in_another_order_are_read_by_name_f09(tmp_path):
    rows, reading = read(tmp_path, b"VALUE,ID,NOTE\n1.5,s1,x\n")
    assert rows == [("s1", "1.5", "x")]
    assert rules(reading) == [("F09", "W")]


def test_a_header_fault_names_the_header_line_f10(tmp_path):
    content = b"Study,DEMO.01\n" + ROWS.replace(b"VALUE", b"VALUES")
    error = refused(tmp_path, content, preamble=("Study,{STUDYID}",))
    assert (error.rule, error.line, error.column) == ("F10", 2, "VALUE")
    assert "VALUES" in str(error)


def test_an_extra_column_is_left_out_f11(tmp_path):
    rows, reading = read(tmp_path, b"ID,BATCH,VALUE\ns1,9,1.5\n")
    assert rows == [("s1", "1.5", None)]
    assert rules(reading) == [("F11", "W")]


def test_an_extra_column_named_after_treatment_is_refused_f35(tmp_path):
    error = refused(tmp_path, b"ID,ACTARM,VALUE\ns1,9,1.5\n")
    assert error.rule == "F35"
    assert "ACTARM" not in str(error)


def test_latin_1_is_refused_with_line_and_hint_f12(tmp_path):
    error = refused(tmp_path, ROWS.replace(b"y\n", b"\xb5\n"))
    assert (error.rule, error.line) == ("F12", 3)
    assert "Latin-1" in str(error)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_refused_with_a_hint_f12(tmp_path, encoding):
    error = refused(tmp_path, ROWS.decode().encode(encoding))
    assert error.rule == "F12"
    assert "UTF-" in str(error)


def test_a_nul_byte_is_refused_f12(tmp_path):
    error = refused(tmp_path, ROWS.replace(b"x\n", b"\0\n"))
    assert (error.rule, error.line) == ("F12", 2)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16"])
def test_a_declared_encoding_is_read(tmp_path, encoding):
    content = ROWS.decode().replace("y", "µ").encode(encoding)
    assert read(tmp_path, content, encoding=encoding, block_bytes=7)[0][1] == ("s2", "2.5", "µ")


def test_bytes_outside_the_declared_encoding_are_refused_f12(tmp_path):
    assert refused(tmp_path, ROWS + b"s3,\x81,z\n", encoding="cp1252").rule == "F12"


def test_a_byte_order_mark_of_utf_8_is_accepted(tmp_path):
    rows, reading = read(tmp_path, b"\xef\xbb\xbf" + ROWS)
    assert len(rows) == 2
    assert reading.findings == ()


@pytest.mark.parametrize(
    ("content", "line_end"),
    [
        (ROWS.replace(b"x\n", b"x\r\n"), "lf"),
        (ROWS, "crlf"),
        (ROWS.replace(b"E\n", b"E\r\n"), "lf"),
    ],
)
def test_other_line_ends_than_declared_are_noted_once_f40(tmp_path, content, line_end):
    rows, reading = read(tmp_path, content, line_end=line_end)
    assert rows == [("s1", "1.5", "x"), ("s2", "2.5", "y")]
    assert rules(reading) == [("F40", "W")]


def test_lines_that_end_with_a_carriage_return_alone_are_noted_f40(tmp_path):
    reading = opened(tmp_path, ROWS.replace(b"\n", b"\r"))
    rows, _ = joined(list(reading.batches()))
    assert [row[:4] for row in rows] == [("s1", "1.5", "x", 2), ("s2", "2.5", "y", 3)]
    assert rules(reading) == [("F40", "W")]
    assert reading.account.balanced


def test_the_declared_line_end_is_no_finding(tmp_path):
    rows, reading = read(tmp_path, ROWS.replace(b"\n", b"\r\n"), line_end="crlf")
    assert rows == [("s1", "1.5", "x"), ("s2", "2.5", "y")]
    assert reading.findings == ()


def test_gzip_is_read_where_it_is_declared(tmp_path):
    assert len(read(tmp_path, gzip.compress(ROWS), compression="gzip", block_bytes=7)[0]) == 2
    assert refused(tmp_path, gzip.compress(ROWS)).rule == "F12"


@pytest.mark.parametrize("damage", ["cut", "bits", "plain", "tail"])
def test_broken_gzip_is_refused_f01(tmp_path, damage):
    packed = gzip.compress(ROWS * 50)
    broken = {
        "cut": packed[:-9],
        "bits": packed[:-6] + b"\0\0" + packed[-4:],
        "plain": ROWS,
        "tail": packed + b"rubbish",
    }[damage]
    error = refused(tmp_path, broken, compression="gzip")
    assert error.rule in {"F01", "F08"}
    assert "gzip" in str(error) or damage == "bits"


def test_quoted_fields_hold_delimiters_quotes_and_lines(tmp_path):
    content = b'ID,VALUE,NOTE\n"s,1","1""5","a\nb\r\nc"\ns2,2.5,\n'
    reading = opened(tmp_path, content)
    rows, raw = joined(list(reading.batches()))
    assert rows == [
        ("s,1", '1"5', "a\nb\r\nc", 2, 3),
        ("s2", "2.5", None, 5, 1),
    ]
    assert raw == ['"s,1","1""5","a\nb\r\nc"', "s2,2.5,"]
    assert reading.account.balanced
    assert (reading.account.data_lines, reading.account.data_rows) == (4, 2)


def test_a_dialect_without_quotes_takes_them_as_text(tmp_path):
    rows, _ = read(tmp_path, b'ID;VALUE\n"s1;5" x\n', quote=None, quoting="none", delimiter=";")
    assert rows == [('"s1', '5" x', None)]


def test_null_texts_are_null_and_nothing_else_is(tmp_path):
    content = b'ID,VALUE,NOTE\nNA,n/a,na\ns1,,""\n'
    assert read(tmp_path, content)[0] == [("NA", "n/a", "na"), ("s1", None, None)]
    rows, _ = read(tmp_path, content, null_texts=("NA", "n/a", ""))
    assert rows == [(None, None, "na"), ("s1", None, None)]
    assert read(tmp_path, content, null_texts=("NA",))[0][1] == ("s1", "", "")


def test_comment_lines_are_counted_and_left_out(tmp_path):
    content = ROWS.replace(b"s2", b"# page, 2,3,4\ns2") + b"# end\n"
    rows, reading = read(tmp_path, content, comment="#")
    assert rows == [("s1", "1.5", "x"), ("s2", "2.5", "y")]
    assert (reading.account.comment, reading.account.data_lines) == (2, 2)


def test_a_comment_mark_inside_quotes_is_text(tmp_path):
    content = b'ID,VALUE,NOTE\ns1,"a\n# b",x\n'
    assert read(tmp_path, content, comment="#")[0] == [("s1", "a\n# b", "x")]


def test_a_quote_in_a_comment_swallows_no_row(tmp_path):
    content = ROWS.replace(b"s2", b'# 5" plate\ns2') + b'# another "\n'
    try:
        rows, _ = read(tmp_path, content, comment="#")
    except DeliveryRejectedError:
        return
    assert [row[0] for row in rows] == ["s1", "s2"]


@pytest.mark.parametrize("blanks", [b"\n", b"\n\n\n", b"\r\n\n"])
def test_blank_lines_at_the_end_are_counted(tmp_path, blanks):
    rows, reading = read(tmp_path, ROWS + blanks)
    assert len(rows) == 2
    assert reading.account.blank == blanks.count(b"\n")


def test_a_row_of_delimiters_is_a_row(tmp_path):
    rows, _ = read(tmp_path, ROWS + b",,\n")
    assert rows[2] == (None, None, None)


@pytest.mark.parametrize("block_bytes", [5, 7, 16, 64])
def test_the_size_of_blocks_changes_nothing(tmp_path, block_bytes):
    content = b"Study,DEMO.01\n" + ROWS.replace(b"y\n", b'"y\n\xc3\xa9"\n') + b"# c\nRows,2\n\n"
    dialect = {"preamble": ("Study,{STUDYID}",), "trailer": TRAILER, "comment": "#"}
    whole, first = read(tmp_path, content, **dialect)
    parts, second = read(tmp_path, content, block_bytes=block_bytes, **dialect)
    assert parts == whole
    assert second.account == first.account
    assert second.findings == first.findings


def test_a_faulty_header_in_quotes_is_refused_not_raised(tmp_path):
    for header in (b'"ID,VALUE\n', b'"ID"x,VALUE\n', b"ID" * 100_000):
        assert refused(tmp_path, header + b"s1,1.5\n").rule in {"F01", "F08", "F10"}


def test_a_file_may_be_read_twice(tmp_path):
    reading = opened(tmp_path, ROWS)
    first = [batch.frame for batch in reading.batches()]
    account = dataclasses.replace(reading.account)
    second = [batch.frame for batch in reading.batches()]
    assert [frame.rows() for frame in first] == [frame.rows() for frame in second]
    assert reading.account == account
