"""Figures of the population model: every number of the relations, marked, the same bytes again."""

import io
from dataclasses import replace
from functools import cache

import polars as pl
import pytest
from matplotlib import image

from assayhouse.report.covariate_forest import covariate_forest_twin, plot_covariate_forest
from assayhouse.report.errors import ReportInputError
from assayhouse.report.exposure_boxes import plot_exposure_boxes
from assayhouse.report.exposure_twin import boxes_twin, shrinkage_note
from assayhouse.report.goodness import goodness_sketch, goodness_twin, plot_goodness
from assayhouse.report.predictive_check import (
    check_sketch,
    plot_predictive_check,
    predictive_check_twin,
)

from support import pk_report as given
from support.headings import heading

SMALL = 50_000


@cache
def drawn(name):
    """A figure, drawn once for all who ask."""
    return DRAWN[name](heading("f1", name.capitalize(), watermark="DUMMY"))


DRAWN = {
    "exposure": lambda how: plot_exposure_boxes(given.tables(), heading=how),
    "forest": lambda how: plot_covariate_forest(given.forest(), heading=how),
    "goodness": lambda how: plot_goodness(given.predictions(), unit="ng/mL", heading=how),
    "check": lambda how: plot_predictive_check(given.check(), unit="ng/mL", heading=how),
}  # fmt: skip


@pytest.fixture(scope="module", params=sorted(DRAWN))
def figure(request):
    return drawn(request.param)


def test_a_figure_is_marked_small_in_the_catalogue_and_has_every_format(figure):
    text = figure.svg.decode()
    assert "SYNTHETIC DATA" in text
    assert "DUMMY" in text
    assert figure.png.startswith(b"\x89PNG")
    assert figure.pdf.startswith(b"%PDF")
    assert len(figure.thumbnail_svg) < SMALL
    assert b"SYNTHETIC" in figure.thumbnail_svg
    assert set(figure.twin["figure_id"]) == {"f1"}


def test_drawing_again_gives_the_same_bytes():
    first, again = (DRAWN["forest"](heading("f2", synthetic=False)) for _ in range(2))
    assert first.svg == again.svg
    assert first.pdf == again.pdf
    assert b"SYNTHETIC" not in first.svg


def test_boxes_stand_in_three_panels_and_an_inset_in_the_order_of_dose():
    twin = boxes_twin(given.tables(), figure_id="f1")
    assert twin["panel"].unique(maintain_order=True).to_list() == [
        "all", "AUCss per mg", "K1", "K2",
    ]  # fmt: skip
    boxes = twin.filter(pl.col("panel") == "all", pl.col("series") == "box")
    assert boxes["arm"].to_list() == ["A", "B", "C"]
    summary = given.summary().filter(pl.col("exposure_measure") == "AUCss", pl.col("cut_off") == "")
    assert boxes["estimate"].to_list() == summary["box_median"].to_list()
    assert boxes["lower"].to_list() == summary["box_q1"].to_list()


@pytest.mark.parametrize(("panel", "factor"), [("all", 1.0), ("AUCss per mg", None)])
def test_values_beyond_the_whiskers_are_drawn_one_by_one(panel, factor):
    twin = boxes_twin(given.tables(), figure_id="f1")
    beyond = twin.filter(pl.col("panel") == panel, pl.col("series") == "outlier")
    wanted = [60.0, 120.0, 180.0] if factor else [400.0, 400.0, 400.0]
    assert beyond["estimate"].to_list() == pytest.approx(wanted)


def test_a_level_shows_the_outlier_of_its_own_subjects_only():
    twin = boxes_twin(given.tables(), figure_id="f1")
    beyond = twin.filter(pl.col("panel") == "K1", pl.col("series") == "outlier")
    assert set(beyond["level"]) == {"low"}, "the last subject has an odd number"


def test_notes_tell_who_is_left_out_and_what_the_rule_does():
    notes = " ".join(given.tables().notes())
    assert "left out: 0.15 mg 1, 0.3 mg 1, 0.45 mg 1" in notes
    assert "every sampled subject" in notes
    assert "0.84 (90 % CI 0.76 to 0.92)" in notes
    assert "3 times the dose gives 2.52 times the exposure: inconclusive" in notes


def test_shrinkage_is_told_and_above_a_third_it_is_a_warning():
    parameters = given.parameters()
    assert shrinkage_note(parameters) == "Shrinkage of the individual estimates: CL 5 %."
    high = parameters.with_columns(pl.col("shrinkage_pct") * 10)
    assert shrinkage_note(high).startswith("SHRINKAGE ABOVE 30 % (CL)")
    assert shrinkage_note(given.parameters(failed=True)) == ""
    tables = replace(given.tables(), shrinkage=shrinkage_note(high))
    assert shrinkage_note(high) in tables.notes()


def test_without_values_the_boxes_are_empty_and_the_notes_say_why():
    twin = boxes_twin(given.tables(failed=True), figure_id="f1")
    assert twin["estimate"].null_count() == twin.height
    assert set(twin["status"]) == {"no_values"}
    assert "the main run is FAILED" in " ".join(given.tables(failed=True).notes())
    drawn_empty = plot_exposure_boxes(given.tables(failed=True), heading=heading("f1"))
    assert "no values" in drawn_empty.svg.decode()


def test_the_forest_gives_ratio_interval_and_what_leaves_the_band():
    twin = covariate_forest_twin(given.forest(), figure_id="f1")
    assert twin["estimate"].to_list() == [1.09, 0.9, 1.0]
    told = drawn("forest")
    text = told.svg.decode()
    assert "1.09 (1.02 to 1.17)" in text
    assert "Interval not inside: SEX M" in text
    assert next(iter(told.tooltips.values())) == "WT 5th percentile (50): 1.09 (1.02 to 1.17)"
    assert len(told.tooltips) == 3


def test_a_forest_that_is_not_available_says_why():
    empty = plot_covariate_forest(given.forest(failed=True), heading=heading("f1", synthetic=False))
    assert "not available" in empty.svg.decode()
    assert "FAILED" in empty.svg.decode()
    assert empty.tooltips == {}


def test_goodness_shows_every_quantifiable_sample_in_four_panels():
    twin = goodness_twin(given.predictions(), unit="ng/mL", figure_id="f1")
    counts = dict(twin["panel"].value_counts().iter_rows())
    assert counts == dict.fromkeys(("pred", "ipred", "time", "cwres"), 80)
    assert "USUBJID" not in twin.columns
    assert "80 quantifiable samples; 1 below the limit" in drawn("goodness").svg.decode()


def test_few_samples_are_seen_too_and_those_of_zero_are_told():
    """Strokes of a point's length vanish where a renderer snaps them to pixels."""
    few = given.predictions().head(12)
    none = few.with_columns(BLQFN=pl.lit(1))
    zero = pl.concat([few, few.head(1).with_columns(pred=0.0, AFRLT=0.0)])
    bare, dotted, with_zero = (
        plot_goodness(rows, unit="ng/mL", heading=heading("f1", synthetic=False))
        for rows in (none, few, zero)
    )
    assert coloured(dotted.png) > coloured(bare.png) + 200
    assert "1 samples of 0, or predicted as 0" in with_zero.svg.decode()
    assert coloured(with_zero.png) > coloured(bare.png) + 200


def coloured(png):
    """Pixels that are not grey."""
    pixels = image.imread(io.BytesIO(png), format="png")[..., :3]
    return int((pixels.max(axis=2) - pixels.min(axis=2) > 0.1).sum())


def test_the_check_shows_every_quantile_and_the_share_below_the_limit_apart():
    twin = predictive_check_twin(given.check(), unit="ng/mL", figure_id="f1")
    assert twin.height == given.check().height
    share = twin.filter(pl.col("panel") == "trial below limit")
    assert share["unit"].unique().to_list() == ["1"]
    assert share["estimate"].to_list() == [0.1, 0.1]
    assert "wk 12.0" in drawn("check").svg.decode()


@pytest.mark.parametrize(
    ("make", "frame"),
    [
        (lambda frame: goodness_sketch(frame, heading("T")),
         given.predictions()),
        (lambda frame: check_sketch(frame, heading("T", watermark="DUMMY")),
         given.check()),
    ],
)  # fmt: skip
def test_the_small_pictures_stay_small_and_marked(make, frame):
    picture = make(frame)
    assert picture.startswith(b"<svg")
    assert b"SYNTHETIC" in picture
    assert len(picture) < SMALL
    many = pl.concat([frame] * 40)
    assert len(make(many)) < SMALL


@pytest.mark.parametrize(
    ("call", "frame", "column"),
    [
        (lambda f: covariate_forest_twin(f, figure_id="f"), given.forest(), "ratio_lo"),
        (lambda f: goodness_twin(f, unit="u", figure_id="f"), given.predictions(), "cwres"),
        (lambda f: predictive_check_twin(f, unit="u", figure_id="f"), given.check(), "sim_low"),
    ],
)
def test_a_frame_without_its_columns_is_refused(call, frame, column):
    with pytest.raises(ReportInputError, match=column):
        call(frame.drop(column))
