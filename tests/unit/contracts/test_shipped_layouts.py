"""Every layout that is shipped loads, and fits the columns, code lists and shapes it names."""

from pathlib import Path

import pytest

from assayhouse.contracts.declarations import load
from assayhouse.contracts.vendor_file import read_layout

ROOT = Path(__file__).resolve().parents[3]
LAYOUTS = {path.stem: read_layout(path) for path in (ROOT / "schemas/vendors").glob("*.yaml")}
LOADED = load()
EXPECTED = {
    "covance_flow": {"results", "qc", "fcs"},
    "epiontis": {"results", "runs"},
    "singulex": {"results", "wells", "plates", "reader"},
    "dxterity": {"expression", "sampleqc", "scores", "fsa"},
    "central_lab": {"lb"},
    "pk_lab": {"pc"},
    "pk_pool": {"events"},
    "edc": {"dm", "site", "requisition", "vs", "ex", "ec", "response", "cm"},
    "irt": {"rand", "strata"},
}


def test_every_layout_of_the_reference_study_is_there():
    assert set(LAYOUTS) == {f"{vendor}.{name}" for vendor in EXPECTED for name in EXPECTED[vendor]}


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_a_layout_names_lists_columns_and_layouts_that_exist(name):
    layout = LAYOUTS[name]
    assert layout.key, "a record has a key"
    for column in layout.columns:
        if column.type == "code":
            assert column.terms in LOADED.terms, f"{column.name}: list {column.terms}"
        if column.references:
            other, _, field = column.references.rpartition(".")
            assert LAYOUTS[other].column(field)
    group = layout.limits.group_column
    assert group is None or layout.column(group)


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_a_layout_s_own_file_name_fits_its_pattern_and_no_other_layout_s(name):
    import re

    layout = LAYOUTS[name]
    vendor, _, short = name.partition(".")
    ending = re.search(r"\\\.(\w+)\$$", layout.file_pattern).group(1)
    file = f"DEMO-SLE-01_{vendor.replace('_', '-')}-{short}_T001_20180910.{ending}"
    fitting = [
        other.layout
        for other in LAYOUTS.values()
        if other.vendor == vendor and re.search(other.file_pattern, file)
    ]
    assert fitting == [name]


def test_what_tells_the_treatment_is_sealed_under_any_blinding():
    for name in ("irt.rand", "edc.ex", "pk_lab.pc"):
        assert set(LAYOUTS[name].sealed_under) == {"codes", "content"}
    for name in ("edc.ec", "pk_pool.events"):
        assert not LAYOUTS[name].sealed_under, "the diary has no dose, earlier studies no arm"


def test_a_copy_factor_is_declared_for_either_sex_and_denominator():
    rows = LOADED.term_tables["copy_factors"]
    told = {(r["PARAMCD"], r["DENOM"], r["SEXUSED"]): float(r["factor"]) for r in rows}
    assert len(told) == len(rows) == 12
    assert told["TREG", "LOCUS", "M"] == 1.0
    assert told["TREG", "LOCUS", "F"] == told["TREG", "GAPDH", "M"] == 2.0


def test_the_panel_lists_its_target_and_reference_genes():
    roles = [row["GENEROLE"] for row in LOADED.term_tables["genes"]]
    assert (roles.count("TARGET"), roles.count("REF")) == (19, 3)
    assert LOADED.terms["genes"]["RSAD2"] == "RSAD2"
