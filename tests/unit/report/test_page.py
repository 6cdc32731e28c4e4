"""The report page: everything on it, nothing from outside, no raw text, same bytes each time."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import polars as pl
import pytest

from assayhouse.report.cut_point import plot_cut_point
from assayhouse.report.errors import ReportInputError
from assayhouse.report.forest import plot_forest
from assayhouse.report.page import ReportContext, render_report
from assayhouse.report.printed import shares_table
from assayhouse.report.time_course import plot_time_course

from support import report_inputs as inputs
from support import report_intake as intake
from support import report_subsets as subsets
from support.headings import heading

EVIL = '<script>alert("x")</script>'
VOID = {"meta", "use", "path", "circle", "rect", "br"}


@pytest.fixture(scope="module")
def context():
    figure = plot_time_course(
        inputs.demo_effects(),
        arms=inputs.demo_arms(),
        parameters=inputs.demo_parameters(),
        visits=inputs.demo_visits(),
        paramcds=["IL2", "IL21"],
        heading=heading("figure_2", "Plasma cytokines"),
    )
    return ReportContext(
        study_id="DEMO-SLE-01",
        study_title="A simulated trial",
        synthetic=True,
        watermark=None,
        publication="4",
        content_hashes=pl.DataFrame(
            {"relation": ["sdtm.lb", "adam.adbm"], "content_hash": ["ef" * 32, "ab" * 32]}
        ),
        figures=(figure,),
        effects=inputs.demo_effects(),
        arms=inputs.demo_arms(),
        parameters=inputs.demo_parameters(),
        visits=inputs.demo_visits(),
        receipts=intake.receipts(),
        states=intake.states(),
        line_accounts=intake.line_accounts(),
        quarantine=intake.quarantine(),
        deltas=intake.deltas(),
        method_text="First paragraph.\n\nSecond & last.",
        spec_hash="5f2c9a7be1d0",
        code_version="0.1.0+97aa6f2",
        inputs="adam.adbm@3",
    )


@pytest.fixture(scope="module")
def page(context):
    return render_report(context).decode()


class Outline(HTMLParser):
    """Notes unclosed elements, and identifiers and links of a page."""

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.ids, self.links = [], [], [], []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.ids += [named["id"]] if "id" in named else []
        self.links += [named["href"]] if "href" in named else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def outline(page):
    parser = Outline()
    parser.feed(page)
    return parser


def test_equal_contexts_give_equal_bytes(context):
    assert render_report(context) == render_report(context)


def test_the_page_is_well_formed_and_its_identifiers_are_unique(page):
    found = outline(page)
    assert found.wrong == []
    assert found.open == []
    assert len(set(found.ids)) == len(found.ids)


def test_every_link_stays_on_the_page(page):
    found = outline(page)
    assert all(link.startswith("#") for link in found.links)
    assert {link[1:] for link in found.links} <= set(found.ids)


def test_nothing_is_fetched_from_anywhere(page):
    assert not re.search(r"https?:|\bsrc=|<link|@import|<iframe|<img|fetch\(|XMLHttp", page)
    assert not re.search(r"url\((?!#)", page)


def test_the_banner_names_study_publication_and_origin(page):
    head = page.split("<header>")[1].split("</header>")[0]
    for words in ("SYNTHETIC DATA", "DEMO-SLE-01: A simulated trial", "<dd>4</dd>", "5f2c9a7be1d0"):
        assert words in head


def test_real_data_carry_no_synthetic_mark_and_dummy_arms_their_watermark(context):
    real = replace(context, synthetic=False, watermark="DUMMY TREATMENT", figures=())
    head = render_report(real).decode().split("</header>")[0]
    assert "SYNTHETIC DATA" not in head
    assert "DUMMY TREATMENT" in head


def test_the_figure_is_inline_with_one_tooltip_per_point(context, page):
    drawn = context.figures[0].twin["estimate"].drop_nulls().len()
    assert page.count('class="point"') == drawn
    assert page.count("select * from adam.adbm where PARAMCD") == drawn


def test_only_drawn_parameters_are_tabulated(page):
    captions = re.findall(r"<h3>([^<]+)</h3>", page)
    assert captions == ["Interleukin-2", "Interleukin-21"]


def test_deliveries_show_state_rows_and_account(page):
    quality = page.split('id="quality"')[1]
    row = re.search(r"sgx_0004\.csv</span>(.*?)</tr>", quality)[1]
    assert re.findall(r">([^<>]+)</td>", row) == [
        "4",
        "PUBLISHED",
        "6,900",
        "12",
        "6,917",
        "balanced",
    ]
    assert "REJECTED" in quality
    assert "NOT BALANCED" in quality


def test_quarantine_is_counted_by_rule_in_rows_not_in_broken_rules(page):
    quality = page.split('id="quality"')[1]
    found = re.findall(
        r'<th scope="row">(R0\d-\w+)</th><td>([\w.]+)</td><td class="number">(\d+)</td>'
        r'<td class="number">(\d+)</td>',
        quality,
    )
    assert found == [
        ("R03-range", "singulex.plates", "1", "1"),
        ("R03-range", "singulex.results", "1", "1"),
        ("R07-unit", "singulex.results", "1", "12"),
    ]


def test_a_row_that_breaks_one_rule_in_two_columns_counts_once(context):
    twice = pl.concat([intake.quarantine(), intake.quarantine().with_columns(column=pl.lit("V"))])
    page = render_report(replace(context, quarantine=twice, figures=())).decode()
    assert page == render_report(replace(context, figures=())).decode()


def test_delta_classes_are_shown_in_order(page):
    row = re.search(r"Vanished</th></tr>.*?<tbody>(.*?)</tbody>", page, re.DOTALL)[1]
    assert re.findall(r">([\d,]+)<", row) == ["3", "5,950", "18", "9", "3", "4"]


def test_no_raw_text_time_or_person_is_on_the_page(page):
    for words in (intake.SUBJECT_LINE, "DEMO-01-0042", "2019-03-02", "night"):
        assert words not in page


def test_method_and_provenance_are_told(page):
    end = page.split('id="provenance"')[1]
    assert "<p>First paragraph.</p><p>Second &amp; last.</p>" in end
    assert end.index("adam.adbm") < end.index("sdtm.lb")
    for words in ("ab" * 32, "ef" * 32, "0.1.0+97aa6f2", "adam.adbm@3"):
        assert words in end


def test_everything_put_in_is_escaped(context):
    evil = replace(
        context,
        study_title=EVIL,
        watermark=EVIL,
        method_text=EVIL,
        inputs=EVIL,
        code_version=EVIL,
        arms=context.arms.with_columns(
            ARM=pl.when(pl.col("is_reference")).then(pl.lit(EVIL)).otherwise("ARM")
        ),
        parameters=context.parameters.with_columns(PARAM=pl.lit(EVIL), unit=pl.lit(EVIL)),
        receipts=context.receipts.with_columns(
            file_name=pl.lit(EVIL), layout=pl.lit(EVIL), sha256=pl.lit('"' + EVIL)
        ),
        quarantine=context.quarantine.with_columns(rule=pl.lit(EVIL)),
        effects=context.effects.with_columns(
            status=pl.when(pl.col("status") == "ok").then("status").otherwise(pl.lit(EVIL))
        ),
    )
    page = render_report(evil).decode()
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert") > 10
    assert outline(page).wrong == []


def test_an_empty_warehouse_still_makes_a_page(context):
    bare = replace(
        context,
        figures=(),
        **{
            name: getattr(context, name).clear()
            for name in ("receipts", "states", "line_accounts", "quarantine", "deltas")
        },
    )
    page = render_report(bare).decode()
    for words in ("No deliveries.", "Nothing is in quarantine.", "No delivery was compared"):
        assert words in page


def test_a_study_of_three_arms_and_eighteen_parameters_has_a_page(context):
    effects, arms, parameters, visits = inputs.chemistry()
    figure = plot_time_course(
        effects,
        arms=arms,
        parameters=parameters,
        visits=visits,
        paramcds=parameters["PARAMCD"].to_list(),
        heading=heading("chemistry", "Chemistry", synthetic=False),
    )
    wide = replace(
        context, figures=(*context.figures, figure), synthetic=False,
        effects=pl.concat([effects]), arms=arms, visits=visits,
        parameters=pl.concat([parameters, context.parameters]),
    )  # fmt: skip
    page = render_report(wide).decode()
    found = outline(page)
    assert len(set(found.ids)) == len(found.ids)
    assert page.count("<h3>") == 20
    assert len(page) < 3_000_000


def test_hashes_without_their_columns_are_refused(context):
    with pytest.raises(ReportInputError, match="content_hashes lacks"):
        render_report(replace(context, content_hashes=pl.DataFrame({"relation": ["a"]})))


def test_printed_tables_and_cut_points_have_their_place_and_their_link(context):
    printed = shares_table(
        subsets.baseline_subsets(), arms=inputs.demo_arms(), cut_offs=subsets.cut_offs(),
        table_id="table_s1", title="Shares",
    )  # fmt: skip
    whole = replace(
        context, printed=(printed,), cut_points=subsets.cut_points(),
        validation=subsets.validation(), module_cutoffs=subsets.module_cutoffs(),
    )  # fmt: skip
    page = render_report(whole).decode()
    found = outline(page)
    places = [page.index(f'id="{name}"') for name in (
        "figure-figure-2", "printed-table-s1", "cut-points", "quality", "provenance")]  # fmt: skip
    assert places == sorted(places)
    assert found.wrong == []
    assert {"#printed-table-s1", "#cut-points"} <= set(found.links)


def test_a_figure_that_is_no_time_course_tabulates_no_parameter(context):
    forest = plot_forest(
        subsets.subsets(), arms=inputs.demo_arms(), arm="D045", visit=24,
        heading=heading("figure_5", "Forest"),
    )  # fmt: skip
    page = render_report(replace(context, figures=(*context.figures, forest))).decode()
    assert page.count("<h3>") == 2
    assert "4 drawn points, 1 gaps" in page


def test_a_figure_without_tooltips_has_no_box_for_them_and_its_line_is_no_gap(context):
    bars = plot_cut_point(
        subsets.bootstrap(),
        subsets.cut_points(),
        marker="MODAL",
        heading=heading("cut_point", "Cuts"),
    )
    page = render_report(replace(context, figures=(bars,))).decode()
    assert 'class="detail"' not in page
    assert f"{bars.twin.height - 1} drawn points, 0 gaps" in page
