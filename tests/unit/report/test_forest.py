"""Forest plot: the rows of ard.subsets in their order, gaps told, same bytes, tooltips."""

import re
from dataclasses import fields

import polars as pl
import pytest

from assayhouse.report.errors import ReportInputError
from assayhouse.report.forest import plot_forest
from assayhouse.report.forest_rows import forest_twin
from assayhouse.report.inline import inline_svg
from assayhouse.report.words import DASH

from support import report_inputs as inputs
from support import report_subsets as subsets
from support.headings import heading


def twin(frame=None, **other):
    options = {"arms": inputs.demo_arms(), "arm": "D045", "visit": 24, "figure_id": "figure_5"}
    return forest_twin(subsets.subsets() if frame is None else frame, **(options | other))


def drawn(frame=None, **other):
    options = {"arms": inputs.demo_arms(), "arm": "D045", "visit": 24,
               "heading": heading("figure_5", "Responses")}  # fmt: skip
    return plot_forest(subsets.subsets() if frame is None else frame, **(options | other))


@pytest.fixture(scope="module")
def figure():
    return drawn()


def test_overall_comes_first_then_by_falling_difference_and_gaps_last():
    assert twin()["parameter"].to_list() == [
        "Overall", "Module A low", "Module A high", "Module B low", "Module B high",
    ]  # fmt: skip


def test_numbers_are_those_of_the_relation_bit_for_bit():
    given = subsets.subsets().filter(pl.col("status") == "ok")
    found = twin().filter(pl.col("status") == "ok")
    for ours, theirs in (("estimate", "diff_pct"), ("lower", "ci_low_pct"), ("p", "p")):
        one = dict(zip(found["parameter"], found[ours], strict=True))
        assert one == dict(zip(given["label"], given[theirs], strict=True))


def test_numbers_of_a_refused_row_are_not_taken_even_if_present():
    refused = subsets.subsets().with_columns(
        status=pl.when(pl.col("cut_off") == "MODA").then(pl.lit("no")).otherwise("status")
    )
    found = twin(refused).filter(pl.col("panel") == "MODA")
    assert found["estimate"].null_count() == 2
    assert found["lower"].null_count() == 2


def test_a_p_value_that_is_no_number_is_none():
    assert twin(subsets.subsets().with_columns(p=pl.lit(float("nan"))))["p"].null_count() == 5


def test_only_one_arm_and_visit_is_taken():
    both = pl.concat([subsets.subsets(), subsets.subsets(arm="D030"), subsets.subsets(visit=4)])
    assert twin(both).height == 5


def test_shuffled_rows_give_the_same_bytes(figure):
    again = drawn(subsets.subsets().sample(fraction=1.0, shuffle=True, seed=3))
    for field in fields(figure):
        one, other = getattr(figure, field.name), getattr(again, field.name)
        assert one.equals(other) if field.name == "twin" else one == other


def test_every_estimate_is_a_point_with_its_tooltip_and_no_gap_is(figure):
    svg = figure.svg.decode()
    ids = figure.twin.filter(pl.col("estimate").is_not_null())["point_id"].to_list()
    assert [svg.count(f'id="{name}"') for name in ids] == [1, 1, 1, 1]
    assert set(figure.tooltips) == set(ids)
    page = inline_svg(figure)
    assert page.count('class="point"') == 4
    assert "difference 32.9" in page.lower()


def test_counts_intervals_and_the_gap_are_written(figure):
    svg = figure.svg.decode()
    for words in ("21/41", "11/31", "19.4 (4.4 to 33.4)", "not estimated, see the notes",
                  "Gap, not estimated: Module B high (one of the arms has no subject)",
                  "SYNTHETIC DATA", "0.010 **"):  # fmt: skip
        assert words in svg
    assert len(re.findall(f"{DASH}/44", svg)) == 1


def test_a_watermark_is_stamped_on_figure_and_thumbnail():
    marked = drawn(heading=heading("figure_5", watermark="DUMMY TREATMENT"))
    assert b"DUMMY TREATMENT" in marked.svg
    assert b"DUMMY TREATMENT" in marked.thumbnail_svg


def test_the_thumbnail_is_small(figure):
    assert len(figure.thumbnail_svg) < 50_000
    assert figure.thumbnail_svg.count(b"<path") == 2 + 2 * 4


@pytest.mark.parametrize("arm", ["PBO", "NONE"])
def test_an_arm_that_is_not_active_is_refused(arm):
    with pytest.raises(ReportInputError, match="not an active arm"):
        twin(arm=arm)


def test_two_rows_of_one_subset_are_refused():
    with pytest.raises(ReportInputError, match="more than one row"):
        twin(pl.concat([subsets.subsets(), subsets.subsets()]))
