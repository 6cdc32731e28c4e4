"""The drawn figure: same bytes each time, marked as it must be, for any study."""

import re
import zlib

import polars as pl
import pytest

from assayhouse.report.time_course import plot_time_course

from support.headings import heading
from support.report_inputs import (
    CHEMISTRY_WEEKS,
    CYTOKINES,
    chemistry,
    demo_arms,
    demo_effects,
    demo_parameters,
    demo_visits,
)


def draw(**changes):
    options = {
        "arms": demo_arms(),
        "parameters": demo_parameters(),
        "visits": demo_visits(),
        "paramcds": ["IL2", "IL21"],
        "heading": heading("figure_2", "Plasma cytokines"),
    } | changes
    effects = options.pop("effects", demo_effects())
    return plot_time_course(effects, **options)


@pytest.fixture(scope="module")
def figure():
    return draw(paramcds=list(CYTOKINES))


@pytest.fixture(scope="module")
def chemistry_figure():
    effects, arms, parameters, visits = chemistry()
    return plot_time_course(
        effects,
        arms=arms,
        parameters=parameters,
        visits=visits,
        paramcds=parameters["PARAMCD"].to_list(),
        heading=heading(
            "chemistry", "Clinical chemistry", synthetic=False, watermark="DUMMY TREATMENT"
        ),
    )


def texts(svg):
    return re.findall(r"<text [^>]*>([^<]*)</text>", svg.decode())


def test_equal_inputs_give_equal_bytes_in_every_format():
    first, second = draw(), draw()
    for name in ("svg", "png", "pdf", "thumbnail_svg"):
        assert getattr(first, name) == getattr(second, name)
    assert first.twin.equals(second.twin)


def test_row_order_of_the_effects_changes_no_byte():
    shuffled = draw(effects=demo_effects().sample(fraction=1.0, shuffle=True, seed=1))
    assert shuffled.svg == draw().svg


def test_a_moved_estimate_moves_the_figure():
    moved = demo_effects().with_columns(pl.col("estimate") * 1.5)
    assert draw(effects=moved).svg != draw().svg


def test_files_carry_no_date_and_the_projects_name(figure):
    assert b"<dc:date>" not in figure.svg
    assert b"CreationDate" not in figure.pdf
    assert b"assayhouse" in figure.svg
    assert b"assayhouse" in figure.pdf
    assert figure.png.startswith(b"\x89PNG")
    assert b"tIME" not in figure.png
    assert figure.pdf.startswith(b"%PDF")


def test_every_drawn_point_stands_in_the_svg_once_and_no_gap_does(figure):
    drawn = figure.twin.filter(pl.col("estimate").is_not_null())["point_id"].to_list()
    found = re.findall(r'id="(pt-[^"]+)"', figure.svg.decode())
    assert sorted(found) == sorted(drawn)
    gap = figure.twin.filter(pl.col("estimate").is_null())["point_id"].to_list()
    assert len(gap) == 4
    assert not any(f'id="{name}"'.encode() in figure.svg for name in gap)


def test_exactly_the_labels_marked_as_drawn_are_written(figure):
    written = [text for text in texts(figure.svg) if "%" in text and "per cent" not in text]
    marked = figure.twin.filter("label_drawn")["label"].to_list()
    assert sorted(written) == sorted(marked)


def test_the_last_visit_is_always_labelled(figure):
    last = figure.twin.filter((pl.col("avisitn") == 24) & (pl.col("arm") != "PBO"))
    assert last["label_drawn"].all()


def test_panels_carry_label_and_unit_from_the_reference_table(figure):
    written = texts(figure.svg)
    assert "Interleukin-2" in written
    assert written.count("Change from baseline (pg/mL)") == len(CYTOKINES)


def test_the_legend_lists_arms_in_dose_order(figure):
    written = texts(figure.svg)
    names = ["Placebo", "0.15 mg", "0.30 mg", "0.45 mg"]
    spots = [written.index(name) for name in names]
    assert spots == sorted(spots)


def test_synthetic_data_are_marked_and_real_data_are_not():
    assert "SYNTHETIC DATA" in texts(draw().svg)
    assert "SYNTHETIC DATA" not in texts(draw(heading=heading("figure_2", synthetic=False)).svg)


def test_a_watermark_crosses_every_panel(chemistry_figure):
    assert texts(chemistry_figure.svg).count("DUMMY TREATMENT") == 18
    assert "DUMMY TREATMENT" not in texts(draw().svg)


def test_notes_stand_in_the_figure(figure):
    written = " ".join(texts(figure.svg))
    for words in ("one standard error", "No adjustment for multiplicity was made", "Gap, not"):
        assert words in written


def test_a_study_of_three_arms_and_eighteen_parameters_is_drawn(chemistry_figure):
    frame = chemistry_figure.twin
    assert frame["panel"].n_unique() == 18
    assert frame.height == 18 * 3 * len(CHEMISTRY_WEEKS)
    assert sorted(frame["avisitn"].unique().to_list()) == list(CHEMISTRY_WEEKS)


def test_with_many_visits_only_the_last_and_the_significant_are_labelled(chemistry_figure):
    labelled = chemistry_figure.twin.filter("label_drawn")
    assert ((labelled["avisitn"] == 26) | (labelled["p"] <= 0.05)).all()
    assert "labelled only where p ≤ 0.05" in " ".join(texts(chemistry_figure.svg))


@pytest.mark.parametrize("count", [1, 2, 4, 5])
def test_the_grid_holds_any_number_of_panels(count):
    codes = list(CYTOKINES)[:count]
    assert draw(paramcds=codes).twin["panel"].n_unique() == count


def test_a_parameter_without_any_estimate_is_an_empty_panel_that_says_so():
    effects = demo_effects().with_columns(
        status=pl.when(pl.col("paramcd") == "IL21").then(pl.lit("too_few")).otherwise("status")
    )
    assert "not estimated, see the notes" in texts(draw(effects=effects).svg)
    none = draw(effects=demo_effects().filter(pl.col("paramcd") != "IL21"))
    assert "not estimated, see the notes" in texts(none.svg)


def test_text_stays_inside_the_page(chemistry_figure):
    svg = chemistry_figure.svg.decode()
    width, height = (
        float(value) for value in re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups()
    )
    spots = re.findall(r"<text [^>]*?(?:translate\(| x=\")([-\d.]+)(?: |\" y=\")([-\d.]+)", svg)
    assert len(spots) > 200
    assert all(0 <= float(x) <= width and 0 <= float(y) <= height for x, y in spots)


def test_colours_of_arms_are_the_same_when_an_arm_is_not_in_the_results():
    without = demo_effects().filter(pl.col("arm") != "D015")
    both = [draw(effects=effects).svg.decode() for effects in (demo_effects(), without)]
    for svg in both:
        assert "#007a57" in re.search(r'id="pt-figure-2-IL2-24-3".*?</g>', svg, re.DOTALL)[0]


def test_names_of_files_and_arms_are_escaped_in_the_svg():
    arms = demo_arms().with_columns(
        ARM=pl.when(pl.col("ARMCD") == "D045").then(pl.lit("<b>&0.45")).otherwise("ARM")
    )
    svg = draw(arms=arms, heading=heading("figure_2", "A <b> & c $x$")).svg
    assert b"<b>" not in svg
    assert b"&lt;b&gt;&amp;0.45" in svg


def test_a_png_is_wide_enough_to_print(figure):
    width = int.from_bytes(figure.png[16:20], "big")
    assert width >= 1900
    assert zlib.crc32(figure.png) != 0


def test_the_thumbnail_is_small_and_complete(figure, chemistry_figure):
    for drawn, panels in ((figure, 6), (chemistry_figure, 18)):
        assert len(drawn.thumbnail_svg) < 50_000
        assert drawn.thumbnail_svg.count(b' fill="none" stroke="#ececec"') == panels
    assert b"SYNTHETIC DATA" in figure.thumbnail_svg
    assert b"DUMMY TREATMENT" in chemistry_figure.thumbnail_svg
    assert b"SYNTHETIC" not in chemistry_figure.thumbnail_svg


def test_a_gap_breaks_the_thumbnails_line(figure):
    svg = figure.thumbnail_svg.decode()
    broken = re.findall(r'<path d="(M[^"]*M[^"]*)" fill="none"', svg)
    assert len(broken) == 4


def test_a_study_without_any_comparison_is_drawn_without_labels():
    drawn = draw(effects=demo_effects().filter(pl.col("term") == "lsmean"))
    assert drawn.twin["label"].is_null().all()
    assert not drawn.twin["label_drawn"].any()
