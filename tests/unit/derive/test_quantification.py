"""Wells read off the curves of their plate and combined."""

import numpy as np
import polars as pl
import pytest

from assayhouse.derive.quantification import (
    derive_results,
    derive_well_concentrations,
    signal_cvs,
)
from assayhouse.stats.curves import CurveFit

SHAPES = ((60.0, 1.0, 10.0, 9e3), (2.5e3, 1.05, 50.0, 2e6), (3e5, 1.0, 250.0, 6e8))
CURVES = pl.DataFrame(
    [
        {"PLATE": "P1", "TESTCD": "X", "signal": k, "a": a, "b": b, "c": c, "d": d, "g": 1.0}
        for k, (a, b, c, d) in enumerate(SHAPES, start=1)
    ]
)


def wells(*concentrations, plate="P1"):
    rows = []
    for specimen, values in enumerate(concentrations):
        for value in values:
            signals = [
                float(CurveFit(a=a, b=b, c=c, d=d).predict([value])[0]) for a, b, c, d in SHAPES
            ]
            named = {f"signal_{k}": y for k, y in enumerate(signals, start=1)}
            rows.append({"PLATE": plate, "TESTCD": "X", "REFID": f"S{specimen}"} | named)
    return pl.DataFrame(rows)


def test_signals_made_from_a_concentration_give_it_back():
    found = derive_well_concentrations(wells([0.5, 0.55], [4.0, 4.2], [30.0, 31.0]), CURVES)
    np.testing.assert_allclose(
        found["concentration"].to_numpy(), [0.5, 0.55, 4.0, 4.2, 30.0, 31.0], rtol=1e-6
    )
    results = derive_results(found)
    assert results["concentration"].to_list() == pytest.approx([0.525, 4.1, 30.5])
    assert results["wells"].to_list() == [2, 2, 2]


def test_a_signal_beyond_its_curve_is_dropped_and_the_others_serve():
    one = wells([5.0, 5.0]).with_columns(signal_1=pl.lit(1e5))
    found = derive_well_concentrations(one, CURVES)
    np.testing.assert_allclose(found["concentration"].to_numpy(), 5.0, rtol=1e-6)


def test_a_well_whose_every_signal_is_out_of_range_has_no_number_and_says_so():
    one = wells([5.0]).with_columns(
        signal_1=pl.lit(1.0), signal_2=pl.lit(1.0), signal_3=pl.lit(1.0)
    )
    found = derive_well_concentrations(one, CURVES)
    assert found.select("concentration", "why").row(0) == (None, "OUT OF RANGE")
    assert derive_results(found)["why"].to_list() == ["OUT OF RANGE"]


def test_a_plate_without_all_of_its_curves_has_no_number_and_says_so():
    found = derive_well_concentrations(wells([5.0], plate="P2"), CURVES)
    assert found.select("concentration", "why").row(0) == (None, "NO CURVE")


def test_a_noisy_signal_counts_for_less_than_a_quiet_one():
    signals = np.array([[100.0, 120.0, 80.0, 96.0], [100.0, 101.0, 200.0, 199.0]])
    cvs = signal_cvs(signals, np.array([1, 1, 2, 2]))
    assert cvs[0] > 10 * cvs[1]
    assert signal_cvs(signals[:, :1], np.array([1])).tolist() == [1.0, 1.0]
