"""A file is known by its content, whatever it is called, and a refused file is still answered."""

import gzip
import json

import polars as pl
import pytest

from assayhouse import instruments
from assayhouse.errors import InstrumentFileError
from assayhouse.instruments import registry

DATASET = {
    "datasetJSONVersion": "1.1.0",
    "datasetJSONCreationDateTime": "2024-03-04T10:00:00",
    "name": "DM",
    "sourceSystem": {"name": "lab", "version": "2"},
    "columns": [{"name": "AGE"}, {"name": "SEX"}],
}
ROWS = [[41, "F"], [None, "M"]]


def written(tmp_path, content, name="file.pdf"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def dataset_lines():
    return "\n".join(json.dumps(line) for line in (DATASET, *ROWS))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (json.dumps({**DATASET, "rows": ROWS}), "dataset_json"),
        (json.dumps({**DATASET, "rows": ROWS}, indent=2), "dataset_json"),
        (dataset_lines(), "dataset_ndjson"),
        (gzip.compress(dataset_lines().encode()), "dataset_dsjc"),
        (b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!" + b"0" * 32, "xpt"),
        ("<html><body>not found</body></html>", "unknown"),
        ('{"other": "document"}', "unknown"),
        (b"\x78\x9cbroken", "unknown"),
        (b"\x00\x01\x02", "unknown"),
        (b"", "unknown"),
    ],
)
def test_the_content_names_the_format(tmp_path, content, kind):
    assert instruments.identify(written(tmp_path, content)) == kind


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({**DATASET, "rows": ROWS}),
        dataset_lines(),
        gzip.compress(dataset_lines().encode()),
    ],
)
def test_inspection_says_who_when_and_what(tmp_path, content):
    found = instruments.inspect(written(tmp_path, content))
    assert found.flags == ()
    assert found.metadata["software"] == "lab 2"
    assert found.metadata["run_datetime"] == "2024-03-04T10:00:00"
    assert found.metadata["rows"] == 2
    assert found.tables["columns"].to_dict(as_series=False) == {
        "column": ["AGE", "SEX"],
        "missing": [1, 0],
    }
    assert found.tables["data"]["SEX"].to_list() == ["F", "M"]


def test_a_refused_file_is_answered_with_the_code_of_the_refusal(tmp_path):
    found = instruments.inspect(written(tmp_path, dataset_lines()[:-3]))
    assert found.format == "dataset_ndjson"
    assert found.flags == ("truncated",)
    assert "not JSON" in found.metadata["refusal"]


@pytest.mark.parametrize(("content", "flags"), [(b"", ("empty_file",)), (b"\x00 noise", ())])
def test_an_unknown_file_is_answered_as_unknown(tmp_path, content, flags):
    found = instruments.inspect(written(tmp_path, content))
    assert (found.format, found.flags) == ("unknown", flags)


def test_the_error_says_code_and_place():
    error = InstrumentFileError("cut off", code="truncated", offset=7)
    assert (error.code, error.offset, str(error)) == ("truncated", 7, "cut off")
    assert InstrumentFileError("cut off", code="truncated").offset is None


def test_every_format_module_offers_both_functions():
    for name in registry.MODULES:
        module = registry.importlib.import_module(name)
        assert callable(module.recognise), name
        assert callable(module.inspect), name


def test_an_inspection_can_be_built_with_keywords_alone():
    made = registry.Inspection(format="x", flags=("a",), metadata={}, tables={"t": pl.DataFrame()})
    assert made.picture is None


def test_the_package_has_nothing_else():
    with pytest.raises(AttributeError, match="no attribute"):
        _ = instruments.nothing
