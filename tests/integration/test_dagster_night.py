"""Nights through Dagster: what runs, what does not, and what each delivery keeps of its checks."""

import shutil

import dagster as dg
import polars as pl
import pytest

from assayhouse.intake.receipt import HELD, PUBLISHED, REJECTED
from assayhouse.pipeline import delivery, publication
from assayhouse.warehouse.lake import Lake
from dagster_project import arrivals
from dagster_project.definitions import definitions
from dagster_project.night import NIGHT_TAG, free_killed, has_news

from support import dagster_study as nights
from support.cytokine_study import write_cytokine_study
from support.deliveries import manifest_of
from support.laboratory import render

DM, SITE, WELLS = "edc.dm", "edc.site", "singulex.wells"
RECORDED = {"intake.receipts", "intake.states", "intake.line_accounts", "intake.deltas"}

pytestmark = pytest.mark.slow


@pytest.fixture
def night(tmp_path):
    return nights.copy_of_finished_night(tmp_path / "home")


@pytest.fixture
def instance(night):
    with nights.dagster_of(night.home) as opened:
        yield opened


def served_rows(night, layout):
    """Text columns of the current rows of a layout, as dictionaries."""
    spec = night.declarations.layouts[layout]
    lake = Lake(night.home, night.declarations)
    with lake.connect(visible=delivery.visible_receipts(night.home), sealed=True) as connection:
        frame = connection.sql(f"select * from {spec.relation}").pl()
    names = [column.name for column in spec.columns]
    return frame.sort("source_line").select(names).fill_null("").to_dicts()


def send(night, layout, rows, *, transfer, cut=0):
    """Drop one file, its last bytes cut away, with a manifest that speaks of it as dropped."""
    data = render(night.declarations.layouts[layout], rows)
    data = data[: len(data) - cut]
    vendor, _, kind = layout.partition(".")
    name = f"DEMO-SLE-01_{vendor}-{kind}_T{transfer:03d}_20190304.csv"
    night.drop(name, data, vendor=vendor)
    sidecar = manifest_of({name: (layout, data, len(rows))}, transfer=transfer, vendor=vendor)
    night.drop(f"{name}.manifest.json", sidecar, vendor=vendor)


def one_site_renamed(night):
    rows = served_rows(night, SITE)
    return [rows[0] | {"COUNTRY": "CAN"}, *rows[1:]]


def state_of(night, number):
    return delivery.outcome(night.home, night.declarations, number).state


def last_receipt(night):
    return delivery.receipts(night.home)[-1]


def materialisations(instance, relation):
    key = dg.AssetKey(relation.split("."))
    found = instance.fetch_materializations(dg.AssetRecordsFilter(asset_key=key), limit=99)
    return [record.asset_materialization for record in found.records]


def test_the_first_night_takes_in_every_delivery_and_makes_every_relation_once(night):
    first = nights.first_night()
    assert len(first.deliveries) == 12
    assert sorted(first.built) == sorted(night.declarations.tables)
    assert first.failed == ()
    assert first.published


def test_layouts_are_taken_in_before_those_that_are_checked_against_them(night):
    first = nights.first_night()
    order = [news.split("/")[0] for news in first.deliveries]
    for layout, spec in night.declarations.layouts.items():
        for other in spec.references:
            before, after = nights.asset_name(other), nights.asset_name(layout)
            assert order.index(before) < order.index(after)


def test_every_delivery_is_a_partition_that_was_materialised(night, instance):
    for receipt in delivery.receipts(night.home):
        assert receipt.partition_key in nights.partitions(instance, receipt.layout)
        assert receipt.partition_key in nights.materialised(instance, receipt.layout)


def test_dagster_shows_the_content_hash_that_the_lake_holds(night, instance):
    lake = Lake(night.home, night.declarations)
    for relation in ("sdtm.dm", "adam.adbm", "ard.effects", "report.figures"):
        (shown,) = materialisations(instance, relation)
        head = lake.head(relation)
        assert shown.tags["dagster/data_version"] == head.content_hash
        assert shown.metadata["dagster/row_count"].value == head.rows


def test_a_second_night_runs_nothing_and_makes_no_version(night, instance):
    lake = Lake(night.home, night.declarations)
    before = {name: lake.heads(name) for name in night.declarations.tables}
    runs = instance.get_runs_count()
    assert not has_news(instance, night.study)
    assert night.run(instance).ran == 0
    assert instance.get_runs_count() == runs
    assert {name: lake.heads(name) for name in night.declarations.tables} == before


def test_a_cut_off_warehouse_file_is_written_anew_by_the_next_night(night, instance):
    path = night.home.warehouse_file("sealed")
    size = path.stat().st_size
    with path.open("r+b") as stream:
        stream.truncate(size - 300_000)
    assert has_news(instance, night.study)
    result = night.run(instance)
    assert (result.built, result.published) == ((), True)
    assert path.stat().st_size >= size
    assert not has_news(instance, night.study)


def test_changed_sites_make_anew_what_stands_on_sites_and_nothing_else(night, instance):
    send(night, SITE, one_site_renamed(night), transfer=3)
    assert has_news(instance, night.study)
    done = night.run(instance)
    made = {name for name in done.built if not name.startswith("intake.")}
    assert made == {"raw.edc_site", "ref.sites"}
    assert set(done.built) >= RECORDED
    assert done.published
    assert night.run(instance).ran == 0


def test_a_parent_made_anew_with_the_same_content_stops_the_change_there(night, instance):
    rows = served_rows(night, DM)
    send(night, DM, [*rows[1:], rows[0]], transfer=3)  # another order of the same records
    done = night.run(instance)
    assert len(done.deliveries) == 1
    assert "ard.effects" not in done.built
    assert "adam.adbm" not in done.built or "sdtm.dm" in done.built


def test_a_rejected_delivery_fails_alone_and_every_delivery_keeps_its_own_checks(night, instance):
    before = served_rows(night, WELLS)
    send(night, WELLS, before, transfer=3, cut=30)
    send(night, SITE, one_site_renamed(night), transfer=3)
    done = night.run(instance)
    (failed,) = done.failed
    rejected = next(
        item for item in delivery.receipts(night.home) if failed.endswith(item.partition_key)
    )
    assert rejected.layout == WELLS
    assert state_of(night, rejected.number) == REJECTED
    assert done.published
    assert "ref.sites" in done.built
    assert "raw.singulex_wells" not in done.built
    assert served_rows(night, WELLS) == before
    good = nights.partitions(instance, WELLS)[0]
    assert good in nights.materialised(instance, WELLS)
    assert rejected.partition_key not in nights.materialised(instance, WELLS)
    of_good = nights.checks_of(instance, WELLS, good)
    of_bad = nights.checks_of(instance, WELLS, rejected.partition_key)
    assert set(of_good) == set(of_bad) == set(nights.check_names())
    assert all(result.passed for result in of_good.values())
    assert not of_bad["contract"].passed
    assert of_bad["contract"].severity == dg.AssetCheckSeverity.ERROR
    assert of_bad["approval"].passed
    assert night.run(instance).ran == 0


def test_a_failed_check_tells_lines_and_counts_and_no_value(night, instance):
    rows = served_rows(night, DM)
    wrong = "WRONG-VALUE-77"
    rows[3] = rows[3] | {"AGE": wrong}
    send(night, DM, rows, transfer=3)
    night.run(instance)
    result = nights.checks_of(instance, DM, last_receipt(night).partition_key)["row_rules"]
    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity.WARN
    assert result.metadata["lines"].value.isdigit()
    assert result.metadata["rows_by_rule"].value.endswith(": 1")
    log = [str(entry) for run in instance.get_runs() for entry in instance.all_logs(run.run_id)]
    assert not any(wrong in entry for entry in log)


def held_delivery(night, instance):
    send(night, DM, served_rows(night, DM)[:-2], transfer=3)
    night.run(instance)
    receipt = last_receipt(night)
    assert state_of(night, receipt.number) == HELD
    return receipt


def test_a_held_delivery_waits_for_a_person_and_goes_on_once_approved(night, instance):
    receipt = held_delivery(night, instance)
    results = nights.checks_of(instance, DM, receipt.partition_key)
    assert not results["approval"].passed
    assert results["approval"].severity == dg.AssetCheckSeverity.WARN
    assert not results["delta"].passed
    assert receipt.partition_key in nights.materialised(instance, DM)
    assert night.run(instance).ran == 0
    given = {"reason": "withdrawn", "at": nights.AT, "who": "anna"}
    delivery.approve(night.home, night.declarations, receipt.number, **given)
    done = night.run(instance)
    assert done.deliveries == (f"edc_dm/{receipt.partition_key}/APPROVED",)
    assert {"raw.edc_dm", "sdtm.dm"} <= set(done.built)
    assert nights.checks_of(instance, DM, receipt.partition_key)["approval"].passed
    assert state_of(night, receipt.number) == PUBLISHED
    assert night.run(instance).ran == 0


def test_a_refused_delivery_is_shown_again_and_changes_no_table(night, instance):
    receipt = held_delivery(night, instance)
    given = {"reason": "wrong file", "at": nights.AT, "who": "anna"}
    delivery.refuse(night.home, night.declarations, receipt.number, **given)
    done = night.run(instance)
    assert done.deliveries == (f"edc_dm/{receipt.partition_key}/REFUSED",)
    assert {name.split(".")[0] for name in done.built} == {"intake"}
    assert night.run(instance).ran == 0


def test_sealed_figures_are_shown_after_the_unblinding_and_not_before(night, instance):
    (before,) = materialisations(instance, "report.figures")
    assert before.metadata["figure"].value.endswith("shown here after unblinding.")
    given = {"planned": "planned", "reason": "end of study", "at": nights.AT, "who": "anna"}
    publication.unblind(night.home, night.declarations, **given)
    assert has_news(instance, night.study)
    done = night.run(instance)
    assert done.built == ("report.figures",)
    assert done.published
    after = materialisations(instance, "report.figures")[0]
    pictures = [
        entry for entry in after.metadata.values() if isinstance(entry, dg.MarkdownMetadataValue)
    ]
    assert pictures
    for picture in pictures:
        assert "data:image/svg+xml;base64," in picture.value
        assert len(picture.value) < 70_000
    assert after.tags["dagster/data_version"] == before.tags["dagster/data_version"]
    assert night.run(instance).ran == 0


def test_sealed_relations_leave_only_counts_and_hashes_in_dagster(night, instance):
    declared = night.declarations
    sealed = [n for n in declared.tables if declared.side(n) == "sealed"]
    allowed = {"dagster/row_count", "content_hash", "table_version", "changed", "inputs", "figure"}
    assert len(sealed) > 3
    for relation in sealed:
        for shown in materialisations(instance, relation):
            others = {n: v for n, v in shown.metadata.items() if n not in allowed}
            assert all(isinstance(v, dg.IntMetadataValue) for v in others.values()), relation


def test_deliveries_taken_in_by_others_are_shown_the_next_night(night, instance):
    send(night, SITE, one_site_renamed(night), transfer=3)
    given = {"at": nights.AT, "who": "command line"}
    (receipt,) = delivery.scan(night.home, night.declarations, **given)
    delivery.ingest(night.home, night.declarations, receipt.number, **given)
    done = night.run(instance)
    assert done.deliveries == (f"edc_site/{receipt.partition_key}",)
    assert "ref.sites" in done.built
    assert nights.checks_of(instance, SITE, receipt.partition_key)["approval"].passed


def test_a_home_without_dagsters_records_is_shown_whole(night):
    shutil.rmtree(night.home.dagster)
    lake = Lake(night.home, night.declarations)
    before = {name: lake.heads(name) for name in night.declarations.tables}
    with nights.dagster_of(night.home) as empty:
        done = night.run(empty)
        assert set(done.built) == set(night.declarations.tables)
        assert night.run(empty).ran == 0
    assert {name: lake.heads(name) for name in night.declarations.tables} == before


def test_a_run_that_a_kill_left_open_is_closed_and_its_pool_is_free(night, instance):
    job = definitions(night.study).resolve_implicit_global_asset_job_def()
    tags = {NIGHT_TAG: "true"}
    run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    store = instance.event_log_storage
    store.set_concurrency_slots("duckdb_writer", 1)
    store.claim_concurrency_slot("duckdb_writer", run.run_id, "warehouse__publication")
    free_killed(instance)
    assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.FAILURE
    assert store.get_concurrency_info("duckdb_writer").active_slot_count == 0


def test_a_broken_critical_rule_stops_what_stands_on_it_and_the_publication_stays(night, tmp_path):
    folder = tmp_path / "study"
    (folder / "expectations" / "adam").mkdir(parents=True)
    write_cytokine_study(folder)
    suite = {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "AGE", "min_value": 200},
        "severity": "critical",
        "meta": {"id": "AGE-99", "why": "Nobody in this test is young enough.", "on": "rows"},
    }
    text = pl.Series([{"name": "adam.adsl", "expectations": [suite]}]).struct.json_encode()[0]
    (folder / "expectations" / "adam" / "adsl.json").write_text(text)
    strict = nights.Night(night.home, folder)
    served = Lake(night.home, night.declarations).publication()
    rows = served_rows(night, DM)
    send(strict, DM, [rows[0] | {"AGE": "19"}, *rows[1:]], transfer=3)
    with nights.dagster_of(night.home) as instance:
        done = strict.run(instance)
    assert done.failed == ("adam.adsl",)
    assert not done.published
    assert "ard.effects" not in done.built
    assert Lake(night.home, night.declarations).publication() == served


def test_deliveries_that_others_are_checked_against_are_taken_in_first(night):
    send(night, SITE, one_site_renamed(night), transfer=3)
    rows = served_rows(night, DM)
    send(night, DM, [rows[0] | {"AGE": "19"}, *rows[1:]], transfer=3)
    # The two manifests are of one vendor: both files wait for an outcome at once.
    delivery.scan(night.home, night.declarations, at=nights.AT, who="test")
    numbers = {item.layout: item.number for item in delivery.receipts(night.home)[-2:]}
    before = arrivals.waiting_before(night.study, numbers[DM])
    references = night.declarations.layouts[DM].references
    assert before == ((numbers[SITE],) if SITE in references else ())
    assert arrivals.waiting_before(night.study, numbers[SITE]) == ()
    assert arrivals.waiting_before(night.study, 1) == ()
