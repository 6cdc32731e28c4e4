"""The bulk file: as long as asked, valid, unique, and the same for the same seed."""

import csv

import pytest

from assayhouse.simulate import bulk, simulate_study, write_bulk_results
from assayhouse.simulate.errors import SimulationError
from assayhouse.simulate.layouts import RESULTS_COLUMNS


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(bulk, "CHUNK_ROWS", 600)


def read(path):
    lines = path.read_bytes().decode().split("\r\n")
    assert lines[-1] == ""
    return lines, list(csv.DictReader(lines[2:-2]))


@pytest.mark.parametrize("rows", [1, 599, 600, 1_801])
@pytest.mark.usefixtures("small_chunks")
def test_the_file_has_the_rows_asked_for_and_says_so(tmp_path, rows):
    lines, records = read(write_bulk_results(tmp_path / "bulk.csv", rows=rows, seed=1))
    assert len(records) == rows
    assert len(lines) == rows + 5
    assert lines[:2] == ['"Study","DEMO-SLE-01"', '"Report","2"']
    assert lines[-2] == f'"Rows","{rows}"'
    assert tuple(records[0]) == RESULTS_COLUMNS


@pytest.mark.usefixtures("small_chunks")
def test_keys_are_unique_across_chunks_and_values_in_the_grammar(tmp_path):
    _, records = read(write_bulk_results(tmp_path / "bulk.csv", rows=3_000, seed=1))
    keys = {(row["ACCNO"], row["PARAMCD"], row["REPORTNO"]) for row in records}
    assert len(keys) == 3_000
    low = [row for row in records if row["BLQFL"] == "Y"]
    assert low
    assert all(row["ORRES"] == f"<{row['LLOQ']}" for row in low)
    for row in records:
        if row["BLQFL"] == "N":
            assert float(row["LLOQ"]) <= float(row["ORRES"]) < float(row["ULOQ"])
            assert "e" not in row["ORRES"].lower()


def test_subjects_are_in_the_roster_of_the_study_of_that_seed(tmp_path):
    _, records = read(write_bulk_results(tmp_path / "bulk.csv", rows=6_000, seed=20190304))
    assert {row["SUBJID"] for row in records} == set(
        simulate_study(layouts=["edc.site"]).subjects.subjid
    )
    assert all(row["SUBJID"].startswith(f"{row['SITEID']}-") for row in records)
    assert all(row["COLDTM"][:10] < row["RUNDT"] for row in records)


@pytest.mark.usefixtures("small_chunks")
def test_the_same_seed_gives_the_same_bytes_and_another_others(tmp_path):
    first = write_bulk_results(tmp_path / "1.csv", rows=1_500, seed=1).read_bytes()
    assert write_bulk_results(tmp_path / "2.csv", rows=1_500, seed=1).read_bytes() == first
    assert write_bulk_results(tmp_path / "3.csv", rows=1_500, seed=2).read_bytes() != first


def test_a_file_without_rows_is_refused(tmp_path):
    with pytest.raises(SimulationError, match="at least one row"):
        write_bulk_results(tmp_path / "bulk.csv", rows=0, seed=1)
    assert not (tmp_path / "bulk.csv").exists()
