"""The contract of a vendor's file: what may be declared, and what contradicts itself."""

import pytest
import yaml

from assayhouse.contracts.vendor_file import read_layout
from assayhouse.errors import DeclarationError

MINIMAL = {
    "layout": "lab.results",
    "version": "1.0",
    "label": "Results",
    "key": ["ID"],
    "columns": [{"name": "ID"}, {"name": "ORRES", "type": "result"}],
}


def read(folder, name="lab.results.yaml", **changes):
    path = folder / name
    path.write_text(yaml.safe_dump(MINIMAL | changes))
    return read_layout(path)


def column(**changes):
    return {"columns": [{"name": "ID"}, {"name": "B", **changes}]}


def test_what_is_not_said_has_the_strict_default(tmp_path):
    layout = read(tmp_path)
    assert (layout.vendor, layout.relation) == ("lab", "raw.lab_results")
    assert (layout.reader, layout.mode, layout.manifest) == ("delimited", "cumulative", "required")
    assert (layout.dialect.encoding, layout.dialect.delimiter) == ("utf-8", ",")
    assert layout.dialect.line_end_bytes == b"\n"
    assert layout.dialect.null_texts == ("",)
    assert (layout.limits.quarantined_pct, layout.limits.vanished) == (5.0, 0)
    assert layout.sealed_under == ()


@pytest.mark.parametrize(
    ("kind", "beside"),
    [
        ("text", ()),
        ("flag", ()),
        ("integer", ("B_integer",)),
        ("number", ("B_number",)),
        ("date", ("B_date",)),
        ("datetime", ("B_datetime",)),
        ("code", ("B_term",)),
        ("result", ("B_operator", "B_number", "B_reason")),
    ],
)
def test_typed_columns_stand_beside_the_text(tmp_path, kind, beside):
    terms = {"terms": "visits"} if kind == "code" else {}
    layout = read(tmp_path, **column(type=kind, **terms))
    assert layout.column("B").typed_columns == beside


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"colour": "red"}, "unknown key colour"),
        ({"reader": "guess"}, "reader must be one of"),
        ({"mode": "both"}, "mode must be one of"),
        ({"manifest": "maybe"}, "manifest must be one of"),
        ({"dialect": {"delimeter": ";"}}, "dialect: unknown key delimeter"),
        ({"dialect": {"line_end": "cr"}}, "line_end must be one of"),
        ({"dialect": {"decimal": ";"}}, "decimal must be one of"),
        ({"limits": {"vanishd": 1}}, "limits: unknown key vanishd"),
        ({"limits": {"quarantined_pct": "five"}}, "quarantined_pct must be a number"),
        ({"maps_to": [{"relation": "lb", "colums": {}}]}, "unknown key colums"),
        ({"key": ["NONE"]}, "no column NONE"),
        (column(limit_column="NONE"), "no column NONE"),
        (column(flag_column="NONE"), "no column NONE"),
        (column(unit_of="NONE"), "no column NONE"),
        (column(not_before="NONE"), "no column NONE"),
        (column(type="float"), "type must be one of"),
        (column(required="yes"), "required must be true or false"),
        (column(patern="x"), "columns 2: unknown key patern"),
        ({"columns": [{"name": "ID"}, {"name": "ID"}]}, "declared twice"),
        ({"columns": [{"label": "no name"}]}, "name is required"),
    ],
)
def test_a_slip_in_a_layout_is_told_with_its_place(tmp_path, changes, words):
    with pytest.raises(DeclarationError, match=words) as caught:
        read(tmp_path, **changes)
    assert "lab.results.yaml" in str(caught.value)


def test_the_file_is_named_like_its_layout(tmp_path):
    with pytest.raises(DeclarationError, match=r"must be named lab\.results\.yaml"):
        read(tmp_path, name="results.yaml")


def test_references_name_other_layouts_once(tmp_path):
    columns = [
        {"name": "ID", "references": "lab.results.ID"},
        {"name": "S", "references": "edc.dm.SUBJID"},
        {"name": "U", "references": "edc.dm.USUBJID"},
    ]
    assert read(tmp_path, columns=columns).references == ("edc.dm",)


def test_a_file_without_quoting_has_no_quote(tmp_path):
    layout = read(tmp_path, dialect={"quoting": "none", "quote": '"', "line_end": "crlf"})
    assert layout.dialect.quote is None
    assert layout.dialect.line_end_bytes == b"\r\n"
