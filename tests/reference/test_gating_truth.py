"""Gating-ML compliance results event by event, FlowJo's stored counts, FlowJo's own table."""

import numpy as np
import pytest

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.fcs import read_fcs
from assayhouse.instruments.flowjo_scales import FlowJoBiex
from assayhouse.instruments.gating import read_gating_ml, read_workspace

from support.shared import shared

pytestmark = pytest.mark.samples


def sample(*parts):
    return shared("samples", "flow", *parts)


def test_every_gate_of_the_compliance_suite_holds_the_same_events():
    fcs = read_fcs(sample("gatingml", "data1.fcs"))
    truth = {
        path.stem.removeprefix("Results_"): np.loadtxt(path).astype(bool)
        for path in sorted(sample("gatingml", "truth").glob("Results_*.txt"))
    }
    compared, different = set(), []
    for path in sorted(sample("gatingml", "gml").glob("*.xml")):
        for name, inside in read_gating_ml(path).apply(fcs).items():
            compared.add(name)
            if not np.array_equal(inside, truth[name]):
                different.append((path.name, name, int((inside != truth[name]).sum())))
    assert different == []
    assert compared == set(truth)
    assert len(truth) == 29


@pytest.mark.parametrize(
    ("name", "fcs", "counts", "stored"),
    [
        (
            "simple_diamond_example_quad_gate.wsp",
            "test_data_diamond_01.fcs",
            [49671, 50596, 50330, 49403],
            [49671, 50596, 50330, 49403],
        ),
        ("test_data_diamond_asinh_rect.wsp", "test_data_diamond_01.fcs", [50559], [50559]),
        ("simple_poly_and_rect_v2_poly50.wsp", "data_set_simple_line_100.fcs", [50, 0], [0, 0]),
        ("simple_poly_and_rect.wsp", "data_set_simple_line_100.fcs", [0, 0], [-1, -1]),
    ],
)
def test_counts_equal_those_of_flowjo(name, fcs, counts, stored):
    workspace = read_workspace(sample("flowkit", name))
    (only,) = workspace.samples
    assert list(workspace.stored_counts(only).values()) == stored
    found = workspace.apply(only, read_fcs(sample("flowkit", fcs)))
    assert [int(inside.sum()) for inside in found.values()] == counts
    assert list(found) == list(workspace.stored_counts(only))


@pytest.mark.parametrize(
    ("parts", "samples", "populations"),
    [
        (("flowkit", "8_color_ICS.wsp"), 3, 42),
        (("labkey_advanced", "advanced-v10.8.wsp"), 16, 168),
        (("allotropy", "flowjo_example_2.wsp"), 1, 19),
    ],
)
def test_stored_counts_of_real_workspaces(parts, samples, populations):
    workspace = read_workspace(sample(*parts))
    assert len(workspace.samples) == samples
    stored = [
        count for name in workspace.samples for count in workspace.stored_counts(name).values()
    ]
    assert len(stored) == populations
    assert min(stored) >= 0


def test_a_curly_quadrant_is_named():
    workspace = read_workspace(sample("allotropy", "flowjo_example_2.wsp"))
    with pytest.raises(InstrumentFileError, match="CurlyQuad") as caught:
        workspace.apply(workspace.samples[0], read_fcs(sample("gatingml", "data1.fcs")))
    assert caught.value.code == "unsupported_feature"


def test_an_old_workspace_is_refused_with_its_version():
    with pytest.raises(InstrumentFileError, match=r"7\.6\.5") as caught:
        read_workspace(sample("labkey_advanced", "advanced-v7.6.5.wsp"))
    assert caught.value.code == "unsupported_version"


def test_the_biexponential_table_is_that_of_flowjo():
    path = sample("flowkit", "tr_biex_l256_w-7.943282_n1.000000_m4.418540_r262144.000029.csv")
    place, value = np.loadtxt(path, delimiter=",", skiprows=1).T
    table = FlowJoBiex(1.0, -7.943282, 4.418540, 262144.000029).table
    # The table is printed with six significant digits.
    np.testing.assert_allclose(table[place.astype(int)], value, rtol=6e-6)
