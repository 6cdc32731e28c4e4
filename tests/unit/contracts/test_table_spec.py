"""The contract of a relation, and what follows from it: schemas, DDL, comments, conforming."""

from dataclasses import replace
from datetime import date

import duckdb
import polars as pl
import pyarrow as pa
import pytest
import yaml

from assayhouse.contracts import declarations
from assayhouse.contracts.table_spec import read_fields, read_table
from assayhouse.errors import DeclarationError

FIELDS = {
    "USUBJID": {"label": "Unique subject identifier"},
    "AVAL": {"label": "Analysis value", "type": "number", "unit": "mg"},
    "N": {"label": "Count, the subject's", "type": "integer"},
    "FL": {"label": "Flag", "type": "boolean"},
    "ADT": {"label": "Date", "type": "date"},
    "ADTM": {"label": "Time", "type": "datetime"},
}
TABLE = {
    "relation": "adam.adxx",
    "label": "Test",
    "grain": "one row per subject",
    "columns": list(FIELDS),
    "key": ["USUBJID"],
}


@pytest.fixture
def fields(tmp_path):
    path = tmp_path / "fields.yaml"
    path.write_text(yaml.safe_dump(FIELDS))
    return read_fields(path)


def read(folder, fields, *, layer="adam", name="adxx", **changes):
    path = folder / layer / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(TABLE | changes))
    return read_table(path, fields)


def test_one_contract_gives_the_same_columns_to_every_engine(tmp_path, fields):
    spec = read(tmp_path, fields)
    connection = duckdb.connect()
    connection.execute("create schema adam")
    connection.execute(spec.ddl())
    for statement in spec.comments():
        connection.execute(statement)
    empty = connection.sql("select * from adam.adxx").pl()
    assert empty.columns == list(FIELDS)
    assert empty.schema == spec.polars_schema == spec.empty().schema
    assert spec.empty().to_arrow().schema.names == spec.arrow_schema.names
    assert spec.arrow_schema.field("AVAL").type == pa.float64()
    told = dict(
        connection.sql(
            "select column_name, comment from duckdb_columns() where table_name = 'adxx'"
        ).fetchall()
    )
    assert told["AVAL"] == "Analysis value [mg]"
    assert told["N"] == "Count, the subject's"


def test_a_frame_is_brought_into_order_and_type(tmp_path, fields):
    spec = read(tmp_path, fields, columns=["USUBJID", "AVAL", "ADT"])
    frame = pl.DataFrame({"extra": [1], "ADT": [date(2020, 1, 2)], "AVAL": [3], "USUBJID": ["S-1"]})
    made = spec.conform(frame)
    assert made.schema == spec.polars_schema
    assert made.rows() == [("S-1", 3.0, date(2020, 1, 2))]


def test_a_missing_column_is_named(tmp_path, fields):
    spec = read(tmp_path, fields, columns=["USUBJID", "AVAL"])
    with pytest.raises(DeclarationError, match=r"adam\.adxx: .* AVAL"):
        spec.conform(pl.DataFrame({"USUBJID": ["S-1"]}))


def test_a_value_that_is_no_number_is_an_error_and_is_not_told(tmp_path, fields):
    spec = read(tmp_path, fields, columns=["USUBJID", "AVAL"])
    with pytest.raises(DeclarationError) as caught:
        spec.conform(pl.DataFrame({"USUBJID": ["S-1"], "AVAL": ["secret"]}))
    assert "secret" not in str(caught.value)
    assert "adam.adxx" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"columns": ["USUBJID", "NEW"]}, r"NEW is not declared in schemas/fields\.yaml"),
        ({"key": ["NEW"]}, "key and unhashed must name columns"),
        ({"key": []}, "the key at least one"),
        ({"unhashed": ["NEW"]}, "key and unhashed must name columns"),
        ({"side": "shut"}, "side must be one of"),
        ({"views": {"by": "NEW"}}, "views must name columns"),
        ({"views": {"by": "USUBJID", "columns": {"a": ["NEW"]}}}, "views must name columns"),
        ({"views": {"by": "USUBJID", "of": "pages"}}, "of must be one of"),
        ({"views": {"USUBJID": "x"}}, "unknown key USUBJID"),
        ({"slices": "AVAL"}, "slices must be the first column of the key"),
        ({"relation": "adam.other"}, "does not fit its file's place"),
        ({"colums": []}, "unknown key colums"),
    ],
)
def test_a_slip_in_a_relation_is_told(tmp_path, fields, changes, words):
    with pytest.raises(DeclarationError, match=words):
        read(tmp_path, fields, **changes)


def test_a_relation_stands_in_a_known_layer(tmp_path, fields):
    with pytest.raises(DeclarationError, match="place"):
        read(tmp_path, fields, layer="misc", relation="misc.adxx")


def test_a_field_has_a_known_type(tmp_path):
    path = tmp_path / "fields.yaml"
    path.write_text(yaml.safe_dump({"A": {"label": "A", "type": "float"}}))
    with pytest.raises(DeclarationError, match="A: type must be one of"):
        read_fields(path)


def test_clock_columns_stay_out_of_the_hashed_ones(tmp_path, fields):
    spec = read(tmp_path, fields, unhashed=["ADTM"])
    assert "ADTM" in spec.columns
    assert "ADTM" not in spec.hashed_columns
    assert replace(spec, unhashed=()).hashed_columns == spec.columns


def test_a_raw_relation_keeps_the_text_and_where_it_came_from():
    found = declarations.load()
    for layout in found.layouts.values():
        spec = found.tables[layout.relation]
        texts = [column.name for column in layout.columns]
        assert list(spec.columns[: len(texts)]) == texts
        assert all(spec.polars_schema[name] == pl.String for name in texts)
        assert spec.columns[-5:] == (
            "source_file",
            "source_line",
            "sha256",
            "receipt",
            "record_action",
        )
        assert spec.segment == "receipt"
        assert len(set(spec.columns)) == len(spec.columns)
