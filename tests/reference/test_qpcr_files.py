"""Public qPCR files: wells, Cq and points counted by others, and curves that give copies back."""

import numpy as np
import polars as pl
import pytest

from assayhouse.instruments.qpcr import read_qpcr, standard_curve

from support.shared import shared

pytestmark = pytest.mark.samples


def sample(*parts):
    return shared("samples", "qpcr", *parts)


@pytest.mark.parametrize(
    ("parts", "version", "counts", "total"),
    [
        (("RDML_R", "BioRad_qPCR_melt.rdml"), "1.1", (2, 60, 26, 2460), 599.5287),
        (("RDML_R", "stepone_std.rdml"), "1.0", (1, 24, 24, 960), 724.9473),
        (("rdmlpython", "large_DNA_dilutions.rdml"), "1.4", (2, 582, 294, 29100), 6383.3081),
        (("rdmlpython", "matrix_gaps.rdml"), "1.4", (1, 72, 0, 3010), 0.0),
    ],
)
def test_rdml_holds_what_others_counted(parts, version, counts, total):
    runs, wells, cqs, points = counts
    found = read_qpcr(sample(*parts))
    assert found.metadata["version"] == version
    assert found.wells["run"].n_unique() == runs
    assert found.wells.height == wells
    assert found.wells["cq"].count() == cqs
    assert found.wells["cq"].sum() == pytest.approx(total, abs=5e-5)
    assert found.cycles.height == points
    assert found.flags == ()


def test_the_standards_of_a_real_run_lie_on_a_line():
    wells = read_qpcr(sample("RDML_R", "stepone_std.rdml")).wells.filter(pl.col("type") == "STD")
    curve = standard_curve(wells["quantity"].to_numpy(), wells["cq"].to_numpy())
    assert curve.status == "ok"
    back = curve.copies(wells["cq"].to_numpy()) / wells["quantity"].to_numpy()
    assert np.abs(np.log10(back)).max() < 0.05


@pytest.mark.parametrize(
    ("name", "kind", "wells", "cqs"),
    [
        ("appbio_quantstudio_example01.txt", "quantstudio_txt", 16, 16),
        ("appbio_quantstudio_example10.xlsx", "quantstudio_xlsx", 8, 8),
        ("example01.csv", "cfx_csv", 48, 48),
    ],
)
def test_tables_of_software_are_read_whole(name, kind, wells, cqs):
    found = read_qpcr(sample("allotropy", name))
    assert found.format == kind
    assert found.wells.height == wells
    assert (found.wells["state"] == "ok").sum() == cqs
    assert found.wells["well"].str.contains(r"^[A-P][0-9]{2}$").all()
