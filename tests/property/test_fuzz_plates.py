"""Whatever the bytes, a plate export is read or refused with a typed error."""

import tempfile
import time
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments import inspect
from assayhouse.instruments.plates import read_plate

from support.damage import damaged
from support.fuzz import SLOWEST_S, bounded_memory, fuzzed  # noqa: F401 - a fixture
from support.plate_files import TEXTS, WORKBOOK

FOLDER = tempfile.TemporaryDirectory()
FILE = Path(FOLDER.name) / "file"
CODES = {"not_plate", "truncated", "damaged", "too_large", "unsafe_xml", "unsupported_feature"}
STATES = {"ok", "below", "above", "extrapolated", "masked", "not_available"}
FORMATS = (*TEXTS, WORKBOOK)
NO_NUMBER = ["below", "above", "masked", "not_available"]


@pytest.mark.parametrize("sound", range(len(FORMATS)))
@fuzzed()
@given(data=st.data())
def test_any_plate_is_read_or_refused(sound, data):
    content = data.draw(damaged(FORMATS[sound]))
    FILE.write_bytes(content)
    code, begun = None, time.process_time()
    try:
        run = read_plate(FILE)
    except InstrumentFileError as error:
        code = error.code
    assert time.process_time() - begun < SLOWEST_S
    if code is not None:
        assert code in CODES
        return
    assert set(run.wells["state"]) <= STATES
    silent = run.wells.filter(pl.col("state").is_in(NO_NUMBER))
    assert silent["reported_conc"].null_count() == silent.height


@fuzzed(0.1)
@given(damaged(*FORMATS))
def test_inspection_never_raises(content):
    FILE.write_bytes(content)
    assert inspect(FILE).format
