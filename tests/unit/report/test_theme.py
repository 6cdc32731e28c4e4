"""Arms look the same everywhere, in dose order, and the drawing leaves nothing behind."""

import subprocess
import sys

import polars as pl
import pytest

from assayhouse.report.errors import ReportInputError
from assayhouse.report.theme import ACTIVE_COLOURS, REFERENCE_COLOUR, arm_styles, drawing_settings

from support.report_inputs import demo_arms


def arms(n_active):
    return pl.DataFrame(
        {
            "ARMCD": [f"A{rank:02d}" for rank in range(n_active + 1)],
            "ARM": [f"Arm {rank}" for rank in range(n_active + 1)],
            "arm_order": list(range(n_active + 1)),
            "is_reference": [rank == 0 for rank in range(n_active + 1)],
        }
    )


def luminance(colour):
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_arms_come_in_dose_order_whatever_the_order_of_the_rows():
    codes = [style.armcd for style in arm_styles(demo_arms())]
    assert codes == ["PBO", "D015", "D030", "D045"]
    shuffled = demo_arms().sort("ARMCD", descending=True)
    assert arm_styles(shuffled) == arm_styles(demo_arms())


def test_the_reference_arm_is_grey_and_a_circle():
    reference = arm_styles(demo_arms())[0]
    assert reference.is_reference
    assert (reference.colour, reference.marker) == (REFERENCE_COLOUR, "o")


def test_a_reference_in_the_middle_shifts_no_colour():
    middle = demo_arms().with_columns(is_reference=pl.col("ARMCD") == "D030")
    colours = [style.colour for style in arm_styles(middle)]
    assert colours == [*ACTIVE_COLOURS[:2], REFERENCE_COLOUR, ACTIVE_COLOURS[2]]


def test_no_two_of_forty_two_active_arms_look_alike():
    looks = {(style.colour, style.marker) for style in arm_styles(arms(42))}
    assert len(looks) == 43


@pytest.mark.parametrize("colour", [*ACTIVE_COLOURS, REFERENCE_COLOUR])
def test_small_text_in_an_arms_colour_is_legible_on_white(colour):
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5


@pytest.mark.parametrize("flags", [[False] * 4, [True, True, False, False]])
def test_anything_but_one_reference_arm_is_refused(flags):
    frame = demo_arms().with_columns(is_reference=pl.Series(flags))
    with pytest.raises(ReportInputError, match=r"reference arms.*Nothing was drawn"):
        arm_styles(frame)


def test_two_arms_of_one_rank_are_refused():
    frame = demo_arms().with_columns(arm_order=pl.Series([1, 1, 2, 3]))
    with pytest.raises(ReportInputError, match="more than one row"):
        arm_styles(frame)


def test_an_arm_without_a_name_is_called_by_its_code():
    frame = demo_arms().with_columns(
        ARM=pl.when(pl.col("ARMCD") == "D015").then(None).otherwise("ARM")
    )
    assert arm_styles(frame)[1].label == "D015"


def test_a_missing_column_is_named_with_those_that_are_there():
    with pytest.raises(ReportInputError, match=r"ref\.arms lacks the column\(s\) ARM; it has"):
        arm_styles(demo_arms().drop("ARM"))


def test_settings_hold_inside_and_leave_nothing_behind():
    import matplotlib as mpl

    mpl.rcParams["font.size"] = 31.0
    try:
        with drawing_settings("salt"):
            assert mpl.rcParams["svg.hashsalt"] == "salt"
            assert mpl.rcParams["font.size"] == 7.5
        assert mpl.rcParams["font.size"] == 31.0
        assert mpl.rcParams["svg.hashsalt"] != "salt"
    finally:
        mpl.rcParams["font.size"] = mpl.rcParamsDefault["font.size"]


def test_importing_the_report_loads_neither_matplotlib_nor_its_siblings():
    script = (
        "import sys, assayhouse.report.page, assayhouse.report.morning, "
        "assayhouse.report.time_course\n"
        "unwanted = ('matplotlib', 'dagster', 'duckdb', 'assayhouse.warehouse', "
        "'assayhouse.intake', 'assayhouse.analysis', 'assayhouse.stats')\n"
        "print([name for name in unwanted if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
