"""NDJSON: the metadata are the header, and every record keeps its physical line and text."""

import json

from assayhouse.contracts.vendor_file import ColumnSpec, Dialect, LayoutSpec, Limits
from assayhouse.readers import open_delivery

LAYOUT = LayoutSpec(
    layout="lab.lb",
    version="1.0",
    label="",
    reader="dataset_json",
    dialect=Dialect(),
    columns=(ColumnSpec(name="ID", label=""), ColumnSpec(name="N", label="")),
    key=("ID",),
    mode="cumulative",
    manifest="none",
    file_pattern=None,
    sealed_under=(),
    limits=Limits(),
    maps_to=(),
    where="schemas/vendors/lab.lb.yaml",
)
META = {"datasetJSONVersion": "1.1.0", "records": 3, "columns": [{"name": "ID"}, {"name": "N"}]}
RECORDS = (["a", 1], ["b", None], ["c", 2.5])


def opened(folder, text):
    path = folder / "x.ndjson"
    path.write_bytes(text.encode())
    reading = open_delivery(path, LAYOUT, study_id="S")
    return reading, list(reading.batches())


def test_a_record_has_its_line_in_the_file_and_its_own_text(tmp_path):
    lines = [json.dumps(META), json.dumps(RECORDS[0]), "", *map(json.dumps, RECORDS[1:])]
    reading, (batch,) = opened(tmp_path, "\n".join(lines) + "\n")
    assert batch.frame["source_line"].to_list() == [2, 4, 5]
    assert batch.frame["N"].to_list() == ["1", None, "2.5"]
    assert batch.raw_text([1]) == ['["b", null]']
    account = reading.account
    assert (account.physical_lines, account.header, account.blank) == (5, 1, 1)
    assert account.data_rows == account.data_lines == 3
    assert account.balanced


def test_one_json_document_counts_its_records_as_lines(tmp_path):
    reading, (batch,) = opened(tmp_path, json.dumps({**META, "rows": list(RECORDS)}, indent=1))
    assert batch.frame["source_line"].to_list() == [1, 2, 3]
    assert batch.raw_text([0]) == ["a\t1"]
    assert (reading.account.physical_lines, reading.account.header) == (3, 0)


def test_a_windows_line_end_is_no_part_of_a_record(tmp_path):
    text = "\r\n".join(map(json.dumps, [META, *RECORDS])) + "\r\n"
    reading, (batch,) = opened(tmp_path, text)
    assert batch.raw_text([2]) == ['["c", 2.5]']
    assert reading.account.physical_lines == 4
