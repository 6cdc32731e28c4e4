"""The CDISC pilot through the same code: our ADBM against the sponsor's own ADLBC, row by row.

The files are real and third-party; without them the tests are skipped.
"""

import json
import shutil
import zlib
from pathlib import Path

import polars as pl
import pytest

from assayhouse.contracts import declarations
from assayhouse.pipeline.night import run_night
from assayhouse.warehouse.catalogue import query
from assayhouse.warehouse.home import Home

from support.shared import shared

pytestmark = [pytest.mark.samples, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
STUDY = ROOT / "studies" / "cdisc-pilot"
AT = "2026-01-05T02:00:00+00:00"
FILES = (
    ("cdisc_pilot", "dm.xpt"),
    ("cdisc_pilot", "ex.xpt"),
    ("pharmaversesdtm", "lb.csv.gz"),
)


def land(home):
    folder = home.landing / "cdisc"
    folder.mkdir(parents=True, exist_ok=True)
    for place, name in FILES:
        shutil.copyfile(shared("samples", "clinical", place, name), folder / name)


@pytest.fixture(scope="module")
def pilot(tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("pilot"))
    home.create()
    land(home)
    result = run_night(home, declarations.load(STUDY), at=AT, who="test")
    return home, result


@pytest.fixture(scope="module")
def sponsor():
    packed = shared("samples", "clinical", "dataset_json", "adlbc.dsjc").read_bytes()
    lines = zlib.decompress(packed, wbits=47).decode().splitlines()
    names = [column["name"] for column in json.loads(lines[0])["columns"]]
    wanted = ["USUBJID", "LBSEQ", "PARAMCD", "AVAL", "BASE", "CHG"]
    rows = [dict(zip(names, json.loads(line), strict=True)) for line in lines[1:]]
    text = pl.DataFrame([{name: row[name] for name in wanted} for row in rows], strict=False)
    number = [pl.col(name).cast(pl.Float64, strict=False) for name in ("AVAL", "BASE", "CHG")]
    return text.with_columns(pl.col("LBSEQ").cast(pl.Int64), *number)


def test_every_delivery_is_published(pilot):
    _, result = pilot
    assert [outcome.state for outcome in result.outcomes] == ["PUBLISHED"] * 3


def test_aval_base_and_chg_equal_the_sponsors(pilot, sponsor):
    home, _ = pilot
    ours = query(home, "select USUBJID, LBSEQ, PARAMCD, AVAL, BASE, CHG from adam.adbm")
    joined = sponsor.join(ours, on=["USUBJID", "LBSEQ"], how="left", suffix="_ours")
    assert joined.height == sponsor.height
    counts = {}
    for name in ("AVAL", "BASE", "CHG"):
        given = joined.filter(pl.col(name).is_not_null())
        # The sponsor's differences are printed with their binary noise cut at 15 digits.
        apart = (pl.col(name) - pl.col(f"{name}_ours")).abs()
        equal = given.filter(apart <= 1e-10 * pl.max_horizontal("AVAL", "BASE", 1.0)).height
        counts[name] = (equal, given.height)
        print(f"{name}: {equal:,} of {given.height:,} equal the sponsor's")
    assert counts == {"AVAL": (37122, 37122), "BASE": (36772, 36772), "CHG": (32235, 32235)}
    assert joined.filter(
        pl.col("AVAL").is_not_null() & (pl.col("PARAMCD") != pl.col("PARAMCD_ours"))
    ).is_empty()


def test_both_doses_are_compared_with_placebo_for_every_parameter_and_visit(pilot):
    home, _ = pilot
    study = declarations.load(STUDY).study
    rows = query(
        home,
        "select paramcd, avisitn, arm, status from ard.effects "
        "where term = 'diff' and response = 'chg' and subgroup = 'all'",
    )
    visits = [visit.AVISITN for visit in study.visits if not visit.is_baseline]
    wanted = {(p, v, a) for p in study.parameters for v in visits for a in ("Xan_Hi", "Xan_Lo")}
    assert set(rows.select("paramcd", "avisitn", "arm").rows()) == wanted
    ok = rows.filter(pl.col("status") == "ok").height
    print(f"{ok} of {rows.height} differences are ok")
    assert ok >= 0.95 * rows.height


def test_a_second_night_with_nothing_new_builds_nothing(pilot):
    home, result = pilot
    again = run_night(home, declarations.load(STUDY), at="2026-01-06T02:00:00+00:00", who="test")
    assert again.outcomes == ()
    assert again.built == ()
    assert not again.published.is_new
    assert again.published.publication.number == result.published.publication.number


def test_the_same_files_again_are_duplicates_and_make_no_version(pilot):
    home, result = pilot
    land(home)
    again = run_night(home, declarations.load(STUDY), at="2026-01-07T02:00:00+00:00", who="test")
    assert again.built == ()
    states = query(home, "select receipt from intake.states where state = 'DUPLICATE'")
    assert states.height in (0, 3)  # the register knows; tables follow with the next publication
    assert again.published.publication.number >= result.published.publication.number


HAEMATOLOGY = {
    "HGB": ("Haemoglobin", "mmol/L"),
    "PLAT": ("Platelets", "GI/L"),
    "WBC": ("Leukocytes", "GI/L"),
}


def test_haematology_works_by_editing_declarations_only(tmp_path):
    study = tmp_path / "study"
    shutil.copytree(STUDY, study)
    listed = study / "schemas" / "terms" / "parameters.csv"
    rows = [
        f"{code},{name},{unit},linear,haematology,,,," for code, (name, unit) in HAEMATOLOGY.items()
    ]
    header = listed.read_text().splitlines()[0]
    listed.write_text("\n".join([header, *rows]) + "\n")
    text = (study / "study.yaml").read_text()
    before, rest = text.split("parameters: [ALB", 1)
    after = rest.split("]", 1)[1].split("figures:")[0]
    (study / "study.yaml").write_text(f"{before}parameters: [{', '.join(HAEMATOLOGY)}]{after}")
    home = Home(tmp_path / "home").create()
    land(home)
    run_night(home, declarations.load(study), at=AT, who="test")
    delivered = pl.read_csv(
        shared("samples", "clinical", "pharmaversesdtm", "lb.csv.gz"), infer_schema=False
    ).filter(pl.col("LBTESTCD").is_in(list(HAEMATOLOGY)), pl.col("LBSTRESN").is_not_null())
    ours = query(home, "select USUBJID, LBSEQ, AVAL from adam.adbm where DTYPE is null")
    joined = delivered.with_columns(
        pl.col("LBSEQ").cast(pl.Int64), pl.col("LBSTRESN").cast(pl.Float64)
    ).join(ours, on=["USUBJID", "LBSEQ"], how="left")
    equal = joined.filter(pl.col("AVAL") == pl.col("LBSTRESN")).height
    print(f"haematology AVAL: {equal:,} of {joined.height:,} equal the delivered standard result")
    assert equal == joined.height > 5000
    found = query(home, "select distinct paramcd from ard.effects where status = 'ok'")
    assert set(found["paramcd"]) == set(HAEMATOLOGY)
