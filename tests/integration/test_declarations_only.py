"""Another study is another folder: other arms, visits, columns, separators, genes and endpoints.

No code is changed: what two laboratories and a clinic deliver comes in through layouts that a test
declares, and comes out as adjusted differences, module scores, responses by subset and a figure.
"""

from collections import Counter

import polars as pl
import pytest

from assayhouse.pipeline.night import run_night
from assayhouse.warehouse.catalogue import query
from assayhouse.warehouse.home import Home

from support.clean_study import land
from support.third_study import GENES, LAYOUTS, SHIFT, SUBJECTS, Third, declared

AT = "2026-06-01T02:00:00+00:00"
CUT = 0.5


@pytest.fixture(scope="module")
def third():
    return Third()


@pytest.fixture(scope="module")
def night(third, tmp_path_factory):
    loaded = declared(tmp_path_factory.mktemp("study"))
    home = Home(tmp_path_factory.mktemp("home") / "home").create()
    land(home, {name: text.encode() for name, text in third.files.items()})
    return home, run_night(home, loaded, at=AT, who="test")


def test_every_layout_of_the_new_study_is_published(night):
    outcomes = night[1].outcomes
    assert [outcome.state for outcome in outcomes] == ["PUBLISHED"] * len(LAYOUTS)
    assert sum(outcome.quarantined_rows for outcome in outcomes) == 0


def test_every_domain_stands_in_one_analysis_dataset(night):
    rows = query(
        night[0], "select SRCDOM, PARAMCD, count(*) n from adam.adbm group by all order by all"
    )
    counts = {(domain, code): n for domain, code, n in rows.rows()}
    whole = 3 * SUBJECTS
    assert {code: n for (_, code), n in counts.items() if code != "JOINTS"} == dict.fromkeys(
        ["HGB", "PLT", "CRP", "SYSBP", "MODA", "MODAL"], whole
    )
    assert ("RS", "JOINTS") in counts


def test_units_are_converted_by_table_and_decimal_commas_read(night):
    rows = query(
        night[0], "select PARAMCD, unit, min(AVAL) lo, max(AVAL) hi from adam.adbm group by all"
    )
    limits = {code: (unit, low, high) for code, unit, low, high in rows.rows()}
    assert limits["HGB"][0] == "g/L"
    assert 80 < limits["HGB"][1] < limits["HGB"][2] < 200
    assert 90 < limits["SYSBP"][1] < limits["SYSBP"][2] < 200
    assert limits["CRP"][0] == "mg/L"
    assert limits["CRP"][1] == 0.5, "half of the limit: 1 mg/L"
    assert limits["PLT"][0] == "10^9/L"


def test_visits_come_from_windows(night):
    rows = query(night[0], "select distinct AVISITN, AVISIT from adam.adbm order by 1")
    assert rows.rows() == [(0, "Start"), (2, "Week 2"), (8, "Week 8")]


def test_module_scores_are_those_of_the_printed_peaks(night, third):
    rows = query(night[0], "select USUBJID, AVISITN, AVAL from adam.adbm where PARAMCD = 'MODAL'")
    assert rows.height == len(third.score)
    for subject, week, value in rows.rows():
        assert value == pytest.approx(third.score[subject, week], abs=1e-9)
    genes = query(night[0], "select distinct n_genes_used from adam.module_scores")
    assert genes.rows() == [(len(GENES),)]


def test_subsets_are_those_of_the_declared_cut_off(night, third):
    rows = query(night[0], "select arm, n_arm, n from ard.baseline_subsets where cut_off = 'A'")
    high = Counter(third.arm[who] for who in third.arm if third.score[who, 0] > CUT)
    assert {arm: (n_arm, n) for arm, n_arm, n in rows.rows()} == {
        arm: (SUBJECTS // 3, high[arm]) for arm in SHIFT
    }


def test_responders_are_those_of_the_declared_rule(night, third):
    rows = query(night[0], "select USUBJID, AVISITN, AVALC from adam.adrs")
    assert {(who, week): answer for who, week, answer in rows.rows()} == third.response
    assert set(third.response.values()) == {"Y", "N"}


def test_responses_by_subset_count_the_same_subjects(night, third):
    rows = query(
        night[0],
        "select active_arm, level, n_active, y_active, n_reference, y_reference, status "
        "from ard.subsets where avisitn = 8 and cut_off = 'A'",
    )
    assert rows.height == 4
    for arm, level, n, y, n_reference, y_reference, _ in rows.rows():
        for code, size, yes in ((arm, n, y), ("C", n_reference, y_reference)):
            own = [
                who
                for who, group in third.arm.items()
                if group == code and (third.score[who, 0] > CUT) == (level == "high")
            ]
            assert (size, yes) == (len(own), sum(third.response[who, 8] == "Y" for who in own))


def test_differences_of_both_doses_are_those_that_were_planted(night):
    rows = query(
        night[0],
        "select arm, avisitn, estimate, se from ard.effects where paramcd = 'SYSBP' "
        "and response = 'chg' and term = 'diff' and coalesce(subgroup, 'all') = 'all'",
    )
    assert rows.height == 4
    for arm, _, estimate, error in rows.rows():
        assert abs(estimate - SHIFT[arm]) < 4 * error


def test_effects_of_five_analytes_are_estimated_in_the_whole_and_by_subset(night):
    rows = query(night[0], "select distinct paramcd, subgroup from ard.effects")
    assert set(rows["paramcd"]) == {"SYSBP", "HGB", "PLT", "CRP", "MODA"}
    assert rows["subgroup"].n_unique() >= 2


def test_the_figure_of_the_new_study_is_drawn(night):
    home, result = night
    assert (result.published.report_folder / "all.svg").is_file()
    twin = pl.read_csv(result.published.report_folder / "all.csv")
    assert set(twin["panel"]) == {"SYSBP", "HGB"}
    assert home.warehouse_file("open").is_file()


def test_every_declared_figure_and_table_is_a_view_with_its_title_and_units(night):
    home = night[0]
    found = query(
        home,
        "select schema_name || '.' || view_name as name, comment from duckdb_views() "
        "where schema_name in ('figures', 'tables') order by 1",
    )
    assert [name for name, _ in found.rows()] == ["figures.all", "tables.forest", "tables.shares"]
    assert "Module A at the start" in found["comment"][2]
    columns = query(
        home,
        "select column_name, comment from duckdb_columns() "
        "where schema_name in ('figures', 'tables')",
    )
    assert columns["comment"].null_count() == 0
    assert ("pct", "Share [%]") in columns.rows()


def test_a_tables_view_has_the_numbers_of_its_csv_in_the_report(night):
    home, result = night
    for name, key in (("shares", ["cut_off", "arm"]), ("forest", ["row_order"])):
        csv = pl.read_csv(result.published.report_folder / f"{name}.csv")
        view = query(home, f"select * from tables.{name}")
        shared = [column for column in csv.columns if column in view.columns]
        assert set(csv.columns) - set(shared) <= {"table_id"}
        for column in shared:
            if csv[column].dtype.is_float():
                assert view[column].to_list() == pytest.approx(csv[column].to_list(), rel=1e-12)
            elif column not in key and csv[column].null_count() < csv.height:
                assert view[column].cast(pl.String).to_list() == [
                    None if cell is None else str(cell) for cell in csv[column]
                ]


def test_a_figures_view_has_the_rows_of_the_figure_in_order(night):
    view = query(night[0], 'select * from figures."all"')
    whole = query(
        night[0],
        "select * from report.figure_values where figure_id = 'all' order by row_order",
    )
    assert view.height
    assert view.equals(whole.select(view.columns))
