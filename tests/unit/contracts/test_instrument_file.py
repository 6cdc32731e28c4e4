"""The instrument part of a layout: what may be declared, and what is refused by name."""

import pytest

from assayhouse.contracts.documents import Document
from assayhouse.contracts.instrument_file import read_instrument
from assayhouse.contracts.vendor_file import read_layout
from assayhouse.errors import DeclarationError

LAYOUT = """layout: v.files
version: "1"
label: Files
reader: {reader}
key: [FILE]
columns:
  - {{name: FILE, label: File}}
{more}"""
QPCR = {
    "technology": "qpcr", "formats": ["rdml"],
    "qpcr": {"targets": {"T": "GENE"}, "reference": "REF", "denominator": "REF"},
}  # fmt: skip


def read(values, folder):
    return read_instrument(Document(values, "v.files"), folder=folder)


def test_defaults_are_those_of_the_methods(tmp_path):
    spec = read(QPCR, tmp_path)
    assert (spec.technology, spec.formats, spec.tolerance_pct) == ("qpcr", ("rdml",), 2.0)
    assert (spec.qpcr.max_spread, spec.qpcr.factors, spec.plate) == (0.5, None, None)
    plate = {"technology": "immunoassay", "formats": ["xponent"], "immunoassay": {"signals": "FI"}}
    found = read(plate, tmp_path).plate
    assert (found.model, found.weights, found.signals) == ("4pl", "1/y2", ("FI",))
    assert (found.recovery_pct, found.recovery_at_lloq_pct) == ((80.0, 120.0), (75.0, 125.0))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"technology": "mass"}, "technology must be one of"),
        ({"flow": {"panel": "TUBE"}}, "declare qpcr, and no other technology"),
        ({"qpcr": {"targets": {}, "reference": "R"}}, "denominator is required"),
        ({"qpcr": {"target": {}}}, "unknown key target"),
        ({"colour": "red"}, "unknown key colour"),
    ],
)
def test_what_cannot_be_is_refused_by_name(tmp_path, changes, words):
    with pytest.raises(DeclarationError, match=words):
        read(QPCR | changes, tmp_path)


def test_a_gating_document_must_be_there_and_its_content_is_part_of_the_declaration(tmp_path):
    panel = {"panel": "B", "gates": "b.xml", "populations": [
        {"TESTCD": "T", "gate": "G", "parent": "P"}]}  # fmt: skip
    values = {"technology": "flow", "formats": ["fcs3.1"],
              "flow": {"panel": "TUBE", "panels": [panel]}}  # fmt: skip
    with pytest.raises(DeclarationError, match=r"b\.xml is not there"):
        read(values, tmp_path)
    (tmp_path / "b.xml").write_text("one")
    first = read(values, tmp_path)
    (tmp_path / "b.xml").write_text("two")
    second = read(values, tmp_path)
    assert repr(first) != repr(second)
    assert str(tmp_path) not in repr(first)


@pytest.mark.parametrize(
    ("reader", "more"), [("instrument", ""), ("delimited", "instrument: {technology: qpcr}")]
)
def test_reader_and_part_belong_together(tmp_path, reader, more):
    path = tmp_path / "v.files.yaml"
    path.write_text(LAYOUT.format(reader=reader, more=more))
    with pytest.raises(DeclarationError, match="belong together"):
        read_layout(path)
