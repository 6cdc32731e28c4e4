"""Suspicions of values that differ from their instrument files."""

import polars as pl
import pytest

from assayhouse.derive.suspicions import name_suspicions

SCHEMA = {
    "basis": pl.String, "layout": pl.String, "REFID": pl.String, "TESTCD": pl.String,
    "PLATE": pl.String, "instrument_receipt": pl.Int64, "reported": pl.Float64,
    "recomputed": pl.Float64, "scale": pl.String, "verdict": pl.String,
    "tolerance_pct": pl.Float64, "dilution_ratios": pl.List(pl.Float64),
    "factor_ratios": pl.List(pl.Float64),
}  # fmt: skip


def value(refid, reported, recomputed, **changes):
    off = abs(reported / recomputed - 1) > 0.02
    return {
        "basis": "instrument", "layout": "v.r", "REFID": refid, "TESTCD": "T", "PLATE": "P1",
        "instrument_receipt": 7, "reported": reported, "recomputed": recomputed, "scale": None,
        "verdict": "differ" if off else "agree", "tolerance_pct": 2.0,
        "dilution_ratios": [0.1, 10.0, 1.0], "factor_ratios": [0.5, 2.0, None],
    } | changes  # fmt: skip


def named(*rows):
    return name_suspicions(pl.DataFrame(list(rows), schema=SCHEMA)).to_list()


SOUND = [value("S1", 5.0, 5.0), value("S2", 7.0, 7.01)]


@pytest.mark.parametrize(
    ("reported", "name"),
    [(10.0, "wrong dilution"), (0.1, "wrong dilution"), (2.0, "wrong sex factor"),
     (0.505, "wrong sex factor"), (1.7, "edited result")],
)  # fmt: skip
def test_a_ratio_names_the_error_that_makes_it(reported, name):
    assert named(value("A", reported, 1.0), *SOUND) == [name, None, None]


def test_two_specimens_with_each_other_s_values_were_swapped():
    rows = [value("A", 3.0, 9.1), value("B", 9.0, 3.0), *SOUND]
    assert named(*rows)[:2] == ["swapped wells"] * 2


def test_one_sided_likeness_is_no_swap():
    rows = [value("A", 3.0, 9.1), value("B", 9.0, 4.0), *SOUND]
    assert named(*rows)[:2] == ["edited result"] * 2


def test_specimens_of_two_plates_are_not_taken_for_each_other():
    rows = [value("A", 3.0, 9.1), value("B", 9.0, 3.0, PLATE="P2"), *SOUND]
    assert "swapped wells" not in named(*rows)


def test_a_panel_is_swapped_where_most_of_it_crosses():
    tests = [f"G{place}" for place in range(10)]
    one = [value("A", 2.0 + k, 5.0 + 2 * k, TESTCD=t, PLATE=None) for k, t in enumerate(tests)]
    two = [value("B", 5.0 + 2 * k, 2.0 + k, TESTCD=t, PLATE=None) for k, t in enumerate(tests)]
    two[0] |= {"recomputed": 99.0}
    assert named(*one, *two) == ["swapped wells"] * 20
    two = [row | {"recomputed": 99.0} if k < 3 else row for k, row in enumerate(two)]
    assert "swapped wells" not in named(*one, *two)


def test_log2_values_are_compared_as_ratios():
    rows = [
        value("A", -1.0, 2.5, scale="log2", verdict="differ"),
        value("B", 2.5, -1.0, scale="log2", verdict="differ"),
    ]
    assert named(*rows) == ["swapped wells"] * 2


def test_without_anything_sound_in_the_file_a_difference_stays_unexplained():
    assert named(value("A", 1.7, 1.0)) == ["unexplained"]


def test_an_agreeing_table_has_no_suspicion():
    assert named(*SOUND) == [None, None]
