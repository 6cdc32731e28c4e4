"""Writing: deliveries into landing, truth elsewhere, both byte for byte."""

import json

import polars as pl
import pytest

from assayhouse.simulate import simulate_study, write_transfer, write_truth
from assayhouse.simulate.errors import SimulationError
from assayhouse.simulate.vendor_layouts import CYTOKINE_LAYOUTS


@pytest.fixture(scope="module")
def study():
    return simulate_study(layouts=CYTOKINE_LAYOUTS)


def test_a_transfer_is_written_as_it_is_with_manifests_last(study, tmp_path):
    transfer = study.transfers[0]
    written = write_transfer(transfer, tmp_path / "landing")
    names = [path.relative_to(tmp_path / "landing").as_posix() for path in written]
    contents = [path.read_bytes() for path in written]
    assert dict(zip(names, contents, strict=True)) == dict(transfer.files)
    kinds = [path.name.endswith(".manifest.json") for path in written]
    assert kinds == sorted(kinds)


def test_the_truth_is_complete_and_says_that_it_is_synthetic(study, tmp_path):
    write_truth(study, tmp_path / "truth")
    expected = json.loads((tmp_path / "truth" / "expected.json").read_text())
    assert [each["fault"] for each in expected] == [each.fault for each in study.faults]
    assert expected[1]["lines"] == list(study.faults[1].lines)
    assert pl.read_csv(tmp_path / "truth" / "subjects.csv").height == 288
    assert pl.read_csv(tmp_path / "truth" / "planted_means.csv").height == 27 * 16
    lots = pl.read_csv(tmp_path / "truth" / "calibrator_lots.csv")
    assert lots.filter(pl.col("reads_higher_by_factor") > 1)["lot"].to_list() == ["IL21-C1"]
    assert pl.read_csv(tmp_path / "truth" / "planted_faults.csv").height == len(study.faults)
    assert "synthetic" in (tmp_path / "truth" / "README.txt").read_text()


def test_the_truth_of_a_clean_study_lists_no_fault(tmp_path):
    write_truth(simulate_study(faults=False, layouts=CYTOKINE_LAYOUTS), tmp_path / "truth")
    assert json.loads((tmp_path / "truth" / "expected.json").read_text()) == []
    assert pl.read_csv(tmp_path / "truth" / "planted_faults.csv").height == 0


@pytest.mark.parametrize("folder", ["landing", "landing/truth"])
def test_the_truth_is_never_written_where_files_land(study, tmp_path, folder):
    with pytest.raises(SimulationError, match="Nothing was written"):
        write_truth(study, tmp_path / folder)
    assert not (tmp_path / folder).exists()
