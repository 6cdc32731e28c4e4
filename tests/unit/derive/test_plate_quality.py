"""Plates judged by their standards, controls and blanks, and controls from plate to plate."""

import polars as pl
import pytest

from assayhouse.contracts.instrument_file import PlatePlan
from assayhouse.derive.plate_quality import derive_plate_quality

PLAN = PlatePlan(
    model="4pl", weights="1/y2", signals=("S",), analytes={}, dilutions={},
    recovery_pct=(80.0, 120.0), recovery_at_lloq_pct=(75.0, 125.0), cv_pct=20.0,
    cv_at_lloq_pct=25.0, control_sd=3.0, fewest_plates=5,
)  # fmt: skip
PLATES = {"PLATE": pl.String, "TESTCD": pl.String, "run_dtm": pl.String, "LOT": pl.String,
          "LLOQ": pl.Float64, "dilution": pl.Float64}  # fmt: skip


def well(kind, level, expected, concentration, plate="P1"):
    return {
        "source": "delivered", "PLATE": plate, "TESTCD": "T", "well_type": kind, "level": level,
        "expected_conc": expected, "concentration": concentration,
    }  # fmt: skip


def plate(name, *, lot="L1", lloq=1.0, day=1):
    return {"PLATE": name, "TESTCD": "T", "run_dtm": f"2020-01-{day:02d}T09:00", "LOT": lot,
            "LLOQ": lloq, "dilution": 1.0}  # fmt: skip


def judged(wells, plates):
    return derive_plate_quality(pl.DataFrame(wells), pl.DataFrame(plates, schema=PLATES), PLAN)


def flags(found, check):
    rows = found.filter(pl.col("check") == check)
    return dict(rows.select("qc_level", "passed_fl").iter_rows())


STANDARDS = [
    well("STD", "S1", 1.0, 0.77), well("STD", "S1", 1.0, 0.79),
    well("STD", "S2", 10.0, 7.7), well("STD", "S2", 10.0, 7.8),
    well("STD", "S3", 100.0, 70.0), well("STD", "S3", 100.0, 130.0),
]  # fmt: skip


def test_the_lowest_standard_has_the_wider_limits():
    found = judged([*STANDARDS, well("CTRL", "LOW", 4.0, 4.4)], [plate("P1")])
    assert flags(found, "recovery") == {
        "STD S1": "Y",
        "STD S2": "N",
        "STD S3": "Y",
        "CTRL LOW": "Y",
    }
    assert flags(found, "cv") == {"STD S1": "Y", "STD S2": "Y", "STD S3": "N", "CTRL LOW": None}


@pytest.mark.parametrize(("reported", "passed"), [(1.0, "Y"), (0.5, "N"), (None, None)])
def test_the_limit_is_the_lowest_standard_that_is_recovered(reported, passed):
    found = judged(STANDARDS, [plate("P1", lloq=reported)])
    assert flags(found, "lloq") == {"": passed}
    assert found.filter(pl.col("check") == "lloq")["observed"].to_list() == [1.0]


def test_a_limit_that_no_standard_supports_fails():
    rows = [row | {"concentration": 3.0 * row["concentration"]} for row in STANDARDS]
    assert flags(judged(rows, [plate("P1")]), "lloq") == {"": "N"}


@pytest.mark.parametrize(("blank", "passed"), [(0.2, "Y"), (None, "Y"), (1.5, "N")])
def test_a_blank_lies_below_the_lowest_standard(blank, passed):
    found = judged([*STANDARDS, well("BLANK", "", 0.0, blank)], [plate("P1")])
    assert flags(found, "blank") == {"": passed}


def controls(*recoveries):
    return [well("CTRL", "LOW", 1.0, value, plate=f"P{place:02d}")
            for place, value in enumerate(recoveries)]  # fmt: skip


def test_a_control_is_judged_by_the_plates_before_it():
    steady = [1.0, 1.02, 0.98, 1.01, 0.99, 1.0]
    wells = controls(*steady, 1.2, 1.0)
    plates = [plate(f"P{place:02d}", day=place + 1) for place in range(len(wells))]
    found = judged(wells, plates).filter(pl.col("check") == "control_chart_3sd").sort("PLATE")
    assert found["passed_fl"].to_list() == [None] * 5 + ["Y", "N", "Y"]
    row = found.row(6, named=True)
    before = pl.Series(steady) * 100
    assert row["upper_limit"] == pytest.approx(before.mean() + 3 * before.std())


def test_two_controls_in_a_row_beyond_two_sd_fail():
    steady = [1.0, 1.02, 0.98, 1.01, 0.99]
    wells = controls(*steady, 1.04, 1.05)
    plates = [plate(f"P{place:02d}", day=place + 1) for place in range(len(wells))]
    found = judged(wells, plates).filter(pl.col("check") == "control_chart_2sd_twice")
    assert found.sort("PLATE")["passed_fl"].to_list()[-1] == "N"


def test_a_new_lot_is_compared_with_the_lot_before():
    wells = controls(1.0, 1.0, 1.3, 1.3)
    plates = [plate(f"P{n:02d}", lot="A" if n < 2 else "B", day=n + 1) for n in range(4)]
    found = judged(wells, plates).filter(pl.col("check") == "control_lot_change")
    assert found.select("PLATE", "observed", "passed_fl").rows() == [
        ("P02", pytest.approx(130.0), "N")
    ]
