"""Counts and percentages recomputed from their parts."""

import polars as pl
import pytest

from assayhouse.derive.cell_counts import bead_count_cv, derive_counts, with_blood_counts

PARTS = (
    *("events", "bead_events", "beads", "volume", "dilution", "percent", "lymphocytes"),
    *("target", "reference", "efficiency", "factor"),
)


def row(method, **parts):
    return {"method": method} | {name: parts.get(name) for name in PARTS}


def counted(*rows):
    schema = {"method": pl.String} | dict.fromkeys(PARTS, pl.Float64)
    return derive_counts(pl.DataFrame(rows, schema=schema))


def test_every_way_of_counting_by_hand():
    found = counted(
        row("single", events=200.0, bead_events=1e4, beads=5e4, volume=50.0, dilution=2.0),
        row("volumetric", events=500.0, volume=100.0, dilution=1.0),
        row("dual", percent=12.5, lymphocytes=1600.0),
        row("copies", target=50.0, reference=2000.0, efficiency=1.0, factor=2.0),
    )
    assert found["recomputed"].to_list() == [40.0, 5.0, 200.0, 5.0]
    assert found["why"].to_list() == [None] * 4


def test_no_blood_count_and_missing_parts_say_so_and_give_no_number():
    found = counted(
        row("dual", percent=12.5),
        row("single", events=200.0, bead_events=0.0, beads=5e4, volume=50.0, dilution=1.0),
        row("copies", target=50.0),
        row("another"),
    )
    assert found["recomputed"].to_list() == [None] * 4
    assert found["why"].to_list() == ["NO CBC", *["PARTS MISSING"] * 3]


def test_the_nearest_blood_count_of_the_visit_within_a_day_counts():
    rows = pl.DataFrame(
        {
            "USUBJID": ["A", "A", "B", "C"],
            "VISIT": ["V1", "V2", "V1", "V1"],
            "DTC": ["2020-01-02T08:00", "2020-02-02T08:00", "2020-01-02T08:00", None],
        }
    )
    counts = pl.DataFrame(
        {
            "USUBJID": ["A", "A", "A", "C"],
            "VISIT": ["V1", "V1", "V2", "V1"],
            "DTC": ["2020-01-01T09:00", "2020-01-02T10:00", "2020-02-03T08:01", "2020-01-02T08:00"],
            "number": [1000.0, 1500.0, 900.0, 1.0],
        }
    )
    assert with_blood_counts(rows, counts)["lymphocytes"].to_list() == [1500.0, None, None, None]
    late = with_blood_counts(rows, counts, max_hours=25.0)
    assert late["lymphocytes"].to_list() == [1500.0, 900.0, None, None]


@pytest.mark.parametrize(("events", "beads", "cv"), [(100, 10**9, 0.1), (50, 50, 0.2)])
def test_the_counting_error_adds_both_counts(events, beads, cv):
    frame = pl.DataFrame({"events": [events], "bead_events": [beads]})
    assert frame.select(bead_count_cv()).item() == pytest.approx(cv, rel=1e-4)
