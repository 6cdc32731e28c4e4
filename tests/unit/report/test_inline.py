"""An inlined figure keeps its points, gives each its numbers and query, and brings no links."""

import re
from dataclasses import replace
from html import unescape

import duckdb
import polars as pl
import pytest

from assayhouse.report.inline import inline_svg, rows_query, tooltips
from assayhouse.report.time_course import plot_time_course

from support.headings import heading
from support.report_inputs import demo_arms, demo_effects, demo_parameters, demo_visits


@pytest.fixture(scope="module")
def figure():
    return plot_time_course(
        demo_effects(),
        arms=demo_arms(),
        parameters=demo_parameters(),
        visits=demo_visits(),
        paramcds=["IL2", "IL21"],
        heading=heading("fig one", "A & B"),
    )


def test_every_drawn_point_has_a_tooltip_and_a_target_for_the_pointer(figure):
    svg = inline_svg(figure)
    drawn = figure.twin["estimate"].drop_nulls().len()
    points = re.findall(
        r'<g id="[^"]+" class="point" tabindex="0"><title>[^<]+</title>.*?<circle [^>]+/>',
        svg,
        re.DOTALL,
    )
    assert len(points) == drawn


def test_a_target_lies_on_its_marker(figure):
    svg = inline_svg(figure)
    pairs = re.findall(
        r'<use [^>]*x="([\d.]+)" y="([\d.]+)"[^>]*/><circle cx="([\d.]+)" cy="([\d.]+)"', svg
    )
    assert len(pairs) == figure.twin["estimate"].drop_nulls().len()
    assert all(pair[:2] == pair[2:] for pair in pairs)


def test_a_tooltip_holds_estimate_error_count_p_and_query(figure):
    row = figure.twin.row(
        by_predicate=(pl.col("panel") == "IL2")
        & (pl.col("arm") == "D045")
        & (pl.col("avisitn") == 24),
        named=True,
    )
    text = tooltips(figure.twin)[row["point_id"]]
    assert text.splitlines()[0] == "Interleukin-2, Week 24, 0.45 mg"
    assert f"{row['estimate']:.3f} pg/mL" in text
    assert f"SE {row['se']:.3f}" in text
    assert f"n = {row['n']}" in text
    assert row["label"] in text
    assert "p <0.001" in text
    assert text.endswith("select * from adam.adbm where PARAMCD = 'IL2' and AVISITN = 24")
    assert text in unescape(inline_svg(figure))


def test_the_baseline_point_claims_no_count(figure):
    row = figure.twin.filter(pl.col("avisitn") == 0).row(0, named=True)
    text = tooltips(figure.twin)[row["point_id"]]
    assert "0 by definition" in text
    assert "n =" not in text


def test_the_query_of_a_point_runs_and_finds_its_rows():
    rows = pl.DataFrame({"PARAMCD": ["IL'2", "IL2", "IL'2"], "AVISITN": [4, 4, 12]})
    with duckdb.connect() as connection:
        connection.execute("create schema adam")
        connection.register("given", rows)
        connection.execute("create table adam.adbm as select * from given")
        assert connection.execute(rows_query("IL'2", 4)).fetchall() == [("IL'2", 4)]


def test_no_name_space_metadata_or_link_remains(figure):
    svg = inline_svg(figure)
    assert svg.startswith('<svg role="img" aria-label="A &amp; B"')
    assert not re.search(r"https?:|xmlns|xlink|<metadata|<\?xml|<!DOCTYPE", svg)


def test_style_of_the_svg_does_not_reach_the_page(figure):
    assert re.findall(r"<style[^>]*>([^{]*)\{", inline_svg(figure)) == [".plate svg *"]


def test_every_reference_inside_points_to_an_identifier_inside(figure):
    svg = inline_svg(figure)
    known = re.findall(r'\bid="([^"]+)"', svg)
    used = set(re.findall(r'href="#([^"]+)"', svg)) | set(re.findall(r"url\(#([^)]+)\)", svg))
    assert used <= set(known)
    assert all(name.startswith("fig-one-") for name in known)
    assert len(set(known)) == len(known)


def test_two_figures_share_no_identifier(figure):
    other = replace(figure, figure_id="fig two")
    first, second = (
        set(re.findall(r'\bid="([^"]+)"', inline_svg(shown))) for shown in (figure, other)
    )
    assert not first & second
