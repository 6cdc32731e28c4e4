"""The table under a figure: numbers of ard.effects, rounded alike, refusals told."""

import re

import polars as pl

from assayhouse.report.tables import index_results, result_table
from assayhouse.report.theme import arm_styles
from assayhouse.report.words import DASH, MINUS

from support.report_inputs import SCHEMA, demo_arms, demo_effects, demo_parameters, row

STYLES = arm_styles(demo_arms())
PARAMETER = demo_parameters().row(0, named=True)
VISITS = {0: "Baseline", 4: "Week 4"}


def cells(effects):
    written = result_table(
        index_results(effects, STYLES), parameter=PARAMETER, visits=VISITS, styles=STYLES
    )
    body = written.split("<tbody>")[1]
    return [
        [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line)]
        for line in re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    ]


def two_arms(**changes):
    return pl.DataFrame(
        [
            row("IL2", 4, "chg", "lsmean", "PBO", -0.01, 0.02, n=250),
            row("IL2", 4, "chg", "lsmean", "D015", 0.3, 0.02, n=250, **changes),
            row("IL2", 4, "chg", "diff", "D015", 0.31, 0.028, n=250),
            row("IL2", 4, "pchg", "diff", "D015", -45.04, 20.0, n=250),
        ],
        schema=SCHEMA,
    )


def test_one_row_holds_mean_difference_and_per_cent_difference():
    reference, active = cells(two_arms())[:2]
    assert reference == [
        "Week 4", "Placebo", "250", f"{MINUS}0.010 (0.020)", f"{MINUS}0.049 to 0.029",
        "", "", "", "", "", "", "ok",
    ]  # fmt: skip
    assert active == [
        "Week 4", "0.15 mg", "250", "0.300 (0.020)", "0.261 to 0.339",
        "0.310", "0.255 to 0.365", "&lt;0.001 ***",
        f"{MINUS}45.0", f"{MINUS}84.2 to {MINUS}5.8", "0.024 *", "ok",
    ]  # fmt: skip


def test_arms_without_results_are_told_absent():
    absent = cells(two_arms())[2]
    assert absent[1:5] == ["0.30 mg", DASH, DASH, DASH]
    assert absent[-1] == "absent"


def test_a_refusal_shows_dashes_and_its_status():
    refused = cells(two_arms(status="blq_majority"))[1]
    assert refused[3:5] == [DASH, DASH]
    assert refused[-1] == "blq majority"


def test_every_visit_of_the_parameter_has_a_row_per_arm():
    lines = cells(demo_effects())
    assert [line[0] for line in lines[::4]] == ["Week 4", "Week 12", "Week 24"]
    assert len(lines) == 12


def test_a_parameter_without_results_says_so():
    assert cells(demo_effects().filter(pl.col("paramcd") != "IL2")) == [["No results."]]
