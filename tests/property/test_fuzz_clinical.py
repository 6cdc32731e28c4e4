"""Whatever the bytes, a clinical data set is read or refused with a typed error."""

import json
import tempfile
import time
import zlib
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assayhouse.errors import InstrumentFileError
from assayhouse.readers.clinical import read_table

from support.damage import damaged
from support.fuzz import SLOWEST_S, bounded_memory, fuzzed  # noqa: F401 - a fixture

FOLDER = tempfile.TemporaryDirectory()
FILE = Path(FOLDER.name) / "file"
CODES = {"not_clinical", "truncated", "damaged", "too_large", "unsupported_feature"}
COLUMNS = [
    {"name": "ID", "dataType": "string"},
    {"name": "D", "dataType": "date", "targetDataType": "integer"},
]
META = {"name": "DM", "records": 1, "columns": COLUMNS}
DOCUMENT = json.dumps(META | {"rows": [["a", "2014-01-02"]]}).encode()
LINES = (json.dumps(META) + '\n["a","2014-01-02"]\n').encode()
CSV = b'"ID","N"\n"a",1\n"NA",2.5\n'


def xpt():
    path = FILE.with_suffix(".xpt")
    frame = pd.DataFrame({"ID": ["a", "b"], "N": [1.5, 2.0], "D": [19725.0, 2.0]})
    pyreadstat.write_xport(frame, str(path), file_format_version=5, variable_format={"D": "DATE9."})
    return path.read_bytes()


FORMATS = {
    "json": DOCUMENT, "ndjson": LINES, "csv": CSV, "dsjc": zlib.compress(DOCUMENT), "xpt": xpt(),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
@fuzzed()
@given(data=st.data())
def test_any_data_set_is_read_or_refused(name, data):
    content = data.draw(damaged(FORMATS[name]))
    FILE.write_bytes(content)
    code, begun = None, time.process_time()
    try:
        table = read_table(FILE)
    except InstrumentFileError as error:
        code = error.code
    assert time.process_time() - begun < SLOWEST_S
    if code is None:
        assert table.frame.width == len(set(table.frame.columns))
    else:
        assert code in CODES
