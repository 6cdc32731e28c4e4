"""Medians by subgroup: what is drawn, labelled and told of every cell."""

import polars as pl
import pytest

from assayhouse.report.errors import ReportInputError
from assayhouse.report.subgroup_medians import (
    plot_subgroup_medians,
    subgroup_tooltips,
    subgroup_twin,
)
from assayhouse.report.theme import arm_styles
from assayhouse.report.words import MINUS

from support.headings import heading
from support.report_inputs import demo_arms, demo_parameters, demo_visits
from support.report_subsets import cut_offs

ARMS = ("PBO", "D015", "D030", "D045")
SHOWN = ("IL2", "BLYS")


def cell(paramcd, visit, level, place, **changes):
    """A row of ard.median_changes; numbers can be told from its place."""
    median = -10.0 * place + visit / 10 + (level == "high")
    row = {
        "paramcd": paramcd,
        "avisitn": visit,
        "subgroup": f"MODA={level}",
        "arm": ARMS[place],
        "n": 20 + place,
        "median": median,
        "q1": median - 5.0,
        "q3": median + 7.0,
        "base_median": 100.0 + place,
        "hl_shift": None if place == 0 else median - 1.5,
        "p": None if place == 0 else (0.2, 0.04, 0.0005)[place - 1],
        "p_signed": 0.3,
        "status": "ok",
        "reasons": "",
        "method": "medians",
    }
    return row | changes


def medians(**changes):
    rows = [
        cell(paramcd, visit, level, place, **changes)
        for paramcd in ("IL2", "IL10", "BLYS")
        for visit in (4, 12, 24)
        for level in ("low", "high")
        for place in range(4)
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def effects():
    rows = [
        (paramcd, visit, "pchg", subgroup, "diff", arm, 33.0, 0.01)
        for paramcd in ("IL2", "BLYS")
        for visit in (4, 12, 24)
        for subgroup in ("all", "MODA=low", "MODA=high")
        for arm in ARMS[1:]
    ]
    names = ("paramcd", "avisitn", "response", "subgroup", "term", "arm", "estimate", "p")
    return pl.DataFrame(rows, schema=names, orient="row")


FRAMES = {"cut_offs": cut_offs(), "parameters": demo_parameters(), "visits": demo_visits()}


def twin_of(frame=None, **changes):
    options = {"paramcds": SHOWN, "subgroup": "MODA", "figure_id": "s2"} | changes
    given = medians() if frame is None else frame
    return subgroup_twin(given, effects(), styles=arm_styles(demo_arms()), **FRAMES, **options)


@pytest.fixture(scope="module")
def figure():
    return plot_subgroup_medians(
        medians(),
        effects(),
        arms=demo_arms(),
        paramcds=SHOWN,
        subgroup="MODA",
        heading=heading("s2", "Medians"),
        **FRAMES,
    )


def test_low_stands_beside_high_in_the_order_of_the_parameters():
    panels = twin_of()["panel"].unique(maintain_order=True).to_list()
    assert panels == ["IL2:low", "IL2:high", "BLYS:low", "BLYS:high"]
    assert twin_of()["parameter"][0] == "Interleukin-2, Module A low"


def test_points_are_medians_and_bars_quartiles_bit_for_bit():
    twin = twin_of().filter(pl.col("status") == "ok")
    given = medians().rename({"median": "estimate", "q1": "lower", "q3": "upper"})
    keys = ["paramcd", "avisitn", "subgroup", "arm"]
    both = twin.join(given, on=keys, suffix="_given")
    assert both.height == twin.height == 2 * 2 * 3 * 4
    for name in ("estimate", "lower", "upper", "n", "base_median", "p_signed"):
        assert both[name].equals(both[f"{name}_given"].cast(both[name].dtype), check_names=False)
    assert set(twin["response"]) == {"pchg"}


def test_only_the_last_visit_is_labelled_with_shift_and_stars():
    twin = twin_of().filter(pl.col("label").is_not_null())
    assert set(twin["avisitn"]) == {24}
    labels = twin.filter(panel="IL2:low").sort("arm_order")["label"].to_list()
    assert labels == [f"{MINUS}9.1%", f"{MINUS}19.1%*", f"{MINUS}29.1%***"]


def test_every_visit_keeps_its_shift_and_the_adjusted_difference():
    later = twin_of().filter(pl.col("status") == "ok", pl.col("arm") != "PBO")
    assert later["difference"].null_count() == 0
    assert set(later["difference_response"]) == {"hl_shift"}
    assert set(later["adjusted_difference"]) == {33.0}
    assert set(later["adjusted_p"]) == {0.01}


def test_a_median_stays_where_the_tests_were_refused():
    few = {"hl_shift": None, "p": None, "status": "too_few", "reasons": "too_few: 4 changes."}
    twin = twin_of(medians(**few))
    later = twin.filter(pl.col("avisitn") > 0)
    assert later["estimate"].null_count() == 0
    assert later["label"].null_count() == later.height
    assert set(later.filter(pl.col("arm") != "PBO")["difference_reasons"]) == {"4 changes."}


def test_row_order_changes_nothing():
    shuffled = medians().sample(fraction=1.0, shuffle=True, seed=3)
    assert twin_of(shuffled).equals(twin_of())


def test_an_arm_that_is_not_declared_is_refused():
    stray = medians().with_columns(pl.col("arm").replace({"D045": "D999"}))
    with pytest.raises(ReportInputError, match="D999"):
        twin_of(stray)


def test_tooltips_lead_to_the_rows_of_the_parameter():
    twin = twin_of()
    told = subgroup_tooltips(twin)
    row = twin.filter(panel="BLYS:high", avisitn=24, arm="D045").row(0, named=True)
    text = told[row["point_id"]]
    quartiles = f"{MINUS}31.6 to {MINUS}19.6 %"
    assert f"Median change {MINUS}26.6 % (quartiles {quartiles}), n = 23" in text
    assert "at baseline 103 pg/mL" in text
    assert "PARAMCD = 'BLYS' and AVISITN = 24" in text
    assert len(told) == twin.height


def test_the_figure_says_what_it_shows(figure):
    svg = figure.svg.decode()
    for text in ("SYNTHETIC", "Hodges-Lehmann", "quartiles", "MODAL", "No adjustment", "log2"):
        assert text in svg
    assert svg.count('id="pt-s2-') == figure.twin.height
    assert figure.twin["label_drawn"].sum() == 2 * 2 * 3
    assert len(figure.thumbnail_svg) < 50_000


def test_equal_inputs_give_equal_bytes(figure):
    again = plot_subgroup_medians(
        medians().sample(fraction=1.0, shuffle=True, seed=5),
        effects(),
        arms=demo_arms(),
        paramcds=SHOWN,
        subgroup="MODA",
        heading=heading("s2", "Medians"),
        **FRAMES,
    )
    assert (again.svg, again.png, again.pdf) == (figure.svg, figure.png, figure.pdf)
