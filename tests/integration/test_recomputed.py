"""recon.recomputed over clean files of every layout that carries parts: reported values agree."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from assayhouse.contracts import declarations as shipped
from assayhouse.contracts.terminology import read_parameters
from assayhouse.contracts.vendor_file import read_layout
from assayhouse.pipeline import delivery
from assayhouse.pipeline.recomputed import judge_recomputed
from assayhouse.pipeline.relations import build_relation
from assayhouse.simulate.study import simulate_study

from support.deliveries import Bench

ROOT = Path(__file__).resolve().parents[2]
LAYOUTS = (
    *("edc.site", "edc.dm", "central_lab.lb", "covance_flow.results", "epiontis.results"),
    *("singulex.results", "singulex.wells", "singulex.plates", "dxterity.expression"),
)
PARENTS = shipped.load().declared_tables["recon.recomputed"].parents
KEPT = {"recon.recomputed", *PARENTS}
SHAPES = ("recomputation", "wells", "curves", "blood_counts")


def study():
    base = shipped.load()
    layouts = {}
    for name in LAYOUTS:
        layout = read_layout(ROOT / f"schemas/vendors/{name}.yaml")
        kept = tuple(item for item in layout.maps_to if item.relation in SHAPES)
        layouts[name] = replace(layout, maps_to=kept)
    parameters = read_parameters(ROOT / "schemas/terms/parameters.csv")
    own = replace(base.study, layouts=LAYOUTS, parameters=tuple(parameters))
    tables = {
        name: spec
        for name, spec in base.declared_tables.items()
        if spec.layer == "intake" or name in KEPT
    }
    return replace(base, study=own, layouts=layouts, parameters=parameters, declared_tables=tables)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    bench = Bench(tmp_path_factory.mktemp("recon") / "home", study())
    made = simulate_study(seed=20190304, faults=False, layouts=LAYOUTS).transfers[0]
    for path, content in made.files.items():
        vendor, _, name = path.partition("/")
        bench.drop(name, content, vendor=vendor)
    bench.scan()
    assert {outcome.state for outcome in bench.ingest_all()} == {"PUBLISHED"}
    assert delivery.pending(bench.home, bench.declarations) == ()
    build_relation(bench.home, bench.declarations, "recon.recomputed")
    return bench.table("recon.recomputed")


def test_every_vendor_s_clean_values_agree_with_their_parts(table):
    told = table.group_by("vendor", "verdict").len().sort("vendor", "verdict")
    print(told)
    agree = dict(told.filter(pl.col("verdict") == "agree").select("vendor", "len").iter_rows())
    assert set(agree) == {"covance_flow", "epiontis", "singulex", "dxterity"}
    assert min(agree.values()) > 700
    assert "differ" not in told["verdict"]


def test_what_could_not_be_recomputed_says_why_and_the_rest_says_nothing(table):
    open_rows = table.filter(pl.col("verdict") == "not_recomputable")
    assert open_rows["reason"].null_count() == 0
    assert set(open_rows["reason"]) <= {"NO NUMBER REPORTED", "NO CBC"}
    assert table.filter(pl.col("verdict") != "not_recomputable")["reason"].null_count() == (
        table.height - open_rows.height
    )
    assert table.select("layout", "receipt", "source_line").is_unique().all()


def judged(reported, recomputed, written, scale=None):
    frame = pl.DataFrame(
        {
            "reported": [reported], "recomputed": [recomputed], "written": [written],
            "why": ["because"], "scale": [scale], "tolerance_pct": [2.0],
        },
        schema={
            "reported": pl.Float64, "recomputed": pl.Float64, "written": pl.String,
            "why": pl.String, "scale": pl.String, "tolerance_pct": pl.Float64,
        },
    )  # fmt: skip
    return judge_recomputed(frame).select("verdict", "rel_difference_pct", "reason").row(0)


def test_two_percent_or_half_a_digit_agree():
    assert judged(101.9, 100.0, "101.9") == ("agree", pytest.approx(1.9), None)
    assert judged(103.0, 100.0, "103.0")[0] == "differ"
    assert judged(0.3, 0.26, "0.3")[0] == "agree", "the reported text has one decimal"
    assert judged(0.30, 0.26, "0.30")[0] == "differ"


def test_log2_values_are_compared_as_ratios():
    verdict, difference, _ = judged(1.0, 0.0, "1.0000", "log2")
    assert (verdict, difference) == ("differ", pytest.approx(100.0))


def test_no_number_or_no_parts_is_not_recomputable_with_its_reason():
    assert judged(None, 1.0, "<1") == ("not_recomputable", None, "NO NUMBER REPORTED")
    assert judged(1.0, None, "1") == ("not_recomputable", None, "because")
