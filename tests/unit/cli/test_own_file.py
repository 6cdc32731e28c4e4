"""A user's own file: what is read of it, and file, reason and remedy of every fault."""

import codecs

import polars as pl
import pytest

from assayhouse.commands.own_file import read_own
from assayhouse.commands.own_options import out_folder
from assayhouse.commands.own_table import numbers, require_columns, typed
from assayhouse.errors import DeclarationError, OwnTableError

TEXT = "id,arm,value\ns1,a,1.5\ns2,b,2.25\ns3,a,\n"
WANTED = ("id", "arm", "value")
TOLD = "Columns: id, arm, value."


def written(tmp_path, content, name="in.csv"):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path):
    return read_own(path, wanted=WANTED, told=TOLD)


def refused(path):
    with pytest.raises(OwnTableError) as caught:
        read(path)
    return str(caught.value)


def swapped(mark):
    return TEXT.replace(",", mark)


@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\r"),
        TEXT.rstrip("\n"),
        codecs.BOM_UTF8 + TEXT.encode(),
        '"id","arm","value"\n"s1","a","1.5"\n"s2","b","2.25"\n"s3","a",""\n',
        "id , arm,value\n s1,a , 1.5\ns2,b,2.25\ns3, a,\n",
    ],
)
def test_what_programs_write_is_one_table(tmp_path, content):
    table = read(written(tmp_path, content))
    rows = [("s1", "a", "1.5"), ("s2", "b", "2.25"), ("s3", "a", None)]
    assert table.frame.rows() == rows
    assert table.frame.columns == ["id", "arm", "value"]
    assert table.lines.to_list() == [2, 3, 4]


def test_lines_are_those_of_the_file_whatever_stands_between(tmp_path):
    table = read(written(tmp_path, '\nid,arm,value\ns1,"a\nb",1\n\n\ns2,"b, ""c""",2\n\n'))
    assert table.lines.to_list() == [3, 7]
    assert table.frame["arm"].to_list() == ["a\nb", 'b, "c"']
    assert table.where([0]) == "line 3"
    assert table.where([0, 1]) == "lines 3, 7"


def test_row_names_without_a_header_name_are_one_more_column(tmp_path):
    table = read(written(tmp_path, ",id,arm,value\n1,s1,a,1\n"))
    assert table.frame.columns == ["", "id", "arm", "value"]


def test_many_lines_are_counted(tmp_path):
    table = read(written(tmp_path, "id,arm,value\n" + "s,a,1\n" * 9))
    assert table.where(range(9)) == "lines 2, 3, 4, 5, 6 and 4 more"


def test_parquet_keeps_its_types_and_counts_rows_from_1_whatever_its_name(tmp_path):
    path = tmp_path / "in.csv"
    pl.DataFrame({"id": ["s1", "s2"], "value": [1.5, None]}).write_parquet(path)
    table = read(path)
    assert table.frame.schema["value"] == pl.Float64
    assert table.where([0, 1]) == "rows 1, 2"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["is empty", TOLD]),
        ("\n \r\n\n", ["blank lines", TOLD]),
        ("id,arm,value\n", ["a header and no row", TOLD]),
        (swapped(";"), ["looks separated by ';'", "commas between the columns."]),
        (swapped(";").replace(".", ","),
         ["looks separated by ';', and its numbers have a decimal comma", "points in the numbers"]),
        (swapped("\t"), ["looks separated by tabs"]),
        (swapped("\t").replace(".", ","), ["tabs, and its numbers have a decimal comma"]),
        (swapped("|"), ["looks separated by '|'"]),
        (swapped(" "), ["looks separated by blanks"]),
        (TEXT.replace("1.5", "1,5"), ["line 2 has 4 fields, the header 3.", "decimal point"]),
        (TEXT.replace("b,2.25", "2.25"), ["line 3 has 2 fields, the header 3.", "one comma per"]),
        (TEXT.replace("s1", "s1,x").replace("s3,a,", "s3"),
         ["line 2 has 4 fields, the header 3; 1 further lines differ too"]),
        ("id,arm,value\ns1,a,1,\ns2,b,2,\n", ["line 2 has 4 fields", "row names"]),
        (TEXT.replace("s2", "s\xe9").encode("latin-1"), ["line 3 holds a byte that is not UTF-8",
                                                        "CSV UTF-8"]),
        (TEXT.encode("utf-16"), ["is text in UTF-16", "CSV UTF-8"]),
        (TEXT.encode("utf-16-le"), ["line 1 holds a NUL byte"]),
        (b"PK\x03\x04" + bytes(40), ["is an Excel workbook", "save the sheet"]),
        (b"\xd0\xcf\x11\xe0" + bytes(40), ["Excel workbook of the old kind"]),
        (b"\x1f\x8b" + bytes(40), ["is compressed (gzip)", "Unpack"]),
        (b"PAR1" + bytes(40), ["not a whole parquet file"]),
        ("<!DOCTYPE html>\n<p>", ["is a web page"]),
        ("id,value,id\ns1,1,s1\n", ["columns 1, 3 of the header have the same name, id."]),
        ("id,,value,\ns1,1,2,3\n", ["columns 2, 4 of the header have no name"]),
        (TEXT.replace("s2", 's"2'), ["line 3 has a quotation mark inside a field"]),
        (TEXT.replace("s2", '"s2'), ["a quotation mark that opens in line 3 is never closed"]),
        ("s1,a,1.5\ns2,b,2.5\n", ["the first line, which must name the columns", TOLD]),
    ],
)  # fmt: skip
def test_a_file_that_is_no_table_is_told_with_reason_and_remedy(tmp_path, content, words):
    told = refused(written(tmp_path, content))
    assert told.startswith(f"{tmp_path / 'in.csv'}: ")
    assert "Nothing was written." in told
    for text in words:
        assert text in told


def test_a_file_that_is_not_there_or_a_folder_is_said_to_be(tmp_path):
    written(tmp_path, TEXT, "values.csv")
    assert "no such file. Nothing was written. Is it values.csv?" in refused(tmp_path / "value.csv")
    assert f"Looked for in {tmp_path}." in refused(tmp_path / "else.txt")
    assert "no such file" in refused(tmp_path / "nowhere" / "in.csv")
    assert "is a folder" in refused(tmp_path)
    assert "no parquet file" in refused(written(tmp_path, TEXT, "in.parquet"))


def test_a_file_that_may_not_be_read_says_why(tmp_path, monkeypatch):
    path = written(tmp_path, TEXT)

    def deny(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "read_bytes", deny)
    assert "cannot be read (Permission denied)" in refused(path)


def test_names_that_nobody_asked_for_are_not_told(tmp_path):
    """Without a header the names are values of the first subject."""
    told = refused(written(tmp_path, "id,4711,4711\ns1,1,1\n"))
    assert "columns 2, 3 of the header have the same name." in told
    assert "4711" not in told


def test_a_column_that_is_missing_is_told_with_what_may_be_meant(tmp_path):
    table = read(written(tmp_path, "ID,arms,other\n1,a,2\n"))
    with pytest.raises(OwnTableError) as caught:
        require_columns(table, WANTED)
    told = str(caught.value)
    assert "no column id, arm, value." in told
    assert "Is id what the header calls ID; capitals count?" in told
    assert "Is arm what the header calls arms?" in told
    with pytest.raises(OwnTableError, match=r"The header names 3 others\. All\."):
        require_columns(table, ["nothing"], told="All.")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (("1", "NA", "secret"), "is not a finite number in line 4. Nothing was written. Leave a"),
        (("1", "inf", "-inf"), "column value is not a finite number in lines 3, 4."),
        (("1", '"1,5"', "2"), "in line 3. Nothing was written. Write numbers with a decimal point"),
        (("1", "<0.5", "2"), "in line 3. Nothing was written. Write the limit"),
        (("secret", "", "secrets"), "in lines 2, 4. Nothing was written. No line of it"),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_told_by_line_with_a_remedy_that_fits(tmp_path, values, words):
    lines = "".join(f"s{n},a,{value}\n" for n, value in enumerate(values))
    table = read(written(tmp_path, "id,arm,value\n" + lines))
    told = numbers("value")
    with pytest.raises(OwnTableError) as caught:
        typed(table, "value", told, wanted="a finite number", below="Write the limit.")
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


def test_every_way_to_say_missing_is_null(tmp_path):
    values = ("NA", "", "NaN", "nan", ".", " 2.50 ")
    lines = "".join(f"s,a,{value}\n" for value in values)
    table = read(written(tmp_path, f"id,arm,value\n{lines}"))
    found = typed(table, "value", numbers("value"), wanted="a number").frame["value"]
    assert found.to_list() == [None, None, None, None, None, 2.5]


def test_a_file_where_results_must_go_is_told_before_the_work(tmp_path):
    path = written(tmp_path, TEXT)
    for name in (path, path / "a" / "b"):
        with pytest.raises(DeclarationError, match=r"in\.csv: a file, where --out needs a folder"):
            out_folder(str(name))
    assert out_folder(str(tmp_path / "a" / "b")) == tmp_path / "a" / "b"
    assert not (tmp_path / "a").exists()
