"""Each layout of plate files has its own plan, also where one vendor sends several."""

from types import SimpleNamespace

import polars as pl
import pytest

from assayhouse.contracts import declarations as shipped
from assayhouse.contracts.instrument_file import PlatePlan
from assayhouse.pipeline.instrument_values import plate_quality

SPEC = shipped.load().declared_tables["recon.plate_quality"]
WELLS = {"layout": pl.String, "PLATE": pl.String, "TESTCD": pl.String, "well_type": pl.String,
         "REFID": pl.String, "expected_conc": pl.Float64, "concentration": pl.Float64}  # fmt: skip
CONTROLS = {name: kind for name, kind in WELLS.items() if name != "REFID"} | {"level": pl.String}
PLATES = {"layout": pl.String, "PLATE": pl.String, "TESTCD": pl.String, "LOT": pl.String,
          "run_dtm": pl.String, "LLOQ": pl.Float64}  # fmt: skip


def layout(name, **limits):
    plan = {
        "model": "4pl", "weights": "1/y2", "signals": ("s",), "analytes": {}, "dilutions": {},
        "recovery_pct": (80.0, 120.0), "recovery_at_lloq_pct": (75.0, 125.0), "cv_pct": 20.0,
        "cv_at_lloq_pct": 25.0, "control_sd": 3.0, "fewest_plates": 5,
    }  # fmt: skip
    instrument = SimpleNamespace(plate=PlatePlan(**(plan | limits)))
    return SimpleNamespace(layout=name, vendor=name.split(".")[0], instrument=instrument)


def standard(name, plate, refid="S1"):
    """A standard that was recovered at 110 %, twice."""
    return [{"layout": name, "PLATE": plate, "TESTCD": "T", "well_type": "CTRL", "REFID": refid,
             "level": refid, "expected_conc": 100.0, "concentration": 110.0}] * 2  # fmt: skip


def judged(layouts, *, read=(), delivered=()):
    mapped = {
        "plates": pl.DataFrame(schema=PLATES),
        "control_wells": pl.DataFrame(list(delivered), schema=CONTROLS),
    }
    declarations = SimpleNamespace(mappings=lambda _shape: [(item, None) for item in layouts])
    wells = pl.DataFrame(list(read), schema=WELLS)
    context = SimpleNamespace(
        declarations=declarations, mapped=mapped.__getitem__, table=lambda _name: wells, spec=SPEC
    )
    found = plate_quality(context).filter(pl.col("check") == "recovery")
    return found.select("layout", "source", "PLATE", "passed_fl").rows()


WIDE, NARROW = layout("v.wide"), layout("v.narrow", recovery_pct=(95.0, 105.0))


@pytest.mark.parametrize("layouts", [(WIDE, NARROW), (NARROW, WIDE)])
def test_plates_of_two_layouts_are_each_judged_by_their_own_plan(layouts):
    read = [*standard("v.wide", "P1"), *standard("v.narrow", "P2")]
    assert judged(layouts, read=read) == [
        ("v.narrow", "instrument", "P2", "N"),
        ("v.wide", "instrument", "P1", "Y"),
    ]


def test_a_delivered_plate_is_judged_by_the_plan_of_its_file():
    delivered = [*standard("v.wells", "P1"), *standard("v.wells", "P2")]
    read = [*standard("v.wide", "P1"), *standard("v.narrow", "P2")]
    told = [row for row in judged((WIDE, NARROW), read=read, delivered=delivered)
            if row[1] == "delivered"]  # fmt: skip
    assert told == [("v.narrow", "delivered", "P2", "N"), ("v.wide", "delivered", "P1", "Y")]


def test_a_delivered_plate_without_a_file_is_judged_by_every_plan_of_its_vendor():
    other = layout("w.narrow", recovery_pct=(95.0, 105.0))
    told = judged((WIDE, NARROW, other), delivered=standard("v.wells", "P9"))
    assert told == [("v.narrow", "delivered", "P9", "N"), ("v.wide", "delivered", "P9", "Y")]


def test_one_plate_in_files_of_two_layouts_stands_under_both():
    read = [*standard("v.wide", "P1"), *standard("v.narrow", "P1")]
    delivered = standard("v.wells", "P1")
    told = judged((WIDE, NARROW), read=read, delivered=delivered)
    assert [row[:2] for row in told] == [
        ("v.narrow", "delivered"), ("v.narrow", "instrument"),
        ("v.wide", "delivered"), ("v.wide", "instrument"),
    ]  # fmt: skip
