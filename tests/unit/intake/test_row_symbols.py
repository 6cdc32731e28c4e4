"""Symbols of a list: what a spreadsheet or a citation number did to them."""

import polars as pl
import pytest

from assayhouse.contracts.vendor_file import ColumnSpec
from assayhouse.intake.row_faults import find_faults
from assayhouse.intake.row_symbols import nearest_symbol, symbol_rules

GENES = ("RSAD2", "IFI44", "IFI44L", "TNFRSF21", "MX1")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("RSAD218", "RSAD2"),
        ("TNFRSF219", "TNFRSF21"),
        ("IFI4412", "IFI44"),
        ("Ifi-44L", "IFI44L"),
        ("rsad2", "RSAD2"),
        ("ZZZ", None),
    ],
)
def test_the_nearest_symbol_is_the_one_that_was_meant(text, meant):
    assert nearest_symbol(text, GENES) == meant


def judged(*texts):
    column = ColumnSpec(name="GENE", label="", type="code", terms="genes", symbols=True)
    frame = pl.DataFrame(
        {"source_line": range(2, len(texts) + 2), "GENE": list(texts)},
        schema={"source_line": pl.Int64, "GENE": pl.String},
    )
    listed = {name: name for name in GENES}
    text = pl.col("GENE").str.strip_chars()
    term = text.replace_strict(listed, default=None, return_dtype=pl.String)
    faults, _ = find_faults(frame, symbol_rules(column, text, term, listed))
    return faults.select("source_line", "rule", "disposition", "expected").rows()


@pytest.mark.parametrize("text", ["1-Mar", "2-Sep", "Sep-02", "MAR-01", "01/03/2019", "2019-03-01"])
def test_a_symbol_turned_into_a_date_rejects_the_file(text):
    ((line, rule, disposition, _),) = judged("MX1", text)
    assert (line, rule, disposition) == (3, "F16", "R")


def test_a_fused_symbol_keeps_its_row_out_and_shows_the_nearest():
    assert judged(" RSAD218", "MX1", "QQQ") == [
        (2, "F17", "Q", "a listed symbol; the nearest is RSAD2"),
        (4, "F17", "Q", "a listed symbol"),
    ]


def test_no_text_is_no_stranger():
    assert judged(None, "IFI44L") == []
