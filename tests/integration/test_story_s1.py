"""The nightly run: two vendors' files clean, one with a dozen rows in another unit, one cut off."""

import csv
import io
import re

import polars as pl
import pytest

from assayhouse.pipeline import delivery, night
from assayhouse.trust.audit import AuditLog
from assayhouse.warehouse.lake import Lake

from support.deliveries import AT, WHO
from support.laboratory import demographics, in_nanograms, laboratory, results, send, sites, wells

NANOGRAMS = (*range(700, 6900, 600), 6911)
CUT = 5213
FIRST_ROW = 4
UNITS = "singulex.results"
BROKEN = "singulex.wells"


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """Everything as it stands in the morning."""
    bench = laboratory(tmp_path_factory.mktemp("s1") / "home")
    send(bench, BROKEN, wells(4000), transfer=1)
    bench.scan()
    bench.ingest_all()
    rows = results()
    for place in NANOGRAMS:
        rows[place] = in_nanograms(rows[place])
    send(bench, "edc.site", sites(), transfer=1)
    send(bench, "edc.dm", demographics(), transfer=2)
    send(bench, UNITS, rows, transfer=2)
    send(bench, BROKEN, wells(6000), transfer=3, cut=CUT)
    bench.scan()
    return bench, {item.layout: item for item in bench.ingest_all()}


def served(bench, relation):
    lake = Lake(bench.home, bench.declarations)
    visible = delivery.visible_receipts(bench.home)
    with lake.connect(visible=visible, sealed=True) as connection:
        return connection.sql(f"select count(*) from {relation}").fetchall()[0][0]


def test_a_dozen_rows_are_in_nanograms():
    assert len(NANOGRAMS) == 12
    assert len(results()) == 6912


@pytest.mark.parametrize(("layout", "rows"), [("edc.site", 40), ("edc.dm", 288)])
def test_the_clean_files_are_published(story, layout, rows):
    bench, outcomes = story
    assert (outcomes[layout].state, outcomes[layout].findings) == ("PUBLISHED", ())
    assert served(bench, bench.declarations.layouts[layout].relation) == rows


def test_the_file_cut_off_is_rejected_with_rule_and_line(story):
    _, outcomes = story
    outcome = outcomes[BROKEN]
    assert outcome.state == "REJECTED"
    found = {(item.rule, item.disposition, item.source_line) for item in outcome.findings}
    assert ("F01", "R", CUT) in found
    assert f"line {CUT}" in outcome.why


def test_none_of_its_rows_is_served_and_the_last_good_delivery_still_is(story):
    bench, outcomes = story
    assert served(bench, "raw.singulex_wells") == 4000
    lake = Lake(bench.home, bench.declarations)
    assert outcomes[BROKEN].receipt not in lake.receipts_in("raw.singulex_wells")


def test_the_rows_in_another_unit_are_quarantined_each_with_its_line_and_text(story):
    bench, outcomes = story
    outcome = outcomes[UNITS]
    assert outcome.state == "PUBLISHED"
    assert (outcome.accepted_rows, outcome.quarantined_rows) == (6900, 12)
    assert served(bench, "raw.singulex_results") == 6900
    lake = Lake(bench.home, bench.declarations)
    kept = lake.scan("intake.quarantine", side="open").collect().sort("source_line")
    assert kept["source_line"].to_list() == [place + FIRST_ROW for place in NANOGRAMS]
    assert set(kept["rule"]) == {"F32"}
    assert set(kept["column"]) == {"ORRESU"}
    assert set(kept["expected"]) == {"pg/mL"}
    (archived,) = bench.home.archive("open").glob(f"*/*/{outcome.file_name}")
    lines = archived.read_bytes().decode().split("\r\n")
    assert kept["raw_text"].to_list() == [lines[place + FIRST_ROW - 1] for place in NANOGRAMS]


def test_each_has_a_finding_with_a_stable_id_and_no_value(story):
    _, outcomes = story
    found = [item for item in outcomes[UNITS].findings if item.disposition == "Q"]
    assert len({item.finding_id for item in found}) == len(found) == 12
    assert all(re.fullmatch(r"SIN-RES-\d{4}-\d{4}", item.finding_id) for item in found)
    assert not any(character in item.message for item in found for character in "0123456789")


def test_the_account_of_lines_balances(story):
    bench, outcomes = story
    account = outcomes[UNITS].account
    assert str(account) == (
        "6900 accepted + 12 quarantined + 2 preamble + 1 header + 1 trailer = 6916 lines"
    )
    accounts = Lake(bench.home, bench.declarations).scan("intake.line_accounts").collect()
    assert accounts["balanced"].all()


def test_the_morning_page_lists_each_vendor_and_has_a_twin(story):
    bench, _ = story
    page = night.morning_page(bench.home, bench.declarations, at=AT)
    html = page.html.decode() if isinstance(page.html, bytes) else page.html
    assert "singulex" in html
    assert "edc" in html
    twin = page.csv.decode() if isinstance(page.csv, bytes) else page.csv
    assert list(csv.reader(io.StringIO(twin)))


def test_checks_are_critical_for_the_file_cut_off_only(story):
    _, outcomes = story
    red = {
        layout: sorted(
            item.rule_id
            for item in outcome.checks
            if item.passed is False and item.severity == "critical"
        )
        for layout, outcome in outcomes.items()
    }
    assert red.pop(BROKEN)
    assert red == {"edc.dm": [], "edc.site": [], UNITS: []}


def test_a_second_run_changes_no_byte_of_any_table_and_adds_one_row_of_audit(story):
    bench, _ = story

    def files():
        return {
            path: path.read_bytes()
            for folder in (bench.home.root / "lake", bench.home.root / "sealed" / "lake")
            for path in folder.rglob("*")
            if path.is_file()
        }

    before, log = files(), AuditLog(bench.home.audit_file)
    rows = len(list(log.entries()))
    assert bench.scan(note_idle=True) == ()
    assert bench.ingest_all() == []
    assert files() == before
    entries = list(log.entries())
    assert [(item.why, item.who) for item in entries[rows:]] == [("no new content", WHO)]
    assert log.verify().intact


def test_states_tell_the_whole_night(story):
    bench, outcomes = story
    states = Lake(bench.home, bench.declarations).scan("intake.states").collect().sort("seq")
    last = states.group_by("receipt", maintain_order=True).agg(pl.col("state").last())
    assert dict(last.iter_rows()) == {
        1: "PUBLISHED",
        **{item.receipt: item.state for item in outcomes.values()},
    }
