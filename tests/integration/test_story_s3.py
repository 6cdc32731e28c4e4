"""A file is delivered again under its former name: what is new, changed, cosmetic and gone."""

import shutil
from dataclasses import dataclass, replace

import polars as pl
import pytest

from assayhouse.pipeline import delivery
from assayhouse.warehouse.lake import Lake

from support.laboratory import demographics, laboratory, render, results, send, sites, wells

SAME, NEW, CHANGED, COSMETIC, VANISHED = 5950, 18, 9, 3, 4
KNOWN = SAME + CHANGED + COSMETIC
COUNTS = {"SAME": SAME, "NEW": NEW, "CHANGED": CHANGED, "COSMETIC": COSMETIC, "VANISHED": VANISHED}


@dataclass(frozen=True)
class Case:
    """One layout: its rows, and how one of them is changed in value or only in writing."""

    layout: str
    rows: object
    column: str
    change: object
    cosmetic_column: str
    rewrite: object


CASES = {
    "results": Case(
        layout="singulex.results",
        rows=results,
        column="ORRES",
        change=lambda text: f"{float(text) + 0.011:.3f}",
        cosmetic_column="ORRESU",
        rewrite=lambda _text: "pg/ml",
    ),
    "wells": Case(
        layout="singulex.wells",
        rows=wells,
        column="DE",
        change=lambda text: str(int(text) + 3),
        cosmetic_column="TP",
        rewrite=lambda text: text + ".0",
    ),
}


def sixth_and_seventh(case):
    rows = case.rows(KNOWN + VANISHED + NEW)
    sixth, new = rows[: KNOWN + VANISHED], rows[KNOWN + VANISHED :]
    gone = set(range(100, 5900, 1450))
    kept = [dict(row) for place, row in enumerate(sixth) if place not in gone]
    for place in range(200, 200 + 600 * CHANGED, 600):
        kept[place][case.column] = case.change(kept[place][case.column])
    for place in range(250, 250 + 600 * COSMETIC, 600):
        kept[place][case.cosmetic_column] = case.rewrite(kept[place][case.cosmetic_column])
    return sixth, [*kept, *new], [sixth[place] for place in sorted(gone)]


@dataclass(frozen=True)
class Story:
    """Delivery 6 is served, delivery 7 was ingested."""

    bench: object
    case: Case
    sixth: object
    seventh: object
    gone: list

    @property
    def lake(self):
        return Lake(self.bench.home, self.bench.declarations)

    @property
    def relation(self):
        return self.bench.declarations.layouts[self.case.layout].relation

    def served(self, visible=None):
        receipts = delivery.visible_receipts(self.bench.home) if visible is None else visible
        with self.lake.connect(visible=frozenset(receipts), sealed=True) as connection:
            return connection.sql(f"select * from {self.relation}").pl()

    def records(self):
        found = self.lake.scan("intake.delta_records", side="open").collect()
        return found.filter(pl.col("receipt") == self.seventh.receipt)


@pytest.fixture(scope="module", params=CASES)
def told(request, tmp_path_factory):
    """The story as far as the decision, which is each test's own."""
    case = CASES[request.param]
    bench = laboratory(tmp_path_factory.mktemp("s3") / "home")
    send(bench, "edc.site", sites(), transfer=1)
    send(bench, "edc.dm", demographics(), transfer=2)
    sixth, seventh, gone = sixth_and_seventh(case)
    send(bench, case.layout, sixth, transfer=6)
    bench.scan()
    outcomes = {item.layout: item for item in bench.ingest_all()}
    name = outcomes[case.layout].file_name
    date = "20190304"
    data = send(bench, case.layout, seventh, transfer=7, date=date)
    old = bench.home.landing / "singulex" / name.replace("T006", "T007")
    # Under the very name of delivery 6.
    sidecar = old.with_name(old.name + ".manifest.json")
    sidecar.write_text(sidecar.read_text().replace("_T007_", "_T006_"))
    old.rename(old.with_name(name))
    assert data == render(bench.declarations.layouts[case.layout], seventh)
    bench.scan()
    (outcome,) = bench.ingest_all()
    return Story(bench=bench, case=case, sixth=outcomes[case.layout], seventh=outcome, gone=gone)


@pytest.fixture
def story(told, tmp_path):
    shutil.copytree(told.bench.home.root, tmp_path / "home")
    return replace(told, bench=laboratory(tmp_path / "home"))


def test_a_file_of_the_same_name_is_processed_and_compared(story):
    assert story.seventh.file_name == story.sixth.file_name
    assert story.seventh.partition_key[5:] != story.sixth.partition_key[5:]
    assert story.seventh.account.accepted_rows == 5980
    assert story.seventh.delta.by_class() == COUNTS
    deltas = story.lake.scan("intake.deltas").collect()
    mine = deltas.filter(pl.col("receipt") == story.seventh.receipt)
    assert dict(mine.select("delta_class", "n_records").iter_rows()) == COUNTS


def test_the_delivery_is_on_hold_and_the_vanished_records_stay_visible(story):
    assert story.seventh.state == "HELD"
    assert "F31" in story.seventh.why
    assert story.served().height == KNOWN + VANISHED
    vanished = story.records().filter(pl.col("delta_class") == "VANISHED")
    assert set(vanished["status"]) == {"vanished_pending"}
    layout = story.bench.declarations.layouts[story.case.layout]
    keys = {" | ".join(row[name] for name in layout.key) for row in story.gone}
    assert set(vanished["record_key"]) == keys


def test_changed_and_cosmetic_records_name_the_column(story):
    records = story.records()
    for name, count, column in (
        ("CHANGED", CHANGED, story.case.column),
        ("COSMETIC", COSMETIC, story.case.cosmetic_column),
    ):
        found = records.filter(pl.col("delta_class") == name)
        assert found["columns"].to_list() == [column] * count


def test_after_approval_the_new_state_is_served_and_the_earlier_one_still_readable(story):
    before = story.served()
    outcome = story.bench.approve(story.seventh.receipt, "four specimens were withdrawn")
    assert outcome.state == "PUBLISHED"
    now = story.served()
    assert now.height == 5980
    assert now.filter(pl.col("record_action") == "CHANGED").height == CHANGED
    as_of_six = story.served(visible={story.sixth.receipt})
    assert as_of_six.sort(pl.all()).equals(before.sort(pl.all()))
    states = story.lake.scan("intake.states").collect()
    reasons = states.filter(pl.col("state") == "APPROVED")["why"].to_list()
    assert reasons == ["four specimens were withdrawn"]
    assert set(story.records()["status"]) == {"accepted"}


def test_the_same_bytes_again_are_ignored_and_create_no_version(story):
    story.bench.refuse(story.seventh.receipt)
    head = story.lake.head(story.relation)
    rows = sixth_and_seventh(story.case)[0]
    send(story.bench, story.case.layout, rows, transfer=8, date="20190305")
    (receipt,) = story.bench.scan()
    outcome = story.bench.ingest(receipt.number)
    assert outcome.state == "DUPLICATE"
    assert outcome.why == f"duplicate of delivery {story.sixth.receipt}, ignored"
    assert story.lake.head(story.relation) == head


def test_a_refused_delivery_leaves_the_last_accepted_one_current(story):
    before = story.served()
    outcome = story.bench.refuse(story.seventh.receipt, "the laboratory sent a draft")
    assert (outcome.state, outcome.why) == ("REFUSED", "the laboratory sent a draft")
    assert story.served().sort(pl.all()).equals(before.sort(pl.all()))
    assert set(story.records()["status"]) == {"refused"}
    assert story.bench.declarations.layouts[story.case.layout].layout == story.case.layout
