"""Results in one shape: units by table, limits, operators, sequence numbers."""

import polars as pl
import pytest

from assayhouse.contracts import declarations
from assayhouse.derive.findings import derive_findings
from assayhouse.errors import DeclarationError

LOADED = declarations.load()
SPEC = LOADED.declared_tables["sdtm.lb"]
SHAPE = SPEC.mapped["lb"]
SOURCE = ("layout", "source_file", "source_line", "sha256", "receipt")
PARAMETERS = pl.DataFrame({"PARAMCD": ["X"], "unit": ["pg/mL"], "scale": ["linear"]})
UNITS = pl.DataFrame({"from_unit": ["ng/mL"], "to_unit": ["pg/mL"], "factor": [1000.0]})


def mapped(*rows):
    """Rows as a layout maps them: whatever it does not give is null."""
    given = {"STUDYID": "S", "USUBJID": "A", "TESTCD": "X", "operator": "", "unit": "pg/mL"}
    names = (*SHAPE, *SOURCE)
    filled = [{name: (given | row).get(name) for name in names} for row in rows]
    schema = dict.fromkeys(names, pl.String) | {
        "number": pl.Float64,
        "LLOQ": pl.Float64,
        "ULOQ": pl.Float64,
        "STRESN": pl.Float64,
        "SEQ": pl.Int64,
        "source_line": pl.Int64,
        "receipt": pl.Int64,
        "VISITNUM": pl.Float64,
    }
    return pl.DataFrame(filled, schema=schema)


def lb(*rows):
    return derive_findings(mapped(*rows), PARAMETERS, UNITS, spec=SPEC)


def test_a_value_in_the_standard_unit_stays_as_it_is():
    table = lb({"ORRES": "0.31", "number": 0.31, "LLOQ": 0.05})
    assert table.select("LBSTRESN", "LBSTRESU", "LBSTRESC", "LBLLOQ", "unit_factor").rows() == [
        (0.31, "pg/mL", "0.31", 0.05, 1.0)
    ]


def test_a_listed_unit_is_converted_with_its_limits():
    table = lb({"ORRES": "0.002", "number": 0.002, "LLOQ": 0.001, "ULOQ": 1.0, "unit": "ng/mL"})
    assert table["LBSTRESN"].to_list() == [2.0]
    assert table["LBLLOQ"].to_list() == [1.0]
    assert table["LBULOQ"].to_list() == [1000.0]
    assert table["LBSTRESU"].to_list() == ["pg/mL"]
    assert table["unit_factor"].to_list() == [1000.0]


def test_a_unit_without_a_listed_factor_gives_no_standard_number():
    table = lb({"ORRES": "5", "number": 5.0, "unit": "cells/uL"})
    assert table["LBSTRESN"].to_list() == [None]
    assert table["LBORRES"].to_list() == ["5"]
    assert table["unit_factor"].to_list() == [None]


def test_beyond_a_limit_there_is_no_number_but_an_operator():
    table = lb({"ORRES": "<0.05", "number": 0.05, "operator": "<", "LLOQ": 0.05})
    assert table.select("LBSTRESN", "value_operator", "LBSTRESC").rows() == [(None, "<", "<0.05")]


def test_a_reason_code_is_kept_as_text():
    table = lb({"ORRES": "QNS", "reason": "QNS"})
    assert table.select("LBSTRESN", "LBSTRESC").rows() == [(None, "QNS")]


def test_a_number_delivered_in_a_standard_unit_is_not_converted_again():
    table = lb({"ORRES": "3.8", "ORRESU": "g/dL", "STRESN": 38.0, "STRESU": "g/L", "STRESC": "38"})
    assert table.select("LBSTRESN", "LBSTRESU", "LBSTRESC", "unit_factor").rows() == [
        (38.0, "g/L", "38", 1.0)
    ]


def test_delivered_sequence_numbers_are_kept():
    table = lb({"SEQ": 7, "number": 1.0}, {"SEQ": 3, "number": 2.0})
    assert table.select("LBSEQ", "LBSTRESN").rows() == [(3, 2.0), (7, 1.0)]


def test_missing_sequence_numbers_follow_the_delivered_ones_in_order_of_collection():
    table = lb(
        {"SEQ": 5, "number": 1.0, "DTC": "2019-01-01"},
        {"number": 3.0, "DTC": "2019-03-01"},
        {"number": 2.0, "DTC": "2019-02-01"},
    )
    assert table.select("LBSEQ", "LBSTRESN").rows() == [(5, 1.0), (6, 2.0), (7, 3.0)]


def test_each_subject_is_numbered_from_one():
    table = lb({"number": 1.0}, {"USUBJID": "B", "number": 2.0})
    assert table.select("USUBJID", "LBSEQ").rows() == [("A", 1), ("B", 1)]


def test_an_unlisted_test_is_kept_without_a_scale():
    table = lb({"TESTCD": "Z", "ORRES": "4", "number": 4.0, "unit": "pg/mL"})
    assert table.select("LBTESTCD", "scale", "LBSTRESN").rows() == [("Z", None, 4.0)]


def test_row_order_changes_nothing():
    rows = [{"number": float(n), "DTC": f"2019-01-{n:02d}"} for n in range(1, 9)]
    assert lb(*rows).equals(lb(*rows[::-1]))


def test_a_relation_without_a_domain_is_refused():
    with pytest.raises(DeclarationError, match="domain is required"):
        derive_findings(mapped(), PARAMETERS, UNITS, spec=LOADED.declared_tables["sdtm.dm"])
