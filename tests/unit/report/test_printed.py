"""Printed tables: unrounded numbers of the relations as rows, rounded ones in the markup."""

import re

import polars as pl
import pytest

from assayhouse.report.cut_point_section import cut_point_section
from assayhouse.report.errors import ReportInputError
from assayhouse.report.printed import differences_table, means_table, shares_table
from assayhouse.report.reconciliation import quality_extras
from assayhouse.report.words import DASH

from support import report_inputs as inputs
from support import report_subsets as subsets


def effects():
    """Add adjusted means of the value itself, ten above those of its change."""
    change = inputs.demo_effects()
    means = change.filter(pl.col("response") == "chg", pl.col("term") == "lsmean")
    return pl.concat([change, means.with_columns(pl.col("estimate") + 10, response=pl.lit("abs"))])


def baseline():
    codes = [(code, arm) for code in ("IL2", "IL21") for arm in ("PBO", "D015", "D030", "D045")]
    rows = [(code, arm, 9.0 + rank, 80 + rank) for rank, (code, arm) in enumerate(codes)]
    return pl.DataFrame(rows, schema=("paramcd", "arm", "estimate", "n"), orient="row")


@pytest.fixture(scope="module")
def means():
    return means_table(
        effects(), baseline(), arms=inputs.demo_arms(), parameters=inputs.demo_parameters(),
        visits=inputs.demo_visits(), paramcds=["IL2", "IL21"], table_id="table_s3", title="Means",
    )  # fmt: skip


@pytest.fixture(scope="module")
def shares():
    return shares_table(
        subsets.baseline_subsets(), arms=inputs.demo_arms(), cut_offs=subsets.cut_offs(),
        table_id="table_s1", title="Shares",
    )  # fmt: skip


def lines(markup):
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", markup, re.DOTALL)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]


def test_baseline_is_the_plain_mean_and_later_visits_the_adjusted_one(means):
    start = means.rows.filter(pl.col("avisitn") == 0, pl.col("paramcd") == "IL2")
    assert start["mean"].to_list() == [9.0, 10.0, 11.0, 12.0]
    assert start["n"].to_list() == [80, 81, 82, 83]
    assert start["se"].null_count() == 4
    later = means.rows.filter(pl.col("avisitn") == 24, pl.col("arm") == "D045").row(0, named=True)
    given = effects().filter(
        pl.col("paramcd") == "IL2", pl.col("avisitn") == 24, pl.col("arm") == "D045"
    )
    own = given.filter(pl.col("response") == "abs").row(0, named=True)
    percent = given.filter(pl.col("response") == "pchg").row(0, named=True)
    assert (later["mean"], later["se"], later["n"]) == (own["estimate"], own["se"], own["n"])
    assert (later["difference"], later["p"]) == (percent["estimate"], percent["p"])


def test_the_page_shows_arms_in_dose_order_and_one_heading_per_parameter(means):
    found = lines(means.markup)
    assert found[0] == ["Arm", "Baseline", "Week 4", "Week 12", "Week 24"]
    assert [row[0] for row in found[1:6]] == [
        "<b>Interleukin-2 (pg/mL)</b>", "Placebo", "0.15 mg", "0.30 mg", "0.45 mg",
    ]  # fmt: skip
    assert re.fullmatch(r"1\d\.\d+ \(0\.\d+\) \*\*\*", found[5][4])


def test_a_refused_mean_is_a_dash_and_counted(means):
    refused = lines(means.markup)[7]
    assert refused[2] == DASH
    assert "4 means were not estimated" in means.markup
    assert means.rows.filter(pl.col("status") == "blq_majority").height == 4


def test_shares_are_counts_of_those_with_a_value(shares):
    assert lines(shares.markup)[1:] == [
        ["Module A high", "&gt; −0.50 (log2)", "10/20 (50)", "11/21 (52)", "12/22 (55)",  # noqa: RUF001
         "13/23 (57)"],
        ["Module B low", "≤ 0.25 (log2)", "10/20 (50)", "11/21 (52)", "12/22 (55)", "13/23 (57)"],
    ]  # fmt: skip
    assert shares.rows.height == 8
    assert shares.rows["pct"][1] == pytest.approx(1100 / 21, rel=1e-15)


def test_differences_are_the_rows_of_the_forest_plot():
    table = differences_table(
        subsets.subsets(), arms=inputs.demo_arms(), arm="D045", visit=24, table_id="table_s5",
        title="Differences",
    )  # fmt: skip
    found = lines(table.markup)
    assert found[1] == ["Overall", "21/41", "11/31", "19.4 (4.4 to 33.4)", "0.010 **"]
    assert [row[0] for row in found[1:]] == table.rows["parameter"].to_list()
    assert found[-1][1:] == [f"{DASH}/44", f"{DASH}/34", DASH, DASH]
    assert "No adjustment for multiplicity was made." in table.markup


def test_a_share_given_twice_is_refused():
    twice = pl.concat([subsets.baseline_subsets(), subsets.baseline_subsets()])
    with pytest.raises(ReportInputError, match="more than one row"):
        shares_table(
            twice, arms=inputs.demo_arms(), cut_offs=subsets.cut_offs(), table_id="t", title="T"
        )


def test_the_section_on_cut_points_begins_with_the_verdict():
    section = cut_point_section(
        subsets.cut_points(), subsets.validation(), subsets.module_cutoffs(),
        subsets.cut_off_rules(),
    )  # fmt: skip
    assert section.index("No evidence of a cut") < section.index("<table")
    for words in (
        *("0.200 to 0.900", "1 of 10", "22/40", "12/41", "25.7 (4.0 to 44.0)", "a training set"),
        *("unimodal", "Options of the search of MODAL: min_cell 5, test lrt", "2018-02-01"),
        "by 38.0 percentage points as found, and by 21.0 corrected for the search",
        *("people outside the trial", "abcdef012345", "Difference at or below"),
    ):
        assert words in section
    assert cut_point_section(None, None, None) is None


def test_findings_specimens_and_recomputed_values_are_counted():
    findings = pl.DataFrame(
        {"disposition": ["Q", "Q", "H"], "layout": ["v.a", "v.a", "v.b"], "rule": ["R1"] * 3,
         "receipt": [1, 2, 3], "n_rows": [4, None, 5]}
    )  # fmt: skip
    status = pl.DataFrame({"vendor": ["v", "v", "w"], "recon_class": ["MATCHED", "LATE", "LATE"]})
    recomputed = pl.DataFrame(
        {"layout": ["v.a"] * 3, "verdict": ["agrees", "differs", "differs"],
         "basis": ["parts", "parts", "instrument"], "n_values": [1, 3, 1]}
    )  # fmt: skip
    one, two, three = quality_extras(findings, status, recomputed)
    assert lines(one)[1:] == [["H", "v.b", "R1", "1", "1", "5"], ["Q", "v.a", "R1", "2", "2", "4"]]
    assert lines(two) == [["Vendor", "LATE", "MATCHED"], ["v", "1", "1"], ["w", "1", "0"]]
    assert lines(three)[1:] == [["v.a", "1", "3"]]
    assert quality_extras(None, None, None) == []
