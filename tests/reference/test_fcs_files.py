"""Public FCS files: shape, flags, and the same numbers as flowio where flowio can read them."""

import warnings

import flowio
import numpy as np
import pytest

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.fcs import read_fcs

from support.shared import shared

pytestmark = pytest.mark.samples
PARSER = "fcsparser"
READ = [
    (PARSER, "Cytek_xP5.fcs", (23126, 8), ()),
    (PARSER, "EY_2013-07-19_PBS_FCS_2.0_Custom_Without_Add_Well_A1.001.fcs", (10000, 16), ()),
    (
        PARSER,
        "EY_2013-07-19_PBS_FCS_3.1_Custom_Without_Add_Well_A1.001.fcs",
        (10000, 19),
        ("offset_off_by_one",),
    ),
    (PARSER, "FCS_3.0_Fortessa_PBS_Specimen_001_A1_A01.fcs", (11585, 11), ()),
    (PARSER, "SG_2014-09-26_Duplicate_Names.fcs", (8129, 9), ("offset_off_by_one",)),
    (PARSER, "cyflow_cube_8.fcs", (725, 10), ()),
    ("flowCore", "0877408774.B08", (10000, 8), ()),
    ("flowio", "3FITC_4PE_004.fcs", (94569, 4), ("pne_zero_offset",)),
    ("flowkit", "data_set_simple_line_100.fcs", (100, 2), ()),
    ("flowkit", "index_sorted_example.fcs", (384, 13), ()),
    ("flowkit", "test_data_diamond_01.fcs", (200000, 2), ()),
    ("gatingml", "data1.fcs", (13367, 8), ("pne_zero_offset",)),
    ("labkey", "118795.fcs", (10000, 12), ("offset_discrepancy",)),
]
REFUSED = [
    (PARSER, "corrupted.fcs", "not_fcs"),
    (PARSER, "sample_header.fcs", "empty_file"),
    ("flowkit", "data_start_offset_discrepancy_example.fcs", "text_conversion_damage"),
    ("flowkit", "coulter.lmd", "multiple_data_sets"),
    ("labkey_advanced", "931115-B01- Sample 01.fcs", "unsupported_feature"),
]
NOT_BY_FLOWIO = {"Cytek_xP5.fcs", "118795.fcs"}  # 24-bit integers; TEXT's wrong end of DATA


def sample(folder, name):
    return shared("samples", "flow", folder, name)


@pytest.mark.parametrize(("folder", "name", "shape", "flags"), READ)
def test_a_public_file_has_its_shape_and_flags(folder, name, shape, flags):
    fcs = read_fcs(sample(folder, name))
    assert fcs.events.shape == shape
    assert fcs.flags == flags
    assert np.isfinite(fcs.events).all()


@pytest.mark.parametrize(
    ("folder", "name"), [row[:2] for row in READ if row[1] not in NOT_BY_FLOWIO]
)
def test_stored_values_equal_those_of_flowio(folder, name):
    path = sample(folder, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = flowio.FlowData(str(path), ignore_offset_error=True).as_array(preprocess=False)
    np.testing.assert_array_equal(read_fcs(path, decode=False).events, peer)


@pytest.mark.parametrize(("folder", "name", "code"), REFUSED)
def test_a_public_file_that_is_not_whole_is_refused(folder, name, code):
    with pytest.raises(InstrumentFileError) as caught:
        read_fcs(sample(folder, name))
    assert caught.value.code == code


@pytest.mark.parametrize("place", [1, 2])
def test_each_data_set_of_a_list_mode_file_is_read(place):
    fcs = read_fcs(sample("flowkit", "coulter.lmd"), data_set=place)
    assert (fcs.n_data_sets, fcs.n_events) == (2, 18110)
