"""Distributions: every subject in one bin, the cut-off at a bin's end, nothing guessed."""

import itertools

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assayhouse.report.bins import count_in_bins, outline, round_width
from assayhouse.report.distributions import distributions_twin, plot_distributions
from assayhouse.report.errors import ReportInputError
from assayhouse.report.words import MINUS

from support import report_subsets as subsets
from support.headings import heading


@pytest.fixture(scope="module")
def figure():
    return plot_distributions(
        subsets.subset_flags(), subsets.cut_offs(),
        heading=heading("figure_4", "Baseline", watermark="DUMMY"),
    )  # fmt: skip


thousandths = st.integers(-50_000, 50_000).map(lambda value: value / 1000)


@given(st.lists(thousandths, min_size=1, max_size=60), thousandths)
def test_bins_hold_every_value_once_and_no_bin_lies_on_both_sides_of_the_anchor(values, anchor):
    bins = count_in_bins(values, anchor=anchor)
    assert sum(one.count for one in bins) == len(values)
    below = sum(one.count for one in bins if one.middle <= anchor)
    assert below == sum(value <= anchor for value in values)
    for before, after in itertools.pairwise(bins):
        assert before.high == pytest.approx(after.low, abs=1e-9)


def test_a_value_at_the_cut_off_counts_below_it():
    bins = count_in_bins([-0.3, -0.3, 0.4, 1.1], anchor=-0.3)
    assert sum(one.count for one in bins if one.middle <= -0.3) == 2


def test_widths_are_round_and_bins_as_many_as_wanted():
    assert round_width(2.8) == pytest.approx(0.1)
    assert round_width(2.8, wanted=80) == pytest.approx(0.05)


def test_no_values_have_no_bins():
    assert count_in_bins([], anchor=0.0) == ()
    assert outline(()) == []


def test_bins_sum_to_the_subjects_of_each_level():
    twin = distributions_twin(subsets.subset_flags(), subsets.cut_offs(), figure_id="f")
    flags = subsets.subset_flags().drop_nulls("level")
    expected = dict(flags.group_by("cut_off", "level").len().select(
        pl.concat_str("cut_off", "level"), "len").iter_rows())  # fmt: skip
    bars = twin.filter(pl.col("series") != "cut_off")
    found = dict(bars.group_by("panel", "series").agg(pl.col("estimate").sum()).select(
        pl.concat_str("panel", "series"), "estimate").iter_rows())  # fmt: skip
    assert found == expected


def test_the_line_stands_at_the_cut_off_with_its_counts():
    twin = distributions_twin(subsets.subset_flags(), subsets.cut_offs(), figure_id="f")
    lines = twin.filter(pl.col("series") == "cut_off")
    assert lines["x"].to_list() == [-0.5, 0.25]
    assert lines["label"].to_list() == [f"{MINUS}0.50\nlow 6, high 14", "0.25\nlow 13, high 7"]
    assert lines["n_missing"].to_list() == [2, 2]


def test_a_value_without_a_level_is_not_drawn():
    flags = subsets.subset_flags().with_columns(level=pl.lit(None, dtype=pl.String))
    twin = distributions_twin(flags, subsets.cut_offs(), figure_id="f")
    assert twin["status"].to_list() == ["no_values", "no_values"]


def test_no_subject_is_in_the_figure(figure):
    assert b"S01" not in figure.svg
    assert "USUBJID" not in figure.twin.columns


def test_labels_missing_values_and_marks_are_written(figure):
    svg = figure.svg.decode()
    for words in ("Module A (n = 20)", "low 6, high 14", "Module B 2", "SYNTHETIC DATA", "DUMMY"):
        assert words in svg
    assert len(figure.thumbnail_svg) < 50_000


def test_a_cut_off_declared_twice_is_refused():
    twice = pl.concat([subsets.cut_offs(), subsets.cut_offs()])
    with pytest.raises(ReportInputError, match="more than one row"):
        distributions_twin(subsets.subset_flags(), twice, figure_id="f")
