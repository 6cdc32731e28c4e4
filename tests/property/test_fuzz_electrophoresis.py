"""Whatever the bytes, a trace or a peak table is read or refused with a typed error."""

import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments import inspect
from assayhouse.instruments.electrophoresis import LADDERS, read_abif, read_peak_table

from support.abif_files import run
from support.damage import damaged
from support.fuzz import SLOWEST_S, bounded_memory, fuzzed  # noqa: F401 - a fixture

FOLDER = tempfile.TemporaryDirectory()
FILE = Path(FOLDER.name) / "file"
TRACE = run(LADDERS["GS120LIZ"], n=300, pace=1.5, first=40.0)
SIZING = b"""Dye/Sample Peak\tSample File Name\tSize\tHeight\tArea\tData Point\t\r
"B,3"\ta.fsa\t225.48\t7799\t102925\t4936\t\r
"""
GENOTYPES = b"""Sample File\tMarker\tDye\tAllele 1\tSize 1\tHeight 1
f.fsa\tM1\tG\t146\t145.36\t-2.0
"""
SCANNER = b"""\"Sample Filename","Dye Color","Dye, Sample Peak","Size","Height",
"k.fsa","ORANGE","O, 1","*60.00","1923.00",
"""
TABLES = (SIZING, GENOTYPES, SCANNER)
TRACE_CODES = {"not_abif", "truncated", "damaged", "not_a_fragment_run"}
TABLE_CODES = {"not_peak_table", "truncated", "damaged"}


def answer(reader, content, codes):
    """What the reader made of the bytes; None where it refused them with one of the codes."""
    FILE.write_bytes(content)
    code, begun, found = None, time.process_time(), None
    try:
        found = reader(FILE)
    except InstrumentFileError as error:
        code = error.code
    assert time.process_time() - begun < SLOWEST_S
    assert code is None or code in codes
    return found


@fuzzed()
@given(damaged(TRACE))
def test_any_trace_is_read_or_refused(content):
    trace = answer(read_abif, content, TRACE_CODES)
    if trace is not None:
        assert trace.signal.shape[1] == len(trace.dyes)
        assert np.isfinite(trace.raw).all()


@pytest.mark.parametrize("sound", range(len(TABLES)))
@fuzzed()
@given(data=st.data())
def test_any_peak_table_is_read_or_refused(sound, data):
    content = data.draw(damaged(TABLES[sound]))
    table = answer(read_peak_table, content, TABLE_CODES)
    if table is not None:
        numbers = table.select(pl.col("size_bp", "height", "area").drop_nulls().min()).row(0)
        assert all(value is None or value >= 0 for value in numbers)


def test_a_number_of_scans_that_no_run_has_is_damage():
    table = SIZING.replace(b"4936", b"9" * 30)
    assert answer(read_peak_table, table, {"damaged"}) is None


@fuzzed(0.1)
@given(damaged(TRACE, *TABLES))
def test_inspection_never_raises(content):
    FILE.write_bytes(content)
    found = inspect(FILE)
    assert found.format
