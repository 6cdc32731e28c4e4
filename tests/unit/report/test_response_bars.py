"""Response by subset of a found cut: rates from counts, arms in dose order, what made the cut."""

import polars as pl
import pytest

from assayhouse.report.errors import ReportInputError
from assayhouse.report.response_bars import plot_response_bars, response_bars_twin

from support import report_inputs as inputs
from support import report_subsets as subsets
from support.headings import heading


def bars(*, found=None, marker="MODAL", **marks):
    return plot_response_bars(
        subsets.cut_points() if found is None else found, subsets.validation(),
        arms=inputs.demo_arms(), marker=marker, heading=heading("figure_6", "Response", **marks),
    )  # fmt: skip


@pytest.fixture(scope="module")
def figure():
    return bars(watermark="DUMMY")


def test_groups_come_below_then_above_and_arms_in_dose_order(figure):
    twin = figure.twin
    assert twin["series"].unique(maintain_order=True).to_list() == ["Up to 0.600", "Above 0.600"]
    assert twin["arm"].to_list() == ["PBO", "D030", "D045"] * 2


def test_a_rate_is_responders_of_subjects_and_a_difference_that_of_the_relation(figure):
    made = figure.twin.filter(arm="D045", level="high").row(0, named=True)
    assert (made["y"], made["n"], made["estimate"], made["label"]) == (30, 40, 75.0, "30/40")
    assert (made["difference"], made["difference_lower"], made["p"]) == (50.0, 28.0, 0.001)
    looked = figure.twin.filter(arm="D030", level="high").row(0, named=True)
    assert (looked["difference"], looked["p"], looked["role"]) == (25.7, 0.04, "no part in the cut")
    control = figure.twin.filter(arm="PBO", level="low").row(0, named=True)
    assert (control["label"], control["difference"]) == ("16/39", None)


def test_a_group_without_subjects_is_no_bar(figure):
    empty = figure.twin.filter(arm="D030", level="low").row(0, named=True)
    svg = figure.svg.decode()
    assert (empty["estimate"], empty["status"]) == (None, "no_subject")
    assert f'id="{empty["point_id"]}"' not in svg
    assert "no subject" in svg
    assert "0.30 mg: no difference can be estimated" in svg
    assert empty["point_id"] not in figure.tooltips


def test_the_figure_says_what_the_cut_is_worth(figure):
    svg = figure.svg.decode()
    for words in ("No evidence of a cut", "0.45 mg and the control made the cut", "optimistic",
                  "had no part in finding the cut", "30/40", "+50.0 (28.0 to 66.0)", "DUMMY",
                  "SYNTHETIC DATA"):  # fmt: skip
        assert words in svg, words
    assert len(figure.thumbnail_svg) < 50_000
    told = figure.tooltips[figure.twin.filter(arm="D030", level="high")["point_id"][0]]
    assert "ard.cut_point_validation where marker = 'MODAL' and arm = 'D030'" in told


def test_equal_inputs_give_equal_bytes(figure):
    assert bars(watermark="DUMMY").svg == figure.svg


def test_a_search_without_a_cut_is_said_not_drawn():
    none = bars(found=subsets.cut_points(found=False))
    assert b"no cut was found" in none.svg
    assert none.twin.is_empty()


def test_a_lower_group_of_interest_is_named_below():
    twin = response_bars_twin(
        subsets.cut_points(direction="lower"), subsets.validation(), arms=inputs.demo_arms(),
        marker="MODAL", figure_id="f",
    )  # fmt: skip
    assert twin["series"].unique(maintain_order=True).to_list() == ["From 0.600", "Below 0.600"]


def test_a_marker_or_an_arm_that_is_not_there_is_refused():
    with pytest.raises(ReportInputError, match="no search of"):
        bars(marker="OTHER")
    strange = subsets.cut_points().with_columns(active_arm=pl.lit("XX"))
    with pytest.raises(ReportInputError, match="no arm XX"):
        bars(found=strange)
