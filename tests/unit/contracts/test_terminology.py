"""Parameters, units and spellings as the terms say."""

import pytest

from assayhouse.contracts import declarations
from assayhouse.contracts.terminology import read_parameters, unit_terms
from assayhouse.errors import DeclarationError

HEADER = "PARAMCD,PARAM,unit,scale,assay,lloq,uloq,low_plausible,high_plausible\n"


def test_an_empty_limit_is_no_limit(tmp_path):
    path = tmp_path / "parameters.csv"
    path.write_text(HEADER + "CRP,C-reactive protein,mg/L,linear,immunoassay,0.2,,,500\n")
    crp = read_parameters(path)["CRP"]
    assert (crp.lloq, crp.uloq, crp.low_plausible, crp.high_plausible) == (0.2, None, None, 500.0)


def test_a_scale_is_one_of_those_known(tmp_path):
    path = tmp_path / "parameters.csv"
    path.write_text(HEADER + "CRP,C-reactive protein,mg/L,log10,immunoassay,,,,\n")
    with pytest.raises(DeclarationError, match="CRP has scale log10"):
        read_parameters(path)


def test_a_unit_is_a_spelling_of_itself():
    assert unit_terms({"pg/ml": "pg/mL"}, ["pg/mL", "g/L"]) == {
        "pg/ml": "pg/mL",
        "pg/mL": "pg/mL",
        "g/L": "g/L",
    }


def test_every_shipped_spelling_leads_to_a_unit_that_is_used():
    found = declarations.load()
    units = {item.unit for item in found.parameters.values()}
    units |= {unit for item in found.unit_factors for unit in (item.from_unit, item.to_unit)}
    units |= {"%"}
    assert set(found.unit_spellings.values()) <= units


def test_every_shipped_factor_has_a_source_and_is_positive():
    factors = declarations.load().unit_factors
    assert all(item.source and item.factor > 0 for item in factors)
    pairs = [(item.from_unit, item.to_unit) for item in factors]
    assert len(set(pairs)) == len(pairs)


def test_shipped_limits_are_in_order():
    shipped = declarations.load().parameters.values()
    limited = [item for item in shipped if item.lloq is not None and item.uloq is not None]
    assert limited
    assert all(item.lloq < item.uloq for item in limited)
    assert all(item.low_plausible < item.high_plausible for item in shipped)


def test_a_shipped_parameter_without_a_limit_is_a_score_and_no_assay():
    for item in declarations.load().parameters.values():
        if item.lloq is None:
            assert item.scale in {"ratio", "log2"} or item.assay == "clinical endpoint"
