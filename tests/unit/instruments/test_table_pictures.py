"""Pictures of files that are tables: peaks by size, columns by how much they hold."""

import json

import polars as pl
import pytest

from assayhouse.instruments import inspect

SIZING = (
    b"Dye/Sample Peak\tSample File Name\tSize\tHeight\tArea\tData Point\t\r\n"
    b'"B,3"\ta.fsa\t225.48\t7799\t102925\t4936\t\r\n'
    b'"G,4"\tb.fsa\t101.5\t300\t9000\t2100\t\r\n'
    b'"G,5"\tb.fsa\t\t310\t9100\t2300\t\r\n'
)
COLUMNS = [{"itemOID": f"IT.{n}", "name": n, "label": n, "dataType": "string"} for n in ("A", "B")]


def found(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    return inspect(path)


def test_peaks_stand_at_their_size_by_dye(tmp_path):
    picture = found(tmp_path, SIZING).picture
    assert picture.kind == "points"
    assert {s.label: (s.x.tolist(), s.y.tolist()) for s in picture.series} == {
        "B": ([225.48], [7799.0]),
        "G": ([101.5], [300.0]),
    }
    assert picture.note == "2 of 3 peaks"


def test_a_table_without_sizes_shows_how_many_peaks_a_dye_has(tmp_path):
    bare = SIZING.replace(b"225.48", b"").replace(b"101.5", b"")
    picture = found(tmp_path, bare).picture
    assert picture.kind == "bars"
    assert {s.label: float(s.y[0]) for s in picture.series} == {"B": 1.0, "G": 2.0}


@pytest.mark.parametrize("rows", [[["x", None], ["y", "z"], ["x", None]]])
def test_a_clinical_table_shows_how_much_each_column_holds_and_no_value(tmp_path, rows):
    document = {"datasetJSONVersion": "1.1.0", "name": "DM", "records": 3, "columns": COLUMNS}
    inspected = found(tmp_path, json.dumps(document | {"rows": rows}).encode())
    picture = inspected.picture
    assert picture.kind == "bars"
    shown = {s.label: float(s.y[0]) for s in picture.series}
    assert shown == {"B": pytest.approx(100 / 3), "A": 100.0}
    assert isinstance(inspected.tables["data"], pl.DataFrame)


def test_a_clinical_table_without_rows_has_no_picture(tmp_path):
    document = {"datasetJSONVersion": "1.1.0", "name": "DM", "records": 0, "columns": COLUMNS}
    assert found(tmp_path, json.dumps(document | {"rows": []}).encode()).picture is None
