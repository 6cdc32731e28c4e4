"""Cuts of a search and response curves: counts, bands, threshold, verdict; gaps stay gaps."""

import polars as pl
import pytest

from assayhouse.report.cut_point import cut_point_twin, plot_cut_point
from assayhouse.report.errors import ReportInputError
from assayhouse.report.inline import inline_svg
from assayhouse.report.response_curve import plot_response_curve, response_curve_twin

from support import report_inputs as inputs
from support import report_subsets as subsets
from support.headings import heading


def cuts(**other):
    options = {"marker": "MODAL", "heading": heading("figure_6", "Cuts")}
    return plot_cut_point(
        subsets.bootstrap(), other.pop("found", subsets.cut_points()), **(options | other)
    )


@pytest.fixture(scope="module")
def curve():
    return plot_response_curve(
        subsets.response_curves(), subsets.cut_points(), arms=inputs.demo_arms(), marker="MODAL",
        heading=heading("figure_7", "Curve", watermark="DUMMY"),
    )  # fmt: skip


def test_bins_hold_every_known_cut_and_half_of_them_end_at_the_median():
    twin = cut_point_twin(
        subsets.bootstrap(), subsets.cut_points(), marker="MODAL", figure_id="figure_6"
    )
    bars = twin.filter(pl.col("series") == "cuts")
    assert bars["estimate"].sum() == 9, "the failed sample is not drawn"
    assert bars.filter(pl.col("x") <= 0.6)["estimate"].sum() == 6
    median = twin.row(-1, named=True)
    assert (median["x"], median["lower"], median["upper"], median["p"]) == (0.6, 0.2, 0.9, 0.2)


def test_the_verdict_and_the_failed_samples_are_told():
    svg = cuts().svg.decode()
    for words in ("No evidence of a cut", "1 of 10 samples", "p of the whole search: 0.200",
                  "median 0.600", "The shaded interval"):  # fmt: skip
        assert words in svg


def test_a_search_without_a_cut_is_said_not_drawn():
    figure = cuts(found=subsets.cut_points(found=False))
    assert b"no cut was found" in figure.svg
    assert figure.twin.height == 1


def test_equal_inputs_give_equal_bytes():
    assert cuts().svg == cuts().svg


@pytest.mark.parametrize("marker", ["OTHER"])
def test_a_marker_that_was_not_searched_is_refused(marker):
    with pytest.raises(ReportInputError, match="no search of"):
        cuts(marker=marker)
    with pytest.raises(ReportInputError, match="no curve of"):
        response_curve_twin(
            subsets.response_curves(), subsets.cut_points(), arms=inputs.demo_arms(),
            marker=marker, figure_id="f",
        )  # fmt: skip


def test_rates_and_bands_are_those_of_the_relation(curve):
    given = subsets.response_curves()
    for arm, found in curve.twin.drop_nulls("arm").group_by("arm"):
        own = given.filter(pl.col("arm") == arm[0]).sort("threshold")
        pairs = (("x", "threshold"), ("estimate", "rate_pct"), ("lower", "band_lo"))
        for ours, theirs in pairs:
            assert found[ours].to_list() == own[theirs].to_list()


def test_arms_come_in_dose_order_and_the_threshold_last(curve):
    assert curve.twin["arm"].unique(maintain_order=True).to_list() == ["PBO", "D045", None]
    assert curve.twin.row(-1, named=True)["x"] == 0.6


def test_a_rate_that_is_missing_is_no_point(curve):
    missing = curve.twin.filter(pl.col("arm").is_not_null() & pl.col("estimate").is_null())
    svg = curve.svg.decode()
    assert missing.height == 1
    assert f'id="{missing["point_id"][0]}"' not in svg
    assert inline_svg(curve).count('class="point"') == 15
    assert len(curve.tooltips) == 15


def test_curve_is_marked_and_small_in_the_thumbnail(curve):
    for words in (b"DUMMY", b"SYNTHETIC DATA", b"threshold 0.600", b"0.45 mg"):
        assert words in curve.svg
    assert len(curve.thumbnail_svg) < 50_000
    assert "4 of 80 responded" in next(iter(curve.tooltips.values()))


def test_where_a_lower_group_is_of_interest_the_curve_counts_below():
    lower = plot_response_curve(
        subsets.response_curves(), subsets.cut_points(direction="lower"), arms=inputs.demo_arms(),
        marker="MODAL", heading=heading("figure_7", "Curve"),
    )  # fmt: skip
    assert b"subjects below the threshold" in lower.svg
    assert b"subjects above" not in lower.svg
    assert "below" in next(iter(lower.tooltips.values()))
