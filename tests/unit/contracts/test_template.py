"""A new study loads as it is written, and nothing is ever overwritten."""

import pytest

from assayhouse.contracts import declarations
from assayhouse.contracts.template import new_study
from assayhouse.contracts.vendor_file import _COLUMN_KEYS
from assayhouse.errors import DeclarationError


def test_what_is_written_loads_as_it_is(tmp_path):
    written = new_study(tmp_path / "deep" / "study")
    found = declarations.load(tmp_path / "deep" / "study")
    assert found.study.study_id == "NEW-STUDY-01"
    assert "sdtm.lb" in found.tables
    assert found.side("adam.adsl") == "sealed"
    assert all(path.is_file() for path in written)
    assert {path.name for path in written} >= {"study.yaml", "README.md", "lab.results.yaml"}


def test_an_empty_folder_is_as_good_as_none(tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    assert new_study(folder)


def test_a_folder_with_anything_in_it_is_refused_and_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(DeclarationError, match=r"not an empty folder\. Nothing was written"):
        new_study(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_file_in_the_way_is_refused(tmp_path):
    path = tmp_path / "study"
    path.write_text("mine")
    with pytest.raises(DeclarationError, match="Nothing was written"):
        new_study(path)
    assert path.read_text() == "mine"


def test_the_example_explains_every_key_of_a_column(tmp_path):
    new_study(tmp_path / "study")
    text = (tmp_path / "study/schemas/vendors/lab.results.yaml").read_text()
    comments = " ".join(line for line in text.splitlines() if line.startswith("#"))
    assert [key for key in _COLUMN_KEYS if key not in comments] == []


def test_what_is_written_can_be_edited(tmp_path):
    for path in new_study(tmp_path / "study"):
        path.write_text(path.read_text() + "\n")
