"""Scales of gates against the values printed in Gating-ML 2.0, and FlowJo's by their own laws."""

import numpy as np
import pytest

from assayhouse.errors import InstrumentFileError
from assayhouse.instruments.flowjo_scales import FlowJoBiex, FlowJoLinear, FlowJoLog
from assayhouse.instruments.scales import Asinh, Bounded, Hyperlog, Linear, Log, Logicle

VALUES = np.array([-10, -5, -1, 0, 0.3, 1, 3, 10, 100, 999.0])


@pytest.mark.parametrize(
    ("scale", "places"),
    [
        (
            Logicle(1000, 1, 4, 0),
            [0.067574, 0.147986, 0.228752, 0.25, 0.256384, 0.271248, 0.312897, 0.432426,
             0.739548, 0.999890],
        ),
        (
            Hyperlog(1000, 1, 4, 0),
            [0.083554, 0.155868, 0.229477, 0.25, 0.256239, 0.270523, 0.309092, 0.416446,
             0.731875, 0.999889],
        ),
        (
            Asinh(1000, 4, 1),
            [-0.200009, -0.139829, -0.000856, 0.2, 0.303776, 0.400856, 0.495521, 0.600009,
             0.800000, 0.999913],
        ),
    ],
)  # fmt: skip
def test_places_are_those_printed_in_gating_ml(scale, places):
    np.testing.assert_allclose(scale.apply(VALUES), places, atol=6e-7)


def test_linear_and_log_places():
    assert Linear(1000, 100).apply(np.array([0.0, 1000.0])).tolist() == [100 / 1100, 1.0]
    places = Log(1000, 5).apply(np.array([1000.0, 0.01, 0.0, -1.0]))
    np.testing.assert_allclose(places[:2], [1.0, 0.0], atol=1e-15)
    assert places[2] == -np.inf
    assert np.isnan(places[3])


@pytest.mark.parametrize("scale", [Logicle(262144, 0.5, 4.5, 0), Hyperlog(10000, 1, 4.5, 0.5)])
def test_places_rise_and_infinity_stays(scale):
    values = np.concatenate([-np.logspace(12, -12, 300), [0.0], np.logspace(-12, 12, 300)])
    assert (np.diff(scale.apply(values)) >= 0).all()
    ends = scale.apply(np.array([-np.inf, np.inf, np.nan]))
    assert ends[0] == -np.inf
    assert ends[1] == np.inf
    assert np.isnan(ends[2])


def test_bounds_end_the_scale():
    bounded = Bounded(Linear(100, 0), 0.2, 0.8)
    assert bounded.apply(np.array([0.0, 50.0, 100.0])).tolist() == [0.2, 0.5, 0.8]


@pytest.mark.parametrize(
    "build",
    [
        lambda: Linear(0, 0),
        lambda: Log(-1, 4),
        lambda: Asinh(1000, 0, 0),
        lambda: Logicle(1000, 3, 4, 0),
        lambda: Logicle(1000, 1, 4000, 0),
        lambda: Hyperlog(1000, 0, 4, 0),
        lambda: FlowJoLinear(5, 5),
        lambda: FlowJoLog(0, 4),
        lambda: FlowJoBiex(0, 10, 4.4, 262144),
    ],
)
def test_parameters_out_of_their_range_are_refused(build):
    with pytest.raises(InstrumentFileError) as caught:
        build()
    assert caught.value.code == "damaged"


def test_flowjo_log_puts_all_below_its_offset_on_the_axis():
    places = FlowJoLog(0.2, 4).apply(np.array([-5.0, 0.1, 0.2, 2000.0]))
    np.testing.assert_allclose(places, [0, 0, 0, 1])


@pytest.mark.parametrize("negative", [0.0, 0.5, 1.0])
def test_flowjo_biex_rises_and_has_zero_on_a_channel(negative):
    biex = FlowJoBiex(negative, -10, 4.418540, 262144.000029)
    assert (np.diff(biex.table) > 0).all()
    zero = int(np.flatnonzero(biex.table == 0)[0])
    np.testing.assert_allclose(biex.apply(np.array([0.0, 1e9, -1e9])), [zero, 4096, 0])
    assert np.isnan(biex.apply(np.array([np.nan])))[0]
